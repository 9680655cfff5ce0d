//! What one process writes wakes those who follow in another; without it they poll, and miss
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use daicho_store::{Book, Log as _, Options, Polling, Query, Subscription, Wakes};
use tokio::time::timeout;

use crate::place::{BOOK, Place, close, extend};

/// So long that no reader of these tests finds anything by polling.
const NEVER: Polling = Polling { ms_min: 3_600_000, ms_max: 3_600_000 };
/// Longer than any wake takes, and much shorter than [`NEVER`].
const SOON: Duration = Duration::from_secs(120);
const EVENTS: u64 = 20;

async fn open(place: &Place, wakes: Wakes) -> Arc<Book> {
    let options = Options { wakes, ..place.options() };
    Arc::new(place.database().open_book(BOOK, options).await.unwrap())
}

/// Follows up to `head`; every event once and in order.
async fn follow_to(subscription: &mut Subscription<Arc<Book>>, head: u64) {
    let mut next = subscription.cursor() + 1;
    while next <= head {
        let page = timeout(SOON, subscription.next()).await.expect("it is woken").unwrap();
        for event in page.events {
            assert_eq!(event.position, next);
            next += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_is_woken_by_what_another_process_writes() {
    let place = Place::new().await;
    let (here, there) = (open(&place, Wakes::Told).await, open(&place, Wakes::Told).await);
    let everything = Query::everything();
    let mut reader = Subscription::new(Arc::clone(&here), everything, 0, 7).polling(NEVER);
    for round in 1..=3 {
        tokio::join!(follow_to(&mut reader, round * EVENTS), extend(&*there, EVENTS));
    }
    drop(reader);
    close(here).await;
    close(there).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_listens_is_woken_again_after_its_connection_was_cut() {
    let place = Place::new().await;
    let (here, there) = (open(&place, Wakes::Told).await, open(&place, Wakes::Told).await);
    let mut reader = Subscription::new(Arc::clone(&here), Query::everything(), 0, 7);
    reader = reader.polling(NEVER);
    tokio::join!(follow_to(&mut reader, EVENTS), extend(&*there, EVENTS));
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    assert_eq!(place.count(cut).await, 1, "one connection of the process listens");
    tokio::join!(follow_to(&mut reader, 2 * EVENTS), extend(&*there, EVENTS));
    drop(reader);
    close(here).await;
    close(there).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_is_told_or_heard_polling_sees_everything() {
    for (reading, writing) in [(Wakes::Told, Wakes::Polled), (Wakes::Polled, Wakes::Told)] {
        let place = Place::new().await;
        let (here, there) = (open(&place, reading).await, open(&place, writing).await);
        let mut reader = Subscription::new(Arc::clone(&here), Query::everything(), 0, 7);
        tokio::join!(follow_to(&mut reader, EVENTS), extend(&*there, EVENTS));
        drop(reader);
        close(here).await;
        close(there).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_in_which_nobody_follows_does_not_listen_and_closing_tells_the_last_position() {
    let place = Place::new().await;
    let (here, there) = (open(&place, Wakes::Told).await, open(&place, Wakes::Told).await);
    let listening = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    assert_eq!(here.known_head(), 0);
    extend(&*there, 1).await;
    assert_eq!(place.count(listening).await, 0);
    let mut reader = Subscription::new(Arc::clone(&here), Query::everything(), 0, 7);
    reader = reader.polling(NEVER);
    follow_to(&mut reader, 1).await;
    // The last append may fall into the pause between two tellings.
    extend(&*there, 2).await;
    close(there).await;
    follow_to(&mut reader, 3).await;
    drop(reader);
    close(here).await;
}
