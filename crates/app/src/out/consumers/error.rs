//! Why an operation on a consumer failed.

use daicho_store::StateError;

use crate::blame::Blame;
use crate::error::Failure;

/// Why an operation on a consumer failed.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// There is no such consumer.
    #[error("there is no consumer `{0}`: create it first")]
    Unknown(String),
    /// A consumer of this name has other settings.
    #[error(
        "there is already a consumer `{name}` with another {what}: delete it, or choose another \
         name"
    )]
    Differs {
        /// Its name.
        name: String,
        /// What differs.
        what: &'static str,
    },
    /// The worker had the batch for longer than the time that it asked for.
    #[error(
        "batch {batch} has no lease: its time ended and its events were handed out again, or it \
         was acknowledged; take the next one, and ask for more time"
    )]
    LeaseEnded {
        /// Its id.
        batch: String,
    },
    /// A limit or a rule of form, which the text names.
    #[error("{0}")]
    Refused(String),
    /// Others kept changing the consumer.
    #[error("others kept changing consumer `{0}`: try again")]
    Busy(String),
    /// The fault is ours, not the caller's.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl ConsumerError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unknown(_)
            | Self::Differs { .. }
            | Self::LeaseEnded { .. }
            | Self::Refused(_) => Blame::Caller,
            Self::Busy(_) => Blame::Busy,
            Self::Failure(failure) => failure.blame(),
        }
    }

    /// The stable code of what went wrong.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "consumer_unknown",
            Self::Differs { .. } => "consumer_differs",
            Self::LeaseEnded { .. } => "lease_ended",
            Self::Refused(_) => "refused",
            Self::Busy(_) => "conflict",
            Self::Failure(_) => "failure",
        }
    }
}

impl From<StateError> for ConsumerError {
    fn from(error: StateError) -> Self {
        match error.broken_rule() {
            Ok(rule) => Self::Refused(rule),
            Err(error) => Self::Failure(error.into()),
        }
    }
}
