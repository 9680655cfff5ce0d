//! The log, the keys, the views. This crate knows bytes and tags, not orders.
//!
//! It owns the envelope (position, times, tags, actor, request); what an event *says* is an opaque
//! JSON text to it, bound into the envelope by its hash.

mod book;
mod clock;
mod envelope;
mod error;
mod limits;
mod log;
mod memory;
mod merkle;
pub mod postgres;
mod prepared;
pub mod sqlite;
mod subscribe;
pub mod vault;
pub mod views;

pub use book::{
    BLOCK_EVENTS, Blocks, Book, CLOCK_SKEW_US_MAX, CopyError, Fault, NoPacker, OpenError, Options,
    Packer, Pause, Pauses, Progress, Record,
};
pub use clock::{Clock, SystemClock, format_us, parse_us};
pub use envelope::{Envelope, EnvelopeError, RequestMark};
pub use error::StorageError;
pub use log::*;
pub use memory::MemoryLog;
pub use merkle::{Frontier, Hash, leaf_hash, node_hash};
pub use postgres::{PostgresVault, PostgresViews};
pub use sqlite::{SqliteVault, SqliteViews};
pub use subscribe::{POLL_MS_MAX, POLL_MS_MIN, Subscription};
