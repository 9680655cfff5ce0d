//! How much the tests with faults do here: little in each run, more in `.ci/faults`.

use std::sync::LazyLock;

use daicho_test_servers::faults;

/// Counts of one run.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Appends of each caller.
    pub rounds: usize,
    /// Times that all backends are ended.
    pub terminations: usize,
    /// Times that the server is stopped.
    pub stops: usize,
    /// Places at which the wire is cut, at most every byte.
    pub cuts: u64,
    /// Places at which it falls silent.
    pub silences: u64,
    /// Of the awaits of an opening, a creation and a copy, each `stride`-th is one at which it is
    /// dropped.
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
    cuts: 200,
    silences: 4,
    stride: 4,
    process_rounds: 15,
    books: 12,
};
const LARGE: Sizes = Sizes {
    rounds: 200,
    terminations: 40,
    stops: 6,
    cuts: u64::MAX,
    silences: 400,
    stride: 1,
    process_rounds: 150,
    books: 1_000,
};

/// Nothing here is random: the counts are all that there is to repeat a run.
static CHOSEN: LazyLock<Sizes> = LazyLock::new(|| {
    let chosen = if faults::is_large() { LARGE } else { SMALL };
    eprintln!("faults: {chosen:?}");
    chosen
});

/// The sizes of this run.
pub fn sizes() -> Sizes {
    *CHOSEN
}
