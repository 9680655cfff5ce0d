//! Compares the types, replay block, tiles and keys of a block with what the record says.
//!
//! A merged run is read once for all its blocks when they are checked in order: each block's
//! postings are hashed, and the hash is compared with that of what the record says.

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::StorageError;

use super::block::{SealBlock, entries_of, type_codes};
use super::checksum::verified;
use super::database::{BlockRow, to_count, to_sql};
use super::digests::{RunDigests, add, digest};
use super::page::{Entry, read_all};
use super::reader::Miss;
use super::run::{Run, page_id};
use super::snapshot::Snapshot;
use super::tiles::{self, Hash, LEVELS_MAX, TILE_WIDTH};
use super::types::{TypeColumn, encode_codes};
use super::{Derived, LOOKUP_TRIES_MAX};

/// Pages read at once.
const READ_PAGES: usize = 64;

/// What is wrong with a block, or that nothing is.
type Verdict = Result<(), String>;

impl Derived {
    /// Compares the stored types, replay block, tiles and postings of `block`, which the caller
    /// made from the record, and says what differs. The stored bytes are read, whatever is in
    /// memory.
    pub(crate) async fn check_block(&self, block: &SealBlock) -> Result<Verdict, StorageError> {
        let index = self.index_of(block);
        let last = block.first + self.block_events - 1;
        let sealed_to = self.refresh().await?;
        if last > sealed_to {
            return Ok(Err(format!("block {index} is not sealed: the seal is at {sealed_to}")));
        }
        let type_codes = type_codes(block);
        if let Err(difference) = self.check_row(block, index, &type_codes).await? {
            return Ok(Err(difference));
        }
        if let Err(difference) = self.check_tiles(block).await? {
            return Ok(Err(difference));
        }
        self.check_keys(index, &entries_of(block)).await
    }

    async fn check_row(
        &self,
        block: &SealBlock,
        index: u64,
        events: &[u32],
    ) -> Result<Verdict, StorageError> {
        let mut tx = self.database.read().await?;
        let row = tx.block(to_sql(index)?).await?;
        tx.rollback().await?;
        let Some(BlockRow { type_codes: codes, type_column: column, packed }) = row else {
            return Ok(Err(format!("block {index} is missing")));
        };
        let types = TypeColumn::new(events);
        let same_types = verified(&codes, "types").ok() == Some(&encode_codes(&types.codes))
            && verified(&column, "types").ok() == Some(&types.indexes);
        if !same_types {
            return Ok(Err(format!("the types of block {index} are not those of the record")));
        }
        if packed != block.packed {
            return Ok(Err(format!("replay block {index} is not what the record packs to")));
        }
        Ok(Ok(()))
    }

    async fn check_tiles(&self, block: &SealBlock) -> Result<Verdict, StorageError> {
        let width = TILE_WIDTH as u64;
        let mut expected: Vec<Hash> = block.events.iter().map(|event| event.leaf).collect();
        let mut first = block.first - 1;
        let mut level = 0;
        while !expected.is_empty() {
            assert!(level < LEVELS_MAX, "a tree has no more levels than its positions have bytes");
            let end = first + expected.len() as u64;
            let mut roots = Vec::new();
            for index in first / width..end.div_ceil(width) {
                let stored = self.tile(level, index).await?;
                let stored = stored.as_deref().and_then(tiles::decode).unwrap_or_default();
                let start = index * width;
                let inside = first.max(start)..end.min(start + width);
                let wanted = slice(&expected, first, &inside)?;
                if slice(&stored, start, &inside)? != wanted {
                    let reason = format!("tile {index} of level {level} is not that of the record");
                    return Ok(Err(reason));
                }
                if stored.len() == TILE_WIDTH && start + width <= end {
                    roots.push(tiles::root(&stored));
                }
            }
            expected = roots;
            first /= width;
            level += 1;
        }
        Ok(Ok(()))
    }

    async fn check_keys(&self, index: u64, entries: &[Entry]) -> Result<Verdict, StorageError> {
        for _ in 0..LOOKUP_TRIES_MAX {
            let snapshot = self.snapshot();
            let missing = || StorageError::Corrupt(format!("no run covers block {index}"));
            let run = snapshot.run_of(index).ok_or_else(missing)?;
            if let Some(entry) = entries.iter().find(|entry| !run.filter.may_contain(entry.hash)) {
                let (hash, id) = (entry.hash, run.id);
                return Ok(Err(format!("the filter of run {id} denies the key hash {hash:016x}")));
            }
            match self.digest_of(&snapshot, run, index).await {
                Ok(Ok(stored)) if stored == digest(entries) => return Ok(Ok(())),
                Ok(Ok(_)) => {
                    let id = run.id;
                    return Ok(Err(format!("run {id} has other keys for block {index}")));
                }
                Ok(Err(difference)) => return Ok(Err(difference)),
                Err(Miss::Stale) => {
                    self.refresh().await?;
                }
                Err(Miss::Storage(StorageError::Corrupt(reason))) => return Ok(Err(reason)),
                Err(Miss::Storage(error)) => return Err(error),
            }
        }
        Err(StorageError::Busy { context: "check a block between merges" })
    }

    /// The digest of the stored postings of block `index`.
    async fn digest_of(
        &self,
        snapshot: &Snapshot,
        run: &Arc<Run>,
        index: u64,
    ) -> Result<Result<Hash, String>, Miss> {
        let blocks = run.first_block..run.first_block + run.blocks;
        assert!(blocks.contains(&index), "the run that is read covers the block");
        let mut checked = self.checked.lock().await;
        let known =
            checked.as_ref().is_some_and(|known| known.run == run.id && known.compared_to < index);
        if !known {
            *checked = None;
            match self.read_digests(snapshot, run, index).await? {
                Ok(digests) => *checked = Some(digests),
                Err(difference) => return Ok(Err(difference)),
            }
        }
        let missing = || StorageError::Corrupt(format!("no digest of block {index}"));
        let known = checked.as_mut().ok_or_else(missing)?;
        known.compared_to = index;
        let place = to_count(index - known.first_block)?;
        Ok(Ok(*known.digests.get(place).ok_or_else(missing)?))
    }

    /// Reads every page of the run.
    async fn read_digests(
        &self,
        snapshot: &Snapshot,
        run: &Run,
        compared_to: u64,
    ) -> Result<Result<RunDigests, String>, Miss> {
        let mut hashers = vec![Sha256::new(); to_count(run.blocks)?];
        let pages = run.directory.len();
        for start in (0..pages).step_by(READ_PAGES) {
            let numbers = start..pages.min(start + READ_PAGES);
            let ids: Vec<i64> = numbers.clone().map(|number| page_id(run.id, number)).collect();
            let read = self.reader.read_pages(snapshot, &ids).await?;
            for (number, page) in numbers.zip(ids.iter().filter_map(|id| read.get(id))) {
                let mut entries = Vec::new();
                if read_all(page, &mut entries).is_err() || !starts_at(&entries, run, number) {
                    let id = run.id;
                    return Ok(Err(format!("page {number} of run {id} is not what it must be")));
                }
                add(&mut hashers, &entries, self.block_events)?;
            }
        }
        let digests = hashers.into_iter().map(|hasher| hasher.finalize().into()).collect();
        Ok(Ok(RunDigests { run: run.id, first_block: run.first_block, digests, compared_to }))
    }
}

/// The hashes at `inside` of a stretch that starts at `start`; empty when it ends before.
fn slice<'a>(
    hashes: &'a [Hash],
    start: u64,
    inside: &Range<u64>,
) -> Result<&'a [Hash], StorageError> {
    let range = to_count(inside.start - start)?..to_count(inside.end - start)?;
    Ok(hashes.get(range).unwrap_or_default())
}

fn starts_at(entries: &[Entry], run: &Run, number: usize) -> bool {
    let first = entries.first().map(|entry| (entry.hash, entry.offset));
    first.is_some() && first == run.directory.first(number)
}
