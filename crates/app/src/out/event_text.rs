//! The exact texts of an event, as they are in the record.

use std::borrow::Cow;

use daicho_events::Position;
use daicho_store::{Envelope, Stored};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{EventError, Failure};

/// The two exact texts of an event.
#[derive(Debug, Serialize)]
pub struct EventText {
    /// Its position, which is also in the envelope.
    #[serde(skip)]
    pub position: Position,
    /// The envelope, the ledger's part.
    pub envelope: Box<RawValue>,
    /// The data, the domain's part.
    pub data: Box<RawValue>,
}

impl EventText {
    /// The type of the event, such as `order.placed`, from the envelope.
    #[must_use]
    pub fn type_name(&self) -> &str {
        let envelope = Envelope::parse(self.envelope.get());
        // A damaged envelope is no error here: whoever reads the envelope itself gets the error.
        match envelope.map(|envelope| envelope.type_name) {
            Ok(Cow::Borrowed(name)) => name,
            Ok(Cow::Owned(_)) | Err(_) => "unknown",
        }
    }

    /// The error for an envelope that does not have the form that this ledger writes.
    #[must_use]
    pub fn damaged(&self, reason: &str) -> Failure {
        let source = EventError::Envelope(reason.to_owned());
        Failure::Event { position: self.position.0, source }
    }
}

/// The texts of an event, each checked to be JSON.
pub(crate) fn text(stored: &Stored) -> Result<EventText, Failure> {
    let raw = |text: &str| {
        RawValue::from_string(text.to_owned()).map_err(|error| Failure::Event {
            position: stored.position,
            source: EventError::Envelope(error.to_string()),
        })
    };
    let (envelope, data) = (raw(&stored.envelope)?, raw(&stored.data)?);
    Ok(EventText { position: Position(stored.position), envelope, data })
}
