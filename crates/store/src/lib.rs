//! The log, the keys, the views. This crate knows bytes and tags, not orders.
//!
//! It owns the envelope (position, times, tags, actor, request); what an event *says* is an opaque
//! JSON text to it, bound into the envelope by its hash.

mod error;
mod log;
pub mod sqlite;
pub mod vault;
pub mod views;

pub use error::StorageError;
pub use log::*;
