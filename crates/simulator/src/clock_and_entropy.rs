//! The clock and the random numbers of a simulated shop: both come from the seed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use daicho_app::{Clock, ClockAndEntropy, Entropy};
use daicho_values::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// What a book is created and opened with for a simulated life.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// The clock and the random numbers: give them to the book.
    pub clock_and_entropy: ClockAndEntropy,
    clock: Arc<SimulatedClock>,
}

/// A clock and random numbers that are the simulation's. Keys made from them are as guessable
/// as the seed: it is for books that hold nothing real.
pub fn clock_and_entropy(seed: u64) -> Simulated {
    let clock = Arc::new(SimulatedClock(AtomicI64::new(0)));
    let entropy = SeededEntropy(Mutex::new(ChaCha20Rng::seed_from_u64(seed)));
    let clock_and_entropy =
        ClockAndEntropy { clock: Arc::clone(&clock) as Arc<dyn Clock>, entropy: Arc::new(entropy) };
    Simulated { clock_and_entropy, clock }
}

impl Simulated {
    pub(crate) fn clock(&self) -> &SimulatedClock {
        &self.clock
    }
}

/// A clock that stands until it is moved, and never goes back. Microseconds since 1970.
#[derive(Debug)]
pub(crate) struct SimulatedClock(AtomicI64);

impl SimulatedClock {
    /// Moves to an instant, unless it is past.
    pub(crate) fn move_to(&self, instant: Timestamp) {
        self.0.fetch_max(instant.as_microseconds(), Ordering::Relaxed);
    }

    /// Lets some time pass.
    pub(crate) fn pass(&self, microseconds: u32) {
        self.0.fetch_add(i64::from(microseconds), Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.now_us())
    }
}

impl Clock for SimulatedClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct SeededEntropy(Mutex<ChaCha20Rng>);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
