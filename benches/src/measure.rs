//! Rates, latencies and medians of what was measured.

use std::fmt;
use std::time::Duration;

/// Events in a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Events.
    pub events: u64,
    /// The time that they took.
    pub took: Duration,
}

impl Rate {
    /// Events a second.
    #[must_use]
    pub fn a_second(self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }

    /// How many times as fast as `other`.
    #[must_use]
    pub fn against(self, other: Self) -> f64 {
        self.a_second() / other.a_second()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.a_second() {
            rate if rate >= 1e6 => write!(f, "{:.2} M", rate / 1e6),
            rate => write!(f, "{:.1} k", rate / 1e3),
        }
    }
}

/// How long each call took, shortest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies(Vec<Duration>);

impl From<Vec<Duration>> for Latencies {
    fn from(mut calls: Vec<Duration>) -> Self {
        calls.sort_unstable();
        Self(calls)
    }
}

impl Latencies {
    /// The latency that `per_cent` of the calls stay within; zero without a call.
    #[must_use]
    pub fn percentile(&self, per_cent: usize) -> Duration {
        let rank = (self.0.len() * per_cent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    /// The longest stall.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// Calls measured.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.0.len()
    }

    /// The calls of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::from(self.0)
    }
}

/// The round in the middle by what `of` says of each; none of no rounds.
pub(crate) fn median_by<T>(mut rounds: Vec<T>, of: impl Fn(&T) -> f64) -> Option<T> {
    rounds.sort_by(|left, right| of(left).total_cmp(&of(right)));
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_call_that_happened_and_the_longest_is_the_last() {
        let latencies =
            Latencies::from((1..=200).rev().map(Duration::from_micros).collect::<Vec<_>>());
        assert_eq!(latencies.percentile(50), Duration::from_micros(100));
        assert_eq!(latencies.percentile(99), Duration::from_micros(198));
        assert_eq!(latencies.longest(), Duration::from_micros(200));
        assert_eq!(Latencies::default().percentile(99), Duration::ZERO);
    }

    #[test]
    fn the_median_is_the_round_in_the_middle() {
        assert_eq!(median_by(vec![3.0, 1.0, 2.0], |round| *round), Some(2.0));
        assert_eq!(median_by(Vec::<f64>::new(), |round| *round), None);
    }
}
