//! An append made ready by its caller, so that the writer only gives positions, hashes and writes.
//! Everything here is immutable and shared: the batch, the tail and the sealer use the same texts.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::sync::Arc;

use crate::envelope::{Envelope, Unplaced};
use crate::limits;
use crate::log::{Append, Condition, NewEvent, QueryItem, REQUEST_KEY_PREFIX, Request};

/// The request that an append answers, as its first event carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestRecord {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) events: u64,
}

impl RequestRecord {
    /// The request of an append of so many events.
    pub(crate) fn of(request: &Request, events: usize) -> Self {
        Self {
            id: request.id.clone(),
            hash: request.hash.clone(),
            events: u64::try_from(events).unwrap_or(u64::MAX),
        }
    }
}

/// What an event is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facets {
    pub(crate) type_name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) request: Option<RequestRecord>,
    /// Hashes of the tags in their order, then of the request's key if there is one.
    pub(crate) key_hashes: Vec<u64>,
}

impl Facets {
    pub(crate) fn new(
        type_name: String,
        tags: Vec<String>,
        request: Option<RequestRecord>,
    ) -> Self {
        let mut key_hashes: Vec<u64> = tags.iter().map(|tag| key_hash(tag)).collect();
        key_hashes.extend(request.iter().map(|request| key_hash(&request_key(&request.id))));
        Self { type_name, tags, request, key_hashes }
    }

    pub(crate) fn of(envelope: &Envelope<'_>) -> Self {
        let request = envelope.request.as_ref().map(|request| RequestRecord {
            id: request.id.to_string(),
            hash: request.hash.to_string(),
            events: request.events,
        });
        let tags = envelope.tags.iter().map(ToString::to_string).collect();
        Self::new(envelope.type_name.to_string(), tags, request)
    }

    pub(crate) fn matches(&self, item: &QueryItem) -> bool {
        item.matches(&self.type_name, &self.tags)
    }

    /// Every key by which the sealed index finds the event.
    pub(crate) fn keys(&self) -> Vec<String> {
        let request = self.request.iter().map(|request| request_key(&request.id));
        self.tags.iter().cloned().chain(request).collect()
    }
}

/// The key by which the answer of a recorded request is found.
pub(crate) fn request_key(id: &str) -> String {
    format!("{REQUEST_KEY_PREFIX}{id}")
}

/// Hash of a key within this process. What it finds is always compared with the key itself.
pub(crate) fn key_hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key.as_bytes());
    hasher.finish()
}

/// An event without position and time.
#[derive(Debug)]
pub(crate) struct PreparedEvent {
    pub(crate) facets: Arc<Facets>,
    pub(crate) envelope: Unplaced,
    pub(crate) data: Arc<str>,
    pub(crate) cause: Option<u64>,
}

/// An append whose form is right and whose envelopes are written but for position and time.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) events: Vec<PreparedEvent>,
    pub(crate) condition: Option<Condition>,
    pub(crate) request: Option<RequestRecord>,
    /// Bytes of all data and envelopes.
    pub(crate) bytes: usize,
}

impl Prepared {
    /// Checks every rule of form, and writes what does not depend on the position.
    pub(crate) fn new(append: Append, software: &str) -> Result<Self, String> {
        limits::check_append(&append)?;
        let count = append.events.len();
        let request = append.request.as_ref().map(|request| RequestRecord::of(request, count));
        let mut events = Vec::with_capacity(count);
        let mut bytes = 0;
        for (at, event) in append.events.into_iter().enumerate() {
            let mark = append.request.as_ref().filter(|_| at == 0).map(|mark| (mark, count));
            let envelope = Unplaced::write(&event, mark, software);
            limits::check_envelope(&envelope)
                .map_err(|reason| format!("event {} of the append: {reason}", at + 1))?;
            bytes += envelope.bytes_max() + event.data.len();
            let first_request = request.as_ref().filter(|_| at == 0).cloned();
            events.push(PreparedEvent::new(event, envelope, first_request));
        }
        Ok(Self { events, condition: append.condition, request, bytes })
    }
}

impl PreparedEvent {
    fn new(event: NewEvent, envelope: Unplaced, request: Option<RequestRecord>) -> Self {
        Self {
            facets: Arc::new(Facets::new(event.type_name, event.tags, request)),
            envelope,
            data: Arc::from(event.data),
            cause: event.cause,
        }
    }
}
