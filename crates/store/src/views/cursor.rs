//! Where a page ended, as an opaque text that fits into a URL. It says which order it belongs to,
//! and carries a check: a damaged or foreign one is an error, never a page of something else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{CELL_BYTES_MAX, Direction, KEY_BYTES_MAX, Value, ViewError};

/// Bytes of a cursor's text: the longest cell and key, escaped and encoded, and some more.
const CURSOR_BYTES_MAX: usize = (CELL_BYTES_MAX + KEY_BYTES_MAX) * 8 + 1_024;
/// Hexadecimal digits of the check.
const CHECK_DIGITS: usize = 16;

/// Where to go on in a list. Opaque: it is made by a page and given back with the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// The last row of a page, as far as the order depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The column sorted by, or `key`.
    pub(crate) sort: String,
    pub(crate) direction: Direction,
    /// The cell sorted by; null when the order is by key.
    pub(crate) value: Value,
    pub(crate) key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checked {
    check: String,
    place: Place,
}

impl Cursor {
    /// The text, safe in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn new(place: Place) -> Self {
        let checked = Checked { check: check(&place), place };
        let json = serde_json::json!({ "check": checked.check, "place": checked.place });
        Self(URL_SAFE_NO_PAD.encode(json.to_string()))
    }

    pub(crate) fn place(&self) -> Result<Place, ViewError> {
        let foreign = || ViewError::BadCursor { reason: "is not one of ours" };
        if self.0.len() > CURSOR_BYTES_MAX {
            return Err(foreign());
        }
        let json = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| foreign())?;
        let checked: Checked = serde_json::from_slice(&json).map_err(|_| foreign())?;
        if check(&checked.place) != checked.check {
            return Err(ViewError::BadCursor { reason: "was altered" });
        }
        Ok(checked.place)
    }
}

impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Guards against damage and mix-ups, not against malice: a cursor opens nothing that the list
/// itself would not show.
fn check(place: &Place) -> String {
    let json = serde_json::json!(["daicho cursor 1", place]);
    let mut digits = hex::encode(Sha256::digest(json.to_string()));
    digits.truncate(CHECK_DIGITS);
    digits
}
