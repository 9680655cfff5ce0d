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

/// Refuses a folder or a record that nobody may write, before SQLite meets it: SQLite makes files
/// beside the record. What is not there is found by other checks.
pub(crate) fn check_writable(folder: &Path, file: &Path) -> Result<(), OpenError> {
    for place in [folder, file] {
        let metadata = std::fs::metadata(place);
        if metadata.is_ok_and(|metadata| metadata.permissions().readonly()) {
            return Err(OpenError::ReadOnly { file: place.into() });
        }
    }
    Ok(())
}

/// Checks journal mode and sync mode.
pub(crate) async fn check_durability(pool: &SqlitePool, file: &Path) -> Result<(), OpenError> {
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
    use sqlx::sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
    };

    use super::*;

    /// What the gate says of a record that is opened in this way.
    async fn refusal(journal: SqliteJournalMode, synchronous: SqliteSynchronous) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("record.db");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let options = options.journal_mode(journal).synchronous(synchronous);
        let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
        let refused = check_durability(&pool, &file).await.err();
        assert!(matches!(refused, None | Some(OpenError::WeakDurability { .. })), "{refused:?}");
        let text = refused.map(|error| error.to_string());
        assert!(text.as_ref().is_none_or(|text| text.contains(&file.display().to_string())));
        text
    }

    #[tokio::test]
    async fn a_weaker_sync_mode_is_refused_by_name() {
        let wal = SqliteJournalMode::Wal;
        assert_eq!(refusal(wal, SqliteSynchronous::Full).await, None);
        for (weak, name) in [(SqliteSynchronous::Normal, 1), (SqliteSynchronous::Off, 0)] {
            let text = refusal(wal, weak).await.unwrap();
            assert!(
                text.contains(&format!("synchronous {name}, a book needs synchronous 2")),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn another_journal_is_refused_by_name() {
        for (journal, name) in [
            (SqliteJournalMode::Delete, "delete"),
            (SqliteJournalMode::Memory, "memory"),
            (SqliteJournalMode::Off, "off"),
        ] {
            let text = refusal(journal, SqliteSynchronous::Full).await.unwrap();
            let wanted = format!("journal_mode {name}, a book needs journal_mode wal");
            assert!(text.contains(&wanted));
        }
    }

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
