//! Two books open on one folder stand for two processes: each has its own tail, writer and sealer.

use std::sync::Arc;
use std::time::Duration;

use daicho_store::{AppendError, Appended, Log, Query, Subscription};
use tokio::task::JoinSet;

use crate::book::{Folder, close, execute, extend};
use crate::support::{With, append, assert_gapless, event, everything, one, query};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_fill_the_positions_together_without_a_gap() {
    let folder = Folder::new().await;
    let books = [folder.open().await, folder.open().await];
    let mut callers = JoinSet::new();
    for caller in 0..8 {
        let book = Arc::clone(&books[caller % 2]);
        callers.spawn(async move {
            for round in 0..25 {
                let tag = format!("t:{caller}-{round}");
                let pair = append(vec![event("a", &[&tag]), event("b", &[&tag])]);
                let answer = book.append(pair).await.unwrap();
                assert_eq!(answer.last, answer.first + 1);
                let found = book.read(&query(&[], &[&tag]), 0, 0, 10).await.unwrap().events;
                assert_eq!(found[0].position, answer.first);
                assert_eq!(found.len(), 2);
            }
        });
    }
    callers.join_all().await;
    let [one, other] = books;
    let events = everything(&*one).await;
    assert_eq!(events.len(), 400);
    assert_gapless(&events);
    assert_eq!(everything(&*other).await, events);
    one.verify_record(|_| ()).await.unwrap();
    close(one).await;
    close(other).await;
    folder.open().await.verify_derived(|_| ()).await.unwrap();
}

/// Longer than it takes to look again, much shorter than any of these tests may hang.
const SOON: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_read_while_a_book_is_opened_is_written_back_when_nobody_reads_it() {
    let folder = Folder::with_events(3).await;
    let (other, mut reader) = (folder.open().await, folder.record().await);
    execute(&mut reader, "BEGIN; SELECT count(*) FROM log").await.unwrap();
    extend(&*other, 2).await;
    let book = folder.open().await;
    let log_bytes = || std::fs::metadata(folder.path("record.db-wal")).unwrap().len();
    assert!(log_bytes() > 0, "what the reader does not know stands in the log");
    execute(&mut reader, "ROLLBACK").await.unwrap();
    let written_back = async {
        while log_bytes() > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(SOON, written_back).await.expect("the log is emptied");
    extend(&*other, 1).await;
    assert_eq!(book.head().await.unwrap().position, 6);
    close(book).await;
    close(other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_with_one_condition_exactly_one_wins() {
    let folder = Folder::new().await;
    let books = [folder.open().await, folder.open().await];
    for round in 0..60_u64 {
        let tag = format!("unique:{round}");
        let take = || one("taken", &[&tag]).unless(query(&[], &[&tag]), 0);
        let (a, b) = tokio::join!(books[0].append(take()), books[1].append(take()));
        let position = round + 1;
        for (won, lost) in [(&a, &b), (&b, &a)] {
            if let Ok(won) = won {
                assert_eq!(won.first, position);
                assert!(
                    matches!(lost, Err(AppendError::Conflict { position: p }) if *p == position),
                    "{lost:?}"
                );
            }
        }
        assert!(a.is_ok() != b.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_one_effect_whichever_process_it_reaches() {
    let folder = Folder::new().await;
    let books = [folder.open().await, folder.open().await];
    for round in 0..60_u64 {
        let request = || one("a", &[]).answering(&format!("r{round}"), "h");
        let (a, b) = tokio::join!(books[0].append(request()), books[1].append(request()));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.first, b.first), (round + 1, round + 1));
        assert!(a.repeated() != b.repeated());
    }
    for round in 0..60 {
        for book in &books {
            let again = book.append(one("a", &[]).answering(&format!("r{round}"), "h")).await;
            let expected = Appended { first: round + 1, last: round + 1, recorded_at_us: None };
            assert_eq!(again.unwrap(), expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_wrote_and_sealed_the_other_reads_and_decides_on() {
    let folder = Folder::new().await;
    let (writing, watching) = (folder.open().await, folder.open().await);
    for round in 1..=10_u64 {
        // More than the other's whole tail at once, less, and across the end of a block.
        extend(&*writing, round * 3).await;
        let head = writing.head().await.unwrap();
        assert_eq!(watching.head().await.unwrap(), head);
        let known = query(&["a"], &["every:1"]);
        let conflict = watching.append(one("b", &[]).unless(known.clone(), 0)).await;
        assert!(
            matches!(
                conflict,
                Err(AppendError::Conflict { position }) if position <= head.position
            ),
            "{conflict:?}"
        );
        let first = watching.append(one("b", &[]).answering("r1", "h")).await.unwrap();
        assert_eq!((first.first, first.repeated()), (1, true));
        let page = watching.read(&known, 0, 0, 1_000).await.unwrap();
        assert_eq!(page, writing.read(&known, 0, 0, 1_000).await.unwrap());
        assert_eq!(page.scanned_to, head.position);
    }
    assert_gapless(&everything(&*watching).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_sees_what_another_process_writes() {
    let folder = Folder::new().await;
    let (writing, watching) = (folder.open().await, folder.open().await);
    let mut subscription = Subscription::new(watching, Query::everything(), 0, 5);
    let appending = extend(&*writing, 20);
    let reading = async {
        let mut seen = 0;
        while seen < 20 {
            for event in subscription.next().await.unwrap().events {
                seen += 1;
                assert_eq!(event.position, seen);
            }
        }
    };
    tokio::join!(appending, reading);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_waits_while_another_process_holds_the_lock() {
    let folder = Folder::new().await;
    let book = folder.open().await;
    let mut other = folder.record().await;
    crate::book::execute(&mut other, "BEGIN IMMEDIATE").await.unwrap();
    let waiting = book.append(one("a", &[]));
    let release = async {
        tokio::task::yield_now().await;
        crate::book::execute(&mut other, "ROLLBACK").await.unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, release);
    assert_eq!(answer.unwrap().first, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_write_nothing_is_acknowledged_and_the_book_goes_on_from_the_record() {
    let folder = Folder::new().await;
    let book = folder.open().await;
    extend(&*book, 3).await;
    let mut record = folder.record().await;
    let fail = "CREATE TRIGGER broken BEFORE UPDATE ON head
        BEGIN SELECT RAISE(ABORT, 'as if the disk were full'); END";
    crate::book::execute(&mut record, fail).await.unwrap();
    for _ in 0..3 {
        let failed = book.append(one("a", &[]).answering("r", "h")).await;
        assert!(matches!(failed, Err(AppendError::Unknown { .. })), "{failed:?}");
        assert_eq!(book.head().await.unwrap().position, 3);
    }
    crate::book::execute(&mut record, "DROP TRIGGER broken").await.unwrap();
    let answer = book.append(one("a", &[]).answering("r", "h")).await.unwrap();
    assert_eq!((answer.first, answer.last, answer.repeated()), (4, 4, false));
    book.verify_record(|_| ()).await.unwrap();
}
