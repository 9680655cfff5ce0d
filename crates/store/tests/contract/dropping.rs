//! Futures dropped at each of their awaits (fault test T2): the book stays clean, and what was
//! begun is whole or not there.

use daicho_store::{Log, Query};

use crate::support::{
    AWAITS_MAX, Store, With, append, assert_gapless, counted, dropped_at, event, everything, one,
    places, query,
};

pub async fn a_caller_that_goes_away_at_any_await_leaves_the_book_clean<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let mut rounds = 0;
    for awaits in 1..AWAITS_MAX {
        rounds += 1;
        let id = format!("request {awaits}");
        let trio = || {
            append(vec![event("a", &[&format!("t:{awaits}")]); 3])
                .unless(query(&["none"], &["t:0"]), 0)
                .answering(&id, "hash")
        };
        let first = dropped_at(log.append(trio()), awaits).await;
        let again = log.append(trio()).await.unwrap();
        let page = log.read(&query(&[], &[&format!("t:{awaits}")]), 0, 0, 100).await.unwrap();
        assert_eq!(page.events.len(), 3, "one effect, whole");
        if let Some(first) = first {
            let first = first.unwrap();
            assert_eq!((first.first, first.last), (again.first, again.last));
            assert!(again.repeated());
            break;
        }
    }
    assert!(rounds < AWAITS_MAX - 1, "the append was dropped at each of its awaits");
    let events = everything(&*log).await;
    assert_eq!(events.len(), rounds * 3);
    assert_gapless(&events);
}

pub async fn a_reader_that_goes_away_at_any_await_leaves_the_book_clean<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    // Some of it is sealed.
    for _ in 0..30 {
        log.append(append(vec![event("a", &["t:1"]); 2])).await.unwrap();
    }
    for awaits in 1..AWAITS_MAX {
        let read = dropped_at(log.read(&query(&["a"], &["t:1"]), 0, 0, 100), awaits).await;
        let last = dropped_at(log.last(&query(&["b"], &[]), 0), awaits).await;
        let head = dropped_at(log.head(), awaits).await;
        if read.is_some() && last.is_some() && head.is_some() {
            assert_eq!(log.read(&Query::everything(), 0, 0, 1_000).await.unwrap().events.len(), 60);
            return;
        }
    }
    panic!("a read waits more than {AWAITS_MAX} times");
}

pub async fn an_opening_that_is_given_up_at_any_await_leaves_the_book_clean<S: Store>() {
    let store = S::new().await;
    let (awaits, log) = counted(store.open()).await;
    let mut appended = 0;
    for place in places(awaits) {
        dropped_at(store.open(), place).await;
        log.append(one("a", &["t:1"])).await.unwrap();
        appended += 1;
    }
    let opened = store.open().await;
    assert_eq!(opened.head().await.unwrap(), log.head().await.unwrap());
    assert_eq!(opened.append(one("a", &["t:1"])).await.unwrap().first, appended + 1);
    assert_gapless(&everything(&*log).await);
}
