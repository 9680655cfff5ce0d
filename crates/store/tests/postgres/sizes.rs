//! How much the tests with faults do: little at the desk, more with `DAICHO_FAULTS=large`.

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
}

const SMALL: Sizes =
    Sizes { rounds: 20, terminations: 6, stops: 2, cuts: 24, stride: 13, process_rounds: 15 };
const LARGE: Sizes = Sizes {
    rounds: 500,
    terminations: 100,
    stops: 10,
    cuts: 1_000,
    stride: 1,
    process_rounds: 300,
};

/// The sizes of this run. Nothing here is random: the counts are all that there is to repeat it.
pub fn sizes() -> Sizes {
    let is_large = std::env::var("DAICHO_FAULTS").is_ok_and(|value| value == "large");
    let sizes = if is_large { LARGE } else { SMALL };
    if is_large {
        eprintln!("{sizes:?}");
    }
    sizes
}
