//! Translates between the domain's types and the store's texts: events, headers, queries and replay
//! blocks.

use daicho_events::{Event, Header, NewEvent, Position, Query, Recorded, binary};
use daicho_store::{Envelope, Packer, Stored, with_causes};
use daicho_values::{Date, Timestamp};

use super::context::Context;
use crate::error::{EventError, Failure};

/// What the store is to append for an event of a decision.
pub(crate) fn to_store(new: &NewEvent, context: &Context) -> daicho_store::NewEvent {
    let event_type = new.event.event_type();
    let data = new.event.to_json();
    daicho_store::NewEvent {
        type_name: event_type.name.to_owned(),
        version: event_type.version,
        effective_on: new.effective_on.to_string(),
        tags: new.event.tags().iter().map(|tag| tag.as_str().to_owned()).collect(),
        actor: context.actor.to_string(),
        on_behalf_of: context.on_behalf_of.as_ref().map(ToString::to_string),
        cause: context.cause.map(|position| position.0),
        data_sha256: daicho_store::NewEvent::hash_data(&data),
        data,
    }
}

/// The event that is in the log, whichever version it was written in.
pub(crate) fn from_store(stored: &Stored) -> Result<Recorded, Failure> {
    let position = stored.position;
    read(stored).map_err(|source| Failure::Event { position, source })
}

fn read(stored: &Stored) -> Result<Recorded, EventError> {
    let damaged = |what: &dyn std::fmt::Display| EventError::Envelope(what.to_string());
    let envelope = Envelope::parse(&stored.envelope).map_err(|error| damaged(&error))?;
    let on_behalf_of = envelope.on_behalf_of.map(|actor| actor.parse()).transpose();
    let header = Header {
        position: Position(envelope.position),
        recorded_at: Timestamp::from_microseconds(envelope.recorded_at_us),
        effective_on: envelope.effective_on.parse::<Date>().map_err(|error| damaged(&error))?,
        actor: envelope.actor.parse().map_err(|error| damaged(&error))?,
        on_behalf_of: on_behalf_of.map_err(|error| damaged(&error))?,
        cause: envelope.cause.map(Position),
    };
    let event = Event::decode(&envelope.type_name, envelope.version, &stored.data)?;
    Ok(Recorded { header, event })
}

/// A whole query in the form that the store takes.
pub(crate) fn query(query: &Query) -> daicho_store::Query {
    daicho_store::Query { items: query.items.iter().map(query_item).collect() }
}

/// One item of a query in the form that the store takes.
pub(crate) fn item(item: &daicho_events::QueryItem) -> daicho_store::Query {
    daicho_store::Query { items: vec![query_item(item)] }
}

fn query_item(item: &daicho_events::QueryItem) -> daicho_store::QueryItem {
    daicho_store::QueryItem {
        types: item.types.iter().map(|name| (*name).to_owned()).collect(),
        tags: item.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
    }
}

/// Packs sealed blocks as decoded events, so that a rebuild never parses JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventPacker;

impl Packer for EventPacker {
    fn fingerprint(&self) -> String {
        binary::fingerprint()
    }

    fn pack(&self, events: &[Stored]) -> Result<Vec<u8>, String> {
        let events: Result<Vec<Recorded>, Failure> = events.iter().map(from_store).collect();
        binary::pack(&events.map_err(|error| with_causes(&error))?)
            .map_err(|error| with_causes(&error))
    }
}
