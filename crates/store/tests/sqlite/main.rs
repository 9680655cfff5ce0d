//! What only a book on SQLite can suffer: other processes, pauses, restarts, damage, tampering.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[path = "../contract/support.rs"]
mod support;

#[path = "../contract/following.rs"]
mod following;

mod book;
mod derived;
mod dropping;
mod followers;
mod gate;
mod opening;
mod pausing;
mod processes;
mod record;
mod tampering;
