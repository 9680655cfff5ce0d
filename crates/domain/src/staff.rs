//! What only the shop does: members of a customer's organisation may not.

use daicho_events::Actor;

use crate::{Moment, Rejection};

/// A member tried what the shop's staff or its programs do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{actor}` may not do this: only the shop's staff or its programs may, ask the shop")]
pub struct StaffOnly {
    actor: Actor,
}

impl Rejection for StaffOnly {
    fn code(&self) -> &'static str {
        "staff_only"
    }
}

/// Lets the shop's staff and programs through.
///
/// # Errors
/// A member acts.
pub fn staff_only(at: &Moment) -> Result<(), StaffOnly> {
    match &at.actor {
        Actor::Staff(_) | Actor::System(_) => Ok(()),
        Actor::Member(_) => Err(StaffOnly { actor: at.actor.clone() }),
    }
}
