//! Names in the state of a book, and the errors that name what they are about.

use std::fmt;

use crate::error::StorageError;

/// Bytes of the name of a cursor, a lease or a document.
pub const STATE_NAME_BYTES_MAX: usize = 64;
/// Schema of the state that this program writes, on every database. A new table that earlier
/// releases do not look at, such as that of the documents, does not raise it, so they can go on
/// working beside this release.
pub(crate) const STATE_VERSION: i64 = 1;

/// The name of a cursor, a lease, a document or its kind: 1 to 64 of `a` to `z`, digits, `-`, `_`,
/// `.` and `:`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateName(String);

impl StateName {
    /// The name, or what is wrong with it.
    ///
    /// # Errors
    /// A text that is no such name.
    pub fn new(name: &str) -> Result<Self, StateError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.:".contains(c);
        if (1..=STATE_NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(is_plain) {
            return Ok(Self(name.to_owned()));
        }
        Err(StateError::Refused(format!(
            "`{name}` cannot be a name here: 1 to {STATE_NAME_BYTES_MAX} lower-case letters, \
             digits, and - _ . :"
        )))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why the state was not read or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StateError {
    /// A named limit or rule of form was broken.
    #[error("{0}")]
    Refused(String),
    /// The cursor is not where its consumer left it.
    #[error(
        "cursor {name} stands at {at}, not at {from}: another consumer follows under this name, or \
         somebody has set the cursor; end one of them, or begin again"
    )]
    CursorMoved {
        /// Its name.
        name: StateName,
        /// Where it stands.
        at: u64,
        /// Where the consumer left it.
        from: u64,
    },
    /// The cursor is no more.
    #[error("cursor {name} was deleted while its consumer followed: begin again")]
    CursorDeleted {
        /// Its name.
        name: StateName,
    },
    /// The file is of another book.
    #[error("{place} is the state of another book: put the right one there, or take it away")]
    OfAnotherBook {
        /// Where it is.
        place: String,
    },
    /// A later release has written it.
    #[error(
        "the state has schema {found}, this program knows {STATE_VERSION}: use a later release"
    )]
    NewerSchema {
        /// The schema found.
        found: i64,
    },
    /// The storage failed.
    #[error("the state of the book cannot be read or written: try again")]
    Storage(#[from] StorageError),
}

impl StateError {
    /// The rule that was broken, or else the failure.
    ///
    /// # Errors
    /// Any error that is not a broken rule.
    pub fn broken_rule(self) -> Result<String, Self> {
        if let Self::Refused(rule) = self { Ok(rule) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_needs_care_is_refused_and_a_plain_one_is_not() {
        for name in ["crm", "shop-1:orders.v2_x", &"a".repeat(STATE_NAME_BYTES_MAX)] {
            assert_eq!(StateName::new(name).unwrap().as_str(), name);
        }
        for name in ["", "A", "a b", "台帳", "a/b", &"a".repeat(STATE_NAME_BYTES_MAX + 1)] {
            assert!(matches!(StateName::new(name), Err(StateError::Refused(_))), "{name}");
        }
    }
}
