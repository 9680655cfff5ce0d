//! When, by whom, and with which randomness a decision is taken.

use daicho_events::Actor;
use daicho_values::Timestamp;
use ulid::Ulid;

/// When, by whom, and with which randomness a decision is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The node's clock.
    pub now: Timestamp,
    /// Whose rights count: who acts, or on whose behalf.
    pub actor: Actor,
    /// 80 random bits for ids made inside the decision.
    pub entropy: u128,
}

impl Moment {
    /// The `n`-th id of this decision: a ULID of this moment.
    pub fn id<T: From<Ulid>>(&self, n: u32) -> T {
        let milliseconds = self.now.as_microseconds().max(0).unsigned_abs() / 1_000;
        Ulid::from_parts(milliseconds, self.entropy.wrapping_add(u128::from(n))).into()
    }
}
