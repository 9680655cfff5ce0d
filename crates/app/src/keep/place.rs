//! The names of books, and the places where books are.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use daicho_store::postgres::Database;

use crate::error::BookError;

/// The most characters of a book's name.
const NAME_CHARS_MAX: usize = 48;

/// The name of a book: lower-case letters, digits and hyphens, so that it can name a folder, a
/// schema and a subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BookName(String);

impl FromStr for BookName {
    type Err = BookError;
    fn from_str(text: &str) -> Result<Self, BookError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let whole = (1..=NAME_CHARS_MAX).contains(&text.len()) && text.chars().all(legal);
        if whole && !text.starts_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(BookError::Name(text.to_owned()))
        }
    }
}

impl BookName {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kinds of places.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// Each book is a folder below this one.
    Folder(PathBuf),
    /// Each book has a few schemas in this PostgreSQL database.
    Database(Box<Database>),
}
