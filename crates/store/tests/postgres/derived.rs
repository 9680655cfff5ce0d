//! The derived state is dropped, emptied, foreign or tampered with: it is made again or the book
//! says so, and nothing is decided on it.

use std::sync::Arc;

use daicho_store::{
    AppendError, Blocks as _, Book, Fault, Log, Options, Packer, ReadError, StorageError, Stored,
};

use crate::place::{BOOK, Place, close, extend};
use crate::support::{With, one, query};

/// Packs as many bytes as it is told, so that a block can be told from another's.
struct Constant(u8);

impl Packer for Constant {
    fn fingerprint(&self) -> String {
        format!("constant {}", self.0)
    }

    fn pack(&self, _events: &[Stored]) -> Result<Vec<u8>, String> {
        Ok(vec![self.0])
    }
}

fn packing(place: &Place, byte: u8) -> Options {
    Options { packer: Arc::new(Constant(byte)), ..place.options() }
}

/// Every event, condition and request of [`Place::with_events`] is found.
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
        assert_eq!(book.read(&tag, 0, 0, 10).await.unwrap().events.len(), 1);
    }
}

/// All blocks, and all tiles of the lowest level.
async fn blocks(book: &Book) -> Vec<Option<Vec<u8>>> {
    let mut blocks = Vec::new();
    for index in 0..=book.sealed_to() / 8 {
        blocks.push(book.block(index).await.unwrap());
    }
    blocks.push(book.tile(0, 0).await.unwrap());
    blocks
}

#[tokio::test]
async fn a_dropped_derived_state_is_made_again_and_is_the_same() {
    let place = Place::with_events(150).await;
    let book = place.database().open_book(BOOK, packing(&place, 1)).await.unwrap();
    let before = blocks(&book).await;
    book.close().await;
    for damage in [
        "DROP SCHEMA book_derived CASCADE",
        "DROP TABLE book_derived.meta",
        "DELETE FROM book_derived.meta",
        "ALTER TABLE book_derived.run RENAME COLUMN filter TO sieve",
        "UPDATE book_derived.meta SET format = format + 1",
        "UPDATE book_derived.meta SET book = decode(repeat('00', 16), 'hex')",
    ] {
        place.execute(damage).await;
        let book = place.database().open_book(BOOK, packing(&place, 1)).await.unwrap();
        assert_eq!(blocks(&book).await, before, "{damage}");
        book.verify_derived(|_| ()).await.unwrap();
        book.close().await;
    }
    let book = place.database().open_book(BOOK, packing(&place, 1)).await.unwrap();
    assert_whole(&book, 150).await;
    book.close().await;
}

/// What an open book must not answer from a derived state that is not the one it knows.
async fn lookups(book: &Book) -> Vec<Result<String, StorageError>> {
    let of_read = |error| {
        let ReadError::Storage(error) = error else { panic!("{error}") };
        error
    };
    let of_append = |error| {
        let AppendError::Storage(error) = error else { panic!("{error}") };
        error
    };
    let tag = query(&[], &["every:1", "t:3"]);
    let read = book.read(&tag, 0, 0, 10).await.map_err(of_read);
    let typed = book.last(&query(&["a"], &["t:5"]), 0).await.map_err(of_read);
    let block = book.block(2).await.map_err(of_read);
    let condition = book.append(one("b", &[]).unless(query(&[], &["t:7"]), 0)).await;
    let request = book.append(one("b", &[]).answering("r4", "h")).await.map_err(of_append);
    vec![
        read.map(|page| {
            format!("{:?}", page.events.iter().map(|e| e.position).collect::<Vec<_>>())
        }),
        typed.map(|event| format!("{:?}", event.map(|event| event.position))),
        block.map(|block| format!("{block:?}")),
        match condition {
            Err(AppendError::Conflict { position }) => Ok(position.to_string()),
            Err(error) => Err(of_append(error)),
            Ok(appended) => panic!("the condition does not hold: {appended:?}"),
        },
        request.map(|answer| answer.first.to_string()),
    ]
}

#[tokio::test]
async fn a_derived_state_taken_away_under_an_open_book_never_gives_a_wrong_answer() {
    let place = Place::with_events(150).await;
    let right = ["[3]", "Some(5)", "Some([1])", "7", "4"].map(str::to_owned);
    for damage in [
        "DROP SCHEMA book_derived CASCADE",
        "DELETE FROM book_derived.meta",
        "DELETE FROM book_derived.page; DELETE FROM book_derived.block",
        "TRUNCATE book_derived.meta, book_derived.run, book_derived.page, book_derived.block",
    ] {
        place.execute("DROP SCHEMA IF EXISTS book_derived CASCADE").await;
        let book = place.database().open_book(BOOK, packing(&place, 1)).await.unwrap();
        place.execute(damage).await;
        let found = lookups(&book).await;
        assert!(found.iter().any(Result::is_err), "{damage}: {found:?}");
        for (found, right) in found.iter().zip(&right) {
            assert!(found.as_ref().map_or(true, |found| found == right), "{damage}: {found:?}");
        }
        book.close().await;
    }
}

#[tokio::test]
async fn a_derived_state_made_anew_by_another_process_is_known_for_it() {
    let place = Place::with_events(150).await;
    let held = place.database().open_book(BOOK, packing(&place, 1)).await.unwrap();
    let other = place.database().open_book(BOOK, packing(&place, 2)).await.unwrap();
    for found in lookups(&held).await {
        assert!(matches!(found, Err(StorageError::Remade)), "{found:?}");
    }
    // What does not ask the derived state goes on: the record is the same.
    assert_eq!(held.append(one("a", &[])).await.unwrap().first, 151);
    assert_eq!(other.head().await.unwrap().position, 151);
    held.close().await;
    other.close().await;
    let book = place.database().open_book(BOOK, packing(&place, 1)).await.unwrap();
    assert_eq!(book.block(0).await.unwrap(), Some(vec![1]));
    book.verify_derived(|_| ()).await.unwrap();
    book.close().await;
}

#[tokio::test]
async fn a_tampered_page_block_or_tile_is_found_by_verification() {
    let place = Place::with_events(150).await;
    for (damage, in_words) in [
        ("UPDATE book_derived.page SET data = set_byte(data, 9, get_byte(data, 9) # 1)", "page"),
        ("UPDATE book_derived.block SET packed = '\\x07' WHERE idx = 3", "block"),
        (
            "UPDATE book_derived.block SET type_column = set_byte(type_column, 0,
                get_byte(type_column, 0) # 1) WHERE idx = 17",
            "types",
        ),
        ("UPDATE book_derived.tile SET data = set_byte(data, 5, get_byte(data, 5) # 1)", "tile"),
        ("DELETE FROM book_derived.page", "page"),
    ] {
        let book = place.open().await;
        book.verify_derived(|_| ()).await.unwrap();
        place.execute(damage).await;
        let found = book.verify_derived(|_| ()).await.unwrap_err();
        assert!(matches!(found, Fault::Derived { .. }), "{in_words}: {found:?}");
        close(book).await;
        // The way out that the fault names.
        place.execute("DROP SCHEMA book_derived CASCADE").await;
        let book = place.open().await;
        book.verify_derived(|_| ()).await.unwrap();
        extend(&*book, 1).await;
        close(book).await;
    }
}
