//! Callers that go away at any of their awaits leave no transaction open on the server.

use std::pin::pin;
use std::task::Poll;

use daicho_store::{Log, OpenError, Options, Query};

use crate::faults::{Answers, assert_stands};
use crate::place::{BOOK, Place, close, extend};
use crate::sizes::sizes;
use crate::support::{With, append, event, query};

/// No operation waits as often as that.
const AWAITS_MAX: usize = 1_000;

/// Drops `future` when it has come to its await number `awaits`, counted from 1.
async fn dropped_at<F: Future>(future: F, awaits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = awaits;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            left -= 1;
            if left == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_dropped_at_any_await_leave_no_transaction_open() {
    let place = Place::with_events(20).await;
    let book = place.open().await;
    let mut answers = Answers::new();
    let mut completed = false;
    for awaits in 1..AWAITS_MAX {
        let id = format!("dropped {awaits}");
        let trio = append(vec![event("a", &["t:1"]); 3])
            .unless(query(&["none"], &["t:2"]), 0)
            .answering(&id, "h");
        let first = dropped_at(book.append(trio.clone()), awaits).await;
        let read = dropped_at(book.read(&query(&["a"], &["t:3"]), 0, 0, 100), awaits).await;
        let last = dropped_at(book.last(&query(&["b"], &["t:4"]), 0), awaits).await;
        let head = dropped_at(book.head(), awaits).await;
        let answer = book.append(trio).await.unwrap();
        if let Some(first) = &first {
            assert_eq!(first.as_ref().unwrap().first, answer.first);
        }
        answers.insert(id, answer);
        completed = first.is_some() && read.is_some() && last.is_some() && head.is_some();
        if completed {
            break;
        }
    }
    assert!(completed, "every operation was dropped at each of its awaits");
    place.assert_no_transaction_is_left_open().await;
    assert_stands(&book, &answers).await;
    close(book).await;
    let book = place.open().await;
    book.verify_derived(|_| ()).await.unwrap();
    close(book).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_dropped_at_any_await_leaves_no_transaction_open() {
    let place = Place::with_events(20).await;
    for awaits in (1..AWAITS_MAX).step_by(sizes().stride) {
        // Sometimes there is something to make anew on the way.
        if awaits % 2 == 0 {
            place.execute("DELETE FROM book_derived.meta").await;
        }
        let database = place.database();
        let opened = dropped_at(database.open_book(BOOK, place.options()), awaits).await;
        place.assert_no_transaction_is_left_open().await;
        if let Some(opened) = opened {
            opened.unwrap().close().await;
            break;
        }
    }
    let book = place.open().await;
    assert_eq!(book.read(&Query::everything(), 0, 0, 100).await.unwrap().events.len(), 20);
    book.verify_derived(|_| ()).await.unwrap();
    close(book).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_dropped_at_any_await_leaves_a_whole_book_or_none() {
    let place = Place::new().await;
    for awaits in (1..AWAITS_MAX).step_by(sizes().stride * 8) {
        let name = format!("dropped-{awaits}");
        let database = place.database();
        let created = dropped_at(database.create_book(&name, place.options()), awaits).await;
        let is_through = created.is_some();
        drop(created);
        match database.create_book(&name, place.options()).await {
            Ok(_) | Err(OpenError::AlreadyABook { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        let book = database.open_book(&name, Options::new("x")).await.unwrap();
        extend(&book, 1).await;
        book.close().await;
        place.assert_no_transaction_is_left_open().await;
        if is_through {
            eprintln!("dropped at up to {awaits} awaits");
            break;
        }
    }
}
