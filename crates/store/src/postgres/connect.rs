//! How a database is reached: connections to one schema, and the limits on all waiting.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection};

use crate::error::StorageError;

use super::lender::{Lender, Within as _};
use super::schema::SchemaName;

/// Milliseconds that opening a connection may take.
const CONNECT_MS_MAX: u64 = 10_000;
/// After how long the server checks whether a silent client is still there, how often it asks
/// again, and how long what it sends may stay unconfirmed. After that, whatever a client that
/// vanished was holding (the turn to seal, the head) is free again.
const SERVER_KEEPALIVE: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "60000"),
];
/// How long a statement on the record may take, and wait for a lock.
pub(super) const PATIENCE: Patience =
    Patience { lock_ms: 10_000, statement_ms: 30_000, idle_ms: 30_000 };

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
    /// Access to `schema`, within the limits of `patience`.
    pub(super) fn new(
        options: PgConnectOptions,
        answer: Duration,
        schema: &SchemaName,
        patience: Patience,
    ) -> Self {
        Self { options: limited(options, schema, patience), answer }
    }

    /// Access to the database, whose own settings say which tables plain names mean.
    pub(super) fn to_database(options: PgConnectOptions, answer: Duration) -> Self {
        Self { options, answer }
    }

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

/// Options for a connection to `schema`: plain table names mean the tables of that schema, a commit
/// is durable unless the connection says otherwise later, and all waiting has a limit. Of two
/// options with one name the later one counts, so these hold whatever the URL, the role or the
/// database say.
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
