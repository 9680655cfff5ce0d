//! Rebuilds of a small life, on both databases: in little memory, stopped and gone on with, beside
//! appends and readers. Whatever happens on the way, the lists come out the same.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use daicho_app::{
    BookName, Books, CommandRequest, Ledger, ListRequest, Progress, Rebuild, RebuildOptions,
    SLICES, Stopped, Unwatched, all, list_by_name,
};
use daicho_simulator::{Options, Simulated, clock_and_entropy, simulate};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Notify;

const EVENTS: u64 = 600;
const UNTIL: &str = "2026-04-01T03:00:00.000000Z";
/// Some passes, and not one for each slice.
const LITTLE: usize = 128 * 1_024;

/// A life and where it stands.
struct Place {
    books: Books,
    simulated: Simulated,
    _folder: TempDir,
}

impl Place {
    async fn in_folder() -> (Self, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        Self::lived(Books::in_folder(folder.path()), folder).await
    }

    async fn in_database() -> (Self, Ledger) {
        let url = daicho_test_servers::shared().fresh_database().await;
        Self::lived(Books::in_database(&url).unwrap(), tempfile::tempdir().unwrap()).await
    }

    async fn lived(books: Books, folder: TempDir) -> (Self, Ledger) {
        let simulated = clock_and_entropy(5);
        let ledger = books.create(&name(), simulated.clock_and_entropy.clone()).await.unwrap();
        let options = Options { events: EVENTS, seed: 5, until: UNTIL.parse().unwrap() };
        simulate(&ledger, &simulated, &options, &Unwatched).await.unwrap();
        (Self { books, simulated, _folder: folder }, ledger)
    }

    /// One more process.
    async fn open(&self) -> Ledger {
        self.books.open(&name(), self.simulated.clock_and_entropy.clone()).await.unwrap()
    }
}

fn name() -> BookName {
    "shop".parse().unwrap()
}

fn within(memory_bytes: usize) -> RebuildOptions {
    RebuildOptions { memory_bytes, stopped: Stopped::GoesOn }
}

async fn rebuild(ledger: &Ledger, options: &RebuildOptions) -> Rebuild {
    ledger.rebuilds().run_with(all(), options, &Unwatched).await.unwrap()
}

/// The digests of the stored lists, which are the same as made anew.
async fn digests(ledger: &Ledger) -> Vec<String> {
    let compared = ledger.comparison().run(&Unwatched).await.unwrap();
    assert!(compared.iter().all(|list| list.is_same() && list.rows > 0), "{compared:?}");
    compared.into_iter().map(|list| list.live).collect()
}

/// Registers an organisation with one member: one row more in the list of members.
async fn append(ledger: &Ledger, number: u64) {
    let organisation = format!("01J{number:023}");
    let customer = json!({
        "organisation": organisation, "name": "Aoba", "country": "Japan", "reference": null,
    });
    let member = json!({
        "organisation": organisation, "name": "Hanako Aoki",
        "email": format!("hanako{number}@aoba.example.jp"), "phone": null, "role": "administrator",
    });
    for (command, data) in
        [("organisation.register", customer), ("member.request_registration", member)]
    {
        let request = json!({ "actor": "staff:sato", "command": command, "data": data });
        let request: CommandRequest = serde_json::from_value(request).unwrap();
        ledger.commands().run(request).await.unwrap();
    }
}

async fn members(ledger: &Ledger) -> u64 {
    let request = ListRequest { limit: 10_000, ..ListRequest::default() };
    let page = ledger.lists().page(list_by_name("members").unwrap(), &request).await.unwrap();
    assert_eq!(page.next, None, "a list of these tests is one page");
    page.rows.len() as u64
}

/// Says when the rows of the second pass begin to be written.
#[derive(Default)]
struct UntilSecondPass {
    passes: AtomicU64,
    reached: Notify,
}

impl Progress for UntilSecondPass {
    fn begin(&self, what: &str, _: u64) {
        if what == "rows written" {
            self.passes.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn at(&self, _: u64) {
        if self.passes.load(Ordering::SeqCst) == 2 {
            self.reached.notify_one();
        }
    }

    fn end(&self) {}
}

/// Gives a rebuild up while its second pass is written.
async fn stop_in_the_second_pass(ledger: &Ledger) {
    let (progress, options) = (UntilSecondPass::default(), within(LITTLE));
    tokio::select! {
        biased;
        () = progress.reached.notified() => {}
        done = ledger.rebuilds().run_with(all(), &options, &progress) => panic!("{done:?}"),
    }
}

async fn little_memory_takes_several_passes_and_makes_the_same_lists(
    (_place, ledger): (Place, Ledger),
) {
    let whole = rebuild(&ledger, &RebuildOptions::default()).await;
    assert_eq!(whole.passes, 1);
    let expected = digests(&ledger).await;
    let parts = rebuild(&ledger, &within(LITTLE)).await;
    assert!((3..100).contains(&parts.passes), "{parts:?}");
    assert_eq!(parts.lists, whole.lists);
    assert_eq!(digests(&ledger).await, expected);

    let none = ledger.rebuilds().run_with(all(), &within(1), &Unwatched).await.unwrap_err();
    assert!(none.to_string().contains("give it more memory"), "{none}");
    assert_eq!(digests(&ledger).await, expected, "the lists stay as they were");
}

async fn a_stopped_rebuild_goes_on_behind_what_it_had_loaded((_place, ledger): (Place, Ledger)) {
    stop_in_the_second_pass(&ledger).await;
    for number in 0..5 {
        append(&ledger, number).await;
    }
    let resumed = rebuild(&ledger, &within(LITTLE)).await;
    for list in &resumed.lists {
        assert!((1..SLICES).contains(&list.resumed_slices), "{list:?}");
    }
    let expected = digests(&ledger).await;
    let stopped = Stopped::IsDropped;
    let anew = rebuild(&ledger, &RebuildOptions { stopped, ..within(LITTLE) }).await;
    assert!(resumed.passes < anew.passes, "{resumed:?} {anew:?}");
    assert!(anew.lists.iter().all(|list| list.resumed_slices == 0));
    assert_eq!(digests(&ledger).await, expected);
}

async fn what_was_stopped_is_dropped_when_asked((_place, ledger): (Place, Ledger)) {
    stop_in_the_second_pass(&ledger).await;
    let options = RebuildOptions { stopped: Stopped::IsDropped, ..RebuildOptions::default() };
    let anew = rebuild(&ledger, &options).await;
    assert_eq!(anew.passes, 1);
    assert!(anew.lists.iter().all(|list| list.resumed_slices == 0), "{anew:?}");
    digests(&ledger).await;
}

async fn readers_see_whole_lists_beside_appends_and_rebuilds((place, ledger): (Place, Ledger)) {
    let before = members(&ledger).await;
    let (appended, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let writer = {
        let (writer, appended, stop) = (place.open().await, appended.clone(), stop.clone());
        tokio::spawn(async move {
            while stop.load(Ordering::SeqCst) == 0 {
                let number = appended.load(Ordering::SeqCst);
                append(&writer, number).await;
                appended.store(number + 1, Ordering::SeqCst);
            }
        })
    };
    let reader = {
        let (reader, appended, stop) = (place.open().await, appended.clone(), stop.clone());
        tokio::spawn(async move {
            let mut reads = 0;
            while stop.load(Ordering::SeqCst) == 0 || reads == 0 {
                let least = before + appended.load(Ordering::SeqCst);
                let read = members(&reader).await;
                // One more may be recorded than its writer has heard of.
                let most = before + appended.load(Ordering::SeqCst) + 1;
                assert!((least..=most).contains(&read), "{read} is not in {least}..={most}");
                reads += 1;
            }
        })
    };
    for memory_bytes in [LITTLE, usize::MAX, LITTLE] {
        rebuild(&ledger, &within(memory_bytes)).await;
    }
    stop.store(1, Ordering::SeqCst);
    writer.await.unwrap();
    reader.await.unwrap();
    assert!(appended.load(Ordering::SeqCst) > 0);
    digests(&ledger).await;
    assert_eq!(members(&ledger).await, before + appended.load(Ordering::SeqCst));
}

macro_rules! on_both_databases {
    ($($rule:ident),* $(,)?) => {
        mod on_sqlite { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(super::Place::in_folder().await).await;
            }
        )* }
        mod on_postgres { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(super::Place::in_database().await).await;
            }
        )* }
    };
}

on_both_databases! {
    little_memory_takes_several_passes_and_makes_the_same_lists,
    a_stopped_rebuild_goes_on_behind_what_it_had_loaded,
    what_was_stopped_is_dropped_when_asked,
    readers_see_whole_lists_beside_appends_and_rebuilds,
}
