//! What ends a command before it is done, and the exit code that says which kind it was.

use std::io;
use std::process::ExitCode;

use daicho_app::{
    ArchiveError, Blame, BookError, ConsumerError, CopyBookError, ExecuteError, Failure,
    ImportError, VerifyError, WebhookError,
};
use daicho_http::{ConfigError, ServeError};
use daicho_simulator::SimulateError;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
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
    /// A book was not copied to another place.
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
    /// A simulation stopped early.
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
            Self::Execute(error) | Self::Import(ImportError::Refused(error)) => of_execute(error),
            Self::Import(ImportError::Money(_)) => Exit::Rejected,
            Self::Import(error) => of_blame(error.blame()),
            Self::Simulate(SimulateError::NotEmpty { .. }) => Exit::Usage,
            Self::Simulate(_) => Exit::Failed,
            Self::Book(error) => of_blame(error.blame()),
            Self::Failure(failure) => of_blame(failure.blame()),
            Self::Consumer(error) => of_blame(error.blame()),
            Self::Webhook(error) => of_blame(error.blame()),
            Self::Verify(error) => unless_difference(error.is_difference(), error.blame()),
            Self::Copy(error) => unless_difference(error.is_difference(), error.blame()),
            Self::Archive(error) => unless_difference(error.is_difference(), error.blame()),
            Self::Stopped(_) | Self::Output(_) | Self::Runtime(_) => Exit::Failed,
        }
    }

    /// Whether the reader of the answer has gone away, as in `daicho … | head`.
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

/// The exit code for whose fault the error is.
fn of_blame(blame: Blame) -> Exit {
    match blame {
        Blame::Caller => Exit::Usage,
        Blame::Busy | Blame::Ours => Exit::Failed,
    }
}

/// The same, where a difference may have been found.
fn unless_difference(is_difference: bool, blame: Blame) -> Exit {
    if is_difference { Exit::Different } else { of_blame(blame) }
}

fn of_execute(error: &ExecuteError) -> Exit {
    match error {
        ExecuteError::Failure(_) | ExecuteError::Conflict(_) => of_blame(error.blame()),
        ExecuteError::Rejected(_)
        | ExecuteError::Changed { .. }
        | ExecuteError::Malformed(_)
        | ExecuteError::RequestReused { .. } => Exit::Rejected,
    }
}

/// An error that the caller can mend says so itself; the part of the ledger that found it is left
/// out.
impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        let has_a_code = matches!(failure, Failure::NotRecorded { .. });
        match failure.blame() {
            Blame::Caller if !has_a_code => Self::Usage(failure.rule()),
            Blame::Caller | Blame::Busy | Blame::Ours => Self::Failure(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use daicho_app::ReadError;

    use super::*;

    /// Each of these ended as if an argument had been wrong.
    #[test]
    fn what_broke_on_our_side_is_no_usage() {
        let reason = || "not JSON".to_owned();
        for ours in [
            Failure::BrokeOff { what: "a thread of the replay".to_owned() },
            Failure::TooManyEvents { events_max: 100_000 },
            Failure::Unsettled { rounds: 4 },
            Failure::Contradiction("position 7 is not recorded".to_owned()),
            Failure::ListTooLarge { list: "orders", bytes_max: 1 },
            Failure::Document { of: "webhook `crm`".to_owned(), reason: reason() },
        ] {
            let error = CliError::from(ours);
            assert_eq!((error.exit(), error.code()), (Exit::Failed, "failure"), "{error}");
        }
        let document = Failure::Document { of: "webhook `crm`".to_owned(), reason: reason() };
        assert_eq!(CliError::Webhook(WebhookError::Failure(document)).exit(), Exit::Failed);
    }

    #[test]
    fn what_the_caller_can_mend_is_usage_and_says_only_the_rule() {
        let refused = CliError::from(Failure::Read(ReadError::Refused("too wide".to_owned())));
        assert_eq!((refused.exit(), refused.to_string().as_str()), (Exit::Usage, "too wide"));
        let not_recorded = CliError::from(Failure::NotRecorded { position: 9, head: 7 });
        assert_eq!((not_recorded.exit(), not_recorded.code()), (Exit::Usage, "not_recorded"));
        let memory = CliError::from(Failure::MemoryTooSmall { bytes: 2, bytes_max: 1 });
        assert_eq!(memory.exit(), Exit::Usage);
    }
}
