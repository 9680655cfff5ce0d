//! Backup of a running book into a folder, and back: the state, the record and, apart from them,
//! the vault. Derived data is left out, since it is made anew.
//!
//! Each file is copied by `VACUUM INTO`, which reads in one transaction: one committed state, while
//! others write. Copying the file would tear it, and miss what is still in its WAL. What is copied
//! also holds no freed pages, so nothing deleted travels along.
//!
//! The state is copied before the record: a cursor in it then never stands beyond the copied
//! record, where its consumer would pass over what is recorded there after a restore. It may be
//! older than what the consumer has done: then events are handed out again, and none is lost.
//!
//! The record is copied before the vault. A key is durable before any event holds what it seals, so
//! the vault, copied later, has the key of every value in the copied record. An old vault also has
//! the keys of people who were erased since: keep `vault/` apart from the rest and not for long,
//! and after a restore carry out again the erasures that the record tells of.

mod error;
mod manifest;
mod parts;
mod restore;
mod transfer;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::StorageError;

pub use error::{BackupError, InspectError};
pub use manifest::{BackedUpFile, Manifest};
pub use restore::{RestoreVault, restore};

use parts::{PARTS, Presence};
use transfer::{Digested, NewFolder};

/// How long a copy waits for a writer, milliseconds.
const BUSY_WAIT_MS: u64 = 30_000;
/// How often a long copy reports how far it has come, milliseconds.
const REPORT_INTERVAL_MS: u64 = 200;

/// What is read from a copied record: which book it is and where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// The book's id, hexadecimal.
    pub book: String,
    /// Position of its last event.
    pub position: u64,
    /// Root of its Merkle tree, hexadecimal.
    pub root: String,
}

/// How far a backup or a restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A file is being copied: so many bytes are written.
    Copying {
        /// Its path within the backup.
        file: &'static str,
        /// Bytes written so far.
        bytes: u64,
    },
    /// A file is copied whole.
    Copied {
        /// Its path within the backup.
        file: &'static str,
        /// Its size.
        bytes: u64,
    },
}

/// Backs up the book in the folder `source` into the folder `target`, which must not exist or be
/// empty. `made_at` is the time for the manifest, in UTC. `inspect` reads a copied record and must
/// leave it as it is (open it read-only and immutable).
///
/// The backup is made under another name and renamed when it is whole and synced: `target` is
/// either complete or not there.
pub async fn backup(
    source: &Path,
    target: &Path,
    made_at: &str,
    inspect: impl AsyncFn(&Path) -> Result<Inspected, InspectError>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Manifest, BackupError> {
    let folder = NewFolder::begin(target)?;
    let mut files = Vec::new();
    let mut inspected = None;
    for part in PARTS {
        let from = source.join(part.source);
        if !transfer::exists(&from)? {
            match part.presence {
                Presence::Optional => continue,
                Presence::Required => return Err(BackupError::SourceMissing { path: from }),
            }
        }
        let to = folder.file(part.copy)?;
        copy_consistently(&from, &to, part.copy, progress).await?;
        let Digested { bytes, sha256 } = transfer::digest_and_sync(&to).await?;
        if part.presence == Presence::Required {
            inspected = Some(inspect(&to).await.map_err(BackupError::Inspect)?);
            require_untouched(&to, &sha256).await?;
        }
        files.push(BackedUpFile { path: part.copy.to_owned(), bytes, sha256 });
        progress(Progress::Copied { file: part.copy, bytes });
    }
    let Some(Inspected { book, position, root }) = inspected else {
        return Err(BackupError::SourceMissing { path: source.to_owned() });
    };
    let manifest = Manifest { book, position, root, made_at: made_at.to_owned(), files };
    transfer::write_synced(&folder.file(manifest::FILE)?, manifest.to_json().as_bytes())?;
    folder.finish()?;
    Ok(manifest)
}

/// Copies one committed state of the database at `from`, telling how far it has come.
async fn copy_consistently(
    from: &Path,
    to: &Path,
    file: &'static str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), BackupError> {
    let copying = vacuum_into(from, to);
    tokio::pin!(copying);
    let mut ticks = tokio::time::interval(Duration::from_millis(REPORT_INTERVAL_MS));
    loop {
        tokio::select! {
            copied = &mut copying => return copied.map_err(BackupError::from),
            _ = ticks.tick() => {
                let bytes = std::fs::metadata(to).map_or(0, |metadata| metadata.len());
                progress(Progress::Copying { file, bytes });
            }
        }
    }
}

async fn vacuum_into(from: &Path, to: &Path) -> Result<(), StorageError> {
    let failed = "copy a database";
    let name = to.to_str().ok_or_else(|| {
        StorageError::Corrupt(format!("{} is not UTF-8: choose another folder", to.display()))
    })?;
    let mut source: SqliteConnection = SqliteConnectOptions::new()
        .filename(from)
        .create_if_missing(false)
        .busy_timeout(Duration::from_millis(BUSY_WAIT_MS))
        .pragma("temp_store", "MEMORY")
        .connect()
        .await
        .map_err(StorageError::sqlx(failed))?;
    sqlx::query("VACUUM INTO ?1")
        .bind(name)
        .execute(&mut source)
        .await
        .map_err(StorageError::sqlx(failed))?;
    source.close().await.map_err(StorageError::sqlx(failed))
}

/// An inspection that wrote to the copy would make the manifest untrue.
async fn require_untouched(copy: &Path, sha256: &str) -> Result<(), BackupError> {
    let again = transfer::digest_and_sync(copy).await?;
    let siblings = transfer::siblings(copy)?;
    if again.sha256 == sha256 && siblings.is_empty() {
        return Ok(());
    }
    Err(BackupError::Touched { path: copy.to_owned() })
}

#[cfg(test)]
mod tests;
