//! Conditional appends with request ids, synced: bursts and sustained, beside the row limit and, on
//! SQLite, the naive way.

mod beside;
mod beside_postgres;
mod one;
mod ours;
mod place;
mod workload;

use std::path::Path;

use daicho_store::{BLOCK_EVENTS, Stored};

use crate::digest::RecordDigest;
use crate::error::BenchError;
use crate::measure::{Latencies, Rate, median_by};
use crate::report::{Table, duration, ratio};

pub use one::{OneOptions, OneWork, one};
pub(crate) use ours::{call, share};
pub use place::Ground;
pub(crate) use place::connect;
pub(crate) use workload::{Workload, stored};

use beside::Beside;
use ours::Appended;
use place::Place;

/// Callers at once, each with one event in hand.
pub const CALLERS: [usize; 3] = [1, 16, 256];
/// Events of a burst: none of them fills a block, so nothing is sealed.
pub const BURST_EVENTS: u64 = BLOCK_EVENTS as u64 - 1;
/// Events that the naive way takes in a transaction, where it takes more than one.
const NAIVE_BATCH: usize = 1_000;
/// Events that the naive way takes one a transaction, at most.
const NAIVE_SINGLE_EVENTS_MAX: usize = 20_000;
/// A lone caller appends this part of the events: it is the slowest.
const LONE_CALLER_DIVISOR: u64 = 5;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// Events of the sustained workloads; a lone caller appends a fifth of them.
    pub events: u64,
    /// Events of a burst, at most [`BURST_EVENTS`].
    pub burst_events: u64,
    /// Bursts, each into a new book; the one in the middle counts.
    pub bursts: u64,
    /// Same seed, same events.
    pub seed: u64,
    /// Where books are made and left: it decides what a sync costs.
    pub ground: Ground,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What was done.
    pub work: String,
    /// Events and the time that they took.
    pub rate: Rate,
    /// One entry a call (ours) or a transaction (the others).
    pub latencies: Latencies,
    /// The row limit, measured right after with the same rows.
    pub limit: Option<Rate>,
    /// What the record holds in the end.
    pub digest: RecordDigest,
    /// What else there is to say.
    pub remark: String,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Bytes of data of an event, on average.
    pub data_bytes: f64,
    /// Tags of an event, on average.
    pub tags: f64,
    /// The lines.
    pub lines: Vec<Line>,
}

/// Measures all of it.
///
/// # Errors
/// Anything that fails, and any record that does not hold what was appended.
pub async fn run(options: &Options) -> Result<Report, BenchError> {
    let (data_bytes, tags) = Workload::generate(options.seed, 1_000)?.shape();
    let mut lines = Vec::new();
    for callers in CALLERS {
        lines.push(bursts(options, callers).await?);
    }
    for callers in CALLERS {
        let lone = callers == 1;
        let events = if lone { options.events / LONE_CALLER_DIVISOR } else { options.events };
        let place = options.ground.place(&format!("sustained-{callers}"));
        let workload = Workload::generate(options.seed, events.max(1))?;
        let (line, rows) = beside_limit(&place, workload, callers, "sustained").await?;
        lines.push(line);
        let Some(folder) = place.folder() else { continue };
        if lone {
            lines.push(naive_singles(folder, &rows).await?);
        }
        if CALLERS.last() == Some(&callers) {
            lines.extend(naive_batches(folder, &rows).await?);
        }
    }
    Ok(Report { data_bytes, tags, lines })
}

async fn bursts(options: &Options, callers: usize) -> Result<Line, BenchError> {
    let mut rounds = Vec::new();
    for round in 0..options.bursts.max(1) {
        let place = options.ground.place(&format!("burst-{callers}-{round}"));
        let workload = Workload::generate(options.seed, options.burst_events.min(BURST_EVENTS))?;
        rounds.push(beside_limit(&place, workload, callers, "burst").await?.0);
    }
    let all = rounds.iter().map(|line| line.latencies.clone());
    let latencies = all.fold(Latencies::default(), Latencies::and);
    let median = median_by(rounds, |line| line.limit.map_or(0.0, |limit| line.rate.against(limit)));
    let line = median.ok_or_else(|| BenchError::Wrong("there was no burst".into()))?;
    Ok(Line { latencies, remark: format!("median of {} books", options.bursts.max(1)), ..line })
}

/// One workload by so many callers, and the row limit with the rows that came of it.
async fn beside_limit(
    place: &Place,
    workload: Workload,
    callers: usize,
    how: &str,
) -> Result<(Line, Vec<Stored>), BenchError> {
    let Appended { rate, latencies, closing, digest, rows } =
        ours::run(place, workload, callers).await?;
    let limit = row_limit(place, &rows).await?;
    digest.expect(&limit.digest, "the table of the row limit")?;
    let plural = if callers == 1 { "" } else { "s" };
    let line = Line {
        work: format!("{how}, {callers} caller{plural}"),
        rate,
        latencies,
        limit: Some(limit.rate),
        digest,
        remark: format!("sealed and closed {} after", duration(closing)),
    };
    Ok((line, rows))
}

/// The row limit with rows that a book at that place holds.
async fn row_limit(place: &Place, rows: &[Stored]) -> Result<Beside, BenchError> {
    match place {
        Place::Folder(folder) => beside::limit(&folder.join("limit.db"), rows).await,
        Place::Database { url, .. } => beside_postgres::limit(url, rows).await,
    }
}

/// The naive way, one event a transaction, with the first rows of a lone caller: with more callers
/// the first rows would be other ones in every run.
async fn naive_singles(folder: &Path, rows: &[Stored]) -> Result<Line, BenchError> {
    let few = rows.get(..NAIVE_SINGLE_EVENTS_MAX).unwrap_or(rows);
    let limit = beside::limit(&folder.join("limit-few.db"), few).await?;
    let singles = beside::naive(&folder.join("naive-singles.db"), few, 1).await?;
    limit.digest.expect(&singles.digest, "the naive table")?;
    Ok(beside_line("naive, one a transaction", singles, limit.rate))
}

/// The row limit once more and the naive way, many events a transaction, with the same rows.
async fn naive_batches(folder: &Path, rows: &[Stored]) -> Result<Vec<Line>, BenchError> {
    let all = beside::limit(&folder.join("limit-again.db"), rows).await?;
    let batches = beside::naive(&folder.join("naive-batches.db"), rows, NAIVE_BATCH).await?;
    all.digest.expect(&batches.digest, "the naive table")?;
    let limit = all.rate;
    Ok(vec![
        beside_line(&format!("row limit, {} a transaction", beside::LIMIT_ROWS), all, limit),
        beside_line(&format!("naive, {NAIVE_BATCH} a transaction"), batches, limit),
    ])
}

fn beside_line(work: &str, beside: Beside, limit: Rate) -> Line {
    let Beside { rate, latencies, digest } = beside;
    let remark = "latency of a transaction".to_owned();
    Line { work: work.to_owned(), rate, latencies, limit: Some(limit), digest, remark }
}

impl Report {
    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            "appends, synced",
            "events",
            "events/s",
            "p50",
            "p99",
            "longest",
            "row limit/s",
            "× row limit",
            "result",
            "remark",
        ]);
        for line in &self.lines {
            table.line([
                line.work.clone(),
                line.rate.events.to_string(),
                line.rate.to_string(),
                duration(line.latencies.percentile(50)),
                duration(line.latencies.percentile(99)),
                duration(line.latencies.longest()),
                line.limit.map_or_else(|| "—".into(), |limit| limit.to_string()),
                ratio(line.limit.map(|limit| line.rate.against(limit))),
                line.digest.short().to_owned(),
                line.remark.clone(),
            ]);
        }
        table
    }
}
