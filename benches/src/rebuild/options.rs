//! What a rebuild is measured with.

use std::path::PathBuf;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// Events of the book.
    pub events: u64,
    /// Events of it that are lived by the simulator, at most 50,000; the others are copies of them.
    pub lived: u64,
    /// Same seed, same book.
    pub seed: u64,
    /// How often all of it is measured; the round in the middle counts.
    pub rounds: u32,
    /// Where the book is made and left.
    pub folder: PathBuf,
}
