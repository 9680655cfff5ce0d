//! Where an event stands in its book.

use std::fmt;

use daicho_values::Sample;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A position in a book: 1, 2, 3 …, no gap, no duplicate. 0 stands before the first event.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Position(#[schemars(range(max = 9_223_372_036_854_775_807_u64))] pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Sample for Position {
    fn sample() -> Self {
        Self(1)
    }
}
