//! Makes one run of sixteen, in a transaction of its own; the sixteen are taken away in it.
//!
//! Entries stream through in pieces, so that merging a million events takes a few MiB.

use std::collections::VecDeque;
use std::ops::Range;

use crate::StorageError;

use super::Derived;
use super::aside::aside;
use super::checksum::verified;
use super::database::{DerivedTx, RunRow, from_sql, to_count};
use super::page::{Entry, read_all};
use super::run::{LEVEL_TOP, MERGE_WIDTH, RunIndex, RunWriter, page_id};
use super::seal::{RunPlace, put_run};

/// Pages of each source read at once: a sixteenth of what is sorted at once.
const SOURCE_PAGES: usize = 8;
/// Pages written at once.
const WRITE_PAGES: usize = 64;

impl Derived {
    /// Merges what is due, from the lowest level up.
    pub(super) async fn merge_due(&self) -> Result<(), StorageError> {
        for level in 0..LEVEL_TOP {
            while self.snapshot().count(level) >= MERGE_WIDTH {
                self.merge_level(level).await?;
            }
        }
        Ok(())
    }

    /// Merges the oldest sixteen runs of `level`, unless another process has done so.
    async fn merge_level(&self, level: u8) -> Result<(), StorageError> {
        assert!(level < LEVEL_TOP, "runs of the top level are not merged");
        self.pauses.at("merge:begin").await;
        let mut tx = self.database.write("merge runs").await?;
        let meta = tx.meta().await?;
        self.check_incarnation(&meta)?;
        let width = i64::try_from(MERGE_WIDTH).unwrap_or(i64::MAX);
        let rows = tx.runs_of_level(i64::from(level), width).await?;
        if rows.len() == MERGE_WIDTH {
            let run = row_of(&rows, meta.next_run)?;
            let index = stream(tx.as_mut(), sources_of(&rows, self.block_events)?, run.id).await?;
            self.pauses.at("merge:rows").await;
            delete_runs(tx.as_mut(), &rows).await?;
            put_run(tx.as_mut(), &run, &index).await?;
            self.pauses.at("merge:commit").await;
            tx.commit().await?;
            self.pauses.at("merge:committed").await;
        } else {
            tx.rollback().await?; // another process did
        }
        self.refresh().await?;
        self.pauses.at("merge:published").await;
        Ok(())
    }
}

/// One of the runs being merged: the pages still to be read, and entries read but not yet merged.
#[derive(Debug)]
struct Source {
    run: i64,
    pages: Range<usize>,
    /// Added to an offset, so that it counts from the first position of the merged run.
    shift: u64,
    entries: VecDeque<Entry>,
}

impl Source {
    async fn refill(&mut self, tx: &mut dyn DerivedTx) -> Result<(), StorageError> {
        if !self.entries.is_empty() || self.pages.is_empty() {
            return Ok(());
        }
        let end = self.pages.end.min(self.pages.start + SOURCE_PAGES);
        let taken = self.pages.start..end;
        self.pages.start = end;
        let mut entries = Vec::new();
        let wanted = taken.len();
        let last = page_id(self.run, taken.end) - 1;
        let pages = tx.pages(page_id(self.run, taken.start), last).await?;
        if pages.len() != wanted {
            return Err(StorageError::Corrupt(format!("run {} lacks pages", self.run)));
        }
        for page in pages {
            read_all(verified(&page, "a page of the key index")?, &mut entries)
                .map_err(|error| StorageError::Corrupt(format!("run {}: {error}", self.run)))?;
        }
        for entry in &mut entries {
            entry.offset += self.shift;
        }
        self.entries = entries.into();
        Ok(())
    }

    /// Up to where this source is known; beyond it, pages are still to be read.
    fn known_to(&self) -> Option<(u64, u64)> {
        let last = self.entries.back().map(|entry| (entry.hash, entry.offset));
        if self.pages.is_empty() { None } else { last }
    }
}

fn sources_of(rows: &[RunRow], block_events: u64) -> Result<Vec<Source>, StorageError> {
    let mut sources = Vec::with_capacity(rows.len());
    let mut shift = 0;
    for row in rows {
        let pages = 0..to_count(from_sql(row.pages)?)?;
        sources.push(Source { run: row.id, pages, shift, entries: VecDeque::new() });
        shift += from_sql(row.blocks)? * block_events;
    }
    Ok(sources)
}

/// The place of the run that these become.
fn row_of(rows: &[RunRow], id: i64) -> Result<RunPlace, StorageError> {
    let corrupt = || StorageError::Corrupt("the level of the runs to merge".to_owned());
    let oldest = rows.first().ok_or_else(corrupt)?;
    let level = u8::try_from(oldest.level + 1).map_err(|_| corrupt())?;
    assert!(level <= LEVEL_TOP, "runs of the top level are not merged");
    let blocks = from_sql(rows.iter().map(|row| row.blocks).sum())?;
    Ok(RunPlace { id, level, first_block: from_sql(oldest.first_block)?, blocks })
}

/// Merges the sources into pages of run `id`.
async fn stream(
    tx: &mut dyn DerivedTx,
    mut sources: Vec<Source>,
    id: i64,
) -> Result<RunIndex, StorageError> {
    let mut writer = RunWriter::default();
    let mut pages = Vec::new();
    let mut written = 0;
    loop {
        for source in &mut sources {
            source.refill(tx).await?;
        }
        let merging = aside("merge runs", move || {
            let piece = take_piece(&mut sources);
            let taken = piece.len();
            piece.into_iter().for_each(|entry| writer.push(entry));
            (sources, writer, taken)
        });
        let taken;
        (sources, writer, taken) = merging.await?;
        if taken == 0 {
            break;
        }
        pages.append(&mut writer.take_full_pages());
        if pages.len() >= WRITE_PAGES {
            tx.put_pages(page_id(id, written), &pages).await?;
            written += pages.len();
            pages.clear();
        }
    }
    let (mut last, index) = aside("merge runs", move || writer.finish()).await?;
    pages.append(&mut last);
    tx.put_pages(page_id(id, written), &pages).await?;
    assert_eq!(written + pages.len(), index.directory.len(), "every page was written");
    Ok(index)
}

/// Takes the entries before which no unread page can have any, sorted.
fn take_piece(sources: &mut [Source]) -> Vec<Entry> {
    let bound = sources.iter().filter_map(Source::known_to).min().unwrap_or((u64::MAX, u64::MAX));
    let mut piece = Vec::new();
    for source in sources {
        let end = source.entries.partition_point(|entry| (entry.hash, entry.offset) <= bound);
        piece.extend(source.entries.drain(..end));
    }
    piece.sort(); // stable: it finds the sixteen sorted stretches and merges them
    piece
}

async fn delete_runs(tx: &mut dyn DerivedTx, rows: &[RunRow]) -> Result<(), StorageError> {
    assert_eq!(rows.len(), MERGE_WIDTH, "exactly the runs that were merged are taken away");
    for row in rows {
        let pages = to_count(from_sql(row.pages)?)?;
        tx.delete_run(row.id, page_id(row.id, 0), page_id(row.id, pages) - 1).await?;
    }
    tx.move_generation().await
}
