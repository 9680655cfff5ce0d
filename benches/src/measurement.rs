//! A measurement as one process hands it to another: a JSON line, the same of ours and of the
//! peers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::{Latencies, Rate};

/// What was measured, of whom, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The software, its version and the way in.
    pub who: String,
    /// The database below.
    pub storage: String,
    /// What a commit waits for.
    pub durability: String,
    /// `append`, `replay` and the like.
    pub work: String,
    /// Whether each append was refused where something stood against it.
    pub checked: bool,
    /// Writers at once.
    pub writers: usize,
    /// Events of one append.
    pub batch: usize,
    /// Events in all.
    pub events: u64,
    /// The time that they took.
    pub seconds: f64,
    /// Of a call, microseconds.
    pub p50_us: f64,
    /// Of a call, microseconds.
    pub p99_us: f64,
    /// The longest call, microseconds.
    pub longest_us: f64,
    /// Hash of the result as it was read back.
    pub result: String,
}

impl Measurement {
    /// Nobody, nothing, in one second.
    pub(crate) fn blank() -> Self {
        Self {
            who: String::new(),
            storage: String::new(),
            durability: String::new(),
            work: String::new(),
            checked: false,
            writers: 1,
            batch: 1,
            events: 0,
            seconds: 1.0,
            p50_us: 0.0,
            p99_us: 0.0,
            longest_us: 0.0,
            result: String::new(),
        }
    }

    /// Events and their time.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate { events: self.events, took: Duration::from_secs_f64(self.seconds) }
    }

    /// The measurement with the calls that it is made of.
    pub(crate) fn with_calls(mut self, calls: &Latencies) -> Self {
        let us = |time: Duration| time.as_secs_f64() * 1e6;
        self.p50_us = us(calls.percentile(50));
        self.p99_us = us(calls.percentile(99));
        self.longest_us = us(calls.longest());
        self
    }
}
