//! The service as its callers see it: over real sockets, with a real book in SQLite.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod commands;
mod consumers;
mod description;
mod errors;
mod events;
mod keys;
mod limits;
mod lists;
mod nats;
mod rights;
mod schemathesis;
mod support;
mod webhooks;
