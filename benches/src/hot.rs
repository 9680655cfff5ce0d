//! The hot paths, small and always the same, for counting instructions: `tests/counts.rs` runs each
//! under callgrind. Only what [`collected`] does on the calling thread is counted: not the making
//! of the data, and not the database's own threads.

use std::hint::black_box;
use std::path::Path;

use clap::ValueEnum;
use daicho_events::{Actor, Event, Header, Position, Recorded, binary};
use daicho_projections::{Fold, Partition, all};
use daicho_store::{Append, Log as _, NewEvent, Query, QueryItem};
use daicho_values::{Date, Sample as _, Timestamp};

use crate::append::{Ground, Workload};
use crate::error::BenchError;

/// Appends that are counted.
const APPENDS: u64 = 200;
/// Events of a book in which keys are looked up: one block is sealed.
const LOOKUP_EVENTS: u64 = 4_200;
/// Keys that are looked up.
const LOOKUPS: u64 = 200;
/// Events of the block that is decoded and folded.
const BLOCK_EVENTS: u64 = 1_024;
/// Rows of the page of a list.
const PAGE_ROWS: usize = 200;
/// The same events in every run.
const SEED: u64 = 7;

/// A hot path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HotPath {
    /// An append made ready, decided, put into its envelope and handed to the database.
    Append,
    /// The events with a tag found, in a sealed block.
    Lookup,
    /// A replay block decoded and folded into all lists.
    Fold,
    /// The rows of a list's page: typed columns and JSON.
    Page,
}

/// Does the work; what callgrind collects.
#[inline(never)]
pub fn collected<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// Makes what a path reads in the new folder `folder`: under callgrind it would take minutes.
///
/// # Errors
/// Anything that fails.
pub fn prepare(path: HotPath, folder: &Path) -> Result<(), BenchError> {
    match path {
        HotPath::Lookup => fill(folder),
        HotPath::Append | HotPath::Fold | HotPath::Page => Ok(()),
    }
}

/// Runs a path once in the folder that was prepared for it; answers with a number that says what
/// came out.
///
/// # Errors
/// Anything that fails.
pub fn run(path: HotPath, folder: &Path) -> Result<u64, BenchError> {
    match path {
        HotPath::Append => append(folder),
        HotPath::Lookup => lookup(folder),
        HotPath::Fold => fold(),
        HotPath::Page => page(),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, BenchError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn append(folder: &Path) -> Result<u64, BenchError> {
    let (runtime, place) = (runtime()?, Ground::Folder(folder.to_owned()).place("hot"));
    let appends = Workload::generate(SEED, APPENDS)?.appends;
    let book = runtime.block_on(place.create())?;
    let last = collected(|| {
        runtime.block_on(async {
            let mut last = 0;
            for append in appends {
                last = book.append(append).await?.last;
            }
            Ok::<_, BenchError>(last)
        })
    })?;
    runtime.block_on(book.close());
    Ok(last)
}

fn fill(folder: &Path) -> Result<(), BenchError> {
    let place = Ground::Folder(folder.to_owned()).place("hot");
    let import = Workload::generate(SEED, LOOKUP_EVENTS)?.in_batches(1_000).appends;
    runtime()?.block_on(async {
        let book = place.create().await?;
        for append in import {
            book.append(append).await?;
        }
        book.close().await;
        Ok(())
    })
}

fn lookup(folder: &Path) -> Result<u64, BenchError> {
    let (runtime, place) = (runtime()?, Ground::Folder(folder.to_owned()).place("hot"));
    // The first of the events that fill the book.
    let first = Workload::generate(SEED, LOOKUPS)?.appends;
    let tags: Vec<String> = first.iter().flat_map(subjects).collect();
    let book = runtime.block_on(place.open())?;
    let found = collected(|| {
        runtime.block_on(async {
            let mut found = 0;
            for tag in tags {
                let items = vec![QueryItem { types: Vec::new(), tags: vec![tag] }];
                found += book.read(&Query { items }, 0, LOOKUP_EVENTS, 10).await?.events.len();
            }
            Ok::<_, BenchError>(found)
        })
    })?;
    runtime.block_on(book.close());
    Ok(found as u64)
}

/// The first tag of each event: what it is about.
fn subjects(append: &Append) -> impl Iterator<Item = String> {
    append.events.iter().filter_map(|event| event.tags.first().cloned())
}

fn fold() -> Result<u64, BenchError> {
    let block = binary::pack(&recorded(BLOCK_EVENTS)?)?;
    let mut folds = start();
    collected(|| {
        for event in binary::unpack(&block)? {
            folds.iter_mut().for_each(|fold| fold.apply(&event));
        }
        Ok::<_, BenchError>(())
    })?;
    Ok(folds.iter().map(|fold| fold.len() as u64).sum())
}

fn page() -> Result<u64, BenchError> {
    let (mut folds, today) = (start(), Date::sample());
    for event in recorded(BLOCK_EVENTS)? {
        folds.iter_mut().for_each(|fold| fold.apply(&event));
    }
    let mut rows = Vec::new();
    for (list, fold) in all().iter().zip(folds) {
        let finished = fold.finish()?.into_iter().filter_map(|(_, row)| row);
        rows.extend(finished.take(PAGE_ROWS).map(|row| (*list, row)));
    }
    collected(|| {
        let mut cells = 0;
        for (list, row) in &rows {
            let columns = list.columns_on(row, today)?.unwrap_or_default().len();
            let json = list.json(row, today)?.map_or(0, |json| json.to_string().len());
            cells += (columns + json) as u64;
        }
        Ok::<_, BenchError>(cells)
    })
}

fn start() -> Vec<Box<dyn Fold>> {
    all().iter().map(|list| list.start(Partition::WHOLE)).collect()
}

fn recorded(events: u64) -> Result<Vec<Recorded>, BenchError> {
    let appends = Workload::generate(SEED, events)?.appends;
    let events = appends.into_iter().flat_map(|append| append.events);
    (1..).zip(events).map(|(position, event)| one(position, &event)).collect()
}

fn one(position: u64, event: &NewEvent) -> Result<Recorded, BenchError> {
    let wrong = |error: &dyn std::fmt::Display| BenchError::Wrong(error.to_string());
    let actor = event.actor.parse::<Actor>().map_err(|error| wrong(&error))?;
    let header = Header {
        position: Position(position),
        recorded_at: Timestamp::sample(),
        effective_on: Date::sample(),
        actor,
        on_behalf_of: None,
        cause: None,
    };
    Ok(Recorded { header, event: Event::decode(&event.type_name, event.version, &event.data)? })
}
