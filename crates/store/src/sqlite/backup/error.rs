//! Why nothing was backed up or restored.

use std::path::PathBuf;

use crate::StorageError;

/// Why a record could not be inspected; the caller's own error.
pub type InspectError = Box<dyn std::error::Error + Send + Sync>;

/// Why nothing was backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something stands where the new folder should.
    #[error("{} is there already and not empty: name another folder", path.display())]
    TargetInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder under its temporary name is there.
    #[error(
        "{} is there: somebody is writing it, or a crash left it behind: then remove it",
        path.display()
    )]
    Unfinished {
        /// The folder under its temporary name.
        path: PathBuf,
    },
    /// A file that must be there is not.
    #[error("{} is missing: this is not a whole book or backup", path.display())]
    SourceMissing {
        /// The file.
        path: PathBuf,
    },
    /// The inspection changed the copy.
    #[error("{} was changed by its inspection: open it read-only and immutable", path.display())]
    Touched {
        /// The copied record.
        path: PathBuf,
    },
    /// The record could not be inspected.
    #[error("the copied record could not be inspected")]
    Inspect(#[source] InspectError),
    /// The vault was kept elsewhere, or is no more.
    #[error(
        "the backup's vault is not at {}: put it there, or restore without it and lose every \
         personal datum",
        path.display()
    )]
    VaultElsewhere {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file is not the one that was backed up.
    #[error("{file} is not the file that was backed up: its SHA-256 is {found}, not {expected}")]
    Altered {
        /// Path within the backup.
        file: String,
        /// As the manifest says.
        expected: String,
        /// As it is.
        found: String,
    },
    /// The manifest is not one that this program can read.
    #[error("the manifest cannot be used: {0}")]
    Manifest(String),
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[from] StorageError),
}
