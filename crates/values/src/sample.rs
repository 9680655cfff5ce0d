//! Samples: one plausible value of every published type, made of the samples of its parts.

/// A plausible value, always the same, for the published samples and for tests.
pub trait Sample {
    /// The sample.
    fn sample() -> Self;
}

impl<T: Sample> Sample for Option<T> {
    fn sample() -> Self {
        Some(T::sample())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample() -> Self {
        vec![T::sample()]
    }
}

impl Sample for String {
    fn sample() -> Self {
        "text".to_owned()
    }
}

impl Sample for bool {
    fn sample() -> Self {
        true
    }
}

impl Sample for u32 {
    fn sample() -> Self {
        1
    }
}

impl Sample for u64 {
    fn sample() -> Self {
        1
    }
}
