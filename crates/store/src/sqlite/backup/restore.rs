//! From a backup back to a book: each file is checked while it is copied, and the book appears
//! under its name only when all of them are whole.

use std::path::Path;

use super::manifest::{self, Manifest};
use super::parts::{PARTS, Part};
use super::transfer::{self, NewFolder};
use super::{BackupError, Progress};

/// What to do about the vault, which may be kept elsewhere and for a shorter time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreVault {
    /// It is part of the book: without it nothing is restored.
    Require,
    /// Leave it out: the proofs hold, but no personal datum opens.
    LeaveOut,
}

/// Restores the backup in `backup` into the folder `target`, which must not exist or be empty.
///
/// Afterwards the caller verifies the book's head and root against the manifest's, and carries out
/// again the erasures that the record tells of: the vault may be older than they are.
pub async fn restore(
    backup: &Path,
    target: &Path,
    vault: RestoreVault,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Manifest, BackupError> {
    let path = backup.join(manifest::FILE);
    if !transfer::exists(&path)? {
        return Err(BackupError::SourceMissing { path });
    }
    let manifest = Manifest::from_json(&transfer::read_small(&path, manifest::BYTES_MAX)?)?;
    let named = |part: Part| manifest.files.iter().find(|file| file.path == part.copy);
    let is_required = |part: &Part| part.presence == super::Presence::Required;
    if let Some(part) = PARTS.into_iter().filter(is_required).find(|part| named(*part).is_none()) {
        return Err(BackupError::Manifest(format!("it names no {}", part.copy)));
    }
    let folder = NewFolder::begin(target)?;
    for part in PARTS {
        let left_out = vault == RestoreVault::LeaveOut && is_vault(part);
        let Some(file) = named(part).filter(|_| !left_out) else { continue };
        let to = folder.file(part.source)?;
        let bytes = copy_checked(backup, part, &file.sha256, &to).await?;
        progress(Progress::Copied { file: part.copy, bytes });
    }
    folder.finish()?;
    Ok(manifest)
}

async fn copy_checked(
    backup: &Path,
    part: Part,
    expected: &str,
    to: &Path,
) -> Result<u64, BackupError> {
    let from = backup.join(part.copy);
    if !transfer::exists(&from)? {
        return Err(if is_vault(part) {
            BackupError::VaultElsewhere { path: from }
        } else {
            BackupError::SourceMissing { path: from }
        });
    }
    let copied = transfer::copy_and_sync(&from, to).await?;
    if copied.sha256 != expected {
        return Err(BackupError::Altered {
            file: part.copy.to_owned(),
            expected: expected.to_owned(),
            found: copied.sha256,
        });
    }
    Ok(copied.bytes)
}

fn is_vault(part: Part) -> bool {
    part.source == "vault.db"
}
