//! The filter of a run: says at once that a key is not there; one time in a thousand it fails to.
//!
//! It is the split block Bloom filter of Apache Parquet (BloomFilter.md): a key sets one bit in
//! each of the eight 32-bit words of one block. The same keys make the same bytes, in any order.

/// Bits a distinct key gets.
const BITS_PER_KEY: usize = 16;
/// Words of 32 bits in a block: one cache line holds two blocks.
const BLOCK_WORDS: usize = 8;
/// Bytes of a stored block.
const BLOCK_BYTES: usize = BLOCK_WORDS * 4;
/// One odd multiplier a word; given by the Parquet specification.
const SALTS: [u32; BLOCK_WORDS] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// A set of key hashes that may say yes too often and never says no wrongly.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter {
    blocks: Vec<[u32; BLOCK_WORDS]>,
}

impl Filter {
    /// The filter of these distinct key hashes.
    pub(super) fn new(hashes: &[u64]) -> Self {
        let count = (hashes.len() * BITS_PER_KEY).div_ceil(BLOCK_BYTES * 8).max(1);
        let mut blocks = vec![[0_u32; BLOCK_WORDS]; count];
        for hash in hashes {
            if let Some(block) = blocks.get_mut(block_of(*hash, count)) {
                for (word, bit) in block.iter_mut().zip(bits_of(*hash)) {
                    *word |= bit;
                }
            }
        }
        let filter = Self { blocks };
        let denied = hashes.iter().find(|hash| !filter.may_contain(**hash));
        assert_eq!(denied, None, "a filter never denies a key that was put into it");
        filter
    }

    /// False: the key is surely not in the run.
    pub(super) fn may_contain(&self, hash: u64) -> bool {
        let Some(block) = self.blocks.get(block_of(hash, self.blocks.len())) else {
            return true; // a filter without blocks knows nothing and must not say no
        };
        block.iter().zip(bits_of(hash)).all(|(word, bit)| word & bit != 0)
    }

    /// The stored form: the words, little-endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Reads the stored form; none when it is no whole number of blocks, or empty.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        if chunks.is_empty() || !rest.is_empty() {
            return None;
        }
        let mut blocks = vec![[0_u32; BLOCK_WORDS]; chunks.len()];
        for (block, chunk) in blocks.iter_mut().zip(chunks) {
            let (words, _) = chunk.as_chunks::<4>();
            for (word, bytes) in block.iter_mut().zip(words) {
                *word = u32::from_le_bytes(*bytes);
            }
        }
        Some(Self { blocks })
    }
}

/// Scales the upper half of the hash to a block number.
fn block_of(hash: u64, count: usize) -> usize {
    let scaled = (u128::from(hash >> 32) * count as u128) >> 32;
    usize::try_from(scaled).unwrap_or(0)
}

/// One bit a word, from the lower half of the hash.
fn bits_of(hash: u64) -> [u32; BLOCK_WORDS] {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    let low = u32::from_le_bytes([a, b, c, d]);
    SALTS.map(|salt| 1 << (low.wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keys::key_hash;

    fn hashes(prefix: &str, count: usize) -> Vec<u64> {
        (0..count).map(|number| key_hash(&format!("{prefix}:{number}"))).collect()
    }

    proptest! {
        #[test]
        fn a_key_that_was_put_in_is_never_denied(
            hashes in proptest::collection::vec(any::<u64>(), 0..500),
        ) {
            let filter = Filter::new(&hashes);
            let stored = Filter::decode(&filter.encode()).unwrap();
            prop_assert_eq!(&stored, &filter);
            for hash in hashes {
                prop_assert!(stored.may_contain(hash));
            }
        }
    }

    #[test]
    fn an_absent_key_is_denied_but_for_two_in_a_thousand() {
        let filter = Filter::new(&hashes("order", 50_000));
        let wrong =
            hashes("contract", 100_000).iter().filter(|hash| filter.may_contain(**hash)).count();
        assert!(wrong < 200, "{wrong} of 100,000 absent keys were not denied");
    }

    #[test]
    fn the_filter_costs_sixteen_bits_a_key_and_does_not_depend_on_their_order() {
        let mut keys = hashes("order", 10_000);
        let filter = Filter::new(&keys);
        assert_eq!(filter.encode().len(), 20_000);
        keys.reverse();
        assert_eq!(Filter::new(&keys), filter);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        assert_eq!(Filter::decode(&[]), None);
        assert_eq!(Filter::decode(&[0; 33]), None);
    }
}
