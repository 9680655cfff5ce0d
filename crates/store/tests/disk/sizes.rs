//! How much the tests of the disk do, and the seed that repeats them.

/// Seed of every run that names none.
const SEED: u64 = 20_261_125;

/// Counts of one run.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Books that are recovered from the image of a crash.
    pub recoveries: usize,
    /// Lives with an error in them, for each of five ways to fail (see `errors.rs`).
    pub lives: usize,
}

const SMALL: Sizes = Sizes { recoveries: 300, lives: 400 };
const LARGE: Sizes = Sizes { recoveries: 30_000, lives: 25_000 };

pub fn is_large() -> bool {
    std::env::var("DAICHO_FAULTS").is_ok_and(|value| value == "large")
}

/// The sizes of this run.
pub fn sizes() -> Sizes {
    if is_large() { LARGE } else { SMALL }
}

/// The seed of this run: that of `DAICHO_SEED`, or always the same.
pub fn seed() -> u64 {
    std::env::var("DAICHO_SEED").map_or(SEED, |seed| seed.parse().expect("a whole number"))
}

/// Lines of progress of a large run.
const TOLD_EACH: usize = 500;

/// Tells how far a large run has come.
pub fn tell_each(number: usize, what: &str) {
    if (number + 1).is_multiple_of(TOLD_EACH) {
        tell(&format!("{} {what}", number + 1));
    }
}

/// Tells what a large run does and did.
pub fn tell(text: &str) {
    if is_large() {
        eprintln!("{text}");
    }
}
