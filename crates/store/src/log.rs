//! The log's contract: what every store does, whichever database stands under it.
//!
//! Positions are 1, 2, 3 … without a gap, and commit order is position order. An append is decided
//! against the record and the batch so far; it is written whole or not at all.

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::error::StorageError;

/// Tags an event may carry.
pub const TAGS_MAX: usize = 32;
/// Bytes a tag, a type name, an actor or a request id may have.
pub const NAME_BYTES_MAX: usize = 256;
/// Events an append may hold.
pub const APPEND_EVENTS_MAX: usize = 4_096;
/// Bytes of an envelope.
pub const ENVELOPE_BYTES_MAX: usize = 4 * 1_024;
/// Bytes of an event's data.
pub const DATA_BYTES_MAX: usize = 1_024 * 1_024;
/// Bytes of data an append may hold in all.
pub const APPEND_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// Items a query may have.
pub const QUERY_ITEMS_MAX: usize = 1_024;
/// Types a query item may name.
pub const QUERY_TYPES_MAX: usize = 256;
/// Events a read may ask for at once.
pub const READ_EVENTS_MAX: usize = 100_000;
/// Bytes of text after which a page of a read ends early; at least one event stands in it.
pub const PAGE_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// What a tag must not begin with: the log finds the answers of recorded requests by it.
pub const REQUEST_KEY_PREFIX: &str = "request:";

/// An event as a caller hands it in: everything but what the log itself gives (position, time).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Stored name of the type, e.g. `order.placed`.
    pub type_name: String,
    /// Version of the type's data, from 1.
    pub version: u32,
    /// Business day from which the event counts, `YYYY-MM-DD`.
    pub effective_on: String,
    /// What the event is about, e.g. `order:01J…`; at most [`TAGS_MAX`], no duplicates.
    pub tags: Vec<String>,
    /// Who acted, e.g. `member:01J…`.
    pub actor: String,
    /// On whose behalf.
    pub on_behalf_of: Option<String>,
    /// Position of the event that caused this one.
    pub cause: Option<u64>,
    /// The domain's JSON text, kept byte for byte.
    pub data: String,
    /// SHA-256 of `data`, computed by the caller before it queues ([`NewEvent::hash_data`]).
    pub data_sha256: [u8; 32],
}

impl NewEvent {
    /// SHA-256 of an event's data, for [`NewEvent::data_sha256`].
    #[must_use]
    pub fn hash_data(data: &str) -> [u8; 32] {
        Sha256::digest(data.as_bytes()).into()
    }
}

/// OR of items: an event matches when any item does. No item matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// The items.
    pub items: Vec<QueryItem>,
}

/// Any of these types AND all of these tags. An empty list asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct QueryItem {
    /// Type names, any of which matches; empty: every type.
    pub types: Vec<String>,
    /// Tags, all of which the event must carry; empty: every event.
    pub tags: Vec<String>,
}

impl Query {
    /// The query that every event matches.
    #[must_use]
    pub fn everything() -> Self {
        Self { items: vec![QueryItem::default()] }
    }

    /// Whether an event of this type with these tags matches.
    #[must_use]
    pub fn matches<T: AsRef<str>>(&self, type_name: &str, tags: &[T]) -> bool {
        self.items.iter().any(|item| item.matches(type_name, tags))
    }

    /// Whether one item asks nothing, so that every event matches.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.items.iter().any(QueryItem::is_everything)
    }
}

impl QueryItem {
    /// Whether the item asks nothing, so that every event matches.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.types.is_empty() && self.tags.is_empty()
    }

    /// Whether an event of this type with these tags matches.
    #[must_use]
    pub fn matches<T: AsRef<str>>(&self, type_name: &str, tags: &[T]) -> bool {
        let carries = |wanted: &String| tags.iter().any(|tag| tag.as_ref() == wanted);
        (self.types.is_empty() || self.types.iter().any(|name| name == type_name))
            && self.tags.iter().all(carries)
    }
}

/// *Fail if any event matching `query` stands after `after`* (0: ever).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What must not have happened.
    pub query: Query,
    /// The position up to which the caller knows the record.
    pub after: u64,
}

/// Names a request, so that it has one effect and one answer for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The caller's id.
    pub id: String,
    /// Keyed hash of the plain request, hexadecimal.
    pub hash: String,
}

/// One append: written whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// At least one event, at most [`APPEND_EVENTS_MAX`].
    pub events: Vec<NewEvent>,
    /// What must not have happened meanwhile.
    pub condition: Option<Condition>,
    /// The request that this append answers.
    pub request: Option<Request>,
}

/// Where an append stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Position of its first event.
    pub first: u64,
    /// Position of its last event.
    pub last: u64,
    /// When it was recorded, microseconds since the epoch; none where the request had been recorded
    /// before and this is its first answer again.
    pub recorded_at_us: Option<i64>,
}

impl Appended {
    /// The request had been recorded before: this is the first answer again.
    #[must_use]
    pub fn repeated(&self) -> bool {
        self.recorded_at_us.is_none()
    }
}

/// An event as it stands in the log: its two exact texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// 1, 2, 3 …
    pub position: u64,
    /// The ledger's part, JSON with a fixed key order.
    pub envelope: Arc<str>,
    /// The domain's part, JSON.
    pub data: Arc<str>,
}

/// One page of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Matching events in order of position. Fewer than asked for does not mean that none follow: a
    /// page also ends after [`PAGE_BYTES_MAX`].
    pub events: Vec<Stored>,
    /// Everything up to here was looked at: the cursor of a filtered reader moves here, and a
    /// reader is done when it reaches the position that it asked for.
    pub scanned_to: u64,
}

/// The end of the book, and the proof that it ends there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Position of the last event, 0 in an empty book.
    pub position: u64,
    /// Root of the RFC 6962 tree over the envelopes.
    pub root: [u8; 32],
    /// When the last event was recorded, microseconds since the epoch.
    pub recorded_at_us: i64,
}

/// The log of one book.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends `append` whole, or says why not. It is durable before this returns.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;
    /// The committed end of the book, whoever wrote it.
    async fn head(&self) -> Result<Head, ReadError>;
    /// Matching events after `after` and up to `until` (0: the head), at most `limit` of them.
    async fn read(
        &self,
        query: &Query,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Page, ReadError>;
    /// The last matching event at or below `until` (0: the head).
    async fn last(&self, query: &Query, until: u64) -> Result<Option<Stored>, ReadError>;
    /// The first answer to a request that was recorded before, whoever recorded it.
    async fn answered(&self, request: &Request) -> Result<Option<Appended>, AppendError>;
    /// The newest position that this process knows of, without asking anybody.
    fn known_head(&self) -> u64;
    /// Wakes when this process learns of a new head. It is only a hint, so a reader must poll as
    /// well. It is meant for readers that follow the book, since it may cost a connection that
    /// listens to other processes.
    fn watch(&self) -> watch::Receiver<u64>;
}

/// Why nothing was appended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The condition does not hold any more: read again, decide again.
    #[error("event {position} was recorded since: read again and decide again")]
    Conflict {
        /// A matching event after the condition's position: the newest that this process knows.
        position: u64,
    },
    /// The request id was used for another request.
    #[error("request id {id} was already used for another request, at position {position}")]
    RequestReused {
        /// The id.
        id: String,
        /// Position of the first event of the recorded request.
        position: u64,
    },
    /// A named limit or rule of form was broken.
    #[error("{0}")]
    Refused(String),
    /// Sealing does not keep up: nothing was written, and the caller may come again.
    #[error(
        "the book takes no more events until sealing has caught up ({reason}): try again later"
    )]
    Overloaded {
        /// How far behind sealing is, and the fault that it reports.
        reason: String,
    },
    /// The write failed half-way, and only the record knows whether it stands.
    #[error("the outcome is unknown: repeat the append with the same request id")]
    Unknown {
        /// What the database said.
        #[source]
        source: StorageError,
    },
    /// Nothing was written.
    #[error("nothing was written: try again")]
    Storage(#[from] StorageError),
    /// What the condition needs to know cannot be read.
    #[error("the condition cannot be checked")]
    Read(#[source] ReadError),
}

impl From<ReadError> for AppendError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Overloaded { reason } => Self::Overloaded { reason },
            ReadError::Storage(error) => Self::Storage(error),
            ReadError::Refused(reason) => Self::Refused(reason),
            ReadError::Corrupt { .. } => Self::Read(error),
        }
    }
}

/// Why nothing was read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// A row is missing, or is not what was recorded.
    #[error("event {position} is corrupt: {reason}")]
    Corrupt {
        /// The first bad position.
        position: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A named limit or rule of form was broken.
    #[error("{0}")]
    Refused(String),
    /// Sealing does not keep up with what another process appends.
    #[error("the book cannot be followed until sealing has caught up ({reason}): try again later")]
    Overloaded {
        /// How far behind sealing is, and the fault that it reports.
        reason: String,
    },
    /// The database did not answer.
    #[error("the book cannot be read: try again")]
    Storage(#[from] StorageError),
}
