//! Quantity: how many of a thing. Never zero and never below.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::Sample;

/// The largest quantity of one line.
pub const QUANTITY_MAX: u32 = 1_000_000_000;

/// How many: from 1 to [`QUANTITY_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Quantity(NonZeroU32);

/// A number is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a quantity: from 1 to {QUANTITY_MAX}")]
pub struct QuantityError(i64);

impl Quantity {
    /// One.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// A quantity, if the number is one.
    ///
    /// # Errors
    /// Zero, below zero, or beyond [`QUANTITY_MAX`].
    pub fn new(number: i64) -> Result<Self, QuantityError> {
        let quantity = u32::try_from(number).ok().filter(|number| *number <= QUANTITY_MAX);
        quantity.and_then(NonZeroU32::new).map(Self).ok_or(QuantityError(number))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
        } else {
            Self::new(u32::deserialize(deserializer)?.into()).map_err(D::Error::custom)
        }
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": QUANTITY_MAX })
    }
}

impl Sample for Quantity {
    fn sample() -> Self {
        Self::ONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_below_zero_and_beyond_the_limit_are_not_quantities() {
        for number in [0, -1, i64::from(QUANTITY_MAX) + 1, i64::MIN] {
            assert!(Quantity::new(number).is_err(), "{number}");
        }
        assert_eq!(
            serde_json::from_str::<Quantity>("0").unwrap_err().to_string(),
            "0 is not a quantity: from 1 to 1000000000"
        );
    }
}
