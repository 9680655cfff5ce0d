//! A sorted run of the key index: how it is cut into pages, and what of it stays in memory.
//!
//! In memory a run is its filter, the first entry of each page and the types of its blocks.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use super::checksum::with_sum;
use super::filter::Filter;
use super::page::{Entry, PageWriter};

/// Runs of one level that become one of the next.
pub(super) const MERGE_WIDTH: usize = 16;
/// Highest level; its runs cover 256 blocks. Merging those too would stop the sealer for seconds.
pub(super) const LEVEL_TOP: u8 = 2;
/// Pages a run may have: the lower bits of a page's id.
const PAGES_MAX: i64 = 1 << 24;
/// Bytes of a stored directory entry: hash and offset, little-endian.
const DIRECTORY_ENTRY_BYTES: usize = 16;

/// Id of page `number` of run `run`.
pub(super) fn page_id(run: i64, number: usize) -> i64 {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    assert!(number < PAGES_MAX, "a run has at most {PAGES_MAX} pages");
    run * PAGES_MAX + number
}

/// Where the keys of a run stand: hash and offset of the first entry of each page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Directory {
    firsts: Vec<(u64, u64)>,
}

impl Directory {
    /// Pages that may hold entries of `hash` with offsets from `first` to `last`.
    pub(super) fn pages(&self, hash: u64, first: u64, last: u64) -> Range<usize> {
        assert!(first <= last, "a range of offsets does not end before it begins");
        let start = self.firsts.partition_point(|place| *place <= (hash, first));
        let end = self.firsts.partition_point(|place| *place <= (hash, last));
        start.saturating_sub(1)..end
    }

    /// First entry of page `number`.
    pub(super) fn first(&self, number: usize) -> Option<(u64, u64)> {
        self.firsts.get(number).copied()
    }

    /// How many pages the run has.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The stored form.
    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(self.firsts.is_sorted_by(|left, right| left < right), "pages ascend");
        let places = self.firsts.iter();
        places
            .flat_map(|(hash, offset)| [hash.to_le_bytes(), offset.to_le_bytes()])
            .flatten()
            .collect()
    }

    /// Reads the stored form; none when it is no directory.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<DIRECTORY_ENTRY_BYTES>();
        let firsts: Vec<(u64, u64)> = chunks.iter().map(place).collect();
        let ascends = firsts.is_sorted_by(|left, right| left < right);
        (ascends && rest.is_empty()).then_some(Self { firsts })
    }
}

fn place(chunk: &[u8; DIRECTORY_ENTRY_BYTES]) -> (u64, u64) {
    let number = u128::from_le_bytes(*chunk).to_le_bytes();
    let (halves, _) = number.as_chunks::<8>();
    match halves {
        [hash, offset] => (u64::from_le_bytes(*hash), u64::from_le_bytes(*offset)),
        _ => (0, 0), // sixteen bytes are two halves
    }
}

/// A run that this process knows. It never changes; a merge makes another one.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: i64,
    pub(super) level: u8,
    pub(super) first_block: u64,
    pub(super) blocks: u64,
    /// Position of its first event; offsets count from here.
    pub(super) first: u64,
    /// Position of its last event.
    pub(super) last: u64,
    pub(super) directory: Directory,
    pub(super) filter: Filter,
    /// Codes of the types that occur, for each block.
    pub(super) types: Vec<Arc<[u32]>>,
}

/// Cuts ascending entries into pages.
#[derive(Debug, Default)]
pub(super) struct RunWriter {
    page: PageWriter,
    full: Vec<Vec<u8>>,
    firsts: Vec<(u64, u64)>,
    hashes: Vec<u64>,
}

/// What stands in the row of a run beside its place.
#[derive(Debug)]
pub(super) struct RunIndex {
    /// Distinct keys.
    pub(super) keys: usize,
    pub(super) directory: Directory,
    pub(super) filter: Filter,
}

impl RunWriter {
    /// Adds the next entry; it must stand after the last one.
    pub(super) fn push(&mut self, entry: Entry) {
        if self.page.is_full() {
            self.full.push(with_sum(self.page.finish()));
        }
        if self.page.is_empty() {
            self.firsts.push((entry.hash, entry.offset));
        }
        if self.hashes.last() != Some(&entry.hash) {
            self.hashes.push(entry.hash);
        }
        self.page.push(entry);
    }

    /// The pages that are full by now, with checksums, in order; each is given once.
    pub(super) fn take_full_pages(&mut self) -> Vec<Vec<u8>> {
        mem::take(&mut self.full)
    }

    /// The remaining pages, and the index over all.
    pub(super) fn finish(mut self) -> (Vec<Vec<u8>>, RunIndex) {
        if !self.page.is_empty() {
            self.full.push(with_sum(self.page.finish()));
        }
        assert!(self.hashes.is_sorted_by(|left, right| left < right), "each key is there once");
        let filter = Filter::new(&self.hashes);
        let directory = Directory { firsts: self.firsts };
        (self.full, RunIndex { keys: self.hashes.len(), directory, filter })
    }
}

#[cfg(test)]
mod tests {
    use super::super::checksum::verified;
    use super::super::page::read_key;
    use super::*;

    #[test]
    fn the_directory_names_every_page_that_holds_a_key_and_range() {
        // Given keys of very different sizes, the large ones over many pages
        let mut writer = RunWriter::default();
        let sizes = [1_u64, 5_000, 2, 40_000, 1];
        for (hash, size) in (10_u64..).zip(sizes) {
            for offset in 0..size {
                writer.push(Entry { hash, offset: offset * 3, type_code: 1 });
            }
        }
        // When it is cut into pages, and its directory stored and read
        let (pages, index) = writer.finish();
        let directory = Directory::decode(&index.directory.encode()).unwrap();
        assert_eq!(directory, index.directory);
        assert_eq!(directory.len(), pages.len());
        assert_eq!(index.keys, sizes.len());
        // Then the named pages hold exactly the key's entries in the range
        for (hash, size) in (10_u64..).zip(sizes) {
            for (first, last) in [(0, u64::MAX), (0, 0), (9_000, 9_003), (50_000, 110_000)] {
                let mut found = Vec::new();
                for page in &pages[directory.pages(hash, first, last)] {
                    read_key(verified(page, "page").unwrap(), hash, &mut found).unwrap();
                }
                found.retain(|entry| (first..=last).contains(&entry.offset));
                let wanted: Vec<u64> =
                    (0..size).map(|o| o * 3).filter(|o| (first..=last).contains(o)).collect();
                let offsets: Vec<u64> = found.iter().map(|entry| entry.offset).collect();
                assert_eq!(offsets, wanted, "key {hash} from {first} to {last}");
            }
        }
        assert!(directory.pages(9, 0, u64::MAX).is_empty());
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        assert_eq!(Directory::decode(&[0; 15]), None);
        assert_eq!(Directory::decode(&[0; 32]), None);
    }
}
