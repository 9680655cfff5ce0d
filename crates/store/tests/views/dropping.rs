//! Futures dropped at any await: the views stay clean, and what was begun is whole or not there.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use daicho_store::views::*;

use crate::support::*;

/// Drops `future` at its await number `awaits`, if it is not done before. It goes on only when it
/// is woken, so that each await of its own is met: the one for the answer to BEGIN, too.
pub async fn drop_at<F: Future>(future: F, awaits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = awaits;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

pub async fn a_caller_that_goes_away_at_any_await_leaves_a_step_of_upkeep_whole_or_undone<
    S: Store,
>() {
    let (_store, views) = fixture::<S>().await;
    let mut from = point(0);
    for awaits in 1..=40 {
        let to = point(from.cursor + 1);
        let key = |number: u64| format!("{:05} {number}", to.cursor);
        let changes = || upserts((0..3).map(|number| row(&key(number), "open", 1)).collect());
        drop_at(views.write("orders", &from, changes(), &to), awaits).await;
        match views.write("orders", &from, changes(), &to).await {
            Ok(()) => {}
            Err(ViewWriteError::Moved { at, .. }) => assert_eq!(at, to, "the first one was done"),
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(views.state("orders").await.unwrap().rows, to.cursor * 3);
        from = to;
    }
    assert_eq!(all_keys(&views).await.len(), 120);
}

pub async fn a_reader_that_goes_away_at_any_await_disturbs_nobody<S: Store>() {
    let (store, views) = fixture::<S>().await;
    let rows = (0..50).map(|number| row(&format!("{number:02}"), "open", number)).collect();
    views.write("orders", &point(0), upserts(rows), &point(1)).await.unwrap();
    for awaits in 1..=40 {
        drop_at(views.page("orders", &by_key(10)), awaits).await;
        drop_at(views.get("orders", "07"), awaits).await;
        drop_at(views.scan("orders", None, 10), awaits).await;
        drop_at(views.state("orders"), awaits).await;
        drop_at(views.ensure(&orders(), TODAY), awaits).await;
    }
    assert_eq!(all_keys(&views).await.len(), 50);
    // Nobody holds the table.
    let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
    views.swap(shadow, &point(1)).await.unwrap();
    assert_eq!(store.number("SELECT count(*) FROM view_orders").await, 0);
}

pub async fn a_rebuild_whose_caller_goes_away_at_any_await_is_swapped_whole_or_not_at_all<
    S: Store,
>() {
    let (store, views) = fixture::<S>().await;
    let mut live = 0;
    for awaits in 1..=25 {
        let shadow = views.begin_rebuild(&orders(), &beginning()).await.unwrap();
        let rows = (0..awaits).map(|number| row(&format!("{number}"), "open", 1)).collect();
        views.load(&shadow, rows, 1).await.unwrap();
        drop_at(views.index_shadow(&shadow), awaits).await;
        let first = drop_at(views.swap(shadow.clone(), &point(1)), awaits).await;
        let again = views.swap(shadow, &point(1)).await;
        let done = matches!(again, Ok(_) | Err(ViewError::Superseded { .. }));
        assert!(done, "{first:?} and then {again:?}");
        live = awaits;
        assert_eq!(all_keys(&views).await.len(), live);
    }
    assert_eq!(views.state("orders").await.unwrap().rows, live as u64);
    assert_eq!(store.number(S::COUNT_TABLES).await, 1);
}
