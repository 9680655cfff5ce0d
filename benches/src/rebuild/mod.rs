//! A book's lists rebuilt: all five in one pass with rows written and indexed, beside
//! decode-and-fold
//! alone (the limit) and rows streamed and decoded from JSON (the naive way), which write no rows.

pub(crate) mod book;
mod fold;
pub mod live;
mod options;
mod phases;

use std::time::Duration;

use daicho_app::Checkpoint;
use daicho_projections::all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::digest::short;
use crate::error::BenchError;
use crate::machine::{cores, peak_memory_mib};
use crate::measure::{Rate, median_by};
use crate::report::{Table, duration, ratio};

pub use fold::ListDigest;
pub use options::Options;

use book::SampleBook;
use fold::{Packed, decode_and_fold, stream_and_fold};
use phases::Phases;

/// File of the stored lists in a book's folder.
const DERIVED_FILE: &str = "derived.db";
/// File of the record in a book's folder.
const RECORD_FILE: &str = "record.db";

/// One round.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Decode-and-fold alone, on all cores.
    pub limit: Rate,
    /// The same on one core.
    pub limit_one_core: Rate,
    /// The ledger's rebuild.
    pub rebuild: Rate,
    /// Rows streamed, decoded from JSON and folded.
    pub naive: Rate,
    /// The stretches of the rebuild that the ledger reports.
    pub phases: Vec<(String, Duration)>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The end of the book.
    pub checkpoint: Checkpoint,
    /// Events that were lived; the others are copies of them.
    pub lived: u64,
    /// Bytes of an event in the replay blocks.
    pub event_bytes: f64,
    /// The lists, the same whichever way they were made.
    pub lists: Vec<ListDigest>,
    /// The round in the middle, by the rebuild's ratio to the limit.
    pub round: Round,
    /// That ratio in every round, smallest first: how far the figure can be trusted.
    pub ratios: Vec<f64>,
    /// Most memory that the process held up to the end of the first rebuild, in MiB.
    pub peak_memory_mib: Option<u64>,
}

/// Makes a book and measures all of it.
///
/// # Errors
/// Anything that fails, and any way that does not come to the same lists as the others.
pub async fn run(options: &Options) -> Result<Report, BenchError> {
    let book = SampleBook::make(options).await?;
    let (mut rounds, mut lists, mut peak) = (Vec::new(), Vec::new(), None);
    let mut checkpoint = None;
    let mut event_bytes = 0.0;
    for _ in 0..options.rounds.max(1) {
        let (rebuild, phases, end) = rebuild(&book).await?;
        peak = peak.or_else(peak_memory_mib);
        checkpoint = Some(end);
        let store = book.store().await?;
        let packed = Packed::read(&store).await?;
        let stored = stored_lists(&book).await?;
        store.close().await;
        event_bytes = packed.event_bytes();
        let limit = decode_and_fold(&packed, cores())?;
        let limit_one_core = decode_and_fold(&packed, 1)?;
        drop(packed);
        let naive = stream_and_fold(&book.folder().join(RECORD_FILE)).await?;
        for made in [&limit.lists, &limit_one_core.lists, &naive.lists] {
            expect(&stored, made)?;
        }
        lists = stored;
        rounds.push(Round {
            limit: limit.rate,
            limit_one_core: limit_one_core.rate,
            rebuild,
            naive: naive.rate,
            phases,
        });
    }
    let ratio = |round: &Round| round.rebuild.against(round.limit);
    let mut ratios: Vec<f64> = rounds.iter().map(ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let round = median_by(rounds, ratio);
    let (Some(round), Some(checkpoint)) = (round, checkpoint) else {
        return Err(BenchError::Wrong("there was no round".into()));
    };
    let lived = book.lived;
    Ok(Report { checkpoint, lived, event_bytes, lists, round, ratios, peak_memory_mib: peak })
}

/// The stretches of a rebuild and how long each took.
type Stretches = Vec<(String, Duration)>;

async fn rebuild(book: &SampleBook) -> Result<(Rate, Stretches, Checkpoint), BenchError> {
    let ledger = book.books.open(&book.name, book.clock_and_entropy.clone()).await?;
    let phases = Phases::default();
    let rebuilt = ledger.rebuilds().run(all(), &phases).await?;
    let checkpoint = ledger.proof().checkpoint().await?;
    ledger.close().await;
    Ok((Rate { events: rebuilt.events, took: rebuilt.took }, phases.done(), checkpoint))
}

/// The stored lists, read back from their tables.
async fn stored_lists(book: &SampleBook) -> Result<Vec<ListDigest>, BenchError> {
    let derived = SqliteConnectOptions::new().filename(book.folder().join(DERIVED_FILE));
    let mut connection = derived.connect().await?;
    let mut lists = Vec::new();
    for list in all() {
        let statement = format!("SELECT key, row FROM view_{} ORDER BY key", list.name());
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as(AssertSqlSafe(statement)).fetch_all(&mut connection).await?;
        let pairs = rows.iter().map(|(key, row)| (key.as_str(), row.as_slice()));
        lists.push(ListDigest::of(list.name(), pairs));
    }
    connection.close().await?;
    Ok(lists)
}

fn expect(stored: &[ListDigest], made: &[ListDigest]) -> Result<(), BenchError> {
    if stored == made {
        return Ok(());
    }
    Err(BenchError::Wrong(format!("stored lists {stored:?} are not those folded: {made:?}")))
}

impl Report {
    /// The rates, each against decode-and-fold on all cores.
    #[must_use]
    pub fn table(&self) -> Table {
        let Round { limit, limit_one_core, rebuild, naive, .. } = self.round;
        let mut table = Table::new(&["rebuild", "events", "took", "events/s", "× decode-and-fold"]);
        for (work, rate) in [
            (format!("decode-and-fold alone, {} cores", cores()), limit),
            ("decode-and-fold alone, 1 core".to_owned(), limit_one_core),
            ("five lists, rows written and indexed".to_owned(), rebuild),
            ("rows streamed, JSON decoded, folded; no rows written".to_owned(), naive),
        ] {
            table.line([
                work,
                rate.events.to_string(),
                duration(rate.took),
                rate.to_string(),
                ratio(Some(rate.against(limit))),
            ]);
        }
        table
    }

    /// Where the time of the rebuild goes.
    #[must_use]
    pub fn phases(&self) -> Table {
        let mut table = Table::new(&["stretch of the rebuild", "took", "share"]);
        let took = self.round.rebuild.took;
        let known: Duration = self.round.phases.iter().map(|(_, took)| *took).sum();
        let rest = ("indexes and the swap".to_owned(), took.saturating_sub(known));
        for (what, stretch) in self.round.phases.iter().chain([&rest]) {
            let share = stretch.as_secs_f64() / took.as_secs_f64() * 100.0;
            table.line([what.clone(), duration(*stretch), format!("{share:.0} %")]);
        }
        table
    }

    /// The lists and their hashes.
    #[must_use]
    pub fn digests(&self) -> Table {
        let mut table = Table::new(&["list", "rows", "result"]);
        for list in &self.lists {
            let result = short(&list.sha256).to_owned();
            table.line([list.list.to_owned(), list.rows.to_string(), result]);
        }
        table
    }
}
