//! Where measured books are made: in a folder on SQLite, or in a PostgreSQL database.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use daicho_store::postgres::Database;
use daicho_store::{Book, Options, sqlite};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::SOFTWARE;
use crate::error::BenchError;
use crate::packer::EventPacker;

/// Where books are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// A folder with a folder for each book.
    Folder(PathBuf),
    /// A database with schemas for each book: its URL.
    Database(String),
}

/// Where one book stands.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Folder(PathBuf),
    Database { url: String, book: String },
}

impl Ground {
    /// The place of a book of that name.
    pub(crate) fn place(&self, book: &str) -> Place {
        match self {
            Self::Folder(folder) => Place::Folder(folder.join(book)),
            Self::Database(url) => {
                Place::Database { url: url.clone(), book: book.replace('-', "_") }
            }
        }
    }

    /// The database and its version, and what a commit waits for.
    ///
    /// # Errors
    /// A server that cannot be asked.
    pub(crate) async fn describe(&self, sqlite: &str) -> Result<(String, String), BenchError> {
        let Self::Database(url) = self else {
            return Ok((format!("SQLite {sqlite}"), "WAL, synchronous=FULL".to_owned()));
        };
        let mut connection = connect(url).await?;
        let asked = sqlx::query_as(include_str!("sql/durability.sql"));
        let (version, fsync, commit): (String, String, String) =
            asked.fetch_one(&mut connection).await?;
        connection.close().await?;
        let durability = format!("fsync={fsync}, synchronous_commit={commit}");
        Ok((format!("PostgreSQL {version}"), durability))
    }
}

impl Place {
    pub(crate) async fn create(&self) -> Result<Book, BenchError> {
        Ok(match self {
            Self::Folder(folder) => sqlite::create_book(folder, options()).await?,
            Self::Database { url, book } => {
                Database::parse(url)?.create_book(book, options()).await?
            }
        })
    }

    pub(crate) async fn open(&self) -> Result<Book, BenchError> {
        Ok(match self {
            Self::Folder(folder) => sqlite::open_book(folder, options()).await?,
            Self::Database { url, book } => {
                Database::parse(url)?.open_book(book, options()).await?
            }
        })
    }

    /// The folder of a book that has one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Database { .. } => None,
        }
    }
}

/// A connection of the benches' own, beside those of the book.
pub(crate) async fn connect(url: &str) -> Result<PgConnection, BenchError> {
    Ok(PgConnectOptions::from_str(url)?.disable_statement_logging().connect().await?)
}

fn options() -> Options {
    Options { packer: Arc::new(EventPacker), ..Options::new(SOFTWARE) }
}
