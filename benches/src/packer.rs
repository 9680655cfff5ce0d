//! Replay blocks as the ledger packs them, for books that are opened without a ledger.

use daicho_events::{Actor, Event, Header, Position, Recorded, binary};
use daicho_store::{Envelope, Packer, Stored};
use daicho_values::{Date, Timestamp};

use crate::error::BenchError;

/// Packs decoded events; its fingerprint is that of the ledger's own packer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventPacker;

impl Packer for EventPacker {
    fn fingerprint(&self) -> String {
        binary::fingerprint()
    }

    fn pack(&self, events: &[Stored]) -> Result<Vec<u8>, String> {
        let events: Result<Vec<Recorded>, BenchError> =
            events.iter().map(|stored| recorded(&stored.envelope, &stored.data)).collect();
        binary::pack(&events.map_err(|error| format!("{error:?}"))?)
            .map_err(|error| error.to_string())
    }
}

/// The event that two stored texts say.
pub(crate) fn recorded(envelope: &str, data: &str) -> Result<Recorded, BenchError> {
    let wrong = |what: &dyn std::fmt::Display| BenchError::Wrong(format!("an envelope: {what}"));
    let envelope = Envelope::parse(envelope).map_err(|error| wrong(&error))?;
    let on_behalf_of = envelope.on_behalf_of.map(|actor| actor.parse::<Actor>()).transpose();
    let header = Header {
        position: Position(envelope.position),
        recorded_at: Timestamp::from_microseconds(envelope.recorded_at_us),
        effective_on: envelope.effective_on.parse::<Date>().map_err(|error| wrong(&error))?,
        actor: envelope.actor.parse::<Actor>().map_err(|error| wrong(&error))?,
        on_behalf_of: on_behalf_of.map_err(|error| wrong(&error))?,
        cause: envelope.cause.map(Position),
    };
    let event = Event::decode(&envelope.type_name, envelope.version, data)?;
    Ok(Recorded { header, event })
}
