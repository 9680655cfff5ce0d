//! Why a view was not read, made or written.

use crate::StorageError;

use super::value::ViewPoint;

/// Why a view was not read or made.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Nobody made the view known to this process.
    #[error("there is no view {view}: the views are {known}")]
    UnknownView {
        /// As asked for.
        view: String,
        /// Names of those there are.
        known: String,
    },
    /// Another program made the view anew, in another form.
    #[error("view {view} was rebuilt by another version of the program: restart this one")]
    Remade {
        /// Its name.
        view: String,
    },
    /// A filter or sort names a column that there is not.
    #[error("view {view} has no column {column}: its columns are {known}")]
    UnknownColumn {
        /// Name of the view.
        view: String,
        /// As asked for.
        column: String,
        /// Names of those there are.
        known: String,
    },
    /// A cursor is not one of ours, or not one of this list.
    #[error("the cursor {reason}: start again from the first page")]
    BadCursor {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A later rebuild of the view was begun.
    #[error(
        "this rebuild of view {view} was dropped for a later one, and nothing was swapped; another \
         process rebuilds it: wait, or run the rebuild again"
    )]
    Superseded {
        /// Its name.
        view: String,
    },
    /// A named limit or rule of form was broken.
    #[error("{0}")]
    Refused(String),
    /// The storage failed.
    #[error("the storage of the views failed")]
    Storage(#[from] StorageError),
}

/// Why changed rows were not written.
#[derive(Debug, thiserror::Error)]
pub enum ViewWriteError {
    /// Somebody else moved the view: read its rows again from where it stands.
    #[error("view {view} stands at {} for {} by now: read its rows again", at.cursor, at.as_of)]
    Moved {
        /// Its name.
        view: String,
        /// Where it stands.
        at: ViewPoint,
    },
    /// Anything else.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl From<StorageError> for ViewWriteError {
    fn from(error: StorageError) -> Self {
        Self::View(error.into())
    }
}
