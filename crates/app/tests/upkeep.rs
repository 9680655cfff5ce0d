//! Lists that several processes read and rebuild at once: one process does long upkeep, a reader
//! that waits for a position gets rows that include it, and no list moves back.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod shops;
mod support;

use std::sync::Arc;
use std::time::Duration;

use daicho_app::{
    AtLeast, Books, Failure, KnownAt, Ledger, ListPage, ListRequest, Position, Preset, Progress,
    Unwatched, all, list_by_name, preset,
};
use daicho_store::postgres::Database;
use daicho_store::{
    Append, Book, Envelope, Holder, LEASE_MS_MAX, Lease, Log, NewEvent, Options, Query,
    SqliteState, State, StateName, sqlite,
};
use serde_json::json;
use shops::STORIES;
use support::{StandingClock, book_name, clock_at, name, run, staff};
use tempfile::TempDir;
use tokio::time::timeout;

const NOW: &str = "2026-11-22T01:00:00Z";
const A_YEAR_LATER: &str = "2027-11-22T01:00:00Z";
/// A number of events that are folded in one step, without a lease.
const SHORT: u64 = 100;
/// A number of events that takes more than one step.
const LONG: u64 = 5_000;
/// A number of events so large that an empty list is rebuilt.
const ANEW: u64 = 20_000;
/// How long a test waits for something that must not happen.
const IN_VAIN_MS: u64 = 50;
/// How long a test waits for something that must happen.
const LONG_MS: u64 = 600_000;

/// A wholesaler's book in a place of its own.
enum Place {
    Folder(TempDir),
    Database(String),
}

impl Place {
    async fn folder() -> Self {
        Self::made(Self::Folder(tempfile::tempdir().unwrap())).await
    }

    async fn database() -> Self {
        Self::made(Self::Database(daicho_test_servers::shared().fresh_database().await)).await
    }

    async fn made(self) -> Self {
        let ledger = self.books().create(&book_name(), clock_at(NOW).1).await.unwrap();
        let shop = preset(Preset::Wholesale, name("Wholesaler"), daicho_app::Currency::Gbp);
        ledger
            .decisions()
            .execute(&shop.unwrap(), &daicho_app::Context::of(staff()))
            .await
            .unwrap();
        ledger.close().await;
        self
    }

    fn books(&self) -> Books {
        match self {
            Self::Folder(folder) => Books::in_folder(folder.path()),
            Self::Database(url) => Books::in_database(url).unwrap(),
        }
    }

    /// The book as another process opens it; each call opens it once more.
    async fn open(&self) -> Ledger {
        self.books().open(&book_name(), clock_at(NOW).1).await.unwrap()
    }

    async fn log(&self) -> Book {
        let options = Options { clock: clock_at(NOW).1.clock, ..Options::new("another 1") };
        match self {
            Self::Folder(folder) => {
                sqlite::open_book(&folder.path().join("shop"), options).await.unwrap()
            }
            Self::Database(url) => {
                Database::parse(url).unwrap().open_book("shop", options).await.unwrap()
            }
        }
    }

    async fn state(&self) -> Arc<dyn State> {
        match self {
            Self::Folder(folder) => {
                let folder = folder.path().join("shop");
                let (id, _) = sqlite::inspect(&folder.join("record.db")).await.unwrap();
                Arc::new(SqliteState::new(&folder.join("state.db"), id))
            }
            Self::Database(url) => Arc::new(Database::parse(url).unwrap().state("shop").unwrap()),
        }
    }

    /// Records the first event again and again, until there are `count`; the lists are not updated.
    async fn grow_to(&self, count: u64) {
        let log = self.log().await;
        let first = log.read(&Query::everything(), 0, 0, 1).await.unwrap().events.remove(0);
        let envelope = Envelope::parse(&first.envelope).unwrap();
        let event = NewEvent {
            type_name: envelope.type_name.to_string(),
            version: envelope.version,
            effective_on: envelope.effective_on.to_owned(),
            tags: envelope.tags.iter().map(ToString::to_string).collect(),
            actor: envelope.actor.to_string(),
            on_behalf_of: None,
            cause: None,
            data: first.data.to_string(),
            data_sha256: envelope.data_sha256,
        };
        let mut head = log.head().await.unwrap().position;
        while head < count {
            let events = vec![event.clone(); (count - head).min(4_000) as usize];
            let append = Append { events, condition: None, request: None };
            head = log.append(append).await.unwrap().last;
        }
        log.close().await;
    }

    /// Takes the work lease of the list of orders and does nothing more, like a process that hangs.
    async fn hang(&self) -> Lease {
        let work = StateName::new("list:orders").unwrap();
        let lease = self.state().await.take(&work, &Holder::new(), LEASE_MS_MAX).await;
        lease.unwrap().unwrap()
    }
}

async fn orders(ledger: &Ledger, request: ListRequest) -> Result<ListPage, Failure> {
    let request = ListRequest { limit: 10, ..request };
    ledger.lists().page(list_by_name("orders").unwrap(), &request).await
}

fn at_least(position: u64, wait_ms: u64) -> ListRequest {
    let at_least = Some(AtLeast { position: Position(position), wait_ms });
    ListRequest { at_least, ..ListRequest::default() }
}

/// Tests the same rule on both databases.
macro_rules! on_both {
    ($($rule:ident),* $(,)?) => {
        mod sqlite_folder {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() { super::$rule(super::Place::folder().await).await; })*
        }
        mod postgres_database {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() { super::$rule(super::Place::database().await).await; })*
        }
    };
}

on_both! {
    long_upkeep_that_another_process_holds_is_waited_for_and_taken_over,
    short_upkeep_waits_for_nobody,
    of_many_that_make_a_list_anew_at_once_none_fails,
    a_rebuild_waits_for_whoever_has_the_turn_at_one_of_its_lists,
    the_work_of_the_process_itself_is_not_broken_off,
    what_is_not_recorded_or_was_not_known_is_not_waited_for,
}

async fn long_upkeep_that_another_process_holds_is_waited_for_and_taken_over(place: Place) {
    place.grow_to(LONG).await;
    let lease = place.hang().await;
    let ledger = Arc::new(place.open().await);
    let late = orders(&ledger, at_least(LONG, IN_VAIN_MS)).await;
    let Err(error @ Failure::NotReached { position: LONG, at: 0, .. }) = late else {
        panic!("{late:?}")
    };
    assert!(error.to_string().contains("the list orders is at position 0"), "{error}");
    let waiting = tokio::spawn({
        let ledger = Arc::clone(&ledger);
        async move { orders(&ledger, at_least(LONG, LONG_MS)).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    place.state().await.release(&lease).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().known_at, Position(LONG));
    // The lease was given back: the next process need not wait for its end.
    place.state().await.release(&place.hang().await).await.unwrap();
    Arc::into_inner(ledger).unwrap().close().await;
}

async fn short_upkeep_waits_for_nobody(place: Place) {
    place.grow_to(SHORT).await;
    let _held = place.hang().await;
    let ledger = place.open().await;
    let page = orders(&ledger, at_least(SHORT, LONG_MS)).await.unwrap();
    assert_eq!(page.known_at, Position(SHORT));
    // Another process records an event; the list of this process includes the position of the
    // answer.
    let other = place.open().await;
    let customer = json!({
        "organisation": "01J0000000000000000000000A", "name": "Aoba", "country": "Japan",
        "reference": null,
    });
    run(&other, "staff:sato", "organisation.register", customer).await.unwrap();
    let written = other.proof().checkpoint().await.unwrap().position;
    assert!(written > page.known_at);
    let page = orders(&ledger, at_least(written.0, LONG_MS)).await.unwrap();
    assert_eq!(page.known_at, written);
    other.close().await;
    ledger.close().await;
}

async fn of_many_that_make_a_list_anew_at_once_none_fails(place: Place) {
    place.grow_to(ANEW).await;
    let ledgers = [place.open().await, place.open().await, place.open().await];
    let [one, two, three] = &ledgers;
    let read = |ledger| orders(ledger, ListRequest::default());
    let reads = async { tokio::join!(read(one), read(two), read(three)) };
    let operators = async {
        tokio::join!(one.rebuilds().run(all(), &Unwatched), two.rebuilds().run(all(), &Unwatched))
    };
    let ((one, two, three), (first, second)) = tokio::join!(reads, operators);
    for page in [one, two, three] {
        assert_eq!(page.unwrap().known_at, Position(ANEW));
    }
    for rebuild in [first, second] {
        assert_eq!(rebuild.unwrap().lists.len(), all().len());
    }
    for ledger in ledgers {
        ledger.close().await;
    }
}

async fn a_rebuild_waits_for_whoever_has_the_turn_at_one_of_its_lists(place: Place) {
    let lease = place.hang().await;
    let ledger = place.open().await;
    let mut rebuild = Box::pin(ledger.rebuilds().run(all(), &Unwatched));
    let in_vain = timeout(Duration::from_millis(IN_VAIN_MS), &mut rebuild).await;
    assert!(in_vain.is_err(), "{in_vain:?}");
    place.state().await.release(&lease).await.unwrap();
    assert_eq!(rebuild.as_mut().await.unwrap().lists.len(), all().len());
    drop(rebuild);
    // The leases were given back: the next process need not wait for their end.
    place.state().await.release(&place.hang().await).await.unwrap();
    ledger.close().await;
}

async fn the_work_of_the_process_itself_is_not_broken_off(place: Place) {
    place.grow_to(LONG).await;
    let ledger = place.open().await;
    let page = orders(&ledger, at_least(LONG, 0)).await.unwrap();
    assert_eq!(page.known_at, Position(LONG));
    ledger.close().await;
}

/// Lets a year pass when a rebuild is about to put its lists in place.
struct AYearPasses(Arc<StandingClock>);

impl Progress for AYearPasses {
    fn begin(&self, what: &str, _: u64) {
        if what == "lists put in place" {
            self.0.set(A_YEAR_LATER);
        }
    }

    fn at(&self, _: u64) {}

    fn end(&self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_were_made_before_midnight_are_put_in_place_as_of_the_day_after() {
    let mut moved = 0;
    for story in &STORIES {
        let folder = tempfile::tempdir().unwrap();
        shops::live(story, folder.path()).await.close().await;
        let (clock, clock_and_entropy) = clock_at(NOW);
        let ledger =
            Books::in_folder(folder.path()).open(&book_name(), clock_and_entropy).await.unwrap();
        ledger.rebuilds().run(all(), &Unwatched).await.unwrap();
        let before = ledger.comparison().run(&Unwatched).await.unwrap();
        ledger.rebuilds().run(all(), &AYearPasses(clock)).await.unwrap();
        for list in ledger.lists().states().await.unwrap() {
            assert_eq!(list.as_of.as_deref(), Some(&A_YEAR_LATER[..10]), "{list:?}");
        }
        let after = ledger.comparison().run(&Unwatched).await.unwrap();
        assert!(after.iter().all(|list| list.is_same()), "{after:?}");
        moved += before.iter().zip(&after).filter(|(old, new)| old.live != new.live).count();
        ledger.close().await;
    }
    assert!(moved > 0, "some row looks different after a year");
}

async fn what_is_not_recorded_or_was_not_known_is_not_waited_for(place: Place) {
    let ledger = place.open().await;
    let head = ledger.proof().checkpoint().await.unwrap().position.0;
    let beyond = orders(&ledger, at_least(head + 1, LONG_MS)).await;
    let Err(Failure::NotRecorded { position, head: end }) = beyond else { panic!("{beyond:?}") };
    assert_eq!((position, end), (head + 1, head));
    let known_at = Some(KnownAt::Position(Position(0)));
    let never = orders(&ledger, ListRequest { known_at, ..at_least(head, LONG_MS) }).await;
    assert!(matches!(never, Err(Failure::NeverHolds { .. })), "{never:?}");
    let known_at = Some(KnownAt::Position(Position(head)));
    orders(&ledger, ListRequest { known_at, ..at_least(head, LONG_MS) }).await.unwrap();
    ledger.close().await;
}
