//! The page of a run: sorted key hashes with their postings, in a few KiB.
//!
//! This file alone knows the bytes; what it reads may be garbage and is answered with an error.
//!
//! ```text
//! page    = count of type codes, the codes (4 bytes, little-endian each), key …
//! key     = hash − previous hash (the first: hash), posting …
//! posting = offset − previous offset of the key (the first: offset), mark
//! mark    = index of the type code × 2 + (1 when another posting of the key follows in this page)
//! ```
//! Numbers are LEB128 but for the codes. Offsets count from the first position of the run.

use super::checksum::SUM_BYTES;

/// Bytes of a stored page: with SQLite's own overhead it fills one of its 4 KiB pages.
const PAGE_BYTES_MAX: usize = 4_040;
/// Bytes that one more entry may take: a hash, an offset, a mark and a new type code.
const ENTRY_BYTES_MAX: usize = 10 + 10 + 5 + 4;
/// Bytes that the count of type codes may take.
const COUNT_BYTES_MAX: usize = 3;
/// The bit of a mark which says that the key has another posting in this page.
const MORE: u8 = 1;
/// Bytes of a type code.
const CODE_BYTES: usize = 4;

/// One posting of one key. Ordered by hash, then offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Hash of the key.
    pub(super) hash: u64,
    /// Position minus the first position of the run.
    pub(super) offset: u64,
    /// Code of the event's type.
    pub(super) type_code: u32,
}

/// Why a page cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    /// The bytes end within a number.
    #[error("the page ends within an entry")]
    Truncated,
    /// A number does not fit into 64 bits.
    #[error("a number of the page is too large")]
    TooLarge,
    /// Keys or offsets do not ascend.
    #[error("the entries of the page are not sorted")]
    Unsorted,
    /// A mark points past the type codes.
    #[error("an entry of the page names no type code")]
    NoSuchType,
}

/// Appends `number` as LEB128.
fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Takes a LEB128 number off the front of `bytes`. Most have one byte, so that case comes first.
fn take_number(bytes: &mut &[u8]) -> Result<u64, PageError> {
    let (&first, rest) = bytes.split_first().ok_or(PageError::Truncated)?;
    *bytes = rest;
    if first < 0x80 {
        return Ok(u64::from(first));
    }
    let mut number = u64::from(first & 0x7f);
    let mut shift = 7;
    while shift < u64::BITS {
        let (&byte, rest) = bytes.split_first().ok_or(PageError::Truncated)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if (part << shift) >> shift != part {
            return Err(PageError::TooLarge);
        }
        number |= part << shift;
        if byte < 0x80 {
            return Ok(number);
        }
        shift += 7;
    }
    Err(PageError::TooLarge)
}

/// Fills one page with entries that ascend.
#[derive(Debug, Default)]
pub(super) struct PageWriter {
    type_codes: Vec<u32>,
    body: Vec<u8>,
    last: Option<(u64, u64)>,
    last_mark_at: usize,
}

impl PageWriter {
    /// Nothing was pushed yet.
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// One more entry might not fit.
    pub(super) fn is_full(&self) -> bool {
        let codes = COUNT_BYTES_MAX + self.type_codes.len() * CODE_BYTES;
        codes + self.body.len() + ENTRY_BYTES_MAX + SUM_BYTES > PAGE_BYTES_MAX
    }

    /// Adds the next entry; it must stand after the last one.
    pub(super) fn push(&mut self, entry: Entry) {
        let Entry { hash, offset, type_code } = entry;
        assert!(self.last < Some((hash, offset)), "the entries of a run ascend");
        match self.last {
            Some((last_hash, last_offset)) if last_hash == hash => {
                if let Some(mark) = self.body.get_mut(self.last_mark_at) {
                    *mark |= MORE;
                }
                push_number(&mut self.body, offset - last_offset);
            }
            Some((last_hash, _)) => {
                push_number(&mut self.body, hash - last_hash);
                push_number(&mut self.body, offset);
            }
            None => {
                push_number(&mut self.body, hash);
                push_number(&mut self.body, offset);
            }
        }
        self.last_mark_at = self.body.len();
        let index = self.index_of(type_code);
        push_number(&mut self.body, (index as u64) << 1);
        self.last = Some((hash, offset));
    }

    /// Index of `type_code` in the page's table, where it is entered when it is new.
    fn index_of(&mut self, type_code: u32) -> usize {
        self.type_codes.iter().position(|code| *code == type_code).unwrap_or_else(|| {
            self.type_codes.push(type_code);
            self.type_codes.len() - 1
        })
    }

    /// The page's bytes, without checksum; the writer is empty again.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PAGE_BYTES_MAX);
        push_number(&mut bytes, self.type_codes.len() as u64);
        for code in self.type_codes.drain(..) {
            bytes.extend_from_slice(&code.to_le_bytes());
        }
        bytes.append(&mut self.body);
        self.last = None;
        assert!(bytes.len() + SUM_BYTES <= PAGE_BYTES_MAX, "a page keeps its size");
        bytes
    }
}

/// Reads the entries of a page one by one.
#[derive(Debug)]
pub(super) struct PageReader<'a> {
    type_codes: &'a [[u8; CODE_BYTES]],
    body: &'a [u8],
    next: Next,
}

/// What the next bytes of a page mean.
#[derive(Debug, Clone, Copy)]
enum Next {
    FirstKey,
    Key { last_hash: u64 },
    Posting { hash: u64, last_offset: u64 },
}

impl<'a> PageReader<'a> {
    /// Reads the table of type codes.
    pub(super) fn open(mut bytes: &'a [u8]) -> Result<Self, PageError> {
        let count = take_number(&mut bytes)?;
        let count = usize::try_from(count).map_err(|_| PageError::TooLarge)?;
        let size = count.checked_mul(CODE_BYTES).ok_or(PageError::TooLarge)?;
        let (codes, body) = bytes.split_at_checked(size).ok_or(PageError::Truncated)?;
        let (type_codes, _) = codes.as_chunks::<CODE_BYTES>();
        Ok(Self { type_codes, body, next: Next::FirstKey })
    }

    /// Hash and offset of the next entry; the offset delta must be positive within a key.
    fn next_place(&mut self) -> Result<(u64, u64), PageError> {
        match self.next {
            Next::FirstKey => Ok((take_number(&mut self.body)?, take_number(&mut self.body)?)),
            Next::Key { last_hash } => {
                let hash = ascend(last_hash, take_number(&mut self.body)?)?;
                Ok((hash, take_number(&mut self.body)?))
            }
            Next::Posting { hash, last_offset } => {
                Ok((hash, ascend(last_offset, take_number(&mut self.body)?)?))
            }
        }
    }

    /// The next entry, or none at the end of the page.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, PageError> {
        match self.next {
            Next::FirstKey | Next::Key { .. } if self.body.is_empty() => return Ok(None),
            Next::FirstKey | Next::Key { .. } | Next::Posting { .. } => {}
        }
        let (hash, offset) = self.next_place()?;
        let mark = take_number(&mut self.body)?;
        let index = usize::try_from(mark >> 1).map_err(|_| PageError::NoSuchType)?;
        let code = self.type_codes.get(index).ok_or(PageError::NoSuchType)?;
        self.next = match mark & u64::from(MORE) {
            0 => Next::Key { last_hash: hash },
            _ => Next::Posting { hash, last_offset: offset },
        };
        Ok(Some(Entry { hash, offset, type_code: u32::from_le_bytes(*code) }))
    }
}

/// `last + step`, which must be larger than `last`.
fn ascend(last: u64, step: u64) -> Result<u64, PageError> {
    match last.checked_add(step) {
        Some(next) if next > last => Ok(next),
        Some(_) => Err(PageError::Unsorted),
        None => Err(PageError::TooLarge),
    }
}

/// Appends every entry of the page to `entries`.
pub(super) fn read_all(bytes: &[u8], entries: &mut Vec<Entry>) -> Result<(), PageError> {
    let mut reader = PageReader::open(bytes)?;
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    Ok(())
}

/// Appends the entries of the key `hash` to `entries`, in order of offset.
pub(super) fn read_key(bytes: &[u8], hash: u64, entries: &mut Vec<Entry>) -> Result<(), PageError> {
    let mut reader = PageReader::open(bytes)?;
    while let Some(entry) = reader.next_entry()? {
        if entry.hash > hash {
            return Ok(());
        }
        if entry.hash == hash {
            entries.push(entry);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries_of(bytes: &[u8]) -> Result<Vec<Entry>, PageError> {
        let mut entries = Vec::new();
        read_all(bytes, &mut entries).map(|()| entries)
    }

    fn arbitrary_entries() -> impl Strategy<Value = Vec<Entry>> {
        let hash = prop_oneof![any::<u64>(), 0_u64..4, Just(u64::MAX)];
        let offset = prop_oneof![0_u64..2_000_000, any::<u64>()];
        let entry = (hash, offset, 0_u32..300).prop_map(|(hash, offset, type_code)| Entry {
            hash,
            offset,
            type_code,
        });
        proptest::collection::vec(entry, 1..600).prop_map(|mut entries| {
            entries.sort_unstable();
            entries.dedup_by_key(|entry| (entry.hash, entry.offset));
            entries
        })
    }

    /// Fills pages until the entries are used up.
    fn pages_of(entries: &[Entry]) -> Vec<Vec<u8>> {
        let mut writer = PageWriter::default();
        let mut pages = Vec::new();
        for entry in entries {
            if writer.is_full() {
                pages.push(writer.finish());
            }
            writer.push(*entry);
        }
        pages.push(writer.finish());
        pages
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back_and_no_page_is_too_large(entries in arbitrary_entries()) {
            let pages = pages_of(&entries);
            let mut read = Vec::new();
            for page in &pages {
                prop_assert!(page.len() + SUM_BYTES <= PAGE_BYTES_MAX);
                read.extend(entries_of(page).unwrap());
            }
            prop_assert_eq!(&read, &entries);
            for wanted in [entries[0].hash, 2, u64::MAX] {
                let mut found = Vec::new();
                for page in &pages {
                    read_key(page, wanted, &mut found).unwrap();
                }
                let of_key: Vec<Entry> =
                    entries.iter().copied().filter(|entry| entry.hash == wanted).collect();
                prop_assert_eq!(found, of_key);
            }
        }

        #[test]
        fn garbage_is_answered_and_never_panics(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            if let Ok(entries) = entries_of(&bytes) {
                prop_assert!(entries.is_sorted());
            }
            let mut entries = Vec::new();
            let _answered = read_key(&bytes, 7, &mut entries);
        }

        #[test]
        fn a_damaged_page_yields_sorted_entries_or_an_error(
            entries in arbitrary_entries(), at in any::<prop::sample::Index>(), bit in 0..8,
        ) {
            let mut page = pages_of(&entries).remove(0);
            let at = at.index(page.len());
            page[at] ^= 1_u8 << bit;
            if let Ok(read) = entries_of(&page) {
                prop_assert!(read.is_sorted());
            }
        }
    }

    #[test]
    fn every_kind_of_damage_has_its_name() {
        assert_eq!(entries_of(&[]), Err(PageError::Truncated));
        assert_eq!(entries_of(&[1, 0, 0]), Err(PageError::Truncated));
        assert_eq!(entries_of(&[0, 1, 1, 0]), Err(PageError::NoSuchType));
        let one_code = [1, 9, 0, 0, 0];
        let with = |body: &[u8]| entries_of(&[&one_code, body].concat());
        let entry = Entry { hash: 5, offset: 3, type_code: 9 };
        assert_eq!(with(&[5, 3, 0]), Ok(vec![entry]));
        assert_eq!(with(&[5, 3, 1]), Err(PageError::Truncated));
        assert_eq!(with(&[5, 3, 1, 0, 0]), Err(PageError::Unsorted));
        assert_eq!(with(&[5, 3, 0, 0, 1, 0]), Err(PageError::Unsorted));
        assert_eq!(with(&[5, 3, 2]), Err(PageError::NoSuchType));
        assert_eq!(with(&[0xff; 11]), Err(PageError::TooLarge));
    }
}
