//! Books: where they stand and what they are called. Opened when used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use daicho_store::postgres::Database;

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

/// Where books stand: folders below a data folder, or schemas of a database.
#[derive(Debug, Clone)]
pub struct Books {
    place: Place,
}

/// The kinds of places.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A folder each, below this one.
    Folder(PathBuf),
    /// A few schemas each, in this PostgreSQL database.
    Database(Box<Database>),
}

impl Books {
    /// The books below this folder, which need not exist yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { place: Place::Folder(folder.into()) }
    }

    /// The books in a PostgreSQL database, `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    /// A text that is no such URL. Whether it can be reached is seen when it is used.
    pub fn in_database(url: &str) -> Result<Self, BookError> {
        let database = Database::parse(url);
        Ok(Self { place: Place::Database(Box::new(database.map_err(place_failed)?)) })
    }

    /// Takes a database on a server that loses in a crash what it has confirmed (`fsync` or
    /// `full_page_writes` off): for tests. A folder stays as it is.
    #[must_use]
    pub fn allowing_unsafe_server(self) -> Self {
        let place = match self.place {
            Place::Database(database) => {
                Place::Database(Box::new(database.allowing_unsafe_server()))
            }
            folder @ Place::Folder(_) => folder,
        };
        Self { place }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Where the books stand, for messages: no user, no password.
    pub fn describe(&self) -> String {
        match &self.place {
            Place::Folder(folder) => folder.display().to_string(),
            Place::Database(database) => format!("the database {}", database.place()),
        }
    }

    /// Where a book of that name stands, or would.
    pub fn describe_book(&self, name: &BookName) -> String {
        match &self.place {
            Place::Folder(folder) => folder.join(&name.0).display().to_string(),
            Place::Database(database) => format!("{}, schema {name}", database.place()),
        }
    }

    /// The books there are, by name.
    ///
    /// # Errors
    /// A place that cannot be read; a data folder that does not exist holds none.
    pub async fn list(&self) -> Result<Vec<BookName>, BookError> {
        let mut names = match &self.place {
            Place::Folder(folder) => in_folder(folder)?,
            Place::Database(database) => {
                let names = database.books().await.map_err(place_failed)?;
                names.iter().filter_map(|name| name.parse().ok()).collect()
            }
        };
        names.sort();
        Ok(names)
    }

    /// Whether there is a book of that name.
    ///
    /// # Errors
    /// As [`Books::list`].
    pub async fn exists(&self, name: &BookName) -> Result<bool, BookError> {
        Ok(match &self.place {
            Place::Folder(folder) => folder.join(&name.0).join(RECORD_FILE).is_file(),
            Place::Database(database) => database.has_book(&name.0).await.map_err(place_failed)?,
        })
    }

    /// Opens a book.
    ///
    /// # Errors
    /// No such book, or one that the store refuses to open.
    pub async fn open(&self, name: &BookName, edge: Edge) -> Result<Ledger, BookError> {
        if !self.exists(name).await? {
            return Err(self.unknown(name).await?);
        }
        Ledger::open(name, &self.place, edge).await
    }

    /// Makes an empty book; its settings come with the command `shop.open_book`.
    ///
    /// # Errors
    /// A book of that name, or a place where none can be made.
    pub async fn create(&self, name: &BookName, edge: Edge) -> Result<Ledger, BookError> {
        if self.exists(name).await? {
            return Err(BookError::Exists(name.to_string()));
        }
        Ledger::create(name, &self.place, edge).await
    }

    /// Lets a role of the database serve a book: read and append, and keep up its lists, but never
    /// change what is recorded. With the vault it may also seal and open personal data.
    ///
    /// # Errors
    /// A book in a folder, no such book or role, or a caller that does not own the book.
    pub async fn grant(&self, name: &BookName, role: &str, vault: bool) -> Result<(), BookError> {
        let Place::Database(database) = &self.place else { return Err(BookError::Rights) };
        if !self.exists(name).await? {
            return Err(self.unknown(name).await?);
        }
        let book = name.to_string();
        let granted = database.grant(&book, role).await;
        let granted = match granted {
            Ok(()) if vault => database.grant_vault(&book, role).await,
            granted => granted,
        };
        granted.map_err(|source| BookError::Open { name: book, source: Box::new(source) })
    }

    async fn unknown(&self, name: &BookName) -> Result<BookError, BookError> {
        let known: Vec<String> = self.list().await?.iter().map(ToString::to_string).collect();
        let known = if known.is_empty() {
            "there is no book yet; `daicho book create NAME` makes one".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        Ok(BookError::Unknown { name: name.to_string(), place: self.describe(), known })
    }
}

fn in_folder(folder: &Path) -> Result<Vec<BookName>, BookError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(unusable(folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| unusable(folder, source))?;
        let name = entry.file_name().to_string_lossy().parse::<BookName>();
        if let Ok(name) = name
            && entry.path().join(RECORD_FILE).is_file()
        {
            names.push(name);
        }
    }
    Ok(names)
}

pub(crate) fn unusable(path: &Path, source: std::io::Error) -> BookError {
    BookError::Folder { path: path.display().to_string(), source }
}

fn place_failed(error: impl std::error::Error + Send + Sync + 'static) -> BookError {
    BookError::Place(Box::new(error))
}
