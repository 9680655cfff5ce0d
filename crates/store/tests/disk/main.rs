//! What a book on SQLite survives of its disk: a crash after any operation, an error at any.
//!
//! The disk is that of `daicho-test-vfs`: it stands under SQLite as its VFS, and the books are
//! opened and written as anywhere else. `DAICHO_FAULTS=large` makes the runs long and prints what
//! they did; `DAICHO_SEED` repeats one.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "a test crate has no public surface")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[path = "../contract/support.rs"]
mod support;

mod crashes;
mod errors;
mod history;
mod life;
mod recovery;
mod sizes;
mod steps;
