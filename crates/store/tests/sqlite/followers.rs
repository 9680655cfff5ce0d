//! Consumers follow a book to which two processes append, and begin anew again and again.

use std::sync::Arc;

use daicho_store::{Log, SqliteState, State};
use tokio::task::JoinSet;

use crate::book::{Folder, close};
use crate::following::{END, follow_in_lives};
use crate::support::one;

const CONSUMERS: u64 = 3;
/// Appends of each process; more with `DAICHO_FAULTS=large`.
const ROUNDS: u64 = 40;
const ROUNDS_LARGE: u64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_consumer_gets_everything_that_two_processes_append() {
    let is_large = std::env::var("DAICHO_FAULTS").is_ok_and(|value| value == "large");
    let rounds = if is_large { ROUNDS_LARGE } else { ROUNDS };
    let folder = Arc::new(Folder::new().await);
    let books = [folder.open().await, folder.open().await];
    let mut following = JoinSet::new();
    for number in 0..CONSUMERS {
        let (folder, id) = (Arc::clone(&folder), books[0].id());
        following.spawn(async move {
            let state: Arc<dyn State> = Arc::new(SqliteState::new(&folder.path("state.db"), id));
            let open = || async { folder.try_open().await.ok() };
            follow_in_lives(open, state, &format!("consumer-{number}"), number).await
        });
    }
    let mut writing = JoinSet::new();
    for book in &books {
        let book = Arc::clone(book);
        writing.spawn(async move {
            for _ in 0..rounds {
                book.append(one("a", &["t:1"])).await.unwrap();
            }
        });
    }
    writing.join_all().await;
    books[0].append(one(END, &[])).await.unwrap();
    let head = 2 * rounds + 1;
    for (seen, lives) in following.join_all().await {
        assert_eq!(seen, head, "in {lives} lives");
        assert!(lives > 1);
    }
    for book in books {
        close(book).await;
    }
}
