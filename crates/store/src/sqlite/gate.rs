//! The start-up gate of SQLite: its version, its durability, what the record says of itself.

use std::path::Path;

use sqlx::sqlite::SqlitePool;

use crate::book::{OpenError, SCHEMA_VERSION};
use crate::error::StorageError;

/// Value of `PRAGMA synchronous` that syncs at every commit.
const SYNCHRONOUS_FULL: i64 = 2;

/// Refuses a SQLite with the WAL-reset bug: 3.7.0 to 3.51.2, and the withdrawn 3.52.0.
fn check_version(version: &str) -> Result<(), OpenError> {
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
    let weak = |setting, asked| OpenError::WeakDurability {
        place: file.display().to_string(),
        setting,
        asked,
        way_out: "set it, or move the book to a local disk",
    };
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
        return Err(OpenError::NotABook { place: folder.display().to_string() });
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
