//! Consumers follow a book to which four processes append, while one of them is killed and the
//! server stops: each gets everything.

use std::sync::Arc;

use daicho_store::{Log, Options, State, SystemClock, Wakes};
use daicho_test_servers::PostgresServer;
use tokio::task::JoinSet;

use crate::following::{END, follow_in_lives};
use crate::place::{BOOK, Place, close};
use crate::processes::append_through_a_kill_and_a_stop;
use crate::support::{With, one};

/// Consumers with a name, every second of which hears nothing and polls.
const CONSUMERS: u64 = 4;

async fn follow(place: Place, number: u64) -> (u64, usize) {
    let state: Arc<dyn State> = Arc::new(place.database().state(BOOK).unwrap());
    let wakes = if number.is_multiple_of(2) { Wakes::Told } else { Wakes::Polled };
    let options = Options { clock: Arc::new(SystemClock), wakes, ..place.options() };
    let open = || async { place.database().open_book(BOOK, options.clone()).await.ok() };
    let opened = || async { open().await.map(Arc::new) };
    follow_in_lives(opened, state, &format!("consumer-{number}"), number).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_consumer_gets_everything_though_a_writer_is_killed_and_the_server_stops() {
    let server = Arc::new(PostgresServer::private());
    let place = Place::on(&server).await;
    let book = place.open_with_the_worlds_clock().await;
    let mut following = JoinSet::new();
    for number in 0..CONSUMERS {
        following.spawn(follow(Place::of(place.url.clone()), number));
    }
    let answers = append_through_a_kill_and_a_stop(&server, &place.url).await;
    crate::faults::append_until_answered(&book, &one(END, &[]).answering(END, "h")).await;
    let head = book.head().await.unwrap().position;
    assert!(head > answers.len() as u64);
    for (seen, lives) in following.join_all().await {
        assert_eq!(seen, head, "in {lives} lives");
        assert!(lives > 1);
    }
    let cursors = place.database().state(BOOK).unwrap().cursors().await.unwrap();
    assert_eq!(cursors.len() as u64, CONSUMERS);
    assert!(cursors.iter().all(|cursor| cursor.position == head), "{cursors:?}");
    close(book).await;
}
