//! A disk under test: a folder, the trace of what was done in it, and the fault that waits.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tempfile::TempDir;

use crate::fault::{Fault, Plan, Site};
use crate::image::Image;
use crate::trace::{Inode, Operation, Trace};
use crate::vfs;

/// Every disk of this process. Tests that share one do not meet: each has a folder of its own.
static DISKS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// A folder whose databases are watched.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
    shared: Arc<Shared>,
}

/// What the files of a disk share.
#[derive(Debug)]
pub(crate) struct Shared {
    folder: PathBuf,
    state: Mutex<State>,
}

/// What was done so far, and what shall fail.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) trace: Trace,
    pub(crate) plan: Plan,
    /// Which file stands under a name, and its number in the real file system.
    names: BTreeMap<Arc<str>, (Inode, u64)>,
    inodes: u64,
}

impl Disk {
    /// An empty disk.
    ///
    /// # Panics
    /// When the system has no folder for it.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&Image::default())
    }

    /// A disk that begins with what a crash has left.
    ///
    /// # Panics
    /// When the system has no folder for it, or no room for the image.
    #[must_use]
    pub fn of(image: &Image) -> Self {
        vfs::install();
        let folder = tempfile::tempdir().expect("a folder for a disk");
        // SQLite hands the VFS full paths.
        let path = folder.path().canonicalize().expect("the folder is there");
        let mut state = State::default();
        for (name, bytes) in image.files() {
            fs::write(path.join(&**name), &bytes.written).expect("room for an image");
            let (inode, _) = state.file(name, &path);
            state.trace.start.insert(Arc::clone(name), (inode, bytes.clone()));
        }
        let shared = Arc::new(Shared { folder: path, state: Mutex::new(state) });
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        disks.retain(|disk| disk.strong_count() > 0);
        disks.push(Arc::downgrade(&shared));
        Self { folder, shared }
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// How many operations changed it so far, or made a change durable.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.shared.state().trace.operations.len()
    }

    /// Everything that was done so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.shared.state().trace.clone()
    }

    /// How many operations of this kind were asked for so far.
    #[must_use]
    pub fn calls(&self, site: Site) -> u64 {
        self.shared.state().plan.calls(site)
    }

    /// Lets an operation fail.
    pub fn break_at(&self, fault: Fault) {
        self.shared.state().plan.set(Some(fault));
    }

    /// From now on nothing fails.
    pub fn mend(&self) {
        self.shared.state().plan.set(None);
    }

    /// How many operations have failed so far.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.shared.state().plan.hits()
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl State {
    pub(crate) fn record(&mut self, operation: Operation) {
        self.trace.operations.push(operation);
    }

    /// The file under this name, which is there; whether it was not known before.
    pub(crate) fn file(&mut self, name: &Arc<str>, folder: &Path) -> (Inode, bool) {
        let metadata = fs::metadata(folder.join(&**name)).expect("an open file has a name");
        match self.names.get(name) {
            Some((inode, number)) if *number == metadata.ino() => (*inode, false),
            _ => {
                self.inodes += 1;
                let inode = Inode(self.inodes);
                self.names.insert(Arc::clone(name), (inode, metadata.ino()));
                (inode, true)
            }
        }
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.names.remove(name);
    }
}

/// The disk that a path lies on, and its name there.
pub(crate) fn find(path: &CStr) -> Option<(Arc<Shared>, Arc<str>)> {
    let path = Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()));
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    let disk = disks.iter().filter_map(Weak::upgrade).find(|disk| disk.folder == folder)?;
    Some((disk, Arc::from(name)))
}
