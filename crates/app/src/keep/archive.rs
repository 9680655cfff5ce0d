//! Backup of a running book, and restore, which verifies the book.

use std::path::{Path, PathBuf};

use daicho_store::sqlite::backup::{self, BackupError, Inspected, Manifest, RestoreVault};

use super::books::Books;
use super::opening::unusable;
use super::place::{BookName, Place};
use super::verify::{Checkpoint, VerifyError, verify_storage};
use crate::blame::Blame;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::error::BookError;
use crate::progress::Progress;
use crate::storage::Storage;

/// Why nothing was backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The copy failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A book in a database is backed up by the database's own means.
    #[error(
        "a backup is a copy of a book's folder: `daicho book copy` copies a book from a database \
         into a folder and back, with the same bytes; the database's own backups hold it, too"
    )]
    InDatabase,
    /// The book cannot be used.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The restored book is not what was backed up.
    #[error("the restored book is not complete: it was removed again")]
    Verify(#[from] Box<VerifyError>),
    /// The manifest does not say where the book ended.
    #[error("the manifest says `{0}`, which is no checkpoint: take another backup")]
    Manifest(String),
}

impl ArchiveError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Backup(
                BackupError::TargetInUse { .. }
                | BackupError::Unfinished { .. }
                | BackupError::SourceMissing { .. }
                | BackupError::VaultElsewhere { .. },
            )
            | Self::InDatabase => Blame::Caller,
            Self::Backup(
                BackupError::Touched { .. }
                | BackupError::Inspect(_)
                | BackupError::Altered { .. }
                | BackupError::Manifest(_)
                | BackupError::Storage(_),
            )
            | Self::Manifest(_) => Blame::Ours,
            Self::Book(error) => error.blame(),
            Self::Verify(error) => error.blame(),
        }
    }

    /// Whether the backup or the book was found to have been altered.
    pub fn is_difference(&self) -> bool {
        match self {
            Self::Backup(error) => matches!(error, BackupError::Altered { .. }),
            Self::Book(error) => error.is_damage(),
            Self::Verify(error) => error.is_difference(),
            Self::InDatabase | Self::Manifest(_) => false,
        }
    }
}

/// Backs up a book.
pub struct Archive {
    folder: Option<PathBuf>,
    clock_and_entropy: ClockAndEntropy,
}

impl Archive {
    pub(crate) fn of(storage: &Storage) -> Self {
        let clock_and_entropy = storage.clock_and_entropy.clone();
        Self { folder: storage.folder.clone(), clock_and_entropy }
    }

    /// Copies the book, while others write, into `target`, which must not exist or be empty.
    ///
    /// # Errors
    /// The target is in use, or storage fails; then nothing is left that looks like a complete
    /// backup.
    pub async fn backup(
        &self,
        target: &Path,
        progress: &dyn Progress,
    ) -> Result<Manifest, ArchiveError> {
        let folder = self.folder.as_deref().ok_or(ArchiveError::InDatabase)?;
        let made_at = self.clock_and_entropy.now().to_string();
        let tell = bytes_copied(progress);
        Ok(backup::backup(folder, target, &made_at, inspect, &tell).await?)
    }
}

impl Books {
    /// Restores a backup as the book `name` and verifies it against its manifest.
    ///
    /// # Errors
    /// There is already a book of that name, the backup is not complete, or the restored book does
    /// not verify; in the last two cases no book of that name is left.
    pub async fn restore(
        &self,
        from: &Path,
        name: &BookName,
        clock_and_entropy: ClockAndEntropy,
        progress: &dyn Progress,
    ) -> Result<Checkpoint, ArchiveError> {
        let Place::Folder(data) = self.place() else { return Err(ArchiveError::InDatabase) };
        if self.exists(name).await? {
            return Err(BookError::Exists(name.to_string()).into());
        }
        let folder = data.join(name.to_string());
        let tell = bytes_copied(progress);
        let manifest = backup::restore(from, &folder, RestoreVault::Require, &tell).await?;
        let text = format!("{}:{}", manifest.position, manifest.root);
        let expected = text.parse::<Checkpoint>().map_err(|_| ArchiveError::Manifest(text))?;
        let checked = self.check_restored(name, clock_and_entropy, expected, progress).await;
        if checked.is_err() {
            std::fs::remove_dir_all(&folder).map_err(|source| unusable(&folder, source))?;
        }
        checked
    }

    async fn check_restored(
        &self,
        name: &BookName,
        clock_and_entropy: ClockAndEntropy,
        expected: Checkpoint,
        progress: &dyn Progress,
    ) -> Result<Checkpoint, ArchiveError> {
        let storage = self.open_storage(name, clock_and_entropy).await?;
        let verified = verify_storage(storage, Some(expected), progress).await;
        Ok(verified.map_err(Box::new)?.checkpoint)
    }
}

/// Which book a copied record is, and where it ends, read from the copy itself.
async fn inspect(record: &Path) -> Result<Inspected, backup::InspectError> {
    let (book, head) = daicho_store::sqlite::inspect(record).await?;
    Ok(Inspected { book: hex::encode(book), position: head.position, root: hex::encode(head.root) })
}

fn bytes_copied(progress: &dyn Progress) -> impl Fn(backup::Progress) + Send + Sync {
    move |step| match step {
        backup::Progress::Copying { file, bytes } => {
            if bytes == 0 {
                progress.begin(&format!("bytes of {file} copied"), 0);
            }
            progress.at(bytes);
        }
        backup::Progress::Copied { .. } => progress.end(),
    }
}
