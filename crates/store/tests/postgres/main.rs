//! What only a book on PostgreSQL can suffer: its server's settings and rights, servers that stop,
//! wires that break, processes that are killed.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[path = "../contract/support.rs"]
mod support;

#[path = "../contract/following.rs"]
mod following;

mod cuts;
mod derived;
mod dropping;
mod faults;
mod followers;
mod gate;
mod many;
mod place;
mod processes;
mod record;
mod silence;
mod sizes;
mod wakes;
mod wire;
