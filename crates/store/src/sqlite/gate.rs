//! The start-up gate: a book is not opened on unsafe ground.
//! Each refusal names what was found, what is asked, and the way out.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqlitePool;

use crate::clock::Clock;
use crate::error::StorageError;
use crate::log::ReadError;
use crate::merkle::Frontier;

use super::record::{self, HeadRow};

/// Schema of the record that this program writes.
pub(crate) const SCHEMA_VERSION: i64 = 1;
/// Microseconds that the clock may be behind the last event.
pub const CLOCK_SKEW_US_MAX: i64 = 5_000_000;
/// Events at the end of the book that are hashed again at every start.
const START_CHECK_EVENTS: u64 = 64;
/// The same, where the last node of the tree needs more to be checked.
const START_CHECK_EVENTS_MAX: u64 = 4_096;
/// Value of `PRAGMA synchronous` that syncs at every commit.
const SYNCHRONOUS_FULL: i64 = 2;

/// Why a book was not opened or created.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// There is no book.
    #[error("{} holds no book: create one, or name another folder", folder.display())]
    NotABook {
        /// The folder.
        folder: PathBuf,
    },
    /// There is a book already.
    #[error("{} holds a book already: open it, or name another folder", folder.display())]
    AlreadyABook {
        /// The folder.
        folder: PathBuf,
    },
    /// The options break a rule.
    #[error("{0}")]
    Options(String),
    /// SQLite has a bug that corrupts databases in WAL mode.
    #[error(
        "SQLite {version} has the WAL-reset bug (3.7.0 to 3.51.2, and 3.52.0): \
         build with 3.51.3, 3.53.0 or later"
    )]
    UnsafeSqlite {
        /// The version that is linked.
        version: String,
    },
    /// The database would acknowledge what it has not synced.
    #[error("{file} runs with {setting}, asked is {asked}: set it, or move the book to a local \
         disk",
        file = file.display())]
    WeakDurability {
        /// The database.
        file: PathBuf,
        /// What was found.
        setting: String,
        /// What it must be.
        asked: &'static str,
    },
    /// The record was written by a later release.
    #[error(
        "the record has schema {found}, this program knows {SCHEMA_VERSION}: use a later release"
    )]
    NewerSchema {
        /// The schema found.
        found: i64,
    },
    /// The record cannot be written.
    #[error("{} is read-only: allow writing, or restore the book to another place", file.display())]
    ReadOnly {
        /// The database.
        file: PathBuf,
    },
    /// The node's clock is behind the record.
    #[error(
        "clock_skew: the clock is {behind_ms} ms behind the last event, at most {} ms are allowed: \
         set the clock",
        CLOCK_SKEW_US_MAX / 1_000
    )]
    ClockSkew {
        /// Milliseconds.
        behind_ms: i64,
    },
    /// Head and log do not agree.
    #[error("the end of the book is damaged: {reason}; verify it and restore it from a backup")]
    Damaged {
        /// What does not agree.
        reason: String,
    },
    /// The database or the file system failed.
    #[error("the book cannot be opened")]
    Storage(#[from] StorageError),
    /// What must be read to open the book cannot be read.
    #[error("the book cannot be opened")]
    Read(#[source] ReadError),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Corrupt { .. } => Self::Damaged { reason: error.to_string() },
            ReadError::Storage(error) => Self::Storage(error),
            ReadError::Refused(_) | ReadError::Overloaded { .. } => Self::Read(error),
        }
    }
}

/// Refuses a SQLite with the WAL-reset bug: 3.7.0 to 3.51.2, and the withdrawn 3.52.0.
pub(crate) fn check_version(version: &str) -> Result<(), OpenError> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let found = (part(), part(), part());
    if found < (3, 51, 3) || found == (3, 52, 0) {
        return Err(OpenError::UnsafeSqlite { version: version.to_owned() });
    }
    Ok(())
}

/// Asks the linked SQLite for its version.
pub(crate) async fn check_sqlite(pool: &SqlitePool) -> Result<(), OpenError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(pool)
        .await
        .map_err(StorageError::sqlx("ask SQLite for its version"))?;
    check_version(&version)
}

/// Checks journal mode, sync mode, and that the file can be written.
pub(crate) async fn check_durability(pool: &SqlitePool, file: &Path) -> Result<(), OpenError> {
    let metadata = std::fs::metadata(file).map_err(StorageError::io("look at", file))?;
    if metadata.permissions().readonly() {
        return Err(OpenError::ReadOnly { file: file.into() });
    }
    let asking = "ask for the durability settings";
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(pool)
        .await
        .map_err(StorageError::sqlx(asking))?;
    let weak = |setting, asked| OpenError::WeakDurability { file: file.into(), setting, asked };
    if mode != "wal" {
        return Err(weak(format!("journal_mode {mode}"), "journal_mode wal"));
    }
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(pool)
        .await
        .map_err(StorageError::sqlx(asking))?;
    if synchronous != SYNCHRONOUS_FULL {
        return Err(weak(format!("synchronous {synchronous}"), "synchronous 2 (full)"));
    }
    Ok(())
}

/// What the record says of itself.
pub(crate) async fn check_schema(pool: &SqlitePool, folder: &Path) -> Result<[u8; 16], OpenError> {
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name IN ('log', 'meta')")
            .fetch_one(pool)
            .await
            .map_err(StorageError::sqlx("read the schema of the record"))?;
    if tables != 2 {
        return Err(OpenError::NotABook { folder: folder.into() });
    }
    let (book_id, found): (Vec<u8>, i64) =
        sqlx::query_as("SELECT book_id, schema_version FROM meta")
            .fetch_one(pool)
            .await
            .map_err(StorageError::sqlx("read what the record is"))?;
    if found > SCHEMA_VERSION {
        return Err(OpenError::NewerSchema { found });
    }
    <[u8; 16]>::try_from(book_id)
        .map_err(|_| OpenError::Damaged { reason: "the book's id is not 16 bytes".into() })
}

/// Refuses a clock that is behind the last event by more than [`CLOCK_SKEW_US_MAX`].
pub(crate) fn check_clock(clock: &dyn Clock, recorded_at_us: i64) -> Result<(), OpenError> {
    let behind_us = recorded_at_us.saturating_sub(clock.now_us());
    if behind_us > CLOCK_SKEW_US_MAX {
        return Err(OpenError::ClockSkew { behind_ms: behind_us / 1_000 });
    }
    Ok(())
}

/// Checks that the log ends where its head says, and that its last events hash to it. Everything
/// before them is checked by a verification.
pub(crate) async fn check_end(pool: &SqlitePool) -> Result<HeadRow, OpenError> {
    let head = record::read_head(pool).await?;
    let position = head.position();
    if head.last != position {
        return Err(OpenError::Damaged {
            reason: format!("its head says {position} events, its log ends at {}", head.last),
        });
    }
    // The last node of the frontier spans the last 2^k events.
    let node_events = 1_u64.checked_shl(position.trailing_zeros()).unwrap_or(u64::MAX);
    let node_is_checked = position > 0 && node_events <= START_CHECK_EVENTS_MAX;
    let node_events = if node_is_checked { node_events } else { 0 };
    let after = position.saturating_sub(START_CHECK_EVENTS.max(node_events));
    let mut node = Frontier::default();
    record::for_each_row(pool, after, position, |row| {
        if row.position > position - node_events {
            node.push(row.leaf);
        }
        Ok(())
    })
    .await?;
    if node_is_checked && head.frontier.last_node() != Some(&node.root()) {
        return Err(OpenError::Damaged {
            reason: format!("its last {node_events} events do not hash to its head"),
        });
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_with_the_wal_reset_bug_is_refused() {
        for version in ["3.7.0", "3.46.1", "3.51.2", "3.52.0"] {
            assert!(check_version(version).is_err(), "{version}");
        }
        for version in ["3.51.3", "3.53.0", "3.54.1", "4.0.0"] {
            assert!(check_version(version).is_ok(), "{version}");
        }
    }
}
