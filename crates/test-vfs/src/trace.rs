//! What was done to a disk, operation by operation.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One file from its creation to its removal, under whatever name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inode(pub(crate) u64);

/// Something that changed the disk, or made a change durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A file came to be, empty.
    Create {
        /// Its name in the disk's folder.
        name: Arc<str>,
        /// The file.
        inode: Inode,
    },
    /// Bytes were written.
    Write {
        /// The file.
        inode: Inode,
        /// Where.
        offset: usize,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file was cut, or made longer by zeros.
    Truncate {
        /// The file.
        inode: Inode,
        /// Its length.
        length: usize,
    },
    /// A file's bytes became durable.
    Sync {
        /// The file.
        inode: Inode,
        /// And so did all names of the folder.
        with_folder: bool,
    },
    /// A sync failed: what was written since the last one never becomes durable.
    FailedSync {
        /// The file.
        inode: Inode,
    },
    /// A name was removed.
    Remove {
        /// The name.
        name: Arc<str>,
        /// All names of the folder, and this removal, became durable.
        with_folder: bool,
    },
}

/// A file's bytes, to be read, and those that the power cannot take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bytes {
    pub(crate) written: Vec<u8>,
    pub(crate) durable: Vec<u8>,
}

/// What a disk began with, and everything that was done to it since.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// The files that were there.
    pub(crate) start: BTreeMap<Arc<str>, (Inode, Bytes)>,
    /// What was done, in order.
    pub(crate) operations: Vec<Operation>,
}

impl Trace {
    /// What was done, in order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}
