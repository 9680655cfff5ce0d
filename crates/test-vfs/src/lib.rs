//! A disk that fails and loses power under SQLite, for tests.
//!
//! A [`Disk`] is a folder. Every database that is opened in it goes through a VFS of this crate,
//! which is the process's default and leaves every other file alone. It passes each operation to
//! SQLite's own VFS for Unix, keeps a [`Trace`] of what was written and synced when, and fails the
//! operation that a [`Fault`] names. A [`Replay`] of the trace makes [`Image`]s of what a crash
//! after any operation may leave behind.
//!
//! The disk is an honest one. It reports what SQLite's VFS for Unix reports on a common file
//! system: `SQLITE_IOCAP_POWERSAFE_OVERWRITE`, that is, a write never harms the bytes beside it; no
//! atomic writes, no order among writes. A sync makes a file's bytes durable, and its name only
//! where SQLite syncs the folder, too. After a failed sync nothing of what was written before it
//! ever becomes durable, though it can still be read, as on Linux.

mod disk;
mod fault;
mod image;
mod trace;
mod vfs;

pub use disk::Disk;
pub use fault::{Fault, FaultKind, Lasting, Site};
pub use image::{Image, Loss, Replay};
pub use trace::{Inode, Operation, Trace};
