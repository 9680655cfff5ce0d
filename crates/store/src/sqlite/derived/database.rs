//! How this module speaks to SQLite: connections, one writer at a time, numbers, waiting.
//!
//! SQLite's own waiting is unfair and lets a process stand for seconds; so writers ask again
//! themselves, at short intervals.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::StorageError;

/// Readers of one process.
const READERS_MAX: u32 = 4;
/// How long a reader waits for SQLite: only while the file is being opened or recovered.
const READER_PATIENCE: Duration = Duration::from_secs(5);
/// How often a writer asks for its turn, and how long it waits in between: some 30 seconds.
const WRITER_TRIES_MAX: u32 = 30_000;
const WRITER_PAUSE: Duration = Duration::from_millis(1);
/// How long a task waits for a connection of its own process; a merge takes half a second.
const ACQUIRE_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes to which the write-ahead log shrinks again after a large merge.
const WAL_BYTES_KEPT: &str = "16777216";

/// A transaction that holds its connection.
pub(super) type Tx = Transaction<'static, Sqlite>;

/// Primary result codes, sqlite.org/rescode.html.
mod code {
    pub(super) const ERROR: i32 = 1;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const NOT_A_DATABASE: i32 = 26;
}

/// SQLite's primary result code, when the error is SQLite's.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// The file itself cannot be read as a database.
pub(super) fn is_unreadable(error: &StorageError) -> bool {
    let StorageError::Sqlx { source, .. } = error else { return false };
    matches!(primary_code(source), Some(code::CORRUPT | code::NOT_A_DATABASE))
}

/// What was read is not the derived state of this release: missing tables, wrong types, bad blobs.
pub(super) fn is_unusable(error: &StorageError) -> bool {
    match error {
        StorageError::Corrupt(_) => true,
        StorageError::Sqlx { source, .. } => {
            let shape = matches!(
                **source,
                sqlx::Error::RowNotFound
                    | sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::ColumnNotFound(_)
                    | sqlx::Error::ColumnIndexOutOfBounds { .. }
            );
            shape || is_unreadable(error) || primary_code(source) == Some(code::ERROR)
        }
        StorageError::Io { .. }
        | StorageError::Closed
        | StorageError::Busy { .. }
        | StorageError::Remade
        | StorageError::OutOfOrder { .. } => false,
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(false)
        .page_size(4_096)
        .pragma("journal_size_limit", WAL_BYTES_KEPT)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// The one writing connection of this process; makes the file when it is missing.
pub(super) async fn connect_writer(path: &Path) -> Result<SqlitePool, StorageError> {
    let options = options(path).create_if_missing(true).busy_timeout(Duration::ZERO);
    patiently("open derived.db", || pool(1).connect_with(options.clone())).await
}

/// The reading connections, opened when they are needed.
pub(super) fn connect_readers(path: &Path) -> SqlitePool {
    let options = options(path).pragma("query_only", "1").busy_timeout(READER_PATIENCE);
    pool(READERS_MAX).connect_lazy_with(options)
}

/// Begins a transaction that may write, when its turn has come.
pub(super) async fn begin_write(
    writer: &SqlitePool,
    context: &'static str,
) -> Result<Tx, StorageError> {
    patiently(context, || writer.begin_with("BEGIN IMMEDIATE")).await
}

/// Tries until the database is not busy any more.
async fn patiently<T, F>(
    context: &'static str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    for _ in 0..WRITER_TRIES_MAX {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => match primary_code(&error) {
                Some(code::BUSY | code::LOCKED) => tokio::time::sleep(WRITER_PAUSE).await,
                _ => return Err(StorageError::sqlx(context)(error)),
            },
        }
    }
    Err(StorageError::Busy { context })
}

/// A number as SQLite keeps it.
pub(super) fn to_sql(number: u64) -> Result<i64, StorageError> {
    i64::try_from(number).map_err(|_| StorageError::Corrupt(format!("{number} is no position")))
}

/// A number that SQLite kept.
pub(super) fn from_sql(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|_| StorageError::Corrupt(format!("{number} is negative")))
}

/// A count that fits into memory.
pub(super) fn to_count(number: u64) -> Result<usize, StorageError> {
    usize::try_from(number).map_err(|_| StorageError::Corrupt(format!("{number} is too large")))
}
