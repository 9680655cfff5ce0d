//! Lists rebuilt while another process appends and a third reads: the longest stall of an append,
//! the memory, and whether every list that was read was whole. On a folder or in PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use daicho_app::{
    Books, Compared, Ledger, ListRequest, Rebuild, RebuildOptions, Stopped, Unwatched, all,
};
use daicho_store::{Append, Book, Log as _, NewEvent};

use super::book::{SampleBook, live_events};
use crate::digest::short;
use crate::error::BenchError;
use crate::machine::{peak_memory_mib, reset_peak_memory};
use crate::measure::{Latencies, Rate};
use crate::report::{Table, duration};

/// Appends before the rebuild, to compare with.
const APPENDS_ALONE: usize = 300;
/// Rows of a page that the reader asks for.
const PAGE_ROWS: u32 = 100;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// The book, made in a folder.
    pub book: super::Options,
    /// What the rebuild's rows may hold.
    pub memory_bytes: usize,
    /// A database that the book is copied to and measured in; none: it is measured in its folder.
    pub database: Option<String>,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Report {
    /// The rebuild, from its first read to the last swap.
    pub rebuild: Rebuild,
    /// Appends of one event each, by one caller, before it.
    pub alone: Latencies,
    /// The same during it.
    pub beside: Latencies,
    /// Pages read meanwhile, each of a list with at least the rows that it had before.
    pub reads: u64,
    /// Most memory that the process held during the rebuild, in MiB; that of a server is not in it.
    pub peak_memory_mib: Option<u64>,
    /// Every list against the same list made anew, when all was done.
    pub compared: Vec<Compared>,
}

/// The places of one run.
struct Place {
    books: Books,
    sample: SampleBook,
    database: Option<String>,
}

impl Place {
    async fn ledger(&self) -> Result<Ledger, BenchError> {
        Ok(self.books.open(&self.sample.name, self.sample.clock_and_entropy.clone()).await?)
    }

    async fn store(&self) -> Result<Book, BenchError> {
        match &self.database {
            Some(url) => self.sample.store_in(url).await,
            None => self.sample.store().await,
        }
    }
}

/// Makes a book and measures.
///
/// # Errors
/// Anything that fails; a list that was not whole; a list that is not the same made anew.
pub async fn run(options: &Options) -> Result<Report, BenchError> {
    let place = place(options).await?;
    let ledger = place.ledger().await?;
    ledger.rebuilds().run(all(), &Unwatched).await?;
    let store = place.store().await?;
    let mut events = live_events(&place.sample.store().await?).await?.into_iter().cycle();
    let mut alone = Vec::new();
    for event in events.by_ref().take(APPENDS_ALONE) {
        alone.push(append(&store, event).await?);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read(place.ledger().await?, Arc::clone(&is_over)));
    let over = Arc::clone(&is_over);
    let appender = tokio::spawn(async move {
        let mut beside = Vec::new();
        while !over.load(Ordering::SeqCst) {
            let Some(event) = events.next() else { break };
            beside.push(append(&store, event).await?);
        }
        store.close().await;
        Ok::<_, BenchError>(beside)
    });
    reset_peak_memory();
    let rebuild_options =
        RebuildOptions { memory_bytes: options.memory_bytes, stopped: Stopped::IsDropped };
    let rebuild = ledger.rebuilds().run_with(all(), &rebuild_options, &Unwatched).await;
    let peak_memory_mib = peak_memory_mib();
    is_over.store(true, Ordering::SeqCst);
    let (beside, reads) = (appender.await??, reader.await??);
    let compared = ledger.comparison().run(&Unwatched).await?;
    ledger.close().await;
    if let Some(differs) = compared.iter().find(|list| !list.is_same()) {
        return Err(BenchError::Wrong(format!("{differs:?}")));
    }
    let (alone, beside) = (Latencies::from(alone), Latencies::from(beside));
    Ok(Report { rebuild: rebuild?, alone, beside, reads, peak_memory_mib, compared })
}

async fn place(options: &Options) -> Result<Place, BenchError> {
    let sample = SampleBook::make(&options.book).await?;
    let Some(url) = &options.database else {
        return Ok(Place { books: sample.books.clone(), sample, database: None });
    };
    let books = Books::in_database(url)?;
    let copied = sample
        .books
        .copy(&sample.name, &books, &sample.name, &sample.clock_and_entropy, &Unwatched)
        .await;
    copied.map_err(|error| BenchError::Wrong(format!("the book was not copied ({error})")))?;
    Ok(Place { books, sample, database: Some(url.clone()) })
}

async fn append(store: &Book, event: NewEvent) -> Result<std::time::Duration, BenchError> {
    let asked = Instant::now();
    store.append(Append { events: vec![event], condition: None, request: None }).await?;
    Ok(asked.elapsed())
}

/// Reads pages of every list until it is over; none may come from a list that is not whole.
async fn read(ledger: Ledger, is_over: Arc<AtomicBool>) -> Result<u64, BenchError> {
    let before = ledger.lists().states().await?;
    let request = ListRequest { limit: PAGE_ROWS, ..ListRequest::default() };
    let mut reads = 0;
    while !is_over.load(Ordering::SeqCst) {
        for list in all() {
            ledger.lists().page(*list, &request).await?;
            reads += 1;
        }
        for (then, now) in before.iter().zip(ledger.lists().states().await?) {
            if now.rows < then.rows {
                return Err(BenchError::Wrong(format!("{now:?} had {} rows", then.rows)));
            }
        }
    }
    ledger.close().await;
    Ok(reads)
}

impl Report {
    /// The figures.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&["appends, one caller", "calls", "p50", "p99", "longest"]);
        for (work, calls) in [("alone", &self.alone), ("beside the rebuild", &self.beside)] {
            table.line([
                work.to_owned(),
                calls.calls().to_string(),
                duration(calls.percentile(50)),
                duration(calls.percentile(99)),
                duration(calls.longest()),
            ]);
        }
        table
    }

    /// The rate of the rebuild.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate { events: self.rebuild.events, took: self.rebuild.took }
    }

    /// The lists and their hashes, the same stored and made anew.
    #[must_use]
    pub fn digests(&self) -> Table {
        let mut table = Table::new(&["list", "position", "rows", "result"]);
        for list in &self.compared {
            let result = short(&list.live).to_owned();
            let counts = [list.position.to_string(), list.rows.to_string()];
            table.line([list.list.to_owned()].into_iter().chain(counts).chain([result]));
        }
        table
    }

    /// Where the book of the measurement stands, in words.
    #[must_use]
    pub fn describe(&self, options: &Options) -> String {
        let place = if options.database.is_some() { "PostgreSQL" } else { "a folder" };
        let memory = self.peak_memory_mib.map_or_else(|| "unknown".into(), |mib| mib.to_string());
        format!(
            "In {place}: {} events in {} passes with {} MiB for rows, {} events/s; peak memory \
             of the process {memory} MiB; {} pages read meanwhile, all of whole lists",
            self.rebuild.events,
            self.rebuild.passes,
            options.memory_bytes / 1_048_576,
            self.rate(),
            self.reads
        )
    }
}
