//! A PostgreSQL database that holds books: what names it, and what its server must promise.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};

use crate::book::OpenError;
use crate::error::StorageError;

use super::connect::{Access, Patience};
use super::schema::SchemaName;

/// How long an answer may take: longer than the server gives a statement of the record.
const ANSWER_MAX: Duration = Duration::from_secs(35);
const REACHING: &str = "reach the database";

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
    /// The caller has accepted that, for tests.
    Waived,
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

    /// Gives up on a server that does not answer a statement within `limit`, instead of after half
    /// a minute.
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

    pub(crate) fn access(&self, schema: &SchemaName, patience: Patience) -> Access {
        Access::new(self.options.clone(), self.answer, schema, patience)
    }

    pub(crate) async fn connect(&self) -> Result<PgConnection, StorageError> {
        Access::to_database(self.options.clone(), self.answer).connect(REACHING).await
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
