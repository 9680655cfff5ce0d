//! What can go wrong beneath the log: the database, the disk, or stored bytes.
//!
//! None of it says anything about the record's content; every variant names its way out.

/// Why a database beneath the log did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database refused or failed.
    #[error("the database failed to {context}: see the cause, mend it and try again")]
    Sqlx {
        /// What was being done, as a verb phrase.
        context: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The file system refused or failed.
    #[error("the file system failed to {context}: check the path, its rights and the disk")]
    Io {
        /// What was being done, as a verb phrase.
        context: &'static str,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Stored bytes do not say what they must.
    #[error("stored data is corrupt: {0}")]
    Corrupt(String),
    /// Another process did not let go of the database.
    #[error("could not {context}: other processes kept the database busy; try again")]
    Busy {
        /// What was being done, as a verb phrase.
        context: &'static str,
    },
    /// The derived state under this process was dropped and made anew.
    #[error("another process made the derived state anew: open the book again")]
    Remade,
    /// A block does not follow the last sealed one.
    #[error("block starts at {first}, but events are sealed to {sealed_to}: seal in order")]
    OutOfOrder {
        /// Position of the block's first event.
        first: u64,
        /// Position up to which the derived state is sealed.
        sealed_to: u64,
    },
}

impl StorageError {
    /// Wraps a driver's error; for `map_err`.
    pub(crate) fn sqlx(context: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sqlx { context, source }
    }
}
