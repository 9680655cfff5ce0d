//! The books of one place, and how each is opened.

use std::path::{Path, PathBuf};

use daicho_store::postgres::Database;

use super::opening::{self, unusable};
use super::place::{BookName, Place};
use crate::clock_and_entropy::ClockAndEntropy;
use crate::error::BookError;
use crate::storage::Storage;

/// The file that makes a folder a book.
pub(crate) const RECORD_FILE: &str = "record.db";

/// The place of books: folders below a data folder, or schemas of a database.
#[derive(Debug, Clone)]
pub struct Books {
    place: Place,
}

impl Books {
    /// The books below this folder, which need not exist yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { place: Place::Folder(folder.into()) }
    }

    /// The books in a PostgreSQL database, `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    /// The text is not such a URL. Whether the database can be reached shows when it is used.
    pub fn in_database(url: &str) -> Result<Self, BookError> {
        let database = Database::parse(url);
        Ok(Self { place: Place::Database(Box::new(database.map_err(place_failed)?)) })
    }

    /// Accepts a database on a server that can lose confirmed events in a crash (`fsync` or
    /// `full_page_writes` off), for tests. A folder is not affected.
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

    /// The place of the books for messages, without user and password.
    pub fn describe(&self) -> String {
        match &self.place {
            Place::Folder(folder) => folder.display().to_string(),
            Place::Database(database) => format!("the database {}", database.place()),
        }
    }

    /// The place that a book of that name has, or would have.
    pub fn describe_book(&self, name: &BookName) -> String {
        match &self.place {
            Place::Folder(folder) => folder.join(name.as_str()).display().to_string(),
            Place::Database(database) => format!("{}, schema {name}", database.place()),
        }
    }

    /// The existing books, by name.
    ///
    /// # Errors
    /// The place cannot be read. A data folder that does not exist is no error: it holds no books.
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
            Place::Folder(folder) => folder.join(name.as_str()).join(RECORD_FILE).is_file(),
            Place::Database(database) => {
                database.has_book(name.as_str()).await.map_err(place_failed)?
            }
        })
    }

    /// Opens the storage of the book of that name.
    pub(crate) async fn open_storage(
        &self,
        name: &BookName,
        clock_and_entropy: ClockAndEntropy,
    ) -> Result<Storage, BookError> {
        if !self.exists(name).await? {
            return Err(self.unknown(name).await?);
        }
        opening::open(name, &self.place, clock_and_entropy).await
    }

    /// Creates the storage of an empty book of that name.
    pub(crate) async fn create_storage(
        &self,
        name: &BookName,
        clock_and_entropy: ClockAndEntropy,
    ) -> Result<Storage, BookError> {
        if self.exists(name).await? {
            return Err(BookError::Exists(name.to_string()));
        }
        opening::create(name, &self.place, clock_and_entropy).await
    }

    /// Lets a role of the database serve a book: it may read, append and update the lists, but
    /// never change what is recorded. With the vault it may also seal and open personal data.
    ///
    /// # Errors
    /// The book is in a folder, there is no such book or role, or the caller does not own the book.
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

fn place_failed(error: impl std::error::Error + Send + Sync + 'static) -> BookError {
    BookError::Place(Box::new(error))
}
