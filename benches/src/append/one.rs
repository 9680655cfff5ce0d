//! One workload of ours in a process of its own, as the peers are measured, and the row limit with
//! its rows right after it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use clap::ValueEnum;

use crate::digest::RecordDigest;
use crate::error::BenchError;
use crate::machine;
use crate::measure::{Latencies, Rate};
use crate::measurement::Measurement;

use super::ours::Appended;
use super::place::Ground;
use super::workload::Workload;
use super::{BURST_EVENTS, ours, row_limit};

/// Name of the measured book.
const BOOK: &str = "measured";
/// Syncs that are timed.
const SYNCS: usize = 100;
/// Bytes written before each.
const SYNC_BYTES: [u8; 300] = [7; 300];

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OneWork {
    /// What a sync of the disk costs this process.
    Sync,
    /// Conditional appends with request ids, one event each, sealed meanwhile.
    Append,
    /// The same, too few to seal anything.
    Burst,
    /// A bulk import in batches, closed and sealed at the end, all counted.
    Bulk,
}

/// One workload.
#[derive(Debug, Clone)]
pub struct OneOptions {
    /// Which.
    pub work: OneWork,
    /// Events.
    pub events: u64,
    /// Callers at once.
    pub callers: usize,
    /// Events of an append of a bulk import.
    pub batch: usize,
    /// Same seed, same events.
    pub seed: u64,
    /// Where the book is made.
    pub ground: Ground,
}

/// Measures it; ours first, then the row limit.
///
/// # Errors
/// Anything that fails, and any record that does not hold what was appended.
pub async fn one(options: &OneOptions) -> Result<Vec<Measurement>, BenchError> {
    let OneOptions { work, events, callers, batch, seed, ground } = options;
    let blank = blank(options).await?;
    let workload = |events| Workload::generate(*seed, events);
    let place = ground.place(BOOK);
    let appended = match work {
        OneWork::Sync => {
            let Ground::Folder(folder) = ground else { return Ok(Vec::new()) };
            return Ok(vec![syncs(folder, blank)?]);
        }
        OneWork::Append => ours::run(&place, workload(*events)?, *callers).await?,
        OneWork::Burst => {
            ours::run(&place, workload((*events).min(BURST_EVENTS))?, *callers).await?
        }
        OneWork::Bulk => {
            let import = workload(*events)?.in_batches(*batch);
            let mut appended = ours::run(&place, import, *callers).await?;
            appended.rate.took += appended.closing;
            appended
        }
    };
    let Appended { rate, latencies, digest, rows, .. } = appended;
    let ours = of(&blank, work_name(*work), rate, &digest).with_calls(&latencies);
    let limit = row_limit(&place, &rows).await?;
    digest.expect(&limit.digest, "the table of the row limit")?;
    let limit = Measurement {
        who: format!("row limit of {} × {callers}", work_name(*work)),
        checked: false,
        writers: 1,
        batch: super::beside::LIMIT_ROWS,
        ..of(&blank, "row limit", limit.rate, &limit.digest).with_calls(&limit.latencies)
    };
    Ok(vec![ours, limit])
}

const fn work_name(work: OneWork) -> &'static str {
    match work {
        OneWork::Sync => "sync",
        OneWork::Append => "append",
        OneWork::Burst => "burst",
        OneWork::Bulk => "bulk import",
    }
}

/// Everything but the figures.
async fn blank(options: &OneOptions) -> Result<Measurement, BenchError> {
    let (storage, durability) = options.ground.describe(&machine::sqlite().await?).await?;
    let checked = matches!(options.work, OneWork::Append | OneWork::Burst);
    let batch = if checked { 1 } else { options.batch };
    let way = if checked { ", conditions and request ids" } else { "" };
    Ok(Measurement {
        who: format!("{}{way}", crate::SOFTWARE),
        storage,
        durability,
        checked,
        writers: options.callers,
        batch,
        ..Measurement::blank()
    })
}

fn of(blank: &Measurement, work: &str, rate: Rate, digest: &RecordDigest) -> Measurement {
    Measurement {
        work: work.to_owned(),
        events: rate.events,
        seconds: rate.took.as_secs_f64(),
        result: digest.sha256.clone(),
        ..blank.clone()
    }
}

/// What a sync costs: a few bytes written at the end of a file, and `fdatasync`.
fn syncs(folder: &Path, blank: Measurement) -> Result<Measurement, BenchError> {
    std::fs::create_dir_all(folder)?;
    let mut file = File::create(folder.join("syncs"))?;
    let mut calls = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&SYNC_BYTES)?;
        let started = Instant::now();
        file.sync_data()?;
        calls.push(started.elapsed());
    }
    let rate = Rate { events: SYNCS as u64, took: calls.iter().sum() };
    let digest = RecordDigest { events: SYNCS as u64, sha256: String::new() };
    let line = of(&blank, work_name(OneWork::Sync), rate, &digest);
    let who = "fdatasync of 300 B".to_owned();
    let storage = "a file".to_owned();
    Ok(Measurement { who, storage, ..line }.with_calls(&Latencies::from(calls)))
}
