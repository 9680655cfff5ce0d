//! The record as it stands: events by position, type and tag, and the history of one thing.

use daicho_events::{Position, Query, Recorded};
use daicho_store::{Log, Stored};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Failure;
use crate::execute::DECISION_EVENTS_MAX;
use crate::ledger::Ledger;
use crate::translate;

/// Events of one read.
const PAGE_EVENTS: usize = 10_000;

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
                actor: event.header.actor,
                type_name: event.event.event_type().name,
                cause: event.header.cause,
                data,
            });
        }
        Ok(lines)
    }

    /// Every event that a query names, up to the head.
    pub(crate) async fn about(&self, query: &Query) -> Result<Vec<Recorded>, Failure> {
        let head = self.log().head().await?.position;
        self.matching(query, head).await
    }

    /// Every event up to `head` that a query names, in order of position.
    pub(crate) async fn matching(
        &self,
        query: &Query,
        head: u64,
    ) -> Result<Vec<Recorded>, Failure> {
        let (all, last) = translate::by_reach(query);
        let mut found = Vec::new();
        let mut after = 0;
        while !all.items.is_empty() && after < head {
            let page = self.log().read(&all, after, head, PAGE_EVENTS).await?;
            after = page.scanned_to;
            found.extend(page.events);
            if found.len() > DECISION_EVENTS_MAX {
                return Err(Failure::Limit(format!(
                    "this would have to read more than {DECISION_EVENTS_MAX} events: name a \
                     narrower thing"
                )));
            }
        }
        for query in last.iter().filter(|_| head > 0) {
            found.extend(self.log().last(query, head).await?);
        }
        found.sort_by_key(|stored| stored.position);
        found.dedup_by_key(|stored| stored.position);
        found.iter().map(translate::from_store).collect()
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
