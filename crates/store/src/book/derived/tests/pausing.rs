//! Two processes on one file: whatever step one of them stands at, the other misses nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::*;

const BLOCKS: u64 = 16 * 16 + 1;

/// Asks everything that `derived` says is sealed, before and after it has looked for more.
async fn look(derived: &Derived, book: &Book) {
    assert_finds_all(derived, book, derived.sealed_to()).await;
    let sealed_to = derived.refresh().await.unwrap();
    assert_finds_all(derived, book, sealed_to).await;
}

#[tokio::test]
async fn nothing_is_missed_at_any_step_of_a_seal_or_a_merge() {
    // Given a sealer that leads to merges of both levels, and at each of its steps lookups: by the
    // sealer's own process, by one that follows, and by one that has seen nothing since long
    let book = Arc::new(Book::new(BLOCKS, 3));
    let passed = Arc::new(Mutex::new(Vec::new()));
    let follower = Arc::new(book.open().await);
    let own = Arc::new(OnceLock::<Arc<Derived>>::new());
    let watched = Arc::new(AtomicBool::new(false));
    let pauses = {
        let (book, passed, own) = (book.clone(), passed.clone(), own.clone());
        let watched = watched.clone();
        Pauses::new(move |name| {
            let (book, passed, own) = (book.clone(), passed.clone(), own.clone());
            let (follower, watched) = (follower.clone(), watched.load(Ordering::SeqCst));
            Box::pin(async move {
                if watched && name != Pauses::LOOKUP {
                    passed.lock().unwrap().push(name);
                    look(&follower, &book).await;
                    let own = own.get().unwrap();
                    assert_finds_all(own, &book, own.sealed_to()).await;
                }
            })
        })
    };
    let sealer = Arc::new(book.open_with(pauses).await);
    assert!(own.set(sealer.clone()).is_ok());
    for index in 0..BLOCKS {
        let merges = [14, 15, 16, 254, 255, 256].contains(&index);
        watched.store(merges, Ordering::SeqCst);
        let late = book.open().await;
        sealer.seal(book.block(index)).await.unwrap();
        if merges {
            look(&late, &book).await;
        }
        late.close().await;
    }
    // Then each place was passed, and in this order by a seal with a merge
    let passed = passed.lock().unwrap();
    let (seal, merge) = Pauses::NAMES.split_at(5);
    let merged_twice = [seal, merge, merge].concat();
    assert_eq!(passed.as_slice(), [seal, seal, merge, seal, seal, &merged_twice, seal].concat());
}

/// A reader chooses its runs over `blocks` blocks; then the next block is sealed, which merges them
/// all; then the reader goes on, and must find everything.
async fn look_across_a_merge(blocks: u64, item: &HashedItem) {
    let book = Arc::new(Book::new(blocks + 1, 11));
    let sealer = Arc::new(book.open().await);
    book.seal(&sealer, 0..blocks).await;
    let pauses = {
        let (book, sealer) = (book.clone(), sealer.clone());
        Pauses::new(move |name| {
            let (book, sealer) = (book.clone(), sealer.clone());
            Box::pin(async move {
                if name == Pauses::LOOKUP && sealer.sealed_to() == blocks * u64::from(BLOCK) {
                    sealer.seal(book.block(blocks)).await.unwrap();
                }
            })
        })
    };
    let reader = book.open_with(pauses).await;
    let held = reader.snapshot();
    let until = blocks * u64::from(BLOCK);
    let found = reader.candidates(item, 0, until, usize::MAX).await.unwrap();
    assert_eq!(found, book.naive(item, 0, until), "{item:?}");
    let merged = sealer.snapshot();
    assert_eq!(merged.runs.len(), 1, "the merge came in between");
    assert!(held.runs.iter().all(|run| run.id != merged.runs[0].id), "no page of the list is left");
}

#[tokio::test]
async fn a_lookup_that_chose_its_runs_before_a_merge_finds_everything() {
    for item in items() {
        look_across_a_merge(15, &item).await;
    }
    look_across_a_merge(16 * 16 - 1, &item(&[], &["member:3"])).await;
}

#[tokio::test]
async fn a_reader_in_the_middle_of_a_lookup_learns_that_its_pages_are_gone() {
    // Given a reader with a list of sixteen runs, which another process then merges
    let book = Book::new(17, 11);
    let sealer = book.open().await;
    book.seal(&sealer, 0..15).await;
    let reader = book.open().await;
    let held = reader.snapshot();
    assert_eq!(held.runs.len(), 15);
    book.seal(&sealer, 15..17).await;
    // When it asks for a page of that list
    let run = &held.runs[3];
    let read = reader.reader.pages(&held, run, std::iter::once(0)).await;
    // Then the answer is that the list is stale, and a lookup takes the new one
    assert!(matches!(read, Err(super::super::reader::Miss::Stale)), "{read:?}");
    assert_finds_all(&reader, &book, 15 * u64::from(BLOCK)).await;
    assert_eq!(reader.snapshot().runs.len(), 2);
}

#[tokio::test]
async fn a_block_that_another_process_sealed_meanwhile_is_left_alone() {
    // Given two sealers that prepared the same block, of which one is faster at each of 17 blocks
    let book = Arc::new(Book::new(17, 5));
    let faster = Arc::new(book.open().await);
    let pauses = {
        let (book, faster) = (book.clone(), faster.clone());
        Pauses::new(move |name| {
            let (book, faster) = (book.clone(), faster.clone());
            Box::pin(async move {
                if name == "seal:begin" {
                    let index = faster.sealed_to() / u64::from(BLOCK);
                    faster.seal(book.block(index)).await.unwrap();
                }
            })
        })
    };
    let slower = book.open_with(pauses).await;
    for index in 0..17 {
        slower.seal(book.block(index)).await.unwrap();
        assert_eq!(slower.sealed_to(), (index + 1) * u64::from(BLOCK));
    }
    // Then each block was sealed once
    assert_eq!(slower.snapshot().runs.len(), 2);
    assert_finds_all(&slower, &book, slower.sealed_to()).await;
    assert_finds_all(&faster, &book, slower.sealed_to()).await;
}

#[tokio::test]
async fn two_sealers_at_once_seal_each_block_once() {
    let book = Arc::new(Book::new(64, 5));
    let (one, two) = (book.open().await, book.open().await);
    tokio::join!(book.seal(&one, 0..64), book.seal(&two, 0..64));
    for derived in [&one, &two] {
        assert_eq!(derived.refresh().await.unwrap(), 64 * u64::from(BLOCK));
        assert_eq!(derived.snapshot().runs.len(), 4);
        assert_finds_all(derived, &book, derived.sealed_to()).await;
    }
}

#[tokio::test]
async fn a_sealer_that_goes_away_half_way_leaves_nothing_behind() {
    // Given a sealer whose task ends at each step before its commit
    let book = Arc::new(Book::new(17, 5));
    for stop in ["seal:begin", "seal:rows", "seal:commit"] {
        let (reached, wait) = tokio::sync::oneshot::channel::<()>();
        let reached = Arc::new(Mutex::new(Some(reached)));
        let pauses = Pauses::new(move |name| {
            let reached = reached.clone();
            Box::pin(async move {
                if name == stop {
                    drop(reached.lock().unwrap().take());
                    std::future::pending::<()>().await;
                }
            })
        });
        let gone = book.open_with(pauses).await;
        tokio::select! {
            _ = gone.seal(book.block(0)) => panic!("it stops at {stop}"),
            _ = wait => {}
        }
        // Then another seals as if nothing had been, while the first still has the file open
        let other = book.open().await;
        assert_eq!(other.sealed_to(), 0, "{stop}");
        other.seal(book.block(0)).await.unwrap();
        assert_eq!(gone.refresh().await.unwrap(), u64::from(BLOCK));
        assert_finds_all(&gone, &book, u64::from(BLOCK)).await;
        tamper(&book.path(), MAKE_FOREIGN).await;
        gone.close().await;
        other.close().await;
    }
}

#[tokio::test]
async fn a_block_out_of_order_is_refused() {
    let book = Book::new(3, 5);
    let derived = book.open().await;
    derived.seal(book.block(0)).await.unwrap();
    let refused = derived.seal(book.block(2)).await;
    assert!(
        matches!(refused, Err(StorageError::OutOfOrder { first: 17, sealed_to: 8 })),
        "{refused:?}"
    );
    derived.seal(book.block(0)).await.unwrap(); // known: nothing happens
    assert_eq!(derived.refresh().await.unwrap(), 8);
}
