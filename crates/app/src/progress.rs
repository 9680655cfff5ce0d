//! How far long work has come: the ledger tells, the binary shows.

/// Somebody who watches long work.
pub trait Progress: Send + Sync {
    /// A stretch of work of so many steps begins.
    fn begin(&self, what: &str, steps: u64);
    /// So many steps are done.
    fn at(&self, step: u64);
    /// The stretch is over.
    fn end(&self);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _: &str, _: u64) {}
    fn at(&self, _: u64) {}
    fn end(&self) {}
}
