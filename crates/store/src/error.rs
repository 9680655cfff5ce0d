//! Why storage itself failed, whichever part asked. Each part wraps this in an error of its own.

use std::path::PathBuf;

/// The database or the file system under us failed, or holds what it must not hold.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database refused or failed.
    #[error("the database failed to {context}")]
    Sqlx {
        /// What was attempted, as an infinitive: "read a view".
        context: &'static str,
        /// The database's own words.
        #[source]
        source: sqlx::Error,
    },
    /// The file system refused or failed.
    #[error("could not {context} {}", path.display())]
    Io {
        /// What was attempted, as an infinitive: "read".
        context: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// Something stored does not hold what it must.
    #[error("{0}")]
    Corrupt(String),
}

impl StorageError {
    /// Names what a failed statement was for; made for `map_err`.
    pub(crate) fn sqlx(context: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sqlx { context, source }
    }
}
