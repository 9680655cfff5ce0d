//! An append made ready by its caller, so that the writer only has to give positions, hash and
//! write. Everything here is immutable and shared: the batch, the tail and the sealer use the same
//! texts.

use std::sync::Arc;

use crate::envelope::{Envelope, RequestMark, Unplaced};
use crate::keys::{HashedItem, HashedQuery, key_hash, request_hash, type_code};
use crate::limits;
use crate::log::{Append, Condition, NewEvent, Request};

/// The request that an append answers, as its first event carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestRecord {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) events: u64,
    /// Hash of the key by which it is found.
    pub(crate) key: u64,
}

impl RequestRecord {
    /// The request of an append of `events` events.
    pub(crate) fn of(request: &Request, events: usize) -> Self {
        Self::new(&request.id, &request.hash, u64::try_from(events).unwrap_or(u64::MAX))
    }

    /// The request that an envelope carries.
    pub(crate) fn marked(mark: &RequestMark<'_>) -> Self {
        Self::new(&mark.id, &mark.hash, mark.events)
    }

    fn new(id: &str, hash: &str, events: u64) -> Self {
        Self { id: id.to_owned(), hash: hash.to_owned(), events, key: request_hash(id) }
    }
}

/// What an event is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facets {
    pub(crate) type_name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) request: Option<Arc<RequestRecord>>,
    pub(crate) type_code: u32,
    /// Hashes of the tags in their order, then of the request's key if there is one.
    pub(crate) key_hashes: Vec<u64>,
}

impl Facets {
    pub(crate) fn new(
        type_name: String,
        tags: Vec<String>,
        request: Option<Arc<RequestRecord>>,
    ) -> Self {
        let of_request = request.iter().map(|request| request.key);
        let key_hashes = tags.iter().map(|tag| key_hash(tag)).chain(of_request).collect();
        Self { type_code: type_code(&type_name), type_name, tags, request, key_hashes }
    }

    pub(crate) fn of(envelope: &Envelope<'_>) -> Self {
        let request = envelope.request.as_ref().map(|mark| Arc::new(RequestRecord::marked(mark)));
        let tags = envelope.tags.iter().map(ToString::to_string).collect();
        Self::new(envelope.type_name.to_string(), tags, request)
    }

    pub(crate) fn matches(&self, hashed: &HashedItem) -> bool {
        hashed.item.matches(&self.type_name, &self.tags)
    }
}

/// An event without position and time.
#[derive(Debug)]
pub(crate) struct PreparedEvent {
    pub(crate) facets: Arc<Facets>,
    pub(crate) envelope: Unplaced,
    pub(crate) data: Arc<str>,
    pub(crate) cause: Option<u64>,
}

/// A condition with the hashes of what it asks about.
#[derive(Debug)]
pub(crate) struct HashedCondition {
    pub(crate) query: HashedQuery,
    pub(crate) after: u64,
}

/// An append whose form is right and whose envelopes are written but for position and time.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) events: Vec<PreparedEvent>,
    pub(crate) condition: Option<HashedCondition>,
    pub(crate) request: Option<Arc<RequestRecord>>,
    /// Bytes of all data and envelopes.
    pub(crate) bytes: usize,
}

impl Prepared {
    /// Checks every rule of form, and writes what does not depend on the position.
    pub(crate) fn new(append: Append, software: &str) -> Result<Self, String> {
        limits::check_append(&append)?;
        let count = append.events.len();
        let request =
            append.request.as_ref().map(|request| Arc::new(RequestRecord::of(request, count)));
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
        let condition = append
            .condition
            .map(|Condition { query, after }| HashedCondition { query: query.into(), after });
        Ok(Self { events, condition, request, bytes })
    }
}

impl PreparedEvent {
    fn new(event: NewEvent, envelope: Unplaced, request: Option<Arc<RequestRecord>>) -> Self {
        Self {
            facets: Arc::new(Facets::new(event.type_name, event.tags, request)),
            envelope,
            data: Arc::from(event.data),
            cause: event.cause,
        }
    }
}
