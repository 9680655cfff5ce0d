//! Every change to the past is found by reading the log itself, and named by its first position.

use daicho_store::{Book, Fault, Log, Progress};

use crate::book::Folder;

const EVENTS: u64 = 80;

/// Opens without the start-up gate having seen the damage: it is done to the open book.
async fn tampered_book(sql: &str) -> (Folder, std::sync::Arc<Book>) {
    tampered_copy(&Folder::with_events(EVENTS).await, sql).await
}

async fn tampered_copy(original: &Folder, sql: &str) -> (Folder, std::sync::Arc<Book>) {
    let folder = original.copied();
    let book = folder.open().await;
    folder.tampered(sql).await;
    (folder, book)
}

#[tokio::test]
async fn a_clean_book_is_verified_to_its_root_with_progress() {
    let folder = Folder::with_events(EVENTS).await;
    let book = folder.open().await;
    let mut seen = Vec::new();
    let head = book.verify_record(|progress| seen.push(progress)).await.unwrap();
    assert_eq!(head, book.head().await.unwrap());
    assert_eq!(seen.last(), Some(&Progress { done: EVENTS, total: EVENTS }));
    assert_eq!(book.root_at(EVENTS).await.unwrap(), head.root);
    book.verify_derived(|_| ()).await.unwrap();
}

#[tokio::test]
async fn every_altered_row_is_found_and_named() {
    let original = Folder::with_events(EVENTS).await;
    for position in [1, 2, 17, 64, 79, 80] {
        for tampering in [
            "UPDATE log SET data = replace(data, 'text', 'tixt') WHERE position = {p}",
            "UPDATE log SET envelope = replace(envelope, 'member:1', 'member:2') \
                 WHERE position = {p}",
            "UPDATE log SET envelope = replace(envelope, '2026-12-01', '2026-12-02'),
             leaf = randomblob(32) WHERE position = {p}",
            "UPDATE log SET leaf = randomblob(32) WHERE position = {p}",
            "DELETE FROM log WHERE position = {p}",
            "UPDATE log SET position = 1000 WHERE position = {p}",
        ] {
            let sql = tampering.replace("{p}", &position.to_string());
            let (_folder, book) = tampered_copy(&original, &sql).await;
            match book.verify_record(|_| ()).await {
                Err(Fault::Event { position: found, .. }) => {
                    assert_eq!(found, position, "{tampering}");
                }
                other => panic!("{position}, {tampering}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn two_swapped_rows_are_found_and_the_first_is_named() {
    let swap = "UPDATE log SET position = 1000 WHERE position = 10;
        UPDATE log SET position = 10 WHERE position = 50;
        UPDATE log SET position = 50 WHERE position = 1000;";
    let (_folder, book) = tampered_book(swap).await;
    let found = book.verify_record(|_| ()).await;
    assert!(matches!(found, Err(Fault::Event { position: 10, .. })), "{found:?}");
}

#[tokio::test]
async fn a_row_rewritten_with_all_its_own_hashes_is_found_against_the_head() {
    // As good as it gets without the head: another whole event in the place of the old one.
    let folder = Folder::with_events(EVENTS).await;
    let other = Folder::new().await;
    let foreign = other.open().await;
    for _ in 0..EVENTS {
        foreign.append(crate::support::one("forged", &[])).await.unwrap();
    }
    let book = folder.open().await;
    let path = other.path("record.db");
    folder
        .tampered(&format!(
            "ATTACH '{}' AS other; DELETE FROM log WHERE position = 40;
             INSERT INTO log SELECT * FROM other.log WHERE position = 40;",
            path.display()
        ))
        .await;
    let found = book.verify_record(|_| ()).await;
    assert!(matches!(found, Err(Fault::Head { .. })), "{found:?}");
}

#[tokio::test]
async fn a_cut_tail_is_found_by_the_head() {
    let (_folder, book) = tampered_book("DELETE FROM log WHERE position > 70").await;
    let found = book.verify_record(|_| ()).await;
    assert!(matches!(found, Err(Fault::Event { position: 71, .. })), "{found:?}");
}

#[tokio::test]
async fn a_tail_cut_together_with_its_head_is_found_by_a_checkpoint_only() {
    let folder = Folder::with_events(70).await;
    let old = folder.open().await;
    let old_root = old.root_at(70).await.unwrap();
    let (frontier, at): (Vec<u8>, i64) =
        sqlx::query_as("SELECT frontier, recorded_at_us FROM head")
            .fetch_one(&mut folder.record().await)
            .await
            .unwrap();
    crate::book::extend(&*old, 10).await;
    let checkpoint = old.head().await.unwrap();
    crate::book::close(old).await;
    folder
        .tampered(&format!(
            "DELETE FROM log WHERE position > 70;
             UPDATE head SET position = 70, frontier = x'{}', recorded_at_us = {at}",
            hex::encode(frontier)
        ))
        .await;
    let book = folder.open().await;
    book.verify_record(|_| ()).await.unwrap();
    assert_eq!(book.root_at(70).await.unwrap(), old_root);
    let found = book.root_at(checkpoint.position).await;
    assert!(matches!(found, Err(Fault::Cut { head: 70, position: 80 })), "{found:?}");
    // Grown again to the same length, it still has another root.
    for _ in 0..10 {
        book.append(crate::support::one("other", &[])).await.unwrap();
    }
    assert_ne!(book.root_at(checkpoint.position).await.unwrap(), checkpoint.root);
}

#[tokio::test]
async fn an_event_behind_the_head_and_a_changed_head_are_found() {
    for tampering in [
        "INSERT INTO log SELECT 81, leaf, envelope, data FROM log WHERE position = 80",
        "UPDATE head SET frontier = CAST(substr(frontier, 1, octet_length(frontier) - 32)
         || randomblob(32) AS BLOB)",
        "UPDATE head SET position = 79",
    ] {
        let (_folder, book) = tampered_book(tampering).await;
        let found = book.verify_record(|_| ()).await;
        assert!(matches!(found, Err(Fault::Head { .. })), "{tampering}: {found:?}");
    }
}
