//! A book is not opened where that would not be safe.

use std::path::Path;
use std::sync::atomic::Ordering;

use daicho_store::{CLOCK_SKEW_US_MAX, Log, OpenError, Options, sqlite};

use crate::book::{Folder, close, execute, extend};
use crate::support::START_US;

#[tokio::test]
async fn a_folder_without_a_book_is_not_opened_and_not_made_one() {
    let dir = tempfile::tempdir().unwrap();
    let refused = sqlite::open_book(dir.path(), Options::new("x")).await.err();
    assert!(matches!(refused, Some(OpenError::NotABook { .. })), "{refused:?}");
    std::fs::write(dir.path().join("record.db"), "").unwrap();
    let refused = sqlite::open_book(dir.path(), Options::new("x")).await.err();
    assert!(matches!(refused, Some(OpenError::NotABook { .. })), "{refused:?}");
    sqlite::create_book(dir.path(), Options::new("x")).await.unwrap();
}

#[tokio::test]
async fn a_book_is_not_created_over_another() {
    let folder = Folder::with_events(3).await;
    let refused = sqlite::create_book(folder.dir.path(), folder.options()).await.err();
    assert!(matches!(refused, Some(OpenError::AlreadyABook { .. })), "{refused:?}");
    assert_eq!(folder.open().await.head().await.unwrap().position, 3);
}

#[tokio::test]
async fn two_books_have_two_ids_and_each_keeps_its_own() {
    let (one, other) = (Folder::new().await, Folder::new().await);
    let id = one.open().await.id();
    assert_ne!(id, other.open().await.id());
    assert_eq!(id, one.open().await.id());
}

#[tokio::test]
async fn options_without_a_name_or_a_block_are_refused() {
    let folder = Folder::new().await;
    for options in [
        Options { software: String::new(), ..folder.options() },
        Options { software: "a\n".into(), ..folder.options() },
        Options { block_events: 0, ..folder.options() },
    ] {
        let refused = sqlite::open_book(folder.dir.path(), options).await.err();
        assert!(matches!(refused, Some(OpenError::Options(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_record_of_a_later_release_is_refused() {
    let folder = Folder::new().await;
    execute(&mut folder.record().await, "UPDATE meta SET schema_version = 2").await.unwrap();
    let refused = folder.try_open().await.err();
    assert!(matches!(refused, Some(OpenError::NewerSchema { found: 2 })), "{refused:?}");
}

fn set_readonly(path: &Path, readonly: bool) {
    let mut permissions = std::fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(readonly);
    std::fs::set_permissions(path, permissions).unwrap();
}

#[tokio::test]
async fn a_read_only_record_and_a_read_only_folder_are_refused_by_name() {
    let folder = Folder::with_events(3).await;
    for path in [folder.path("record.db"), folder.dir.path().to_owned()] {
        set_readonly(&path, true);
        let refused = folder.try_open().await.err();
        set_readonly(&path, false);
        let Some(OpenError::ReadOnly { file }) = refused else { panic!("{refused:?}") };
        assert_eq!(file, path);
        assert!(!folder.path("record.db-wal").exists(), "refused before SQLite makes its files");
    }
    assert_eq!(folder.open().await.head().await.unwrap().position, 3);
}

#[tokio::test]
async fn a_clock_seconds_behind_the_last_event_is_refused_and_one_a_little_behind_is_not() {
    let folder = Folder::with_events(1).await;
    folder.clock.0.store(START_US - CLOCK_SKEW_US_MAX - 1_000, Ordering::SeqCst);
    let refused = folder.try_open().await.err();
    let Some(error @ OpenError::ClockSkew { behind_ms: 5_001 }) = refused else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("clock_skew"));
    folder.clock.0.store(START_US - CLOCK_SKEW_US_MAX, Ordering::SeqCst);
    let book = folder.open().await;
    extend(&*book, 1).await;
    assert_eq!(book.head().await.unwrap().recorded_at_us, START_US);
}

#[tokio::test]
async fn an_end_that_does_not_hash_to_its_head_is_refused_at_start() {
    for events in [1, 8, 70] {
        let original = Folder::with_events(events).await;
        for tampering in [
            "DELETE FROM log WHERE position = (SELECT max(position) FROM log)",
            "INSERT INTO log SELECT max(position) + 1, leaf, envelope, data FROM log",
            "UPDATE log SET data = '1' WHERE position = (SELECT max(position) FROM log)",
            "UPDATE log SET envelope = replace(envelope, 'contract 1', 'contract 2')
             WHERE position = (SELECT max(position) FROM log)",
            "UPDATE log SET leaf = randomblob(32) WHERE position = (SELECT max(position) FROM log)",
            "UPDATE head SET position = position - 1",
            "UPDATE head SET frontier = CAST(substr(frontier, 1, octet_length(frontier) - 32)
         || randomblob(32) AS BLOB)",
            "UPDATE head SET frontier = x'00'",
        ] {
            let folder = original.copied();
            folder.tampered(tampering).await;
            let refused = folder.try_open().await.err();
            assert!(
                matches!(refused, Some(OpenError::Damaged { .. } | OpenError::Storage(_))),
                "{events}, {tampering}: {refused:?}"
            );
            let record = sqlite::open_record(folder.dir.path()).await.unwrap();
            assert!(record.verify(|_| ()).await.is_err(), "{events}, {tampering}");
        }
    }
}

#[tokio::test]
async fn a_closed_book_leaves_nothing_unsealed_but_its_last_block() {
    let folder = Folder::with_events(20).await;
    assert!(!folder.path("record.db-wal").exists(), "the last one out empties the log of SQLite");
    let book = folder.open().await;
    assert_eq!(daicho_store::Blocks::sealed_to(&*book), 16);
    close(book).await;
}
