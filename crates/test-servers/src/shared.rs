//! One server for all test processes of one run, whichever of them comes first.
//!
//! A folder in the system's temporary folder belongs to this user and this workspace. Each process
//! holds `users.lock` in it shared for its life. Whoever holds `start.lock` looks for the server
//! and starts it where there is none; a watchdog stops it when nobody has held `users.lock` for a
//! while. Locks end with their process, so a run that was killed leaves no server behind. The three
//! empty lock files stay: to remove a lock for which others wait would part them from those who
//! come later.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::account::Account;
use crate::cluster::{Cluster, MAINTENANCE_DATABASE, SETTINGS};
use crate::{binaries, database, need, watchdog};

/// How long a server nobody uses waits for the next run, seconds.
const LINGER_SECONDS: u32 = 10;
/// What the path of a folder may have, so that the socket's path fits into 107 bytes.
const BASE_BYTES_MAX: usize = 40;
/// A folder for its owner alone.
const PRIVATE_MODE: u32 = 0o700;

/// The server that all tests of a run share. Each test takes a database of its own.
#[derive(Debug)]
pub struct SharedPostgres {
    cluster: Cluster,
    url: String,
    _use: File,
}

/// The server of this run, started by the first process that asks.
///
/// # Panics
/// When PostgreSQL is not installed or does not start.
pub fn shared() -> &'static SharedPostgres {
    static SHARED: OnceLock<SharedPostgres> = OnceLock::new();
    SHARED.get_or_init(|| join(&root(), LINGER_SECONDS))
}

impl SharedPostgres {
    /// How a client reaches the maintenance database. Others use it too: leave it as it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database that nobody else has; answers with its URL.
    pub async fn fresh_database(&self) -> String {
        database::create(&self.cluster).await
    }
}

/// Uses the server below `root` until the answer is dropped.
fn join(root: &Path, linger_seconds: u32) -> SharedPostgres {
    let account = Account::of_servers();
    make_root(root, account);
    let users = lock_file(root, "users.lock", account);
    need(users.lock_shared(), "lock the use of the shared server");
    let start = lock_file(root, "start.lock", account);
    need(start.lock(), "lock the start of the shared server");
    // First, so that a server is watched from its first moment.
    let watch = lock_file(root, "watchdog.lock", account);
    if watch.try_lock().is_ok() {
        drop(watch);
        watchdog::start_of_many(root, linger_seconds, account);
    }
    let folder = root.join("server");
    let cluster = Cluster::running(&folder).unwrap_or_else(|| {
        Cluster::clear(&folder);
        Cluster::create(&folder, &[])
    });
    let url = cluster.url(MAINTENANCE_DATABASE);
    SharedPostgres { cluster, url, _use: users }
}

/// The folder that all processes of this user and this workspace meet in.
fn root() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    let what = (env!("CARGO_MANIFEST_DIR"), binaries::folder(), SETTINGS, watchdog::OF_MANY);
    what.hash(&mut hasher);
    let uid = Account::of_servers().uid;
    base_folder().join(format!("daicho-postgres-{uid}-{:016x}", hasher.finish()))
}

/// The system's temporary folder, or `/tmp` where that is too long for a socket.
fn base_folder() -> PathBuf {
    let folder = env::temp_dir();
    if folder.as_os_str().len() <= BASE_BYTES_MAX { folder } else { PathBuf::from("/tmp") }
}

/// A new folder that only we may enter; goes when dropped.
pub(crate) fn temporary_folder(prefix: &str) -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).permissions(fs::Permissions::from_mode(PRIVATE_MODE));
    need(builder.tempdir_in(base_folder()), "make a temporary folder")
}

/// Makes the folder, or takes it as an earlier run left it. One that somebody else made is refused:
/// its server would be theirs.
fn make_root(root: &Path, account: Account) {
    let made = fs::DirBuilder::new().recursive(true).mode(PRIVATE_MODE).create(root);
    need(made, "make the shared server's folder");
    let found = need(fs::symlink_metadata(root), "look at the shared server's folder");
    let is_ours = found.is_dir() && account.trusts(found.uid()) && found.mode() & 0o077 == 0;
    assert!(is_ours, "{} was not made by these tests: remove it", root.display());
    account.give(root);
}

fn lock_file(root: &Path, name: &str, account: Account) -> File {
    let path = root.join(name);
    let opened = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
    let file = need(opened, "open a lock");
    account.give(&path);
    file
}

#[cfg(test)]
mod tests;
