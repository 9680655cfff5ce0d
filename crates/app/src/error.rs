//! The three ways in which a command does not happen: rejection, conflict, failure. Never mixed.

use daicho_domain::Rejection;
use daicho_events::DecodeError;
use daicho_projections::ListError;
use daicho_store::vault::VaultError;
use daicho_store::views::{ViewError, ViewWriteError};
use daicho_store::{AppendError, ConsumeError, OpenError, ReadError, StateError, StorageError};

use crate::blame::Blame;
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
    /// A name that no list has.
    #[error("there is no list `{name}`: there are {known}")]
    UnknownList {
        /// As asked for.
        name: String,
        /// The lists that there are.
        known: String,
    },
    /// A condition that the kind of its column does not allow.
    #[error("`{column}` is {form}, not `{text}`")]
    Condition {
        /// The column.
        column: String,
        /// What its values look like.
        form: &'static str,
        /// The value asked for.
        text: String,
    },
    /// A list of the past that is to hold what was recorded after it.
    #[error(
        "a list as known at position {known_at} never holds position {position}: leave one out"
    )]
    NeverHolds {
        /// The moment of the list.
        known_at: u64,
        /// What it is to hold.
        position: u64,
    },
    /// A rebuild was given less memory than the smallest part of its lists needs.
    #[error(
        "one slice of the lists holds {bytes} bytes by now, and the rebuild may hold {bytes_max}: \
         give it more memory"
    )]
    MemoryTooSmall {
        /// What the slice holds, bytes.
        bytes: usize,
        /// What it was given, bytes.
        bytes_max: usize,
    },
    /// A list cannot be made anew within the memory that reading it may take.
    #[error("the list {list} needs more than {bytes_max} bytes to be made: rebuild it with more")]
    ListTooLarge {
        /// The list.
        list: &'static str,
        /// What it may take, bytes.
        bytes_max: usize,
    },
    /// More events are about one thing than the ledger reads at once.
    #[error("this would have to read more than {events_max} events")]
    TooManyEvents {
        /// What it reads.
        events_max: usize,
    },
    /// A command that never knows enough.
    #[error("what this command must know still grows after {rounds} rounds")]
    Unsettled {
        /// How often it asked.
        rounds: usize,
    },
    /// A thread of the ledger's own ended before its work.
    #[error("{what} broke off")]
    BrokeOff {
        /// What it was doing.
        what: String,
    },
    /// A document of the state that this software cannot read or write.
    #[error("what is kept of {of} is damaged: {reason}")]
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

    /// What to tell whoever has to mend the request: the broken rule itself, where a part below
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

/// A cursor that somebody else moved or deleted: whoever begins again goes on.
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

/// Nothing is sealed any more for a person who was erased: the command must name another.
fn of_vault(error: &VaultError) -> Blame {
    if matches!(error, VaultError::Erased { .. }) { Blame::Caller } else { Blame::Ours }
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
