//! The log, the keys, the views. This crate knows bytes and tags, not orders.
//!
//! It owns the envelope (position, times, tags, actor, request); what an event *says* is an opaque
//! JSON text to it, bound into the envelope by its hash.

mod book;
mod clock;
mod consume;
mod envelope;
mod error;
mod keys;
mod limits;
mod log;
mod memory;
mod merkle;
pub mod postgres;
mod prepared;
pub mod sqlite;
mod state;
mod subscribe;
pub mod vault;
pub mod views;

pub use book::{
    BLOCK_EVENTS, Blocks, Book, CLOCK_SKEW_US_MAX, CopyError, Fault, NoPacker, OpenError, Options,
    Packer, Pause, Pauses, Progress, Record, Wakes,
};
pub use clock::{Clock, SystemClock, format_us, parse_us};
pub use consume::{ConsumeError, Consumer};
pub use envelope::{Envelope, EnvelopeError, RequestMark};
pub use error::{StorageError, causes, with_causes};
pub use log::*;
pub use memory::MemoryLog;
pub use merkle::{Frontier, Hash, leaf_hash, node_hash};
pub use postgres::{PostgresState, PostgresVault, PostgresViews};
pub use sqlite::{SqliteState, SqliteVault, SqliteViews};
pub use state::{
    CURSORS_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_CHANGES_MAX, DOCUMENTS_MAX, DOCUMENTS_PAGE_MAX,
    Document, DocumentChange, Expected, Holder, LEASE_MS_MAX, Lease, NamedCursor,
    STATE_NAME_BYTES_MAX, State, StateError, StateName, Step,
};
pub use subscribe::{FollowedPage, POLL_MS_MAX, POLL_MS_MIN, Polling, Subscription};
