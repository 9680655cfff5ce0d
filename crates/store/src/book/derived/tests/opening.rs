//! What is not the derived state of this record is dropped when it is opened, and made again.

use super::*;

const BLOCKS: u64 = 40;
const SEALED: u64 = BLOCKS * BLOCK as u64;

async fn sealed_book() -> Book {
    let book = Book::new(BLOCKS, 7);
    let derived = book.open().await;
    book.seal(&derived, 0..BLOCKS).await;
    derived.close().await;
    book
}

/// It starts empty, and everything can be sealed and found again.
async fn assert_made_anew(book: &Book, derived: Derived) {
    assert_eq!(derived.sealed_to(), 0);
    assert_finds_all(&derived, book, 0).await;
    book.seal(&derived, 0..BLOCKS).await;
    assert_finds_all(&derived, book, SEALED).await;
    derived.close().await;
    assert_eq!(book.open().await.sealed_to(), SEALED, "the new state is kept");
}

#[tokio::test]
async fn what_is_whole_is_kept() {
    let book = sealed_book().await;
    let derived = book.open().await;
    assert_eq!(derived.sealed_to(), SEALED);
    assert_finds_all(&derived, &book, SEALED).await;
}

#[tokio::test]
async fn a_missing_file_starts_empty() {
    let book = Book::new(BLOCKS, 7);
    assert!(!book.path().exists());
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_replaced() {
    let book = sealed_book().await;
    std::fs::write(book.path(), "not a database, but long enough to be looked at".repeat(400))
        .unwrap();
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn a_file_with_garbage_behind_its_header_is_replaced() {
    let book = sealed_book().await;
    let mut bytes = std::fs::read(book.path()).unwrap();
    bytes[100..].fill(0xa5);
    std::fs::write(book.path(), bytes).unwrap();
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn a_file_cut_off_is_replaced() {
    let book = sealed_book().await;
    let bytes = std::fs::read(book.path()).unwrap();
    std::fs::write(book.path(), &bytes[..8_192]).unwrap();
    assert_made_anew(&book, book.open().await).await;
}

/// Opens the sealed book after these statements; it must start empty.
async fn assert_made_anew_after(statements: &'static str) {
    let book = sealed_book().await;
    tamper(&book.path(), statements).await;
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn a_database_with_other_tables_is_emptied() {
    let book = Book::new(BLOCKS, 7);
    let statements =
        "CREATE TABLE \"a \"\" b\" (x); CREATE VIEW page AS SELECT x FROM \"a \"\" b\";
        CREATE TABLE meta (x); INSERT INTO meta VALUES (1)";
    tamper(&book.path(), statements).await;
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn another_format_version_is_dropped() {
    assert_made_anew_after("UPDATE meta SET format = format + 1").await;
}

#[tokio::test]
async fn a_state_without_its_meta_row_is_dropped() {
    assert_made_anew_after("DELETE FROM meta").await;
}

#[tokio::test]
async fn a_damaged_filter_is_dropped() {
    assert_made_anew_after("UPDATE run SET filter = zeroblob(length(filter)) WHERE level = 1")
        .await;
}

#[tokio::test]
async fn a_damaged_directory_is_dropped() {
    assert_made_anew_after("UPDATE run SET directory = substr(directory, 2) WHERE level = 1").await;
}

#[tokio::test]
async fn a_missing_run_is_noticed() {
    assert_made_anew_after("DELETE FROM run WHERE first_block = 16").await;
}

#[tokio::test]
async fn a_missing_last_run_is_noticed() {
    assert_made_anew_after("DELETE FROM run WHERE first_block = 39").await;
}

#[tokio::test]
async fn a_missing_block_is_noticed() {
    assert_made_anew_after("DELETE FROM block WHERE idx = 3").await;
}

#[tokio::test]
async fn a_missing_last_tile_is_noticed() {
    assert_made_anew_after("DELETE FROM tile WHERE level = 0 AND idx = 1").await;
}

#[tokio::test]
async fn the_state_of_another_book_is_dropped() {
    let book = sealed_book().await;
    let other = *b"another book 012";
    let opened = book.open_for(other, PACKER, BLOCK, &book, Pauses::default()).await.unwrap();
    assert_eq!(opened.sealed_to(), 0);
    opened.close().await;
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn replay_blocks_of_another_form_are_dropped() {
    let book = sealed_book().await;
    let opened = book.open_for(BOOK, "packer 2", BLOCK, &book, Pauses::default());
    assert_eq!(opened.await.unwrap().sealed_to(), 0);
}

#[tokio::test]
async fn blocks_of_another_size_are_dropped() {
    let book = sealed_book().await;
    let opened = book.open_for(BOOK, PACKER, 16, &book, Pauses::default());
    assert_eq!(opened.await.unwrap().sealed_to(), 0);
}

#[tokio::test]
async fn a_state_ahead_of_the_record_is_dropped() {
    let mut book = sealed_book().await;
    book.events.pop();
    assert_eq!(book.open().await.sealed_to(), 0);
}

#[tokio::test]
async fn a_state_of_another_record_is_dropped() {
    let mut book = sealed_book().await;
    book.events.last_mut().unwrap().leaf = [9; 32];
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn whoever_has_a_foreign_state_open_goes_on_until_the_next_makes_it_anew() {
    let book = sealed_book().await;
    let derived = book.open().await;
    tamper(&book.path(), MAKE_FOREIGN).await;
    assert_eq!(derived.refresh().await.unwrap(), SEALED);
    derived.close().await;
    assert_made_anew(&book, book.open().await).await;
}

#[tokio::test]
async fn a_process_whose_state_was_made_anew_by_another_is_told() {
    // Given a process that has everything sealed, and another that begins the file anew
    let book = sealed_book().await;
    let derived = book.open().await;
    tamper(&book.path(), MAKE_FOREIGN).await;
    let other = book.open().await;
    assert_eq!(other.sealed_to(), 0);
    // Then the first is told, whatever it does, even when the other has sealed as far again
    for blocks in [0..3, 3..BLOCKS] {
        book.seal(&other, blocks).await;
        let looked = derived.candidates(&item(&[], &["order:5"]), 0, SEALED, 1).await;
        assert!(matches!(looked, Err(StorageError::Remade)), "{looked:?}");
        let typed = derived.candidates(&item(&["order.shipped"], &[]), 0, SEALED, 1).await;
        assert!(matches!(typed, Err(StorageError::Remade)), "{typed:?}");
        assert!(matches!(derived.refresh().await, Err(StorageError::Remade)));
        let sealed = derived.seal(book.block(0)).await;
        assert!(matches!(sealed, Err(StorageError::Remade)), "{sealed:?}");
        assert_eq!(derived.sealed_to(), SEALED, "the seal never goes back");
    }
}
