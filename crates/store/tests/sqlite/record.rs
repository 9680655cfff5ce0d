//! The record refuses to be changed, and what was changed nevertheless is not read as if it were
//! whole.

use daicho_store::{Append, AppendError, Blocks as _, Log, Query, ReadError};

use crate::book::{Folder, execute};
use crate::support::{With, one, query};

#[tokio::test]
async fn the_record_refuses_every_statement_that_would_change_the_past() {
    let folder = Folder::with_events(3).await;
    let mut record = folder.record().await;
    for sql in [
        "UPDATE log SET data = '1'",
        "UPDATE log SET position = 9 WHERE position = 3",
        "DELETE FROM log WHERE position = 3",
        "INSERT OR REPLACE INTO log SELECT 3, leaf, envelope, data FROM log WHERE position = 1",
        "REPLACE INTO log SELECT 1, leaf, envelope, data FROM log WHERE position = 2",
        "UPDATE head SET position = 2",
        "UPDATE head SET position = 3",
        "UPDATE head SET position = 4, recorded_at_us = recorded_at_us - 1",
        "DELETE FROM head",
        "INSERT OR REPLACE INTO head VALUES (1, 4, x'', 0)",
        "INSERT INTO head VALUES (2, 4, x'', 0)",
        "UPDATE meta SET book_id = randomblob(16)",
        "DELETE FROM meta",
    ] {
        assert!(execute(&mut record, sql).await.is_err(), "{sql}");
    }
    folder.open().await.verify_record(|_| ()).await.unwrap();
}

const DAMAGE: [&str; 7] = [
    "UPDATE log SET data = replace(data, 'text', 'tixt') WHERE position = 5",
    "UPDATE log SET envelope = replace(envelope, 'member:1', 'member:2') WHERE position = 5",
    "UPDATE log SET envelope = substr(envelope, 2) WHERE position = 5",
    "UPDATE log SET envelope = CAST(x'ff' AS TEXT) WHERE position = 5",
    "UPDATE log SET data = CAST(x'7bff' AS TEXT) WHERE position = 5",
    "UPDATE log SET leaf = x'00' WHERE position = 5",
    "DELETE FROM log WHERE position = 5",
];

fn assert_corrupt<T: std::fmt::Debug>(result: Result<T, ReadError>, damage: &str) {
    match result {
        Err(ReadError::Corrupt { position: 5, .. }) => {}
        other => panic!("{damage}: {other:?}"),
    }
}

#[tokio::test]
async fn a_damaged_row_is_named_by_every_read_that_meets_it_and_by_no_other() {
    let original = Folder::with_events(100).await;
    for damage in DAMAGE {
        let folder = original.copied();
        folder.tampered(damage).await;
        let book = folder.open().await;
        let reads_it = [Query::everything(), query(&[], &["t:5"]), query(&["a"], &["every:1"])];
        for query in reads_it {
            assert_corrupt(book.read(&query, 0, 0, 100).await, damage);
        }
        assert_corrupt(book.last(&query(&[], &["t:5"]), 0).await, damage);
        assert_corrupt(book.scan(4, 5, 10).await, damage);

        assert_eq!(book.read(&Query::everything(), 5, 0, 100).await.unwrap().events.len(), 95);
        assert_eq!(book.read(&query(&[], &["t:6"]), 0, 0, 9).await.unwrap().events.len(), 1);
        assert_eq!(book.scan(0, 4, 10).await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn a_condition_that_meets_a_damaged_row_is_an_error_and_not_a_yes() {
    let original = Folder::with_events(100).await;
    for damage in DAMAGE {
        let folder = original.copied();
        folder.tampered(damage).await;
        let book = folder.open().await;
        let unless: Append = one("b", &[]).unless(query(&[], &["t:5"]), 0);
        let failed = book.append(unless).await;
        assert!(matches!(failed, Err(AppendError::Read(ReadError::Corrupt { .. }))), "{failed:?}");
        let repeat = book.append(one("a", &[]).answering("r5", "h")).await;
        assert!(matches!(repeat, Err(AppendError::Read(_))), "{repeat:?}");
        book.append(one("b", &[]).unless(query(&[], &["t:6"]), 6)).await.unwrap();
    }
}

#[tokio::test]
async fn blocks_and_bulk_reads_are_those_of_the_log() {
    let folder = Folder::with_events(21).await;
    let book = folder.open().await;
    assert_eq!((book.block_events(), book.sealed_to()), (8, 16));
    for index in 0..2 {
        let expected: Vec<u8> =
            (index * 8 + 1..=index * 8 + 8).flat_map(u64::to_be_bytes).collect();
        assert_eq!(book.block(index).await.unwrap(), Some(expected));
    }
    assert_eq!(book.block(2).await.unwrap(), None);
    let all = book.read(&Query::everything(), 0, 0, 100).await.unwrap().events;
    assert_eq!(all.len(), 21);
    for (after, until) in [(0, 0), (0, 5), (3, 20), (16, 0), (18, 21), (21, 0), (5, 99)] {
        let end = if until == 0 { 21 } else { until.min(21) };
        let expected: Vec<_> =
            all.iter().filter(|e| e.position > after && e.position <= end).cloned().collect();
        assert_eq!(book.events(after, until, 100).await.unwrap(), expected);
        assert_eq!(book.scan(after, until, 100).await.unwrap(), expected);
        let two = &expected[..expected.len().min(2)];
        assert_eq!(book.events(after, until, 2).await.unwrap(), two);
        assert_eq!(book.scan(after, until, 2).await.unwrap(), two);
    }
}
