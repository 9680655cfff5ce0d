//! The events ahead of a consumer, kept in this process so that the log is not read again for each
//! batch.

use std::collections::VecDeque;
use std::sync::Arc;

use daicho_store::{Book, Envelope, Log as _, Query, QueryItem, Stored};

use super::group::{Ahead, Group};
use super::settings::{ConsumerSettings, WINDOW_EVENTS};
use crate::error::{EventError, Failure};
use crate::out::event_text::{EventText, text};

/// The most events of one read.
const PAGE_EVENTS: usize = 1_024;

/// The events after the position of a consumer, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Window {
    settings: ConsumerSettings,
    pub(super) events: VecDeque<AheadEvent>,
    /// The position after which the window begins.
    from: u64,
    /// The position up to which the log was read.
    pub(super) scanned_to: u64,
}

/// An event, and the tags within which it keeps the order.
#[derive(Debug)]
pub(super) struct AheadEvent {
    pub(super) text: Arc<EventText>,
    lanes: Vec<String>,
}

impl Ahead for AheadEvent {
    fn position(&self) -> u64 {
        self.text.position.0
    }
    fn lanes(&self) -> &[String] {
        &self.lanes
    }
}

impl Window {
    /// Reads what comes after the group's position, up to the newest head or as many events as fit.
    pub(super) async fn follow(&mut self, log: &Book, group: &Group) -> Result<(), Failure> {
        let is_behind = group.position < self.from || group.position > self.scanned_to;
        if is_behind || self.settings != group.settings {
            let (events, from) = (VecDeque::new(), group.position);
            *self = Self { settings: group.settings.clone(), events, from, scanned_to: from };
        }
        while self.events.front().is_some_and(|event| event.position() <= group.position) {
            self.events.pop_front();
        }
        self.from = group.position;
        let ConsumerSettings { types, tags, .. } = &self.settings;
        let item = QueryItem { types: types.clone(), tags: tags.clone() };
        let query = Query { items: vec![item] };
        let mut head = log.known_head();
        if head <= self.scanned_to {
            head = log.head().await?.position;
        }
        while self.scanned_to < head && self.events.len() < WINDOW_EVENTS {
            let room = (WINDOW_EVENTS - self.events.len()).min(PAGE_EVENTS);
            let page = log.read(&query, self.scanned_to, head, room).await?;
            let kind = self.settings.ordered_by.as_deref();
            for stored in &page.events {
                let (text, lanes) = (Arc::new(text(stored)?), lanes(stored, kind)?);
                self.events.push_back(AheadEvent { text, lanes });
            }
            self.scanned_to = page.scanned_to;
        }
        Ok(())
    }
}

/// The tags of that kind. An event without such a tag, and every event if no kind is given, is in
/// the one lane that has no name.
fn lanes(stored: &Stored, kind: Option<&str>) -> Result<Vec<String>, Failure> {
    let Some(kind) = kind else { return Ok(vec![String::new()]) };
    let envelope = Envelope::parse(&stored.envelope).map_err(|error| Failure::Event {
        position: stored.position,
        source: EventError::Envelope(error.to_string()),
    })?;
    let is_of_kind = |tag: &str| tag.split_once(':').is_some_and(|(of, _)| of == kind);
    let tags = envelope.tags.iter().filter(|tag| is_of_kind(tag));
    let lanes: Vec<String> = tags.map(ToString::to_string).collect();
    Ok(if lanes.is_empty() { vec![String::new()] } else { lanes })
}
