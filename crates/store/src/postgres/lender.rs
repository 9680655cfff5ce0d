//! Connections that a pool lends: one is given back only when all that was asked of it was
//! answered, and is closed otherwise. All waiting for an answer ends here, too: a network that
//! swallows packets would stay silent for ever.
//!
//! Closing it keeps a caller that goes away, or a wire that went silent, from leaving a transaction
//! open in the pool (sqlx 0.9.0 leaks one when `begin()` is dropped) or a connection in it that is
//! never ready again: the pool asks each connection that comes back whether it is, without a limit.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Postgres};
use tokio::time::Instant;

use crate::error::StorageError;

use super::error::{is_broken, is_silent, state};

/// Seconds after which a connection that nobody uses is closed: books open when they are used.
const IDLE_SECONDS_MAX: u64 = 60;
/// How often a question is asked, each time over another connection: several may be broken at once.
const TRIES_MAX: u32 = 6;
/// How long a connection that comes back may take to say that it is ready; otherwise it is closed.
const READY: Duration = Duration::from_secs(5);

/// Waiting for an answer, up to a limit.
pub(crate) trait Within<T>: Future<Output = Result<T, sqlx::Error>> + Send + Sized {
    /// The answer, or the error of a server that did not give one in time. What it did then, only
    /// the server knows.
    fn within(
        self,
        limit: Duration,
        context: &'static str,
    ) -> impl Future<Output = Result<T, StorageError>> + Send;
}

impl<T, F: Future<Output = Result<T, sqlx::Error>> + Send> Within<T> for F {
    fn within(
        self,
        limit: Duration,
        context: &'static str,
    ) -> impl Future<Output = Result<T, StorageError>> + Send {
        in_time(limit, context, async move { self.await.map_err(StorageError::sqlx(context)) })
    }
}

/// The same, for several questions one after the other.
pub(crate) async fn in_time<T, E: From<StorageError>>(
    limit: Duration,
    context: &'static str,
    work: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E> {
    // On the heap: several of these are nested, and a thread's stack is small.
    match tokio::time::timeout(limit, Box::pin(work)).await {
        Ok(answer) => answer,
        Err(_) => {
            let silence = format!("the server did not answer within {} ms", limit.as_millis());
            let silence = std::io::Error::new(std::io::ErrorKind::TimedOut, silence);
            Err(StorageError::sqlx(context)(sqlx::Error::Io(silence)).into())
        }
    }
}

/// A pool whose connections carry no trace of what failed.
#[derive(Debug)]
pub(crate) struct Lender {
    pool: PgPool,
    limit: Duration,
    /// When the server last failed to answer: a connection that was idle before then may be as
    /// silent.
    silent_at: Arc<Mutex<Option<Instant>>>,
}

/// A connection that is lent. If it is dropped before it is settled, it is closed.
#[derive(Debug)]
pub(crate) struct Lent {
    connection: PoolConnection<Postgres>,
    is_settled: bool,
    /// How long giving it back may take.
    ready: Duration,
}

impl Lender {
    /// Connections are made when they are needed, and closed when nobody has needed them for a
    /// while. An answer may take `limit`.
    pub(crate) fn new(options: PgConnectOptions, connections: u32, limit: Duration) -> Self {
        let silent_at: Arc<Mutex<Option<Instant>>> = Arc::default();
        let silence = Arc::clone(&silent_at);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            // Longer than our own limit, whose error says what is wrong.
            .acquire_timeout(limit * 2)
            .idle_timeout(Duration::from_secs(IDLE_SECONDS_MAX))
            .max_lifetime(None)
            .test_before_acquire(false)
            .before_acquire(move |_, connection| {
                let silent_at = *silence.lock().unwrap_or_else(PoisonError::into_inner);
                let is_sound = silent_at.is_none_or(|at| at.elapsed() > connection.idle_for);
                Box::pin(std::future::ready(Ok(is_sound)))
            })
            .connect_lazy_with(options);
        Self { pool, limit, silent_at }
    }

    /// Asks, and asks again where a connection turns out to be broken: for what changes nothing.
    pub(crate) async fn ask<T, F>(
        &self,
        context: &'static str,
        ask: impl Fn(Lent) -> F + Send + Sync,
    ) -> Result<T, StorageError>
    where
        T: Send,
        F: Future<Output = (Lent, Result<T, sqlx::Error>)> + Send,
    {
        let (answer, lent) = self.ask_and_keep(context, ask).await?;
        lent.settle();
        Ok(answer)
    }

    /// Begins a transaction. It ends by `COMMIT` or `ROLLBACK` and [`Lent::settle`], or with its
    /// connection.
    pub(crate) async fn begin(
        &self,
        context: &'static str,
        statement: &'static str,
    ) -> Result<Lent, StorageError> {
        let begun = self.ask_and_keep(context, |mut lent| async move {
            let begun = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *lent).await;
            (lent, begun)
        });
        Ok(begun.await?.1)
    }

    async fn ask_and_keep<T, F>(
        &self,
        context: &'static str,
        ask: impl Fn(Lent) -> F + Send + Sync,
    ) -> Result<(T, Lent), StorageError>
    where
        T: Send,
        F: Future<Output = (Lent, Result<T, sqlx::Error>)> + Send,
    {
        let mut tries = 1;
        loop {
            let asking = async {
                let connection = self.pool.acquire().await?;
                let ready = self.limit.min(READY);
                let (lent, answer) = ask(Lent { connection, is_settled: false, ready }).await;
                match answer {
                    Ok(answer) => Ok((answer, lent)),
                    Err(error) => {
                        if state(&error).is_some() {
                            // An error of the database is an answer, too.
                            lent.settle();
                        }
                        Err(error)
                    }
                }
            };
            match asking.within(self.limit, context).await {
                Err(error) if is_broken(&error) && tries < TRIES_MAX => tries += 1,
                Err(error) if is_silent(&error) => {
                    let now = Some(Instant::now());
                    *self.silent_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
                    return Err(error);
                }
                outcome => return outcome,
            }
        }
    }

    /// Returns when every connection is closed, or does not let itself be closed in time.
    pub(crate) async fn close(&self) {
        if tokio::time::timeout(self.limit, self.pool.close()).await.is_err() {
            tracing::warn!("a connection to a server that does not answer was left to the system");
        }
    }
}

impl Lent {
    /// All that was asked was answered: others may have the connection.
    pub(crate) fn settle(mut self) {
        self.is_settled = true;
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.is_settled {
            // If the limit drops it, the return closes the connection and frees its place in the
            // pool.
            let returning = self.connection.return_to_pool();
            tokio::spawn(tokio::time::timeout(self.ready, returning));
        } else {
            self.connection.close_on_drop();
        }
    }
}
