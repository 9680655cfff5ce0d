//! The three ways in which a command does not happen: rejection, conflict, failure. Never mixed.

use daicho_domain::Rejection;
use daicho_events::DecodeError;
use daicho_projections::ListError;
use daicho_store::vault::VaultError;
use daicho_store::views::{ViewError, ViewWriteError};
use daicho_store::{AppendError, ConsumeError, OpenError, ReadError, StateError, StorageError};

use crate::decide::form::FormError;

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A rule that the caller broke and can mend.
    #[error("{0}")]
    Rejected(Box<dyn Rejection>),
    /// The command's own text is not of its form.
    #[error(transparent)]
    Malformed(#[from] FormError),
    /// The request id was used for another command.
    #[error(
        "request id {id} was already used for another command, at position {position}: give \
         each command its own id"
    )]
    RequestReused {
        /// The id.
        id: String,
        /// Position of the first event of the recorded command.
        position: u64,
    },
    /// The thing is not as the caller knows it.
    #[error(
        "{tag} has changed: the last position about it is {at}, not {expected}; read it again and \
         decide again"
    )]
    Changed {
        /// The thing.
        tag: String,
        /// The last position about it that the caller knows.
        expected: u64,
        /// The last position about it.
        at: u64,
    },
    /// Others wrote about the same things all the time.
    #[error("others changed the same things {0} times while this was decided: try again")]
    Conflict(u32),
    /// Ours, not the caller's.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl ExecuteError {
    pub(crate) fn rejected(rejection: impl Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }

    /// The command's text is not of its form.
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(FormError::whole(reason))
    }

    /// The stable code of what went wrong.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Malformed(_) => "malformed",
            Self::RequestReused { .. } => "request_id_reused",
            Self::Changed { .. } => "changed",
            Self::Conflict(_) => "conflict",
            Self::Failure(_) => "failure",
        }
    }
}

/// The ledger could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Appending failed.
    #[error("the log did not take the append")]
    Append(#[from] AppendError),
    /// Reading failed.
    #[error("the log could not be read")]
    Read(#[from] ReadError),
    /// An event that this software does not know, or that is damaged.
    #[error("event {position} could not be read")]
    Event {
        /// Its position.
        position: u64,
        /// Why.
        #[source]
        source: EventError,
    },
    /// The vault failed.
    #[error("the vault of personal data failed")]
    Vault(#[from] VaultError),
    /// A stored view failed.
    #[error("a stored list could not be read or kept up")]
    View(#[from] ViewError),
    /// A stored view failed to take a change.
    #[error("a stored list could not be kept up")]
    ViewWrite(#[from] ViewWriteError),
    /// A stored row is damaged or of another release.
    #[error(transparent)]
    List(#[from] ListError),
    /// A cursor or a lease.
    #[error(transparent)]
    State(#[from] StateError),
    /// Following under a name.
    #[error(transparent)]
    Consume(#[from] ConsumeError),
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[from] StorageError),
    /// A position beyond the end of the book.
    #[error("position {position} is not recorded yet: the book ends at {head}")]
    NotRecorded {
        /// As asked for.
        position: u64,
        /// The end of the book.
        head: u64,
    },
    /// A list did not come as far as asked for in time.
    #[error(
        "the list {list} stands at position {at} and not yet at {position}, after {wait_ms} ms: \
         another process brings it up; try again, or wait longer"
    )]
    NotReached {
        /// The list.
        list: &'static str,
        /// As asked for.
        position: u64,
        /// Where it stands.
        at: u64,
        /// How long it was waited for.
        wait_ms: u64,
    },
    /// A limit of the ledger's own.
    #[error("{0}")]
    Limit(String),
}

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Its envelope is not of the form of this ledger.
    #[error("its envelope is damaged: {0}")]
    Envelope(String),
    /// Its data is not known or damaged.
    #[error(transparent)]
    Data(#[from] DecodeError),
}

impl BookError {
    /// Whether the place of the books was named in a form that none can have.
    pub fn is_misnamed_place(&self) -> bool {
        let Self::Place(source) = self else { return false };
        matches!(source.downcast_ref(), Some(OpenError::Options(_)))
    }

    /// Whether the store refused to open the book since its record is damaged.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Open { source, .. } => {
                matches!(source.downcast_ref(), Some(OpenError::Damaged { .. }))
            }
            Self::Name(_)
            | Self::Unknown { .. }
            | Self::Exists(_)
            | Self::Folder { .. }
            | Self::Place(_)
            | Self::Rights
            | Self::Failure(_) => false,
        }
    }
}

/// Why a book was not opened, created, copied or restored.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// A name that a book cannot have.
    #[error(
        "`{0}` cannot name a book: 1 to 48 lower-case letters, digits and hyphens, beginning with \
         a letter or digit"
    )]
    Name(String),
    /// No such book.
    #[error("there is no book `{name}` in {place}: {known}")]
    Unknown {
        /// As asked for.
        name: String,
        /// Where it was looked for.
        place: String,
        /// What there is, or how to make one.
        known: String,
    },
    /// There is one already.
    #[error("there is already a book `{0}`: open it, or choose another name")]
    Exists(String),
    /// The folder cannot be used.
    #[error("{path} cannot be used")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder has no roles.
    #[error("the rights on a folder are the file system's: `--database URL` names a database")]
    Rights,
    /// The database that is to hold books cannot be used.
    #[error("the place of the books cannot be used")]
    Place(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store refuses.
    #[error("book `{name}` cannot be opened")]
    Open {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something in it failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}
