//! Why something was not done with a webhook.

use daicho_store::StateError;

use crate::blame::Blame;
use crate::error::Failure;
use crate::out::event_types::UnknownType;

/// Why something was not done with a webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// No such webhook.
    #[error("there is no webhook `{0}`: make it first")]
    Unknown(String),
    /// There is one already.
    #[error("there is already a webhook `{0}`: change it, or choose another name")]
    Exists(String),
    /// An address that events are not sent to.
    #[error("{0}")]
    Url(String),
    /// A named limit or rule of form.
    #[error("{0}")]
    Refused(String),
    /// A type of events that there is none of.
    #[error(transparent)]
    Type(#[from] UnknownType),
    /// Somebody else changed it at the same moment.
    #[error("webhook `{0}` was changed at the same moment: look at it and try again")]
    Busy(String),
    /// Ours, not the caller's.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl WebhookError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unknown(_)
            | Self::Exists(_)
            | Self::Url(_)
            | Self::Refused(_)
            | Self::Type(_) => Blame::Caller,
            Self::Busy(_) => Blame::Busy,
            Self::Failure(failure) => failure.blame(),
        }
    }

    /// The stable code of what went wrong.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "webhook_unknown",
            Self::Exists(_) => "webhook_exists",
            Self::Url(_) => "webhook_url",
            Self::Refused(_) | Self::Type(_) => "refused",
            Self::Busy(_) => "conflict",
            Self::Failure(_) => "failure",
        }
    }
}

impl From<StateError> for WebhookError {
    fn from(error: StateError) -> Self {
        match error.broken_rule() {
            Ok(rule) => Self::Refused(rule),
            Err(error) => Self::Failure(error.into()),
        }
    }
}
