//! A PostgreSQL database that holds books: how it is reached, and the names of a book's schemas.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::book::OpenError;
use crate::error::StorageError;

/// Bytes that a book's name may have: PostgreSQL cuts longer names of schemas off, at 63.
const NAME_BYTES_MAX: usize = 48;
/// Milliseconds that opening a connection may take.
const CONNECT_MS_MAX: u64 = 10_000;
/// Milliseconds that a task waits for one of the connections of its own process.
const ACQUIRE_MS_MAX: u64 = 30_000;
/// Seconds after which a connection that nobody uses is closed: books open when they are used.
const IDLE_SECONDS_MAX: u64 = 60;

/// A database that holds books, each in schemas of its own.
#[derive(Clone)]
pub struct Database {
    options: PgConnectOptions,
}

/// One part of a book: a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The ledger: `<book>`.
    Record,
    /// Whose turn it is: `<book>_state`.
    State,
    /// What is dropped and remade: `<book>_derived`.
    Derived,
    /// Keys of personal data: `<book>_vault`.
    Vault,
}

/// How long statements of a connection may wait and take, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For a lock.
    pub(crate) lock_ms: u32,
    /// In all.
    pub(crate) statement_ms: u32,
}

impl Database {
    /// The database that a URL names: `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    /// A text that is no such URL.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        let options = PgConnectOptions::from_str(url).ok().filter(|_| known);
        let options = options.ok_or_else(|| {
            let form = "postgres://user:password@host:port/database";
            OpenError::Options(format!("the database must be named as {form}"))
        })?;
        Ok(Self { options: options.application_name("daicho").disable_statement_logging() })
    }

    /// The database as messages name it: without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        let database = self.options.get_database().unwrap_or("its user's database");
        format!("{database} at {}:{}", self.options.get_host(), self.options.get_port())
    }

    /// How one part of a book is reached: plain names stand for what is in its schema.
    #[must_use]
    pub fn part(&self, book: &str, part: Part) -> PgConnectOptions {
        self.connect_options(book, part, Patience { lock_ms: 10_000, statement_ms: 600_000 })
    }

    pub(crate) fn connect_options(
        &self,
        book: &str,
        part: Part,
        patience: Patience,
    ) -> PgConnectOptions {
        let Patience { lock_ms, statement_ms } = patience;
        self.options.clone().options([
            ("search_path", quoted(&schema(book, part))),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("synchronous_commit", "on".to_owned()),
            ("lock_timeout", lock_ms.to_string()),
            ("statement_timeout", statement_ms.to_string()),
            ("idle_in_transaction_session_timeout", statement_ms.to_string()),
        ])
    }

    pub(crate) async fn connect(&self) -> Result<sqlx::PgConnection, StorageError> {
        let connecting = sqlx::PgConnection::connect_with(&self.options);
        let timeout = Duration::from_millis(CONNECT_MS_MAX);
        match tokio::time::timeout(timeout, connecting).await {
            Ok(connected) => connected.map_err(StorageError::sqlx("reach the database")),
            Err(_) => Err(StorageError::sqlx("reach the database")(sqlx::Error::PoolTimedOut)),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Database").field(&self.place()).finish()
    }
}

/// Name of the schema of a part.
pub(crate) fn schema(book: &str, part: Part) -> String {
    let suffix = match part {
        Part::Record => "",
        Part::State => "_state",
        Part::Derived => "_derived",
        Part::Vault => "_vault",
    };
    format!("{book}{suffix}")
}

/// A name as SQL takes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Refuses a name that cannot be a schema's. The form of names is the caller's rule.
pub(crate) fn check_name(book: &str) -> Result<(), OpenError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if book.is_empty() || book.len() > NAME_BYTES_MAX || !book.chars().all(plain) {
        return Err(OpenError::Options(format!(
            "`{book}` cannot name a book in PostgreSQL: lower-case letters, digits and hyphens, at \
             most {NAME_BYTES_MAX}"
        )));
    }
    Ok(())
}

/// Connections made when they are needed, and closed when nobody has needed them for a while.
pub(crate) fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_millis(ACQUIRE_MS_MAX))
        .idle_timeout(Duration::from_secs(IDLE_SECONDS_MAX))
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(options)
}
