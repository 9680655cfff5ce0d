//! The types of a block's events: which there are, and which each event is.
//!
//! A lookup by type reads the column of those blocks only that hold the type; its answers are exact
//! but for two type names with the same code.

use crate::keys::type_code;

/// Bytes of a type code.
const CODE_BYTES: usize = 4;

/// A type code for each event of a block: a sorted table and an index into it an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TypeColumn {
    /// The codes that occur, ascending.
    pub(super) codes: Vec<u32>,
    /// One byte an event while 256 codes suffice, else two, little-endian.
    pub(super) indexes: Vec<u8>,
}

impl TypeColumn {
    /// The column of events with these type codes.
    pub(super) fn new(events: &[u32]) -> Self {
        let mut codes = events.to_vec();
        codes.sort_unstable();
        codes.dedup();
        let wide = index_bytes(codes.len());
        let indexes = events.iter().flat_map(|code| {
            let index = codes.partition_point(|other| other < code);
            index.to_le_bytes().into_iter().take(wide)
        });
        let indexes: Vec<u8> = indexes.collect();
        assert_eq!(indexes.len(), events.len() * wide, "each event has its index");
        Self { codes, indexes }
    }
}

/// Bytes of an index into a table of `codes` codes.
fn index_bytes(codes: usize) -> usize {
    if codes <= 256 { 1 } else { 2 }
}

/// The stored form of a table of codes.
pub(super) fn encode_codes(codes: &[u32]) -> Vec<u8> {
    assert!(codes.is_sorted_by(|left, right| left < right), "each code is there once, in order");
    codes.iter().flat_map(|code| code.to_le_bytes()).collect()
}

/// Reads the stored form of a table of codes; none when it does not ascend or is no table.
pub(super) fn decode_codes(bytes: &[u8]) -> Option<Vec<u32>> {
    let (chunks, rest) = bytes.as_chunks::<CODE_BYTES>();
    let codes: Vec<u32> = chunks.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect();
    let ascends = codes.is_sorted_by(|left, right| left < right);
    (ascends && rest.is_empty()).then_some(codes)
}

/// Numbers (from 0) of the events whose type is one of `wanted`, ascending.
/// None when `indexes` is not the column of `events` events over `codes`.
pub(super) fn matching(
    codes: &[u32],
    indexes: &[u8],
    events: usize,
    wanted: &[u32],
) -> Option<Vec<u64>> {
    let wide = index_bytes(codes.len());
    if indexes.len() != events * wide {
        return None;
    }
    let hits: Vec<bool> = codes.iter().map(|code| wanted.contains(code)).collect();
    let mut found = Vec::new();
    for (number, index) in (0_u64..).zip(indexes.chunks_exact(wide)) {
        let index = index.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte));
        if *hits.get(index)? {
            found.push(number);
        }
    }
    Some(found)
}

/// The codes of these type names, ascending and without duplicates.
pub(super) fn codes_of<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<u32> {
    let mut codes: Vec<u32> = names.into_iter().map(|name| type_code(name)).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_which_events_are_of_a_type() {
        for kinds in [1_u32, 3, 256, 257, 700] {
            let events: Vec<u32> = (0..2_000).map(|number| number % kinds * 7_919).collect();
            let column = TypeColumn::new(&events);
            let codes = decode_codes(&encode_codes(&column.codes)).unwrap();
            for wanted in [vec![0], vec![7_919, 14_838], vec![699 * 7_919], vec![5]] {
                let naive: Vec<u64> = (0_u64..)
                    .zip(&events)
                    .filter(|(_, code)| wanted.contains(code))
                    .map(|(number, _)| number)
                    .collect();
                assert_eq!(matching(&codes, &column.indexes, 2_000, &wanted), Some(naive));
            }
        }
    }

    #[test]
    fn what_is_no_column_is_refused() {
        assert_eq!(decode_codes(&[1, 2, 3]), None);
        assert_eq!(decode_codes(&[5_u32, 5].map(u32::to_le_bytes).concat()), None);
        assert_eq!(matching(&[1, 2], &[0, 1, 0], 2, &[1]), None);
        assert_eq!(matching(&[1, 2], &[0, 2], 2, &[1]), None);
    }
}
