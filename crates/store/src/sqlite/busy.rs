//! Asks SQLite again, at short intervals, when it answers that a file is busy.
//!
//! Its own waiting is unfair, and it does not wait at all when two connections that open a new file
//! at once both want to switch it to a write-ahead log.

use std::time::{Duration, Instant};

use sqlx::error::DatabaseError as _;
use sqlx::sqlite::SqliteError;

use crate::StorageError;

/// For how long SQLite is asked again, at least, and the pause between two times.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);

/// Primary result codes, sqlite.org/rescode.html.
pub(super) mod code {
    pub(in crate::sqlite) const ERROR: i32 = 1;
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(in crate::sqlite) const CORRUPT: i32 = 11;
    pub(in crate::sqlite) const NOT_A_DATABASE: i32 = 26;
}

/// SQLite's primary result code, when the error is SQLite's: PostgreSQL's codes look like numbers,
/// too, and mean other things.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let error = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    let extended: i32 = error.code()?.parse().ok()?;
    Some(extended & 0xff)
}

impl StorageError {
    /// Whether SQLite only asked to come again, since another connection writes.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Sqlx { source, .. } = self else { return false };
        primary_code(source) == Some(code::BUSY)
    }
}

/// Tries until the database is not busy any more.
pub(super) async fn patiently<T, F>(
    context: &'static str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StorageError>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => match primary_code(&error) {
                Some(code::BUSY | code::LOCKED) => tokio::time::sleep(PAUSE).await,
                _ => return Err(StorageError::sqlx(context)(error)),
            },
        }
    }
    Err(StorageError::Busy { context })
}
