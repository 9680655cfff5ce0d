//! The ledger's only inputs besides requests: the clock and the random numbers.

use std::sync::Arc;

use daicho_domain::Moment;
use daicho_events::Actor;
use daicho_store::vault::{Entropy, SystemEntropy};
use daicho_store::{Clock, SystemClock};
use daicho_values::Timestamp;
use ulid::Ulid;

/// Random bits of a ULID.
const ID_ENTROPY_BYTES: usize = 10;

/// A clock and a source of random numbers: the system's, or a simulator's.
#[derive(Clone)]
pub struct ClockAndEntropy {
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where random numbers come from.
    pub entropy: Arc<dyn Entropy>,
}

impl ClockAndEntropy {
    /// The machine's clock and random numbers.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.clock.now_us())
    }

    /// A new identity.
    pub fn id<T: From<Ulid>>(&self) -> T {
        self.moment_entropy(|now, entropy| Ulid::from_parts(now, entropy).into())
    }

    /// The moment of a decision.
    pub fn moment(&self, actor: Actor) -> Moment {
        self.moment_entropy(|_, entropy| Moment { now: self.now(), actor, entropy })
    }

    fn moment_entropy<T>(&self, make: impl FnOnce(u64, u128) -> T) -> T {
        let mut bytes = [0; 16];
        if let Some(random) = bytes.get_mut(..ID_ENTROPY_BYTES) {
            self.entropy.fill(random);
        }
        let milliseconds = self.clock.now_us().max(0).unsigned_abs() / 1_000;
        make(milliseconds, u128::from_le_bytes(bytes))
    }
}

impl std::fmt::Debug for ClockAndEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClockAndEntropy").field("now", &self.now()).finish_non_exhaustive()
    }
}
