//! Callers that go away at any of their awaits leave no transaction open on the server.

use daicho_store::{Log, OpenError, Options, Query};

use crate::faults::{Answers, assert_stands};
use crate::place::{BOOK, Place, close, extend};
use crate::sizes::sizes;
use crate::support::{AWAITS_MAX, With, append, counted, dropped_at, event, places, query};

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
    let (awaits, book) = counted(place.open()).await;
    close(book).await;
    for at in places(awaits).step_by(sizes().stride) {
        // Sometimes there is something to make anew on the way.
        if at % 2 == 0 {
            place.execute("DELETE FROM book_derived.meta").await;
        }
        let database = place.database();
        dropped_at(database.open_book(BOOK, place.options()), at).await;
        place.assert_no_transaction_is_left_open().await;
    }
    let book = place.open().await;
    assert_eq!(book.read(&Query::everything(), 0, 0, 100).await.unwrap().events.len(), 20);
    book.verify_derived(|_| ()).await.unwrap();
    close(book).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_dropped_at_any_await_leaves_a_whole_book_or_none() {
    let place = Place::new().await;
    let whole = place.database();
    let (awaits, book) = counted(whole.create_book("whole", place.options())).await;
    book.unwrap().close().await;
    for at in places(awaits).step_by(sizes().stride) {
        let name = format!("dropped-{at}");
        let database = place.database();
        dropped_at(database.create_book(&name, place.options()), at).await;
        match database.create_book(&name, place.options()).await {
            Ok(_) | Err(OpenError::AlreadyABook { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        let book = database.open_book(&name, Options::new("x")).await.unwrap();
        extend(&book, 1).await;
        book.close().await;
        place.assert_no_transaction_is_left_open().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_dropped_at_any_await_goes_on_and_is_the_same_book() {
    let place = Place::with_events(20).await;
    let book = place.open().await;
    let (source, database) = (book.record(), place.database());
    let copying = || database.copy_record(&source, "copied", "x", |_| ());
    let (awaits, _) = counted(database.copy_record(&source, "whole", "x", |_| ())).await;
    for at in places(awaits).step_by(sizes().stride) {
        dropped_at(copying(), at).await;
    }
    assert_eq!(copying().await.unwrap(), book.head().await.unwrap());
    place.assert_no_transaction_is_left_open().await;
    let copy = database.open_book("copied", place.options()).await.unwrap();
    assert_eq!(copy.head().await.unwrap(), book.head().await.unwrap());
    copy.verify_record(|_| ()).await.unwrap();
    copy.close().await;
    close(book).await;
}
