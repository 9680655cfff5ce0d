//! Whose fault an error is: the status of an answer and the exit code follow from it.

/// Whose fault an error is, which decides what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The caller's: the same request fails again and must be corrected.
    Caller,
    /// Nobody's: others worked on the same things at the same time, and the same request may
    /// succeed later.
    Busy,
    /// Ours: failing storage, damage, a limit of the ledger itself, or a mistake in the program.
    Ours,
}
