//! Files and folders that are whole and synced, or not there.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::BackupError;
use crate::StorageError;

/// Bytes read at once.
const CHUNK_BYTES: usize = 1_024 * 1_024;

/// A folder made under a temporary name. Unless it is finished it is removed when dropped.
pub(super) struct NewFolder {
    target: PathBuf,
    partial: PathBuf,
    stage: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Partial,
    Finished,
}

impl NewFolder {
    /// Begins the folder that will be `target`, which must not exist or be empty.
    pub(super) fn begin(target: &Path) -> Result<Self, BackupError> {
        if exists(target)? && !is_empty_folder(target)? {
            return Err(BackupError::TargetInUse { path: target.to_owned() });
        }
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = target.with_file_name(name);
        if exists(&partial)? {
            return Err(BackupError::Unfinished { path: partial });
        }
        fs::create_dir_all(&partial).map_err(io("create", &partial))?;
        Ok(Self { target: target.to_owned(), partial, stage: Stage::Partial })
    }

    /// Where the file at `path` within the folder is to be written.
    pub(super) fn file(&self, path: &str) -> Result<PathBuf, BackupError> {
        let file = self.partial.join(path);
        let parent = file.parent().unwrap_or(&self.partial);
        fs::create_dir_all(parent).map_err(io("create", parent))?;
        Ok(file)
    }

    /// Syncs the folder and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        for entry in fs::read_dir(&self.partial).map_err(io("read", &self.partial))? {
            let path = entry.map_err(io("read", &self.partial))?.path();
            if path.is_dir() {
                sync_folder(&path)?;
            }
        }
        sync_folder(&self.partial)?;
        if exists(&self.target)? {
            // Removes an empty folder only: what came in meanwhile stays.
            fs::remove_dir(&self.target).map_err(io("replace", &self.target))?;
        }
        fs::rename(&self.partial, &self.target).map_err(io("rename", &self.partial))?;
        self.stage = Stage::Finished;
        match self.target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => sync_folder(parent),
            None => sync_folder(Path::new(".")),
        }
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if self.stage == Stage::Finished {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.partial) {
            tracing::warn!(path = %self.partial.display(), %error, "an unfinished folder stays");
        }
    }
}

/// Size and SHA-256 of a file.
pub(super) struct Digested {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Reads a file whole and syncs it.
pub(super) async fn digest_and_sync(path: &Path) -> Result<Digested, BackupError> {
    let path = path.to_owned();
    blocking(move || {
        let mut file =
            File::options().read(true).write(true).open(&path).map_err(io("open", &path))?;
        let digested = pump(&mut file, &path, &mut std::io::sink(), &path)?;
        file.sync_all().map_err(io("sync", &path))?;
        Ok(digested)
    })
    .await
}

/// Copies a file, syncs the copy, and answers with what was written.
pub(super) async fn copy_and_sync(from: &Path, to: &Path) -> Result<Digested, BackupError> {
    let (from, to) = (from.to_owned(), to.to_owned());
    blocking(move || {
        let mut source = File::open(&from).map_err(io("open", &from))?;
        let mut target = File::create_new(&to).map_err(io("create", &to))?;
        let digested = pump(&mut source, &from, &mut target, &to)?;
        target.sync_all().map_err(io("sync", &to))?;
        Ok(digested)
    })
    .await
}

/// Writes a new small file and syncs it.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut file = File::create_new(path).map_err(io("create", path))?;
    file.write_all(bytes).map_err(io("write", path))?;
    Ok(file.sync_all().map_err(io("sync", path))?)
}

/// Reads a small file.
pub(super) fn read_small(path: &Path, bytes_max: u64) -> Result<Vec<u8>, BackupError> {
    let file = File::open(path).map_err(io("open", path))?;
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes).map_err(io("read", path))?;
    Ok(bytes)
}

/// Whether something is at `path`.
pub(super) fn exists(path: &Path) -> Result<bool, BackupError> {
    Ok(path.try_exists().map_err(io("look for", path))?)
}

/// Files beside `path` whose names start with its own: journals that somebody left there.
pub(super) fn siblings(path: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir(parent).map_err(io("read", parent))? {
        let entry = entry.map_err(io("read", parent))?;
        let other = entry.file_name().to_string_lossy().into_owned();
        if other != name && other.starts_with(&name) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn is_empty_folder(path: &Path) -> Result<bool, BackupError> {
    if !path.is_dir() {
        return Ok(false);
    }
    Ok(fs::read_dir(path).map_err(io("read", path))?.next().is_none())
}

/// A rename or a new name is durable when its folder is.
fn sync_folder(path: &Path) -> Result<(), BackupError> {
    let folder = File::open(path).map_err(io("open", path))?;
    Ok(folder.sync_all().map_err(io("sync", path))?)
}

fn pump(
    source: &mut File,
    from: &Path,
    target: &mut dyn Write,
    to: &Path,
) -> Result<Digested, BackupError> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    loop {
        let count = source.read(&mut chunk).map_err(io("read", from))?;
        let read = chunk.get(..count).unwrap_or_default();
        if read.is_empty() {
            return Ok(Digested { bytes, sha256: hex::encode(hasher.finalize()) });
        }
        hasher.update(read);
        target.write_all(read).map_err(io("write", to))?;
        bytes += read.len() as u64;
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let reason = format!("reading a file was cut short: {error}");
        Err(BackupError::Storage(StorageError::Corrupt(reason)))
    })
}

fn io(context: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StorageError {
    StorageError::io(context, path)
}
