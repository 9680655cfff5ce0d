//! A clock that the test moves, random numbers that repeat, and short functions to use a book.
//! Shared by the test crates of this folder; none of them uses all of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use daicho_app::{
    BookName, Books, ClockAndEntropy, CommandRequest, Context, ExecuteError, Executed, Ledger,
    ListRequest, Preset, list_by_name, preset,
};
use daicho_events::Actor;
use daicho_store::Clock;
use daicho_store::vault::Entropy;
use daicho_values::{Currency, Login, Name};
use serde_json::{Value, json};

/// Rows that one page may have, as the store allows.
const PAGE_ROWS: u32 = 10_000;

/// A clock that stands still until the test moves it.
pub struct StandingClock(AtomicI64);

impl StandingClock {
    pub fn at(time: &str) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(microseconds(time))))
    }

    pub fn set(&self, time: &str) {
        self.0.store(microseconds(time), Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn microseconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// The same bytes in every run: SplitMix64 (Steele, Lea, Flood 2014) over a counter.
pub struct RepeatableEntropy(AtomicU64);

impl Entropy for RepeatableEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks_mut(8) {
            let mut mixed = self.0.fetch_add(GAMMA, Ordering::SeqCst).wrapping_add(GAMMA);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A clock that stands at `time`, and what a book is opened with.
pub fn clock_at(time: &str) -> (Arc<StandingClock>, ClockAndEntropy) {
    let clock = StandingClock::at(time);
    let entropy = Arc::new(RepeatableEntropy(AtomicU64::new(1)));
    (Arc::clone(&clock), ClockAndEntropy { clock, entropy })
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn staff() -> Actor {
    Actor::Staff(Login::new("sato").unwrap())
}

/// An open wholesaler's book in `folder`, with amounts in pounds.
pub async fn wholesaler(folder: &Path, clock_and_entropy: ClockAndEntropy) -> Ledger {
    let ledger = empty_book(folder, clock_and_entropy).await;
    let shop = preset(Preset::Wholesale, name("Wholesaler"), Currency::Gbp).unwrap();
    ledger.decisions().execute(&shop, &Context::of(staff())).await.unwrap();
    ledger
}

/// A book without settings.
pub async fn empty_book(folder: &Path, clock_and_entropy: ClockAndEntropy) -> Ledger {
    Books::in_folder(folder).create(&book_name(), clock_and_entropy).await.unwrap()
}

pub fn book_name() -> BookName {
    "shop".parse().unwrap()
}

/// Runs a command by its name, as an outside caller does.
pub async fn run(
    ledger: &Ledger,
    actor: &str,
    command: &str,
    data: Value,
) -> Result<Executed, ExecuteError> {
    let request = json!({ "actor": actor, "command": command, "data": data });
    ledger.commands().run(serde_json::from_value::<CommandRequest>(request).unwrap()).await
}

/// Every row of a list.
pub async fn rows(ledger: &Ledger, list: &str, request: ListRequest) -> Vec<Value> {
    let list = list_by_name(list).unwrap();
    let page =
        ledger.lists().page(list, &ListRequest { limit: PAGE_ROWS, ..request }).await.unwrap();
    assert_eq!(page.next, None, "each list of these tests fits on one page");
    page.rows
}
