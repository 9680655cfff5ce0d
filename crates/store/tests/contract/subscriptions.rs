//! Following a book.

use std::sync::Arc;

use daicho_store::{Query, Subscription};
use tokio::task::JoinSet;

use crate::support::{Store, append, event, fill, query};

pub async fn a_subscription_sees_every_event_once_and_in_order<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    let mut writers = JoinSet::new();
    for writer in 0..8_usize {
        let log = Arc::clone(&log);
        writers.spawn(async move {
            for round in 0..10 {
                let events = vec![event("a", &[&format!("t:{writer}")]); round % 3 + 1];
                daicho_store::Log::append(&*log, append(events)).await.unwrap();
            }
        });
    }
    let mut subscription = Subscription::new(Arc::clone(&log), Query::everything(), 0, 7);
    let mut seen = 0;
    while seen < 8 * 19 {
        let page = subscription.next().await.unwrap();
        for event in page.events {
            seen += 1;
            assert_eq!(event.position, seen);
        }
        assert_eq!((page.scanned_to, subscription.cursor()), (seen, seen));
    }
    writers.join_all().await;
}

pub async fn a_filtered_subscription_moves_its_cursor_through_what_does_not_match<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 20, "a", &[]).await;
    let mut subscription = Subscription::new(Arc::clone(&log), query(&["b"], &[]), 0, 7);
    let page = subscription.next().await.unwrap();
    assert_eq!((page.events.len(), page.scanned_to), (0, 20));
    let appending = fill(&*log, 1, "b", &[]);
    let (page, ()) = tokio::join!(subscription.next(), appending);
    assert_eq!(page.unwrap().events[0].position, 21);
}

pub async fn a_subscription_dropped_in_the_midst_loses_nothing<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    fill(&*log, 3, "a", &[]).await;
    let mut subscription = Subscription::new(Arc::clone(&log), Query::everything(), 0, 1);
    for polls in 1..20 {
        crate::support::dropped_at(subscription.next(), polls).await;
        if subscription.cursor() == 3 {
            break;
        }
        // A page that came in time has moved the cursor by the one event that it held.
        let expected = subscription.cursor() + 1;
        assert_eq!(subscription.next().await.unwrap().events[0].position, expected);
        fill(&*log, 3, "a", &[]).await;
    }
}
