//! Partitions: a rebuild folds part i of n on a core of its own, or in a pass of its own where
//! memory would not hold all. Which part a key is in depends on the key alone, for ever.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Part `index` (from 0) of `of` parts of a list's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Which part, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

impl Partition {
    /// Every key.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// All parts of `of`, in order; none is one part.
    pub fn parts(of: u32) -> impl Iterator<Item = Self> {
        let of = of.max(1);
        (0..of).map(move |index| Self { index, of })
    }

    /// Whether a key is in this part.
    pub fn holds(self, key: &impl Hash) -> bool {
        if self.of <= 1 {
            return self.index == 0;
        }
        let mut hasher = StableHasher::default();
        key.hash(&mut hasher);
        // The hash as a fraction of its range, times the number of parts.
        (u128::from(hasher.finish()) * u128::from(self.of)) >> 64 == u128::from(self.index)
    }
}

/// A fast hasher whose answer is the same in every process and release: a test pins it.
///
/// Not for keys that an enemy chooses: ids and invoice numbers are made by the ledger.
#[derive(Debug, Clone, Copy, Default)]
pub struct StableHasher(u64);

/// Makes [`StableHasher`]s for a map.
pub(crate) type BuildStableHasher = BuildHasherDefault<StableHasher>;

/// 2⁶⁴ over the golden ratio, odd.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

impl StableHasher {
    fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    }
}

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            self.word(u64::from_le_bytes(word));
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn finish(&self) -> u64 {
        // Both ends of the hash must depend on every bit: maps use both.
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(MULTIPLIER);
        mixed ^ (mixed >> 29)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daicho_events::{InvoiceNumber, OrderId, Sample};

    fn hash(key: &impl Hash) -> u64 {
        let mut hasher = StableHasher::default();
        key.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn the_hash_of_a_key_never_changes() {
        assert_eq!(hash(&OrderId::sample()), 7_262_311_005_983_914_915);
        assert_eq!(hash(&InvoiceNumber::sample()), 10_671_517_319_970_137_565);
    }

    #[test]
    fn numbered_keys_spread_evenly_over_the_parts() {
        let keys: Vec<_> = (0..8_000)
            .map(|number| InvoiceNumber::new(&format!("R{number:08}")).unwrap())
            .collect();
        for part in Partition::parts(8) {
            let held = keys.iter().filter(|key| part.holds(*key)).count();
            assert!((800..1_200).contains(&held), "part {} holds {held} of 8000", part.index);
        }
    }
}
