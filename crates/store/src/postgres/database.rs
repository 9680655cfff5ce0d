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

use super::lender::{Lender, Within as _};
use super::schema::{Part, SchemaName};
use super::{PostgresVault, PostgresViews};

/// Milliseconds that opening a connection may take.
const CONNECT_MS_MAX: u64 = 10_000;
/// How long an answer may take: longer than the server gives a statement of the record.
const ANSWER_MAX: Duration = Duration::from_secs(35);
const REACHING: &str = "reach the database";
/// After how long the server looks whether a client that says nothing is still there, how often it
/// asks again, and how long what it sends may stand unconfirmed: what a client that vanished holds
/// (the turn to seal, the head) is free after that.
const SERVER_KEEPALIVE: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "60000"),
];

/// A database that holds books, each in schemas of its own.
#[derive(Clone)]
pub struct Database {
    options: PgConnectOptions,
    answer: Duration,
    durability: Durability,
}

/// Whether a server may forget in a crash what it has confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Such a server is refused.
    Asked,
    /// Whoever uses the database has said that he does not mind: for tests.
    Waived,
}

/// How long statements of a connection may wait and take, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For a lock.
    pub(crate) lock_ms: u32,
    /// In all.
    pub(crate) statement_ms: u32,
    /// How long a transaction may stand idle.
    pub(crate) idle_ms: u32,
}

/// How to reach one schema.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    options: PgConnectOptions,
    /// How long an answer may take.
    pub(crate) answer: Duration,
}

impl Access {
    /// A connection of its own.
    pub(crate) async fn connect(
        &self,
        context: &'static str,
    ) -> Result<PgConnection, StorageError> {
        let limit = self.answer.min(Duration::from_millis(CONNECT_MS_MAX));
        self.options.connect().within(limit, context).await
    }

    /// One connection, made when it is needed, that looks after itself.
    pub(crate) fn pool_of_one(&self) -> PgPool {
        let options = PgPoolOptions::new().max_connections(1).max_lifetime(None);
        options.connect_lazy_with(self.options.clone())
    }

    /// At most so many connections, made when they are needed.
    pub(crate) fn lender(&self, connections: u32) -> Lender {
        Lender::new(self.options.clone(), connections, self.answer)
    }
}

/// A connection to `schema`, plain table names meaning those of it, durable unless it says
/// otherwise later, and with limits on all waiting. Of two options of one name the later counts:
/// these, whatever the URL, the role or the database say.
pub(crate) fn limited(
    options: PgConnectOptions,
    schema: &SchemaName,
    patience: Patience,
) -> PgConnectOptions {
    let Patience { lock_ms, statement_ms, idle_ms } = patience;
    options.options(SERVER_KEEPALIVE).options([
        ("search_path", schema.quoted()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("synchronous_commit", "on".to_owned()),
        ("lock_timeout", lock_ms.to_string()),
        ("statement_timeout", statement_ms.to_string()),
        ("idle_in_transaction_session_timeout", idle_ms.to_string()),
    ])
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
        Ok(Self::of(options.application_name("daicho").disable_statement_logging()))
    }

    pub(super) fn of(options: PgConnectOptions) -> Self {
        Self { options, answer: ANSWER_MAX, durability: Durability::Asked }
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Gives up on a server that does not answer a statement within `limit`, in place of half a
    /// minute.
    #[must_use]
    pub fn answering_within(self, limit: Duration) -> Self {
        Self { answer: limit, ..self }
    }

    /// Takes a server with `fsync` or `full_page_writes` off, which loses in a crash what it has
    /// confirmed: for tests.
    #[must_use]
    pub fn allowing_unsafe_server(self) -> Self {
        Self { durability: Durability::Waived, ..self }
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn answer(&self) -> Duration {
        self.answer
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
        PostgresVault::create_on(self, &schema, entropy).await
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
        PostgresVault::open_on(self, &schema, entropy).await
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

    pub(crate) fn access(&self, schema: &SchemaName, patience: Patience) -> Access {
        Access { options: limited(self.options.clone(), schema, patience), answer: self.answer }
    }

    pub(crate) async fn connect(&self) -> Result<PgConnection, StorageError> {
        Access { options: self.options.clone(), answer: self.answer }.connect(REACHING).await
    }

    /// A connection of its own to one schema.
    pub(crate) async fn connect_to(
        &self,
        schema: &SchemaName,
        patience: Patience,
    ) -> Result<PgConnection, StorageError> {
        self.access(schema, patience).connect(REACHING).await
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Database").field(&self.place()).finish()
    }
}
