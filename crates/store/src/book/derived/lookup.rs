//! Finds the positions that may match a query item, from one end of a range, run by run.
//!
//! Several tags are intersected, the one with the fewest pages first; of the others only those
//! pages are read that could hold what is left.

use std::ops::{Range, RangeInclusive};

use crate::StorageError;
use crate::keys::HashedItem;

use super::database::to_count;
use super::page::{Entry, PageError, read_key};
use super::reader::{Miss, Reader};
use super::run::Run;
use super::snapshot::Snapshot;
use super::types::{codes_of, matching};

/// Pages of one key that are read at once; a lookup begins with one and doubles up to this.
const READ_AHEAD_PAGES_MAX: usize = 32;

/// From which end positions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The first ones, ascending.
    Ascending,
    /// The last ones, descending.
    Descending,
}

/// What is looked for.
#[derive(Debug)]
pub(super) struct Wanted {
    hashes: Vec<u64>,
    type_codes: Vec<u32>,
    positions: RangeInclusive<u64>,
    limit: usize,
    direction: Direction,
}

impl Wanted {
    /// The candidates of `item` at `positions`, at most `limit`.
    pub(super) fn new(
        item: &HashedItem,
        positions: RangeInclusive<u64>,
        limit: usize,
        direction: Direction,
    ) -> Self {
        let mut hashes = item.tags.clone();
        hashes.sort_unstable();
        hashes.dedup();
        Self { hashes, type_codes: codes_of(&item.item.types), positions, limit, direction }
    }

    /// The wanted positions that are sealed and in `range`.
    fn within(&self, range: &RangeInclusive<u64>) -> RangeInclusive<u64> {
        *self.positions.start().max(range.start())..=*self.positions.end().min(range.end())
    }

    fn is_of_wanted_type(&self, type_code: u32) -> bool {
        self.type_codes.is_empty() || self.type_codes.binary_search(&type_code).is_ok()
    }

    /// Takes ascending `positions` into `found`, from the wanted end and up to the limit.
    fn take(&self, positions: impl DoubleEndedIterator<Item = u64>, found: &mut Vec<u64>) {
        let room = self.limit.saturating_sub(found.len());
        match self.direction {
            Direction::Ascending => found.extend(positions.take(room)),
            Direction::Descending => found.extend(positions.rev().take(room)),
        }
        assert!(found.len() <= self.limit, "a lookup keeps its limit");
    }

    fn is_enough(&self, found: &[u64]) -> bool {
        found.len() >= self.limit
    }
}

/// The candidates, in the wanted order. Only one snapshot is looked at.
pub(super) async fn find(
    reader: &Reader,
    snapshot: &Snapshot,
    wanted: &Wanted,
) -> Result<Vec<u64>, Miss> {
    let mut found = Vec::new();
    if wanted.hashes.is_empty() && wanted.type_codes.is_empty() {
        wanted.take(wanted.within(&(1..=snapshot.sealed_to)), &mut found);
        return Ok(found);
    }
    let mut runs: Vec<&Run> = snapshot.runs.iter().map(AsRef::as_ref).collect();
    if wanted.direction == Direction::Descending {
        runs.reverse();
    }
    for run in runs {
        let positions = wanted.within(&(run.first..=run.last));
        if wanted.is_enough(&found) {
            break;
        }
        if positions.is_empty() {
            continue;
        }
        let lookup = RunLookup { reader, snapshot, run, wanted, positions };
        if wanted.hashes.is_empty() {
            lookup.by_type(&mut found).await?;
        } else {
            lookup.by_tags(&mut found).await?;
        }
    }
    let mut positions = found.iter();
    assert!(positions.all(|position| wanted.positions.contains(position)), "only what was wanted");
    Ok(found)
}

/// One key of a run: its hash and the pages that may hold it.
#[derive(Debug, Clone)]
struct Key {
    hash: u64,
    pages: Range<usize>,
}

/// A lookup in one run.
struct RunLookup<'a> {
    reader: &'a Reader,
    snapshot: &'a Snapshot,
    run: &'a Run,
    wanted: &'a Wanted,
    positions: RangeInclusive<u64>,
}

impl RunLookup<'_> {
    fn offsets(&self) -> RangeInclusive<u64> {
        let Run { first, last, .. } = self.run;
        let (start, end) = (self.positions.start(), self.positions.end());
        assert!(first <= start && end <= last, "a run is asked for its own positions");
        start - first..=end - first
    }

    /// The wanted keys, the rarest first; none when one of them is surely not here.
    fn keys(&self) -> Option<Vec<Key>> {
        let offsets = self.offsets();
        let mut keys = Vec::with_capacity(self.wanted.hashes.len());
        for hash in &self.wanted.hashes {
            if !self.run.filter.may_contain(*hash) {
                return None;
            }
            let pages = self.run.directory.pages(*hash, *offsets.start(), *offsets.end());
            keys.push(Key { hash: *hash, pages });
        }
        keys.sort_by_key(|key| key.pages.len());
        Some(keys)
    }

    async fn by_tags(&self, found: &mut Vec<u64>) -> Result<(), Miss> {
        assert!(!self.wanted.hashes.is_empty(), "a lookup by tags has tags");
        let Some(keys) = self.keys() else { return Ok(()) };
        let Some((rarest, others)) = keys.split_first() else { return Ok(()) };
        let mut left = rarest.pages.clone();
        let mut read_ahead = 1;
        while !left.is_empty() && !self.wanted.is_enough(found) {
            let piece = take_pages(&mut left, read_ahead, self.wanted.direction);
            let mut entries = self.read(rarest.hash, piece).await?;
            entries.retain(|entry| self.wanted.is_of_wanted_type(entry.type_code));
            for other in others {
                self.retain_with(other, &mut entries).await?;
            }
            let positions = entries.iter().map(|entry| self.run.first + entry.offset);
            self.wanted.take(positions, found);
            read_ahead = (read_ahead * 2).min(READ_AHEAD_PAGES_MAX);
        }
        Ok(())
    }

    /// The entries of a key in these pages, within the wanted positions, in order.
    async fn read(
        &self,
        hash: u64,
        pages: impl Iterator<Item = usize>,
    ) -> Result<Vec<Entry>, Miss> {
        let mut entries = Vec::new();
        for page in self.reader.pages(self.snapshot, self.run, pages).await? {
            read_key(&page, hash, &mut entries).map_err(|error| self.corrupt(&error))?;
        }
        let offsets = self.offsets();
        entries.retain(|entry| offsets.contains(&entry.offset));
        Ok(entries)
    }

    /// Keeps the entries whose event carries `key` too.
    async fn retain_with(&self, key: &Key, entries: &mut Vec<Entry>) -> Result<(), Miss> {
        let directory = &self.run.directory;
        let mut pages: Vec<usize> = entries
            .iter()
            .flat_map(|entry| directory.pages(key.hash, entry.offset, entry.offset))
            .collect();
        pages.dedup();
        let others = self.read(key.hash, pages.into_iter()).await?;
        entries.retain(|entry| {
            others.binary_search_by_key(&entry.offset, |other| other.offset).is_ok()
        });
        Ok(())
    }

    async fn by_type(&self, found: &mut Vec<u64>) -> Result<(), Miss> {
        assert!(self.wanted.hashes.is_empty(), "tags are looked up by their keys");
        let mut blocks: Vec<u64> =
            (self.run.first_block..self.run.first_block + self.run.blocks).collect();
        if self.wanted.direction == Direction::Descending {
            blocks.reverse();
        }
        for block in blocks {
            if self.wanted.is_enough(found) {
                break;
            }
            self.by_type_in_block(block, found).await?;
        }
        Ok(())
    }

    async fn by_type_in_block(&self, block: u64, found: &mut Vec<u64>) -> Result<(), Miss> {
        assert!(block >= self.run.first_block, "a run is asked for its own blocks");
        let events = self.snapshot.block_events;
        let first = block * events + 1;
        let positions = self.wanted.within(&(first..=first + events - 1));
        let place = to_count(block - self.run.first_block)?;
        let codes = self.run.types.get(place).map(AsRef::as_ref).unwrap_or_default();
        if positions.is_empty() || !codes.iter().any(|code| self.wanted.is_of_wanted_type(*code)) {
            return Ok(());
        }
        let column = self.reader.type_column(self.snapshot, block).await?;
        let numbers = matching(codes, &column, to_count(events)?, &self.wanted.type_codes);
        let corrupt = || StorageError::Corrupt(format!("the column of types of block {block}"));
        let numbers = numbers.ok_or_else(corrupt)?;
        let matches = numbers.into_iter().map(|number| first + number);
        let matches: Vec<u64> = matches.filter(|position| positions.contains(position)).collect();
        self.wanted.take(matches.into_iter(), found);
        Ok(())
    }

    fn corrupt(&self, error: &PageError) -> StorageError {
        StorageError::Corrupt(format!("a page of run {}: {error}", self.run.id))
    }
}

/// Takes up to `count` pages off the wanted end; what is taken ascends.
fn take_pages(left: &mut Range<usize>, count: usize, direction: Direction) -> Range<usize> {
    let count = count.min(left.len());
    assert!(count > 0, "each round of a lookup gets further");
    match direction {
        Direction::Ascending => {
            let taken = left.start..left.start + count;
            left.start += count;
            taken
        }
        Direction::Descending => {
            let taken = left.end - count..left.end;
            left.end -= count;
            taken
        }
    }
}
