//! A PostgreSQL database that holds books: how it is reached, and where the parts of a book stand.

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection};

use crate::book::OpenError;
use crate::error::StorageError;
use crate::vault::{Entropy, VaultError};
use crate::views::ViewError;

use super::schema::{Part, SchemaName};
use super::{PostgresVault, PostgresViews};

/// Milliseconds that opening a connection may take.
const CONNECT_MS_MAX: u64 = 10_000;
/// Milliseconds that a task waits for one of the connections of its own process.
const ACQUIRE_MS_MAX: u64 = 30_000;
const REACHING: &str = "reach the database";
/// Seconds after which a connection that nobody uses is closed: books open when they are used.
const IDLE_SECONDS_MAX: u64 = 60;

/// A database that holds books, each in schemas of its own.
#[derive(Clone)]
pub struct Database {
    options: PgConnectOptions,
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

    /// Makes the vault of a new book; see [`PostgresVault::create`].
    ///
    /// # Errors
    /// As there, or a name that no schema can have.
    pub async fn create_vault(
        &self,
        book: &str,
        entropy: Arc<dyn Entropy>,
    ) -> Result<PostgresVault, VaultError> {
        let schema = SchemaName::of(book, Part::Vault).map_err(VaultError::Refused)?;
        PostgresVault::create(self.options.clone(), schema.as_str(), entropy).await
    }

    /// Opens the vault of a book; see [`PostgresVault::open`].
    ///
    /// # Errors
    /// As there, or a name that no schema can have.
    pub async fn open_vault(
        &self,
        book: &str,
        entropy: Arc<dyn Entropy>,
    ) -> Result<PostgresVault, VaultError> {
        let schema = SchemaName::of(book, Part::Vault).map_err(VaultError::Refused)?;
        PostgresVault::open(self.options.clone(), schema.as_str(), entropy).await
    }

    /// Opens the views of a book; see [`PostgresViews::open`].
    ///
    /// # Errors
    /// As there, or a name that no schema can have.
    pub async fn open_views(
        &self,
        book: &str,
        book_id: [u8; 16],
    ) -> Result<PostgresViews, ViewError> {
        let schema = SchemaName::of(book, Part::Derived).map_err(ViewError::Refused)?;
        PostgresViews::open(self.options.clone(), schema.as_str(), book_id).await
    }

    pub(crate) fn connect_options(
        &self,
        schema: &SchemaName,
        patience: Patience,
    ) -> PgConnectOptions {
        let Patience { lock_ms, statement_ms } = patience;
        self.options.clone().options([
            ("search_path", schema.quoted()),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("synchronous_commit", "on".to_owned()),
            ("lock_timeout", lock_ms.to_string()),
            ("statement_timeout", statement_ms.to_string()),
            ("idle_in_transaction_session_timeout", statement_ms.to_string()),
        ])
    }

    pub(crate) async fn connect(&self) -> Result<PgConnection, StorageError> {
        connect(&self.options, REACHING).await
    }

    /// A connection of its own to one schema.
    pub(crate) async fn connect_to(
        &self,
        schema: &SchemaName,
        patience: Patience,
    ) -> Result<PgConnection, StorageError> {
        connect(&self.connect_options(schema, patience), REACHING).await
    }
}

/// A connection of its own, or what is wrong; at once where the server says it.
pub(crate) async fn connect(
    options: &PgConnectOptions,
    context: &'static str,
) -> Result<PgConnection, StorageError> {
    let timeout = Duration::from_millis(CONNECT_MS_MAX);
    match tokio::time::timeout(timeout, options.connect()).await {
        Ok(connected) => connected.map_err(StorageError::sqlx(context)),
        Err(_) => {
            let silence = format!("the server did not answer within {CONNECT_MS_MAX} ms");
            let silence = std::io::Error::new(std::io::ErrorKind::TimedOut, silence);
            Err(StorageError::sqlx(context)(sqlx::Error::Io(silence)))
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Database").field(&self.place()).finish()
    }
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
