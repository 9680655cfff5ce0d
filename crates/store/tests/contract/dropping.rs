//! Futures dropped at any await: the book stays clean, and what was begun is whole or not there.

use std::pin::pin;
use std::task::Poll;

use daicho_store::{Log, Query};

use crate::support::{Store, With, append, assert_gapless, event, everything, query};

/// Polls `future` at most `polls` times, then drops it. Between polls others get their turn.
pub async fn poll_then_drop<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let once = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        if let Poll::Ready(output) = once.await {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

pub async fn a_caller_that_goes_away_at_any_await_leaves_the_book_clean<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    for polls in 1..=50 {
        let id = format!("request {polls}");
        let trio = || {
            append(vec![event("a", &[&format!("t:{polls}")]); 3])
                .unless(query(&["none"], &["t:0"]), 0)
                .answering(&id, "hash")
        };
        let first = poll_then_drop(log.append(trio()), polls).await;
        let again = log.append(trio()).await.unwrap();
        if let Some(first) = first {
            let first = first.unwrap();
            assert_eq!((first.first, first.last), (again.first, again.last));
            assert!(again.repeated());
        }
        let page = log.read(&query(&[], &[&format!("t:{polls}")]), 0, 0, 100).await.unwrap();
        assert_eq!(page.events.len(), 3, "one effect, whole");
    }
    let events = everything(&*log).await;
    assert_eq!(events.len(), 150);
    assert_gapless(&events);
}

pub async fn a_reader_that_goes_away_at_any_await_leaves_the_book_clean<S: Store>() {
    let store = S::new().await;
    let log = store.open().await;
    for polls in 1..=50 {
        log.append(append(vec![event("a", &["t:1"]); 2])).await.unwrap();
        poll_then_drop(log.read(&query(&["a"], &["t:1"]), 0, 0, 100), polls).await;
        poll_then_drop(log.last(&query(&["b"], &[]), 0), polls).await;
        poll_then_drop(log.head(), polls).await;
    }
    assert_eq!(log.read(&Query::everything(), 0, 0, 1_000).await.unwrap().events.len(), 100);
}
