//! What can go wrong beneath the log: the database, the disk, or bytes that are not what they must
//! be. Each error can be cloned, since one failed commit answers every caller of its batch.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

/// What lies beneath an error, the nearest first, without those that repeat the one above.
#[must_use]
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.dedup();
    texts.split_off(1)
}

/// An error and what lies beneath it, in one line.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let texts: Vec<String> = std::iter::once(error.to_string()).chain(causes(error)).collect();
    texts.join(": ")
}

/// Why storage did not do what was asked. None of it says anything about the record's content.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// The database refused or failed.
    #[error("the database failed to {context}: fix the cause shown and try again")]
    Sqlx {
        /// What was being done, as a verb phrase.
        context: &'static str,
        /// The driver's error.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// The file system refused or failed.
    #[error("could not {context} {}: check the path, its rights and the disk", path.display())]
    Io {
        /// What was being done, as a verb phrase.
        context: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: Arc<std::io::Error>,
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
    /// The book was closed, or its writer stopped at a broken invariant.
    #[error("the book takes no more appends, since its writer has ended: open the book again")]
    Closed,
}

impl StorageError {
    /// Wraps a driver's error; for `map_err`.
    pub(crate) fn sqlx(context: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sqlx { context, source: Arc::new(source) }
    }

    /// Wraps the system's error; for `map_err`.
    pub(crate) fn io(
        context: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { context, path: path.into(), source: Arc::new(source) }
    }

    /// Whether a row was missing, or had other columns than were asked for.
    pub(crate) fn is_of_another_shape(&self) -> bool {
        let Self::Sqlx { source, .. } = self else { return false };
        matches!(
            **source,
            sqlx::Error::RowNotFound
                | sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
        )
    }
}
