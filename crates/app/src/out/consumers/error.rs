//! Why something was not done with a consumer.

use daicho_store::StateError;

use crate::blame::Blame;
use crate::error::Failure;

/// Why something was not done with a consumer.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// No such consumer.
    #[error("there is no consumer `{0}`: make it first")]
    Unknown(String),
    /// One of this name asks for something else.
    #[error("consumer `{name}` is there already, with another {what}: delete it, or choose a name")]
    Differs {
        /// Its name.
        name: String,
        /// What differs.
        what: &'static str,
    },
    /// The worker had the batch for longer than it asked.
    #[error(
        "batch {batch} is not out: its time ended and its events were handed out again, or it was \
         acknowledged; take the next one, and ask for more time"
    )]
    LeaseEnded {
        /// Its id.
        batch: String,
    },
    /// A named limit or rule of form.
    #[error("{0}")]
    Refused(String),
    /// Others changed the consumer all the time.
    #[error("others changed consumer `{0}` all the time: try again")]
    Busy(String),
    /// Ours, not the caller's.
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
