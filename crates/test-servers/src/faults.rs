//! How much a test with faults does, and the seed of what is random in it: the one place where all
//! of them ask. `.ci/faults` runs them at their large sizes.

use std::env;

const SIZE_VARIABLE: &str = "DAICHO_FAULTS";
const SEED_VARIABLE: &str = "DAICHO_SEED";
/// The seed of a run that names none: every run of the tests is the same.
const SEED: u64 = 7;

/// Whether `DAICHO_FAULTS=large` asks for the sizes before a release.
///
/// # Panics
/// When the variable holds another word, which would otherwise run the small sizes in silence.
#[must_use]
pub fn is_large() -> bool {
    match env::var(SIZE_VARIABLE).as_deref() {
        Ok("large") => true,
        Ok("small") | Err(env::VarError::NotPresent) => false,
        other => panic!("{SIZE_VARIABLE} is {other:?}: it is `small` or `large`"),
    }
}

/// `DAICHO_SEED`, or the same seed for every run.
///
/// # Panics
/// When it is no number.
#[must_use]
pub fn seed() -> u64 {
    match env::var(SEED_VARIABLE) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{SEED_VARIABLE} is {text}: a number")),
        Err(_) => SEED,
    }
}

/// The size of this run, said on standard error together with the seed.
#[must_use]
pub fn count(what: &str, small: usize, large: usize) -> usize {
    let count = if is_large() { large } else { small };
    eprintln!("faults: {what}: {count}, seed {}", seed());
    count
}
