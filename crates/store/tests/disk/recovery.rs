//! A book is opened after a crash by its own code, and must be what was promised of it.

use std::sync::atomic::Ordering;

use daicho_store::vault::{Opened, Vault as _};
use daicho_store::views::Views as _;
use daicho_store::{AppendError, Frontier, Log as _, OpenError, leaf_hash, sqlite};
use daicho_test_vfs::{Disk, Image};

use crate::history::{Asked, History, INDEXED, Moment};
use crate::life::{self, Open, assert_same_answer, options, rows_at, subject};
use crate::support::{START_US, TestClock, With as _, assert_gapless, everything, one, query};

/// After every life; no clock of a life reaches it.
const LATER_US: i64 = 1_000_000_000;
/// Requests of the last and of the first days that are asked again.
const REPEATS: usize = 2;

/// Recovers the book from `image`, what a crash at `moment` of `history` has left, and goes on with
/// it.
pub async fn check(image: &Image, history: &History, moment: Moment) {
    let disk = Disk::of(image);
    let clock = TestClock::default();
    clock.0.store(START_US + LATER_US, Ordering::SeqCst);
    make_if_unmade(&disk, &clock, history, moment).await;
    let open = life::open(&disk, &clock).await.unwrap_or_else(|error| panic!("{error:?}"));
    let end = check_record(&open, history, moment).await;
    check_vault(&open, history, moment).await;
    check_list(&open, end).await;
    check_answers(&open, history, moment).await;
    let end = open.book.head().await.unwrap().position;
    let answer = open.book.append(one("after", &["after:1"])).await.unwrap();
    assert_eq!(answer.first, end + 1);
    life::close(open).await;
}

/// What was not answered yet is there or may be made now; what was answered must be there.
async fn make_if_unmade(disk: &Disk, clock: &TestClock, history: &History, moment: Moment) {
    if !history.is_created_at(moment) {
        let created = match sqlite::open_book(disk.path(), options(clock)).await {
            Err(OpenError::NotABook { .. }) => {
                sqlite::create_book(disk.path(), options(clock)).await
            }
            opened => opened,
        };
        created.unwrap().close().await;
    }
    if history.vault_at(moment).is_none() {
        life::create_vault(&disk.path().join("vault.db")).await.unwrap();
    }
}

/// The same bytes at the same positions, whole, and hashed to the head. Returns where it ends.
async fn check_record(open: &Open, history: &History, moment: Moment) -> u64 {
    let head = open.book.head().await.unwrap();
    history.assert_end(head.position, moment);
    let events = everything(&open.book).await;
    assert_gapless(&events);
    assert_eq!(events, history.events[..events.len()], "the same bytes at the same positions");
    assert_eq!(u64::try_from(events.len()).unwrap(), head.position);
    let mut tree = Frontier::default();
    for event in &events {
        tree.push(leaf_hash(event.envelope.as_bytes()));
    }
    assert_eq!(head.root, tree.root());
    assert_eq!(open.book.verify_record(|_| ()).await.unwrap(), head);
    open.book.verify_derived(|_| ()).await.unwrap();
    head.position
}

/// Every value that was handed out opens, until its person is erased.
async fn check_vault(open: &Open, history: &History, moment: Moment) {
    if let Some(hash) = history.vault_at(moment) {
        assert_eq!(open.vault.index("email", INDEXED).await.unwrap(), hash, "the vault's own key");
    }
    for Asked { what: (person, text), answered, .. } in &history.seals {
        let Some((_, sealed)) = answered.as_ref().filter(|(at, _)| *at <= moment) else { continue };
        let (may_be_erased, must_be_erased) = history.erasure_of(person, moment);
        match open.vault.open(sealed, subject(person).field).await.unwrap() {
            Opened::Text(opened) => {
                assert!(!must_be_erased, "the value of an erased person opens");
                assert_eq!(*opened, *text);
            }
            Opened::Erased => assert!(may_be_erased, "nobody asked for an erasure"),
        }
    }
}

/// The list is right for the position that it claims, never ahead, and goes on.
async fn check_list(open: &Open, end: u64) {
    let cursor = open.views.state("rows").await.unwrap().point.cursor;
    assert!(cursor <= end, "the list is at {cursor}, the log ends at {end}");
    assert_eq!(open.views.scan("rows", None, 100).await.unwrap(), rows_at(cursor));
    life::fold(open).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(open.views.scan("rows", None, 100).await.unwrap(), rows_at(end));
}

/// A request that was recorded gets its first answer; one that was under way has one effect, now or
/// then; conditions see what they must.
async fn check_answers(open: &Open, history: &History, moment: Moment) {
    let answered = |asked: &&Asked<_, _>| asked.answer_at(moment).is_some();
    let known: Vec<_> = history.appends.iter().filter(answered).collect();
    let (first, last) = (known.iter().take(REPEATS), known.iter().rev().take(REPEATS));
    for asked in first.chain(last) {
        let answer = *asked.answer_at(moment).unwrap();
        let again = open.book.append(asked.what.clone()).await.unwrap();
        assert_same_answer(answer, again);
        let condition = asked.what.condition.clone().unwrap();
        let found = open.book.read(&condition.query, 0, 0, 100).await.unwrap().events;
        assert_eq!(u64::try_from(found.len()).unwrap(), answer.last - answer.first + 1);
        let late = open.book.append(one("late", &[]).unless(condition.query, 0)).await;
        let expected = answer.last;
        assert!(
            matches!(late, Err(AppendError::Conflict { position }) if position == expected),
            "{late:?}"
        );
    }
    let under_way =
        |asked: &&Asked<_, _>| asked.begun < moment && asked.answer_at(moment).is_none();
    for asked in history.appends.iter().filter(under_way) {
        let answer = open.book.append(asked.what.clone()).await.unwrap();
        assert_same_answer(answer, open.book.append(asked.what.clone()).await.unwrap());
        let tag = &asked.what.events[0].tags[0];
        let found = open.book.read(&query(&[], &[tag]), 0, 0, 100).await.unwrap().events;
        assert_eq!(found.len(), asked.what.events.len(), "one effect");
    }
}
