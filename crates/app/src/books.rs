//! Books: one folder each below the data folder. Opened when used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::edge::Edge;
use crate::error::BookError;
use crate::ledger::Ledger;

/// Characters of a book's name.
const NAME_CHARS_MAX: usize = 48;
/// The file that makes a folder a book.
pub(crate) const RECORD_FILE: &str = "record.db";

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

impl fmt::Display for BookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The books of a data folder.
#[derive(Debug, Clone)]
pub struct Books {
    folder: PathBuf,
}

impl Books {
    /// The books below this folder, which need not exist yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where a book of that name stands, or would.
    pub fn folder_of(&self, name: &BookName) -> PathBuf {
        self.folder.join(name.to_string())
    }

    /// The books there are, by name.
    ///
    /// # Errors
    /// A data folder that cannot be read; one that does not exist holds none.
    pub fn list(&self) -> Result<Vec<BookName>, BookError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(unusable(&self.folder, source)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| unusable(&self.folder, source))?;
            let name = entry.file_name().to_string_lossy().parse::<BookName>();
            if let Ok(name) = name
                && entry.path().join(RECORD_FILE).is_file()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether there is a book of that name.
    pub fn exists(&self, name: &BookName) -> bool {
        self.folder_of(name).join(RECORD_FILE).is_file()
    }

    /// Opens a book.
    ///
    /// # Errors
    /// No such book, or one that the store refuses to open.
    pub async fn open(&self, name: &BookName, edge: Edge) -> Result<Ledger, BookError> {
        if !self.exists(name) {
            return Err(self.unknown(name)?);
        }
        Ledger::open(name, &self.folder_of(name), edge).await
    }

    /// Makes an empty book; its settings come with the command `shop.open_book`.
    ///
    /// # Errors
    /// A book of that name, or a folder that cannot be made.
    pub async fn create(&self, name: &BookName, edge: Edge) -> Result<Ledger, BookError> {
        if self.exists(name) {
            return Err(BookError::Exists(name.to_string()));
        }
        let folder = self.folder_of(name);
        std::fs::create_dir_all(&folder).map_err(|source| unusable(&folder, source))?;
        Ledger::create(name, &folder, edge).await
    }

    fn unknown(&self, name: &BookName) -> Result<BookError, BookError> {
        let known: Vec<String> = self.list()?.iter().map(ToString::to_string).collect();
        let known = if known.is_empty() {
            "there is no book yet; `daicho book create NAME` makes one".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        let folder = self.folder.display().to_string();
        Ok(BookError::Unknown { name: name.to_string(), folder, known })
    }
}

pub(crate) fn unusable(path: &Path, source: std::io::Error) -> BookError {
    BookError::Folder { path: path.display().to_string(), source }
}
