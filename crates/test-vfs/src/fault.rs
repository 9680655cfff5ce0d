//! Which operation fails, and how.

use libsqlite3_sys as ffi;

/// A kind of operation that can fail. Each is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Site {
    /// Opening a file.
    Open,
    /// Reading bytes.
    Read,
    /// Writing bytes.
    Write,
    /// Changing a file's length.
    Truncate,
    /// Making a file durable.
    Sync,
    /// Removing a file.
    Remove,
    /// Mapping the index of a write-ahead log that connections share.
    Map,
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// EIO on reading.
    Read,
    /// The file seems to end before what is read: a read on Linux never gives less of what is
    /// there.
    ShortRead,
    /// EIO on writing, half of it done.
    Write,
    /// No space is left, half of the write done.
    Full,
    /// EIO on syncing: what was not durable never will be.
    Sync,
    /// No file handle is left.
    Open,
    /// EIO on changing a file's length.
    Truncate,
    /// EIO on removing a file.
    Remove,
    /// No memory for the shared index.
    Map,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::ShortRead,
        Self::Write,
        Self::Full,
        Self::Sync,
        Self::Open,
        Self::Truncate,
        Self::Remove,
        Self::Map,
    ];

    /// What it happens to.
    #[must_use]
    pub fn site(self) -> Site {
        match self {
            Self::Read | Self::ShortRead => Site::Read,
            Self::Write | Self::Full => Site::Write,
            Self::Sync => Site::Sync,
            Self::Open => Site::Open,
            Self::Truncate => Site::Truncate,
            Self::Remove => Site::Remove,
            Self::Map => Site::Map,
        }
    }

    /// SQLite's word for it.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Read => ffi::SQLITE_IOERR_READ,
            Self::ShortRead => ffi::SQLITE_IOERR_SHORT_READ,
            Self::Write => ffi::SQLITE_IOERR_WRITE,
            Self::Full => ffi::SQLITE_FULL,
            Self::Sync => ffi::SQLITE_IOERR_FSYNC,
            Self::Open => ffi::SQLITE_CANTOPEN,
            Self::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
            Self::Remove => ffi::SQLITE_IOERR_DELETE,
            Self::Map => ffi::SQLITE_IOERR_SHMMAP,
        }
    }
}

/// How long a fault stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lasting {
    /// One operation fails.
    Once,
    /// It and every later one of its kind fail, until the disk is mended.
    UntilMended,
}

/// The operation that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How.
    pub kind: FaultKind,
    /// Which one of its site, counted from the disk's beginning; the first is 1.
    pub at: u64,
    /// For how long.
    pub lasting: Lasting,
}

/// Counts operations and says which fail.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    fault: Option<Fault>,
    calls: [u64; 7],
    hits: u64,
}

impl Plan {
    pub(crate) fn set(&mut self, fault: Option<Fault>) {
        self.fault = fault;
    }

    pub(crate) fn hits(&self) -> u64 {
        self.hits
    }

    pub(crate) fn calls(&self, site: Site) -> u64 {
        self.calls.get(site as usize).copied().unwrap_or(0)
    }

    /// Counts one more operation; how it fails, if it does.
    pub(crate) fn count(&mut self, site: Site) -> Option<FaultKind> {
        if let Some(calls) = self.calls.get_mut(site as usize) {
            *calls += 1;
        }
        let calls = self.calls(site);
        let fault = self.fault.filter(|fault| fault.kind.site() == site)?;
        let is_hit = match fault.lasting {
            Lasting::Once => calls == fault.at,
            Lasting::UntilMended => calls >= fault.at,
        };
        self.hits += u64::from(is_hit);
        is_hit.then_some(fault.kind)
    }
}
