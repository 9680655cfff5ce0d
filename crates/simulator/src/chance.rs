//! Chances of the life, in whole numbers: a stream of its own beside the ids and keys.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The stream of the seed that chances are drawn from; ids and keys are drawn from stream 0.
const STREAM: u64 = 1;

/// A die.
#[derive(Debug)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(STREAM);
        Self(random)
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `limit - 1`; 0 where `limit` is 0.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        let wide = (u64::from(self.0.next_u32()) * u64::from(limit)) >> u32::BITS;
        u32::try_from(wide).unwrap_or(0)
    }

    /// A number from `low` to `high`, both of them possible.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Yes, so many times of a thousand.
    pub(crate) fn per_mille(&mut self, times: u32) -> bool {
        self.below(1_000) < times
    }

    /// A place in a list of that length; `None` in an empty one.
    pub(crate) fn place(&mut self, length: usize) -> Option<usize> {
        let limit = u32::try_from(length).unwrap_or(u32::MAX);
        (length > 0).then(|| usize::try_from(self.below(limit)).unwrap_or(0))
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        self.place(items.len()).and_then(|place| items.get(place).copied())
    }
}
