//! The check of a block says what is not as the record says, whatever it is and wherever it stands.

use super::*;
use crate::keys::{key_hash, type_code};

/// A level 2 run would need 256 blocks: one run of 16, four of one.
const BLOCKS: u64 = 20;

/// The hashes of one event of a block, to be changed.
fn facets(block: &mut SealBlock, at: usize) -> &mut Facets {
    Arc::make_mut(&mut block.events[at].facets)
}

async fn sealed_book() -> (Book, Derived) {
    let book = Book::new(BLOCKS + 15, 9);
    let derived = book.open().await;
    book.seal(&derived, 0..BLOCKS).await;
    (book, derived)
}

#[tokio::test]
async fn every_sealed_block_agrees_with_the_record_before_and_after_a_merge() {
    let (book, derived) = sealed_book().await;
    for round in [0..BLOCKS, 3..4, 3..4, 0..BLOCKS] {
        for index in round {
            assert_eq!(derived.check_block(&book.block(index)).await.unwrap(), Ok(()));
        }
    }
    book.seal(&derived, BLOCKS..BLOCKS + 14).await;
    for index in 0..BLOCKS + 14 {
        assert_eq!(derived.check_block(&book.block(index)).await.unwrap(), Ok(()));
    }
    let unsealed = derived.check_block(&book.block(BLOCKS + 14)).await.unwrap();
    assert_eq!(unsealed, Err("block 34 is not sealed: the seal is at 272".to_owned()));
}

/// The check of `index` against a record changed by `change` names `part`.
#[track_caller]
fn assert_differs(verdict: &Result<(), String>, part: &str) {
    let Err(difference) = verdict else { panic!("the change of the {part} was not seen") };
    assert!(difference.contains(part), "{difference}");
}

#[tokio::test]
async fn each_difference_from_the_record_is_seen() {
    let (book, derived) = sealed_book().await;
    for index in [5, 17] {
        let mut changed = book.block(index);
        facets(&mut changed, 3).type_code = type_code("order.other");
        assert_differs(&derived.check_block(&changed).await.unwrap(), "types");
        let mut changed = book.block(index);
        changed.packed.push(0);
        assert_differs(&derived.check_block(&changed).await.unwrap(), "replay block");
        let mut changed = book.block(index);
        changed.events[7].leaf = [1; 32];
        assert_differs(&derived.check_block(&changed).await.unwrap(), "tile");
        let mut changed = book.block(index);
        facets(&mut changed, 2).key_hashes.push(key_hash("order:more"));
        assert_differs(&derived.check_block(&changed).await.unwrap(), "filter");
        let mut changed = book.block(index);
        // A key that the filter may know.
        facets(&mut changed, 2).key_hashes.push(key_hash("request:2"));
        assert!(derived.check_block(&changed).await.unwrap().is_err());
        let mut changed = book.block(index);
        facets(&mut changed, 2).key_hashes.pop();
        assert_differs(&derived.check_block(&changed).await.unwrap(), "keys");
        assert_eq!(derived.check_block(&book.block(index)).await.unwrap(), Ok(()));
    }
}

/// After these statements, block 5 is checked and `part` is named, though pages were cached.
async fn assert_seen(statements: &'static str, part: &str) {
    let (book, derived) = sealed_book().await;
    assert_finds_all(&derived, &book, derived.sealed_to()).await;
    assert_eq!(derived.check_block(&book.block(5)).await.unwrap(), Ok(()));
    tamper(&book.path(), statements).await;
    assert_differs(&derived.check_block(&book.block(5)).await.unwrap(), part);
}

#[tokio::test]
async fn a_damaged_page_is_seen() {
    let flip = "UPDATE page SET data = CAST(x'00' || substr(data, 2) AS BLOB)";
    assert_seen(flip, "a page of the key index").await;
}

#[tokio::test]
async fn a_missing_page_is_seen() {
    assert_seen("DELETE FROM page", "is missing").await;
}

#[tokio::test]
async fn a_missing_block_row_is_seen() {
    assert_seen("DELETE FROM block WHERE idx = 5", "block 5 is missing").await;
}

#[tokio::test]
async fn a_damaged_tile_is_seen() {
    assert_seen("UPDATE tile SET data = zeroblob(length(data))", "tile 0 of level 0").await;
}

#[tokio::test]
async fn a_damaged_upper_tile_is_seen() {
    // Given a tile of leaves filled by block 31, and the level above it damaged
    let (book, derived) = sealed_book().await;
    book.seal(&derived, BLOCKS..BLOCKS + 15).await;
    assert_eq!(derived.check_block(&book.block(31)).await.unwrap(), Ok(()));
    tamper(&book.path(), "UPDATE tile SET data = zeroblob(length(data)) WHERE level = 1").await;
    assert_differs(&derived.check_block(&book.block(31)).await.unwrap(), "tile 0 of level 1");
}

#[tokio::test]
async fn a_lookup_on_a_damaged_page_fails_and_does_not_answer() {
    let (book, derived) = sealed_book().await;
    tamper(&book.path(), "UPDATE page SET data = CAST(x'00' || substr(data, 2) AS BLOB)").await;
    let looked = derived.candidates(&item(&[], &["order:5"]), 0, 100, 1).await;
    assert!(matches!(looked, Err(StorageError::Corrupt(_))), "{looked:?}");
    tamper(&book.path(), "DELETE FROM page").await;
    let looked = derived.candidates(&item(&[], &["order:5"]), 0, 100, 1).await;
    assert!(matches!(looked, Err(StorageError::Corrupt(_))), "{looked:?}");
}

#[tokio::test]
async fn a_lookup_on_a_damaged_type_column_fails_and_does_not_answer() {
    let (book, derived) = sealed_book().await;
    tamper(&book.path(), "UPDATE block SET type_column = zeroblob(length(type_column))").await;
    let looked = derived.candidates(&item(&["order.shipped"], &[]), 0, 100, 1).await;
    assert!(matches!(looked, Err(StorageError::Corrupt(_))), "{looked:?}");
}
