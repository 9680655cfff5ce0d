//! One measurement on a grown book, in a process of its own: what it finds in memory is its own,
//! and so is the most memory that it held.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use daicho_app::{
    CommandRequest, KnownAt, Ledger, ListRequest, Position, Unwatched, all, list_by_name,
};
use daicho_events::contract::ContractConcluded;
use daicho_values::{Date, Sample as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::append::{Workload, call, share};
use crate::error::BenchError;
use crate::machine::peak_memory_mib;
use crate::measure::Latencies;

use super::book::{GrownBook, HISTORIES, History};

/// Callers that append.
const CALLERS: usize = 16;
/// Decisions on each contract whose history is known.
const KNOWN_DECISIONS: usize = 20;
/// The list that is asked as of earlier positions.
const LIST: &str = "contracts";
/// Rows of its page.
const PAGE_ROWS: u32 = 50;
/// A decision's day, from the first day of the contracts on: after all their changes.
const DECISION_DAYS: u32 = 2_000;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// The book opened, and one decision recorded.
    Start,
    /// Conditional appends.
    Append,
    /// Decisions on contracts with long and short histories.
    Decide,
    /// All lists in one pass.
    Rebuild,
    /// A list on both axes at the head and earlier.
    List,
}

/// One thing measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What it was.
    pub what: String,
    /// Events that it was about.
    pub events: u64,
    /// The time that it took.
    pub seconds: f64,
    /// The most memory that the process had held by then, in MiB.
    pub peak_mib: Option<u64>,
}

fn measured(what: &str, events: u64, took: Duration) -> Measured {
    let (what, seconds) = (what.to_owned(), took.as_secs_f64());
    Measured { what, events, seconds, peak_mib: peak_memory_mib() }
}

/// Measures one step.
///
/// # Errors
/// Anything that fails.
pub(crate) async fn run(
    step: Step,
    book: &GrownBook,
    events: u64,
    seed: u64,
) -> Result<Vec<Measured>, BenchError> {
    match step {
        Step::Start => start(book).await,
        Step::Append => append(book, events, seed).await,
        Step::Decide => decide(book).await,
        Step::Rebuild => rebuild(book).await,
        Step::List => list(book).await,
    }
}

async fn start(book: &GrownBook) -> Result<Vec<Measured>, BenchError> {
    let started = Instant::now();
    let ledger = book.ledger().await?;
    let last = book.histories().pop();
    let last = last.ok_or_else(|| BenchError::Wrong("no contract".to_owned()))?;
    add_licence(&ledger, &last).await?;
    let line = measured("opened, first append", 1, started.elapsed());
    ledger.close().await;
    Ok(vec![line])
}

async fn append(book: &GrownBook, events: u64, seed: u64) -> Result<Vec<Measured>, BenchError> {
    let appends = Workload::generate(seed, events)?.appends;
    let store = Arc::new(book.store().await?);
    let (took, _) = call(&store, share(appends, CALLERS)).await?;
    if let Some(store) = Arc::into_inner(store) {
        store.close().await;
    }
    Ok(vec![measured("appends", events, took)])
}

async fn rebuild(book: &GrownBook) -> Result<Vec<Measured>, BenchError> {
    let ledger = book.ledger().await?;
    let rebuilt = ledger.rebuilds().run(all(), &Unwatched).await?;
    ledger.close().await;
    Ok(vec![measured("rebuild", rebuilt.events, rebuilt.took)])
}

/// The head first, then three quarters, half and a quarter of the way, each on another day.
async fn list(book: &GrownBook) -> Result<Vec<Measured>, BenchError> {
    let (ledger, list) = (book.ledger().await?, list_by_name(LIST)?);
    let (head, today) =
        (ledger.proof().checkpoint().await?.position.0, ledger.record().today().await?);
    let mut lines = Vec::new();
    for (days, quarters) in (1..).zip([4, 3, 2, 1]) {
        let position = (head * quarters / 4).max(1);
        let request = ListRequest {
            limit: PAGE_ROWS,
            known_at: Some(KnownAt::Position(Position(position))),
            effective_on: Some(today.plus_days(days)),
            ..ListRequest::default()
        };
        let started = Instant::now();
        let page = ledger.lists().page(list, &request).await?;
        let what = format!("list at {quarters}/4 of the book");
        lines.push(measured(&what, position, started.elapsed()));
        if page.known_at.0 != position || page.rows.is_empty() {
            return Err(BenchError::Wrong(format!("a list at {}", page.known_at.0)));
        }
    }
    ledger.close().await;
    Ok(lines)
}

/// Long and short in turn; the last pair only makes what all decisions share known.
async fn decide(book: &GrownBook) -> Result<Vec<Measured>, BenchError> {
    let ledger = book.ledger().await?;
    let histories = book.histories();
    let (long, short) = histories.split_at(HISTORIES);
    let (mut first, mut known) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for (index, pair) in long.iter().zip(short).rev().enumerate() {
        let pair: [&History; 2] = pair.into();
        for (history, times) in pair.into_iter().zip(&mut first) {
            let took = add_licence(&ledger, history).await?;
            if index > 0 {
                times.push(took);
            }
        }
        for _ in 0..KNOWN_DECISIONS {
            for (history, times) in pair.into_iter().zip(&mut known) {
                times.push(add_licence(&ledger, history).await?);
            }
        }
    }
    ledger.close().await;
    let middle = |times: Vec<Duration>| Latencies::from(times).percentile(50);
    let ([first_long, first_short], [known_long, known_short]) = (first, known);
    Ok(vec![
        measured("decision, 1,000 events, first time", 1, middle(first_long)),
        measured("decision, 10 events, first time", 1, middle(first_short)),
        measured("decision, 1,000 events, known", 1, middle(known_long)),
        measured("decision, 10 events, known", 1, middle(known_short)),
    ])
}

/// One more licence, decided and recorded.
async fn add_licence(ledger: &Ledger, history: &History) -> Result<Duration, BenchError> {
    let from: Date = ContractConcluded::sample().starts_on.plus_days(DECISION_DAYS);
    let request = json!({
        "actor": "system:benches",
        "command": "contract.add_licences",
        "data": { "contract": history.contract, "add": 1, "from": from },
    });
    let request: CommandRequest = serde_json::from_value(request)?;
    let started = Instant::now();
    ledger.commands().run(request).await?;
    Ok(started.elapsed())
}
