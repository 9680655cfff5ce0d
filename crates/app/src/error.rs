//! The three ways in which a command is not carried out: rejection, conflict and failure. They are
//! never mixed.

use daicho_domain::Rejection;
use daicho_events::DecodeError;
use daicho_projections::ListError;
use daicho_store::vault::VaultError;
use daicho_store::views::{ViewError, ViewWriteError};
use daicho_store::{AppendError, ConsumeError, OpenError, ReadError, StateError, StorageError};

use crate::blame::Blame;
use crate::decide::form::FormError;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The request breaks a rule, and the caller can correct it.
    #[error("{0}")]
    Rejected(Box<dyn Rejection>),
    /// The text of the command does not have the required form.
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
    /// The thing has changed since the caller last read it.
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
    /// Others kept recording events about the same things.
    #[error("others changed the same things {0} times while this was decided: try again")]
    Conflict(u32),
    /// The fault is ours, not the caller's.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl ExecuteError {
    pub(crate) fn rejected(rejection: impl Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }

    /// The text of the command does not have the required form.
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(FormError::whole(reason))
    }

    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Rejected(_)
            | Self::Malformed(_)
            | Self::RequestReused { .. }
            | Self::Changed { .. } => Blame::Caller,
            Self::Conflict(_) => Blame::Busy,
            Self::Failure(failure) => failure.blame(),
        }
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
    #[error("the events could not be appended to the log")]
    Append(#[from] AppendError),
    /// Reading failed.
    #[error("the log could not be read")]
    Read(#[from] ReadError),
    /// An event is damaged or is not known to this software.
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
    #[error("a stored list could not be read or updated")]
    View(#[from] ViewError),
    /// A change could not be written to a stored view.
    #[error("a stored list could not be updated")]
    ViewWrite(#[from] ViewWriteError),
    /// A stored row is damaged or was written by another release.
    #[error(transparent)]
    List(#[from] ListError),
    /// A cursor or a lease failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// Following under a name failed.
    #[error(transparent)]
    Consume(#[from] ConsumeError),
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[from] StorageError),
    /// A position beyond the end of the book.
    #[error("position {position} is not recorded yet: the book ends at {head}")]
    NotRecorded {
        /// What was asked for.
        position: u64,
        /// The end of the book.
        head: u64,
    },
    /// A list did not reach the requested position in time.
    #[error(
        "after {wait_ms} ms the list {list} is at position {at} and not yet at {position}: \
         another process is bringing it up to date; try again, or wait longer"
    )]
    NotReached {
        /// The list.
        list: &'static str,
        /// What was asked for.
        position: u64,
        /// The position that it has reached.
        at: u64,
        /// How long the ledger waited for it, milliseconds.
        wait_ms: u64,
    },
    /// A name that no list has.
    #[error("there is no list `{name}`: there are {known}")]
    UnknownList {
        /// What was asked for.
        name: String,
        /// The names of the existing lists.
        known: String,
    },
    /// A condition whose value is not of its column's type.
    #[error("`{column}` is {form}, not `{text}`")]
    Condition {
        /// The column.
        column: String,
        /// What its values look like.
        form: &'static str,
        /// The value asked for.
        text: String,
    },
    /// A list of the past was asked to hold a position that was recorded later.
    #[error(
        "a list as known at position {known_at} never holds position {position}: leave one out"
    )]
    NeverHolds {
        /// The moment of the list.
        known_at: u64,
        /// The position that it was asked to hold.
        position: u64,
    },
    /// A rebuild was given less memory than the smallest part of its lists needs.
    #[error(
        "one slice of the lists already needs {bytes} bytes, and the rebuild may use {bytes_max}: \
         give it more memory"
    )]
    MemoryTooSmall {
        /// What the slice holds so far, bytes.
        bytes: usize,
        /// What the rebuild may hold, bytes.
        bytes_max: usize,
    },
    /// A list cannot be rebuilt within the memory that a read may use.
    #[error("the list {list} needs more than {bytes_max} bytes to be built: rebuild it with more")]
    ListTooLarge {
        /// The list.
        list: &'static str,
        /// What it may use, bytes.
        bytes_max: usize,
    },
    /// There are more events about one thing than the ledger reads at once.
    #[error("this would have to read more than {events_max} events")]
    TooManyEvents {
        /// How many events it reads at most.
        events_max: usize,
    },
    /// A command keeps asking for more of the record.
    #[error("this command still asks for more of the record after {rounds} rounds")]
    Unsettled {
        /// How often it asked.
        rounds: usize,
    },
    /// A thread of the ledger ended before its work was done.
    #[error("{what} ended before it was done")]
    BrokeOff {
        /// What the thread was doing.
        what: String,
    },
    /// A stored document that this software cannot read or write.
    #[error("the stored state of {of} is damaged: {reason}")]
    Document {
        /// What it is about.
        of: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The ledger contradicts itself.
    #[error("the ledger contradicts itself: {0}")]
    Contradiction(String),
}

impl Failure {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Append(error) => of_append(error),
            Self::Read(error) => of_read(error),
            Self::View(error) | Self::ViewWrite(ViewWriteError::View(error)) => of_view(error),
            Self::State(error) => of_state(error),
            Self::Consume(error) => of_consume(error),
            Self::Vault(error) => of_vault(error),
            Self::NotRecorded { .. }
            | Self::UnknownList { .. }
            | Self::Condition { .. }
            | Self::NeverHolds { .. }
            | Self::MemoryTooSmall { .. } => Blame::Caller,
            Self::NotReached { .. } | Self::ViewWrite(ViewWriteError::Moved { .. }) => Blame::Busy,
            Self::Event { .. }
            | Self::List(_)
            | Self::Storage(_)
            | Self::ListTooLarge { .. }
            | Self::TooManyEvents { .. }
            | Self::Unsettled { .. }
            | Self::BrokeOff { .. }
            | Self::Document { .. }
            | Self::Contradiction(_) => Blame::Ours,
        }
    }

    /// What to tell whoever has to correct the request: the broken rule itself, where a part below
    /// the ledger names it.
    pub fn rule(&self) -> String {
        if let Self::Append(AppendError::Refused(rule)) | Self::Read(ReadError::Refused(rule)) =
            self
        {
            return rule.clone();
        }
        if let Self::View(error) | Self::ViewWrite(ViewWriteError::View(error)) = self {
            return error.to_string();
        }
        if let Self::Vault(error) = self {
            return error.to_string();
        }
        self.to_string()
    }
}

fn of_append(error: &AppendError) -> Blame {
    match error {
        AppendError::Refused(_) | AppendError::RequestReused { .. } => Blame::Caller,
        AppendError::Conflict { .. }
        | AppendError::Overloaded { .. }
        | AppendError::Unknown { .. } => Blame::Busy,
        AppendError::Storage(_) => Blame::Ours,
        AppendError::Read(error) => of_read(error),
    }
}

pub(crate) fn of_read(error: &ReadError) -> Blame {
    match error {
        ReadError::Refused(_) => Blame::Caller,
        ReadError::Overloaded { .. } => Blame::Busy,
        ReadError::Corrupt { .. } | ReadError::Storage(_) => Blame::Ours,
    }
}

fn of_view(error: &ViewError) -> Blame {
    match error {
        ViewError::UnknownColumn { .. } | ViewError::BadCursor { .. } | ViewError::Refused(_) => {
            Blame::Caller
        }
        ViewError::Remade { .. } | ViewError::Superseded { .. } => Blame::Busy,
        ViewError::UnknownView { .. } | ViewError::Storage(_) => Blame::Ours,
    }
}

/// Somebody else moved or deleted a cursor: to continue, start following again.
fn of_state(error: &StateError) -> Blame {
    match error {
        StateError::Refused(_) => Blame::Caller,
        StateError::CursorMoved { .. } | StateError::CursorDeleted { .. } => Blame::Busy,
        StateError::OfAnotherBook { .. }
        | StateError::NewerSchema { .. }
        | StateError::Storage(_) => Blame::Ours,
    }
}

fn of_consume(error: &ConsumeError) -> Blame {
    match error {
        ConsumeError::BeyondHead { .. } | ConsumeError::NotHandedOut { .. } => Blame::Caller,
        ConsumeError::State(error) => of_state(error),
        ConsumeError::Read(error) => of_read(error),
    }
}

/// No data can be sealed for a person who was erased: the command must name another person.
fn of_vault(error: &VaultError) -> Blame {
    if matches!(error, VaultError::Erased { .. }) { Blame::Caller } else { Blame::Ours }
}

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Its envelope does not have the form that this ledger writes.
    #[error("its envelope is damaged: {0}")]
    Envelope(String),
    /// Its data is unknown or damaged.
    #[error(transparent)]
    Data(#[from] DecodeError),
}

impl EventError {
    /// Whose fault it is: ours, since the record holds it.
    pub fn blame(&self) -> Blame {
        Blame::Ours
    }
}

impl BookError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Name(_) | Self::Unknown { .. } | Self::Exists(_) | Self::Rights => Blame::Caller,
            Self::Place(_) if self.is_misnamed_place() => Blame::Caller,
            Self::Folder { .. } | Self::Place(_) | Self::Open { .. } => Blame::Ours,
            Self::Failure(failure) => failure.blame(),
        }
    }

    /// Whether the place of the books was given in a form that no place can have.
    pub fn is_misnamed_place(&self) -> bool {
        let Self::Place(source) = self else { return false };
        matches!(source.downcast_ref(), Some(OpenError::Options(_)))
    }

    /// Whether the store refused to open the book because its record is damaged.
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
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        place: String,
        /// Which books there are, or how to create one.
        known: String,
    },
    /// There is already a book of this name.
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
    /// The database of the books cannot be used.
    #[error("the place of the books cannot be used")]
    Place(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store refuses to open the book.
    #[error("book `{name}` cannot be opened")]
    Open {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something in the book failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}
