//! Partitions: the keys of every list are cut into slices by their hash. A rebuild folds a range of
//! slices in a pass, each core every n-th of them, so that a pass that memory would not hold is cut
//! short at any slice. Which slice a key is in depends on the key alone, for ever.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Slices of the keys of a list.
pub const SLICES: u32 = 1_024;
/// Where the slice stands in the hash: maps look at the lowest and the highest bits.
const SLICE_BIT: u32 = 40;

/// Every `of`-th slice, from the `share`-th one, of those from `first` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    first: u32,
    end: u32,
    share: u32,
    of: u32,
}

impl Partition {
    /// Every key.
    pub const WHOLE: Self = Self { first: 0, end: SLICES, share: 0, of: 1 };

    /// The keys of the slices from `first` to before `end`.
    pub fn slices(first: u32, end: u32) -> Self {
        let end = end.min(SLICES);
        Self { first: first.min(end), end, ..Self::WHOLE }
    }

    /// Its slices dealt out to `of` parts, in order; none is one part.
    pub fn dealt(self, of: u32) -> impl Iterator<Item = Self> {
        let of = of.max(1);
        (0..of).map(move |share| Self { share, of, ..self })
    }

    /// Those of its slices that are before `end`.
    pub(crate) fn until(self, end: u32) -> Self {
        let end = self.end.min(end);
        Self { first: self.first.min(end), end, ..self }
    }

    /// Whether a key is in this part.
    pub fn holds(self, key: &impl Hash) -> bool {
        self.holds_slice(slice_of(key))
    }

    /// Whether a slice is in this part.
    pub fn holds_slice(self, slice: u32) -> bool {
        (self.first..self.end).contains(&slice) && slice % self.of == self.share
    }

    /// How many slices it reaches over, those of other parts included.
    pub(crate) fn reach(self) -> usize {
        (self.end - self.first) as usize
    }

    /// The place of a slice among those it reaches over; `None`: it is not in this part.
    pub(crate) fn place(self, slice: u32) -> Option<usize> {
        self.holds_slice(slice).then(|| (slice - self.first) as usize)
    }
}

/// The slice of a key.
pub(crate) fn slice_of(key: &impl Hash) -> u32 {
    let mut hasher = StableHasher::default();
    key.hash(&mut hasher);
    u32::try_from((hasher.finish() >> SLICE_BIT) % u64::from(SLICES)).unwrap_or(0)
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
    use daicho_values::{InvoiceNumber, OrderId, Sample};

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
    fn the_slice_of_a_key_never_changes() {
        assert_eq!(slice_of(&OrderId::sample()), 233);
        assert_eq!(slice_of(&InvoiceNumber::sample()), 216);
    }

    #[test]
    fn numbered_keys_spread_evenly_over_the_parts() {
        let keys: Vec<_> = (0..8_000)
            .map(|number| InvoiceNumber::new(&format!("R{number:08}")).unwrap())
            .collect();
        let ranges =
            (0..8).map(|part| Partition::slices(part * SLICES / 8, (part + 1) * SLICES / 8));
        for part in Partition::WHOLE.dealt(8).chain(ranges) {
            let held = keys.iter().filter(|key| part.holds(*key)).count();
            assert!((800..1_200).contains(&held), "{part:?} holds {held} of 8000");
        }
    }
}
