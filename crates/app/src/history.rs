//! The record as it stands: events by position, type and tag, and the history of one thing.

use std::sync::Arc;

use daicho_events::{Position, Query, Recorded};
use daicho_store::{Log, Stored};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Failure;
use crate::ledger::Ledger;

/// A page of the record, as it stands there.
#[derive(Debug)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventText>,
    /// Everything up to here was looked at.
    pub scanned_to: Position,
}

/// The two exact texts of an event.
#[derive(Debug, Serialize)]
pub struct EventText {
    /// The ledger's part.
    pub envelope: Box<RawValue>,
    /// The domain's part.
    pub data: Box<RawValue>,
}

/// One line of a thing's history: who, what, when recorded, from when it counts, caused by what.
#[derive(Debug, Serialize)]
pub struct HistoryLine {
    /// Where it stands.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: daicho_events::Timestamp,
    /// From when it counts.
    pub effective_on: daicho_events::Date,
    /// Who acted.
    pub actor: daicho_events::Actor,
    /// What happened.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// The event that caused it.
    pub cause: Option<Position>,
    /// What exactly, personal values opened.
    pub data: serde_json::Value,
}

impl Ledger {
    /// A page of the record: any of `types` (empty: all) and all of `tags` (empty: any).
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn events(
        &self,
        types: &[String],
        tags: &[String],
        after: Position,
        limit: usize,
    ) -> Result<EventPage, Failure> {
        let item = daicho_store::QueryItem { types: types.to_vec(), tags: tags.to_vec() };
        let query = daicho_store::Query { items: vec![item] };
        let page = self.log().read(&query, after.0, 0, limit).await?;
        let events = page.events.iter().map(text).collect::<Result<_, _>>()?;
        Ok(EventPage { events, scanned_to: Position(page.scanned_to) })
    }

    /// Everything recorded about a tag, oldest first.
    ///
    /// # Errors
    /// The log could not be read, or it has more than 100,000 such events.
    pub async fn history(&self, tag: &str) -> Result<Vec<HistoryLine>, Failure> {
        let mut lines = Vec::new();
        for event in self.about(&Query::about(tag.into())).await? {
            let mut data = serde_json::from_str(&event.event.to_json()).unwrap_or_default();
            self.open_personal(&mut data).await?;
            lines.push(HistoryLine {
                position: event.header.position,
                recorded_at: event.header.recorded_at,
                effective_on: event.header.effective_on,
                actor: event.header.actor.clone(),
                type_name: event.event.event_type().name,
                cause: event.header.cause,
                data,
            });
        }
        Ok(lines)
    }

    /// Every event that a query names, up to the head.
    pub(crate) async fn about(&self, query: &Query) -> Result<Vec<Arc<Recorded>>, Failure> {
        let head = self.log().head().await?.position;
        self.matching(query, head).await
    }
}

fn text(stored: &Stored) -> Result<EventText, Failure> {
    let raw = |text: &str| {
        RawValue::from_string(text.to_owned()).map_err(|error| Failure::Event {
            position: stored.position,
            source: crate::error::EventError::Envelope(error.to_string()),
        })
    };
    Ok(EventText { envelope: raw(&stored.envelope)?, data: raw(&stored.data)? })
}
