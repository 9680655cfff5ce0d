//! How far long work has come: the ledger reports it, and the binary shows it.

/// Somebody who watches long work.
pub trait Progress: Send + Sync {
    /// A stage of the work begins, which has this many steps.
    fn begin(&self, what: &str, steps: u64);
    /// This many steps are done.
    fn at(&self, step: u64);
    /// The stage is over.
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
