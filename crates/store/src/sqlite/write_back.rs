//! Writes the log of SQLite back into the record and empties it, before anything in it is believed.
//!
//! If a sync failed and the process was then killed, the log holds an append that was never
//! acknowledged and can be read, but that no later sync makes durable, nor anything behind it.
//!
//! Nobody is kept waiting for that. A log that somebody uses is left for the moment: a process that
//! has it open to append has done the same before. A mere reader has not (a backup, a look into the
//! record), so it is tried again beside the work of the book until it is done.

use std::path::Path;
use std::time::Duration;

use sqlx::pool::CloseEvent;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::time::sleep;

use crate::error::StorageError;

use super::record::{SqliteRecord, connect_options};

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(200);
const WRITING_BACK: &str = "write back what SQLite's log holds";

/// Tries once now; if the log is in use, tries again in the background until it is done or `record`
/// is closed.
pub(super) async fn write_back(record: &SqliteRecord, file: &Path) -> Result<(), StorageError> {
    let failed = StorageError::sqlx(WRITING_BACK);
    let mut connection = connect_options(file).connect().await.map_err(failed)?;
    // It would hold the lock of whoever appends while it waits for readers, so it does not wait.
    sqlx::query("PRAGMA busy_timeout = 0")
        .execute(&mut connection)
        .await
        .map_err(StorageError::sqlx(WRITING_BACK))?;
    if is_emptied(&mut connection).await? {
        return connection.close().await.map_err(StorageError::sqlx(WRITING_BACK));
    }
    tracing::debug!(file = %file.display(), "SQLite's log is in use: it is written back later");
    tokio::spawn(try_again(connection, record.pool.close_event()));
    Ok(())
}

async fn is_emptied(connection: &mut SqliteConnection) -> Result<bool, StorageError> {
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(connection)
        .await
        .map_err(StorageError::sqlx(WRITING_BACK))?;
    Ok(busy == 0)
}

async fn try_again(mut connection: SqliteConnection, mut closing: CloseEvent) {
    let trying = async {
        loop {
            sleep(AGAIN).await;
            match is_emptied(&mut connection).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "SQLite's log was not written back"),
            }
        }
    };
    if closing.do_until(trying).await.is_err() {
        tracing::debug!("the book was closed before SQLite's log was written back");
    }
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "the connection that wrote SQLite's log back did not close");
    }
}
