//! The derived state is dropped, foreign, behind or ahead: it is made again before anything is
//! decided on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daicho_store::{AppendError, Blocks as _, Book, Log, Options, Packer, Query, Stored, sqlite};

use crate::book::{Folder, Positions, close, extend};
use crate::support::{With, one, query};

/// Every event, condition and request of [`Folder::with_events`] is found.
async fn assert_whole(book: &Book, events: u64) {
    assert_eq!(book.sealed_to(), events / 8 * 8);
    book.verify_derived(|_| ()).await.unwrap();
    for position in 1..=events {
        let tag = query(&[], &[&format!("t:{position}")]);
        let conflict = book.append(one("b", &[]).unless(tag.clone(), position - 1)).await;
        assert!(
            matches!(conflict, Err(AppendError::Conflict { position: found }) if found == position),
            "{conflict:?}"
        );
        let answer = book.append(one("b", &[]).answering(&format!("r{position}"), "h")).await;
        assert_eq!(answer.unwrap().first, position);
        let found = book.read(&tag, 0, 0, 10).await.unwrap().events;
        assert_eq!(found.len(), 1);
    }
    assert_eq!(book.head().await.unwrap().position, events);
    let all = book.read(&query(&["a"], &["every:1"]), 0, 0, 1_000).await.unwrap();
    assert_eq!(all.events.len() as u64, events);
}

#[tokio::test]
async fn a_deleted_derived_state_is_made_again() {
    for events in [0, 7, 8, 9, 100] {
        let folder = Folder::with_events(events).await;
        folder.remove("derived.db");
        assert_whole(&*folder.open().await, events).await;
    }
}

#[tokio::test]
async fn a_derived_state_of_another_book_is_made_again() {
    let folder = Folder::with_events(100).await;
    let other = Folder::with_events(60).await;
    folder.replace("derived.db", &other);
    assert_whole(&*folder.open().await, 100).await;
}

#[tokio::test]
async fn a_derived_state_of_an_earlier_day_is_caught_up() {
    let folder = Folder::with_events(50).await;
    let kept = Folder::new().await;
    kept.replace("derived.db", &folder);
    let book = folder.open().await;
    extend(&*book, 50).await;
    close(book).await;
    folder.replace("derived.db", &kept);
    assert_whole(&*folder.open().await, 100).await;
}

#[tokio::test]
async fn a_derived_state_that_leads_a_restored_record_is_made_again() {
    let folder = Folder::with_events(50).await;
    let kept = Folder::new().await;
    kept.replace("record.db", &folder);
    let book = folder.open().await;
    extend(&*book, 50).await;
    close(book).await;
    folder.replace("record.db", &kept);
    assert_whole(&*folder.open().await, 50).await;
}

#[tokio::test]
async fn a_derived_state_of_a_fork_is_made_again() {
    let folder = Folder::with_events(50).await;
    let kept = Folder::new().await;
    kept.replace("record.db", &folder);
    let book = folder.open().await;
    for _ in 0..50 {
        book.append(one("forked", &["every:1"])).await.unwrap();
    }
    close(book).await;
    // The restored record goes on differently, to the same length.
    folder.replace("record.db", &kept);
    let fork = Folder::new().await;
    fork.replace("record.db", &folder);
    let book = fork.open().await;
    extend(&*book, 50).await;
    close(book).await;
    folder.replace("record.db", &fork);
    assert_whole(&*folder.open().await, 100).await;
}

#[tokio::test]
async fn another_packer_or_another_block_size_makes_the_derived_state_again() {
    let folder = Folder::with_events(50).await;
    let bare = Options { packer: Arc::new(daicho_store::NoPacker), ..folder.options() };
    let book = sqlite::open_book(folder.dir.path(), bare).await.unwrap();
    assert_eq!(book.block(0).await.unwrap(), Some(Vec::new()));
    book.close().await;
    let larger = Options { block_events: 16, ..folder.options() };
    let book = sqlite::open_book(folder.dir.path(), larger).await.unwrap();
    assert_eq!(book.sealed_to(), 48);
    let found = book.read(&query(&[], &["t:17"]), 0, 0, 10).await.unwrap().events;
    assert_eq!(found[0].position, 17);
    book.close().await;
    assert_whole(&*folder.open().await, 50).await;
}

#[tokio::test]
async fn a_restart_at_every_length_forgets_nothing() {
    let folder = Folder::new().await;
    for events in 1..=40_u64 {
        let book = folder.open().await;
        extend(&*book, 1).await;
        let page = book.read(&Query::everything(), 0, 0, 100).await.unwrap();
        assert_eq!(page.events.len() as u64, events);
        assert_eq!(book.read(&query(&[], &["every:1"]), 0, 0, 100).await.unwrap(), page);
        close(book).await;
    }
    assert_whole(&*folder.open().await, 40).await;
}

/// Fails until it is mended.
struct Failing(AtomicBool);

impl Packer for Failing {
    fn fingerprint(&self) -> String {
        "positions".into()
    }

    fn pack(&self, events: &[Stored]) -> Result<Vec<u8>, String> {
        if self.0.load(Ordering::SeqCst) { Err("broken".into()) } else { Positions.pack(events) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packer_that_fails_for_a_while_loses_nothing() {
    let folder = Folder::new().await;
    let packer = Arc::new(Failing(AtomicBool::new(true)));
    let options = Options { packer: Arc::clone(&packer) as Arc<dyn Packer>, ..folder.options() };
    let book = sqlite::open_book(folder.dir.path(), options).await.unwrap();
    extend(&book, 100).await;
    assert_eq!(book.sealed_to(), 0);
    packer.0.store(false, Ordering::SeqCst);
    // Without the sealer's next try these would not find room in the tail.
    extend(&book, 100).await;
    book.close().await;
    assert_whole(&*folder.open().await, 200).await;
}
