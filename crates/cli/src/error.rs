//! What ends a command before it is done, and the exit code that says which kind it was.

use std::io;
use std::process::ExitCode;

use daicho_app::{
    ArchiveError, BackupError, BookError, ConsumeError, ConsumerError, CopyBookError, CopyError,
    ExecuteError, Failure, Fault, ImportError, ReadError, StateError, VerifyError, ViewError,
    WebhookError,
};
use daicho_http::{ConfigError, ServeError};
use daicho_simulator::SimulateError;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is done.
    Done,
    /// Ours: storage, damage.
    Failed,
    /// The arguments cannot be used.
    Usage,
    /// A rule was broken.
    Rejected,
    /// A verification or comparison found a difference.
    Different,
}

/// The exit codes, for the help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failure: storage, damage
  2  usage: an argument, a book or a file that cannot be used
  3  rejected: a rule was broken (run: at least one line was rejected)
  4  a verification or comparison found a difference";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Rejected => 3,
            Exit::Different => 4,
        })
    }
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The arguments do not fit together, or name something that is not there.
    #[error("{0}")]
    Usage(String),
    /// The book was not opened.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The ledger could not do its work.
    #[error(transparent)]
    Failure(Failure),
    /// A verification found something that is not true.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A book was not carried to another place.
    #[error(transparent)]
    Copy(#[from] CopyBookError),
    /// Nothing was backed up or restored.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A command of this program's own was refused.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// An import did not begin, or stopped.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A simulated life broke off.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// A consumer refuses.
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    /// A webhook refuses.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// A setting of the service cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The service did not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A file could not be written.
    #[error("{path} cannot be written")]
    Unwritable {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A run ended before its input did.
    #[error("{0}")]
    Stopped(String),
    /// A file could not be read.
    #[error("{path} cannot be read")]
    Input {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The answer could not be written.
    #[error("the answer could not be written")]
    Output(#[from] io::Error),
    /// The process could not begin its work.
    #[error("the threads that do the work could not be started")]
    Runtime(#[source] io::Error),
}

impl CliError {
    /// The exit code of this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Input { .. }
            | Self::Unwritable { .. }
            | Self::Config(_)
            | Self::Serve(_) => Exit::Usage,
            Self::Execute(error) => of_execute(error),
            Self::Import(ImportError::File(_)) => Exit::Usage,
            Self::Import(ImportError::Refused(error)) => of_execute(error),
            Self::Import(ImportError::Failure(failure)) => of_failure(failure),
            Self::Import(ImportError::Money(_)) => Exit::Rejected,
            Self::Simulate(SimulateError::NotEmpty { .. }) => Exit::Usage,
            Self::Simulate(_) => Exit::Failed,
            Self::Book(error) => of_book(error),
            Self::Failure(failure)
            | Self::Consumer(ConsumerError::Failure(failure))
            | Self::Webhook(WebhookError::Failure(failure)) => of_failure(failure),
            Self::Consumer(ConsumerError::Busy(_)) | Self::Webhook(WebhookError::Busy(_)) => {
                Exit::Failed
            }
            Self::Consumer(_) | Self::Webhook(_) => Exit::Usage,
            Self::Verify(error) => of_verify(error),
            Self::Copy(error) => of_copy(error),
            Self::Archive(error) => of_archive(error),
            Self::Stopped(_) | Self::Output(_) | Self::Runtime(_) => Exit::Failed,
        }
    }

    /// Whether the reader of the answer has seen enough, as in `daicho … | head`.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// A stable word for the kind of error, for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Book(BookError::Unknown { .. })
            | Self::Verify(VerifyError::Book(BookError::Unknown { .. })) => "unknown_book",
            Self::Book(BookError::Exists(_))
            | Self::Archive(ArchiveError::Book(BookError::Exists(_))) => "book_exists",
            Self::Input { .. } => "unreadable_input",
            Self::Stopped(_) => "stopped",
            Self::Failure(Failure::NotRecorded { .. }) => "not_recorded",
            Self::Failure(Failure::NotReached { .. }) => "not_reached",
            Self::Execute(error) => error.code(),
            Self::Consumer(error) => error.code(),
            Self::Webhook(error) => error.code(),
            Self::Unwritable { .. } => "unwritable_output",
            Self::Usage(_)
            | Self::Import(_)
            | Self::Simulate(_)
            | Self::Book(_)
            | Self::Failure(_)
            | Self::Verify(_)
            | Self::Archive(_)
            | Self::Config(_)
            | Self::Serve(_)
            | Self::Output(_)
            | Self::Copy(_)
            | Self::Runtime(_) => of_exit(self.exit()),
        }
    }
}

fn of_exit(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "done",
        Exit::Failed => "failure",
        Exit::Usage => "usage",
        Exit::Rejected => "rejected",
        Exit::Different => "difference",
    }
}

fn of_book(error: &BookError) -> Exit {
    match error {
        BookError::Name(_)
        | BookError::Unknown { .. }
        | BookError::Exists(_)
        | BookError::Rights => Exit::Usage,
        BookError::Failure(failure) => of_failure(failure),
        BookError::Place(_) if error.is_misnamed_place() => Exit::Usage,
        BookError::Folder { .. } | BookError::Open { .. } | BookError::Place(_) => Exit::Failed,
    }
}

fn of_execute(error: &ExecuteError) -> Exit {
    match error {
        ExecuteError::Failure(failure) => of_failure(failure),
        ExecuteError::Conflict(_) => Exit::Failed,
        ExecuteError::Rejected(_)
        | ExecuteError::Changed { .. }
        | ExecuteError::Malformed(_)
        | ExecuteError::RequestReused { .. } => Exit::Rejected,
    }
}

/// The store refuses what breaks a named limit or rule of form: then the caller can mend it.
fn of_failure(failure: &Failure) -> Exit {
    match failure {
        Failure::Read(ReadError::Refused(_))
        | Failure::Limit(_)
        | Failure::NotRecorded { .. }
        | Failure::State(StateError::Refused(_))
        | Failure::Consume(ConsumeError::BeyondHead { .. } | ConsumeError::NotHandedOut { .. })
        | Failure::View(
            ViewError::UnknownColumn { .. } | ViewError::BadCursor { .. } | ViewError::Refused(_),
        ) => Exit::Usage,
        Failure::Append(_)
        | Failure::Read(_)
        | Failure::Event { .. }
        | Failure::Vault(_)
        | Failure::View(_)
        | Failure::ViewWrite(_)
        | Failure::List(_)
        | Failure::State(_)
        | Failure::Consume(_)
        | Failure::NotReached { .. }
        | Failure::Storage(_) => Exit::Failed,
    }
}

fn of_verify(error: &VerifyError) -> Exit {
    match error {
        VerifyError::Fault(Fault::Read(_)) | VerifyError::Failure(_) => Exit::Failed,
        VerifyError::Book(error) if error.is_damage() => Exit::Different,
        VerifyError::Book(error) => of_book(error),
        VerifyError::Fault(_) | VerifyError::Checkpoint { .. } | VerifyError::List(_) => {
            Exit::Different
        }
    }
}

fn of_copy(error: &CopyBookError) -> Exit {
    match error {
        CopyBookError::Book(error) if error.is_damage() => Exit::Different,
        CopyBookError::Book(error) => of_book(error),
        CopyBookError::Record(CopyError::Fork { .. }) => Exit::Usage,
        CopyBookError::Record(CopyError::Source(Fault::Read(_))) => Exit::Failed,
        CopyBookError::Record(CopyError::Source(_)) => Exit::Different,
        CopyBookError::Record(_) => Exit::Failed,
        CopyBookError::Failure(failure) => of_failure(failure),
    }
}

fn of_archive(error: &ArchiveError) -> Exit {
    match error {
        ArchiveError::Book(error) if error.is_damage() => Exit::Different,
        ArchiveError::Book(error) => of_book(error),
        ArchiveError::Verify(error) => of_verify(error),
        ArchiveError::InDatabase => Exit::Usage,
        ArchiveError::Backup(BackupError::Altered { .. }) => Exit::Different,
        ArchiveError::Backup(
            BackupError::TargetInUse { .. }
            | BackupError::Unfinished { .. }
            | BackupError::SourceMissing { .. }
            | BackupError::VaultElsewhere { .. },
        ) => Exit::Usage,
        ArchiveError::Backup(
            BackupError::Touched { .. }
            | BackupError::Inspect(_)
            | BackupError::Manifest(_)
            | BackupError::Storage(_),
        )
        | ArchiveError::Manifest(_) => Exit::Failed,
    }
}

/// What breaks a named limit or rule of form is the caller's to mend, and says so by itself.
impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Read(ReadError::Refused(text))
            | Failure::State(StateError::Refused(text))
            | Failure::Limit(text) => Self::Usage(text),
            Failure::Consume(
                error @ (ConsumeError::BeyondHead { .. } | ConsumeError::NotHandedOut { .. }),
            ) => Self::Usage(error.to_string()),
            Failure::View(
                error @ (ViewError::UnknownColumn { .. }
                | ViewError::BadCursor { .. }
                | ViewError::Refused(_)),
            ) => Self::Usage(error.to_string()),
            Failure::Append(_)
            | Failure::Read(_)
            | Failure::Event { .. }
            | Failure::Vault(_)
            | Failure::View(_)
            | Failure::ViewWrite(_)
            | Failure::List(_)
            | Failure::State(_)
            | Failure::Consume(_)
            | Failure::NotRecorded { .. }
            | Failure::NotReached { .. }
            | Failure::Storage(_) => Self::Failure(failure),
        }
    }
}
