//! Errors in the form of what a caller writes, with the field that is wrong.

use serde::de::{DeserializeOwned, Deserializer};
use serde_path_to_error::{Deserializer as Tracking, Track};

use crate::blame::Blame;

/// A caller's text does not have the required form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct FormError {
    /// The field that is wrong, such as `lines[0].quantity`, if it is a single field.
    pub field: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl FormError {
    /// Whose fault it is: the caller's, who wrote it.
    pub fn blame(&self) -> Blame {
        Blame::Caller
    }

    /// Something is wrong with the text as a whole.
    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self { field: None, reason: reason.into() }
    }

    /// Something is wrong with this field.
    pub(crate) fn at(field: &str, reason: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), reason: reason.into() }
    }
}

/// Reads a value.
///
/// # Errors
/// What is wrong, and with which field.
pub fn read<'de, T, D>(from: D) -> Result<T, FormError>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let mut track = Track::new();
    T::deserialize(Tracking::new(from, &mut track)).map_err(|error| {
        let (path, reason) = (track.path().to_string(), error.to_string());
        let within = (path != ".").then_some(path);
        let field = match (within, named(&reason)) {
            (Some(within), Some(name)) if !within.ends_with(name) => {
                Some(format!("{within}.{name}"))
            }
            (within, name) => within.or_else(|| name.map(str::to_owned)),
        };
        FormError { field, reason }
    })
}

/// The field that a serde error names: the error's path ends before a field that is missing.
fn named(reason: &str) -> Option<&str> {
    let quoted = ["unknown field `", "missing field `", "duplicate field `"];
    let rest = quoted.into_iter().find_map(|opening| reason.strip_prefix(opening))?;
    rest.split_once('`').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "read, never looked at")]
    struct Order {
        buyer: String,
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "read, never looked at")]
    struct Line {
        quantity: u32,
    }

    #[test]
    fn the_field_that_is_wrong_is_named_by_its_path() {
        for (value, field) in [
            (json!({ "buyer": 7, "lines": [] }), Some("buyer")),
            (json!({ "buyer": "b", "lines": [{ "quantity": -1 }] }), Some("lines[0].quantity")),
            (json!({ "buyer": "b", "lines": [{ "quantity": 1, "x": 1 }] }), Some("lines[0].x")),
            (json!({ "buyer": "b", "lines": [{}] }), Some("lines[0].quantity")),
            (json!({ "buyer": "b" }), Some("lines")),
            (json!({ "bayer": "b", "lines": [] }), Some("bayer")),
            (json!("text"), None),
        ] {
            let error = read::<Order, _>(value.clone()).unwrap_err();
            assert_eq!(error.field.as_deref(), field, "{value}: {error}");
        }
    }
}
