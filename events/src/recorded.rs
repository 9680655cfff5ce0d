//! An event with what the ledger says of it: position, times, actor, cause.

use daicho_values::{Date, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Actor, Event, Position};

/// What the ledger says of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Where it stands.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The business day from which it counts.
    pub effective_on: Date,
    /// Who acted.
    pub actor: Actor,
    /// On whose behalf.
    pub on_behalf_of: Option<Actor>,
    /// The event that caused it.
    pub cause: Option<Position>,
}

/// An event and its header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded<E = Event> {
    /// The ledger's part.
    pub header: Header,
    /// The domain's part.
    pub event: E,
}

/// An event that a decision wants recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub event: Event,
    /// The business day from which it counts.
    pub effective_on: Date,
}

impl NewEvent {
    /// Counts from this day.
    pub fn on(day: Date, event: impl Into<Event>) -> Self {
        Self { event: event.into(), effective_on: day }
    }
}
