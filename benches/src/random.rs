//! Random numbers of a workload: SplitMix64, the same for the same seed on every machine.

use ulid::Ulid;

/// A seeded source. Not for anything that must not be guessed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is small against 2⁶⁴.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "there is a number below the end");
        self.next() % end
    }

    pub(crate) fn id<T: From<Ulid>>(&mut self) -> T {
        Ulid(u128::from(self.next()) << 64 | u128::from(self.next())).into()
    }
}
