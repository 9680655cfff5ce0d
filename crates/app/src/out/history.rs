//! The record as stored: events by position, type and tag, and the history of one thing.

use std::sync::Arc;

use daicho_events::{Position, Query, Recorded};
use daicho_store::{Book, Log};
use serde::Serialize;

use super::event_text::{EventText, text};
use crate::decide::personal::{PersonalValues, Privacy};
use crate::decide::translate;
use crate::error::Failure;
use crate::record::Record;
use crate::storage::Storage;

/// A page of the record, as it is stored.
#[derive(Debug)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventText>,
    /// Everything up to this position was looked at.
    pub scanned_to: Position,
}

/// One line of a thing's history: who did what, when it was recorded, from when it counts, and what
/// caused it.
#[derive(Debug, Serialize)]
pub struct HistoryLine {
    /// Its position.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: daicho_values::Timestamp,
    /// From when it counts.
    pub effective_on: daicho_values::Date,
    /// Who acted.
    pub actor: daicho_events::Actor,
    /// On whose behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<daicho_events::Actor>,
    /// What happened.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// The event that caused it.
    pub cause: Option<Position>,
    /// The data of the event, with personal values opened.
    pub data: serde_json::Value,
}

/// Reads the record as it is stored.
pub struct History {
    log: Arc<Book>,
    record: Arc<Record>,
    personal_values: PersonalValues,
}

impl History {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            log: Arc::clone(&storage.log),
            record: Arc::clone(record),
            personal_values: PersonalValues::of(storage),
        }
    }

    /// A page of the record: events of any of `types` (empty: all types) with all of `tags` (empty:
    /// any tags).
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
        let page = self.log.read(&query, after.0, 0, limit).await?;
        let events = page.events.iter().map(text).collect::<Result<_, _>>()?;
        Ok(EventPage { events, scanned_to: Position(page.scanned_to) })
    }

    /// Everything recorded about a tag, oldest first.
    ///
    /// # Errors
    /// The log could not be read, or it has more than 100,000 such events.
    pub async fn about(&self, tag: &str) -> Result<Vec<HistoryLine>, Failure> {
        let mut lines = Vec::new();
        for event in self.record.about(&Query::about(tag.into())).await? {
            lines.push(self.line(&event, Privacy::Opened).await?);
        }
        Ok(lines)
    }

    /// The events recorded about a tag after a position, at most `limit`, oldest first.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn page_about(
        &self,
        tag: &str,
        after: Position,
        limit: usize,
        privacy: Privacy,
    ) -> Result<Vec<HistoryLine>, Failure> {
        let query = translate::query(&Query::about(tag.into()));
        let (mut lines, mut after) = (Vec::new(), after.0);
        let head = self.record.position_of(None).await?;
        while after < head && lines.len() < limit {
            let page = self.log.read(&query, after, 0, limit - lines.len()).await?;
            for stored in &page.events {
                lines.push(self.line(&translate::from_store(stored)?, privacy).await?);
            }
            after = page.scanned_to;
        }
        Ok(lines)
    }

    async fn line(&self, event: &Recorded, privacy: Privacy) -> Result<HistoryLine, Failure> {
        let mut data = serde_json::from_str(&event.event.to_json()).unwrap_or_default();
        self.personal_values.show(&mut data, privacy).await?;
        Ok(HistoryLine {
            position: event.header.position,
            recorded_at: event.header.recorded_at,
            effective_on: event.header.effective_on,
            actor: event.header.actor.clone(),
            on_behalf_of: event.header.on_behalf_of.clone(),
            type_name: event.event.event_type().name,
            cause: event.header.cause,
            data,
        })
    }

    /// The last position recorded about a tag; `None` if nothing is recorded about it.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn last_about(&self, tag: &str) -> Result<Option<Position>, Failure> {
        let query = translate::query(&Query::about(tag.into()));
        let head = self.record.head().await?;
        Ok(self.log.last(&query, head).await?.map(|stored| Position(stored.position)))
    }
}
