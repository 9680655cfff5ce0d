//! What a lease promises: one holder at a time, an end, and a number that only grows.

use daicho_store::{Holder, LEASE_MS_MAX, Lease, StateError};
use tokio::task::JoinSet;

use crate::support::{Place, name};

/// Longer than any test runs.
const LONG_MS: u64 = LEASE_MS_MAX;
/// Ends with the moment in which it is taken.
const AT_ONCE_MS: u64 = 0;

async fn take<P: Place>(place: &P, ms: u64) -> Option<Lease> {
    place.open().take(&name("work"), &Holder::new(), ms).await.unwrap()
}

pub async fn a_lease_is_one_holders_until_it_ends_or_is_given_back<P: Place>() {
    let place = P::new().await;
    let lease = take(&place, LONG_MS).await.unwrap();
    assert_eq!(take(&place, LONG_MS).await, None);
    let other = place.open().take(&name("other"), &Holder::new(), LONG_MS).await.unwrap();
    assert!(other.is_some(), "another lease is another matter");
    place.open().release(&lease).await.unwrap();
    let lease = take(&place, AT_ONCE_MS).await.unwrap();
    // The holder says nothing, as if it had died: the end lets others in.
    let next = take(&place, LONG_MS).await.unwrap();
    assert!(next.fence > lease.fence);
    assert_eq!(take(&place, LONG_MS).await, None);
}

pub async fn each_taking_has_a_larger_number_and_an_older_one_renews_nothing<P: Place>() {
    let place = P::new().await;
    let state = place.open();
    let old = take(&place, AT_ONCE_MS).await.unwrap();
    assert!(state.renew(&old, AT_ONCE_MS).await.unwrap(), "nobody has taken it since");
    let new = take(&place, LONG_MS).await.unwrap();
    assert!(new.fence > old.fence);
    assert!(!state.renew(&old, LONG_MS).await.unwrap());
    // Given back by whom it was taken from, it stays the other's.
    state.release(&old).await.unwrap();
    assert_eq!(take(&place, LONG_MS).await, None);
    assert!(state.renew(&new, AT_ONCE_MS).await.unwrap());
    assert!(take(&place, LONG_MS).await.unwrap().fence > new.fence);
}

pub async fn of_many_that_take_a_lease_at_once_exactly_one_has_it<P: Place>() {
    let place = P::new().await;
    for round in 0..5 {
        let work = name(&format!("work-{round}"));
        let mut taking = JoinSet::new();
        for _ in 0..6 {
            let (state, work) = (place.open(), work.clone());
            taking.spawn(async move { state.take(&work, &Holder::new(), LONG_MS).await.unwrap() });
        }
        assert_eq!(taking.join_all().await.into_iter().flatten().count(), 1);
    }
}

pub async fn a_lease_beyond_the_limit_is_refused<P: Place>() {
    let refused = P::new().await.open().take(&name("work"), &Holder::new(), LONG_MS + 1).await;
    assert!(matches!(refused, Err(StateError::Refused(_))), "{refused:?}");
}
