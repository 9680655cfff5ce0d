//! How much the tests with faults do: little at the desk, more with `DAICHO_FAULTS=large`.

use std::sync::LazyLock;

/// Counts of one run.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Appends of each caller.
    pub rounds: usize,
    /// Times that all backends are ended.
    pub terminations: usize,
    /// Times that the server is stopped.
    pub stops: usize,
    /// Places at which the wire is cut.
    pub cuts: u64,
    /// From one await at which an opening is dropped to the next; a creation, which takes much
    /// longer, at every eighth of these.
    pub stride: usize,
    /// Appends of each process.
    pub process_rounds: usize,
    /// Books of one database.
    pub books: usize,
}

const SMALL: Sizes = Sizes {
    rounds: 20,
    terminations: 6,
    stops: 2,
    cuts: 24,
    stride: 13,
    process_rounds: 15,
    books: 12,
};
const LARGE: Sizes = Sizes {
    rounds: 200,
    terminations: 40,
    stops: 6,
    cuts: 200,
    stride: 3,
    process_rounds: 150,
    books: 100,
};

/// Nothing here is random: the counts are all that there is to repeat a run.
static CHOSEN: LazyLock<Sizes> = LazyLock::new(|| {
    let is_large = std::env::var("DAICHO_FAULTS").is_ok_and(|value| value == "large");
    if is_large {
        eprintln!("{LARGE:?}");
    }
    if is_large { LARGE } else { SMALL }
});

/// The sizes of this run.
pub fn sizes() -> Sizes {
    *CHOSEN
}
