//! Whose fault an error is: the status of an answer and the exit code follow from it.

/// Whose fault an error is, and so what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The caller's: asked in the same way it fails again, and the request must be mended.
    Caller,
    /// Nobody's: others were at work at the same time, and the same request may succeed later.
    Busy,
    /// Ours: storage that fails, damage, a limit of the ledger's own, a mistake in the program.
    Ours,
}
