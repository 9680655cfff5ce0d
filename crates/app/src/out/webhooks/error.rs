//! Why an operation on a webhook failed.

use daicho_store::StateError;

use crate::blame::Blame;
use crate::error::Failure;
use crate::out::event_types::UnknownType;

/// Why an operation on a webhook failed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is no such webhook.
    #[error("there is no webhook `{0}`: create it first")]
    Unknown(String),
    /// There is already a webhook of this name.
    #[error("there is already a webhook `{0}`: change it, or choose another name")]
    Exists(String),
    /// Events are not sent to this address.
    #[error("{0}")]
    Url(String),
    /// A limit or a rule of form, which the text names.
    #[error("{0}")]
    Refused(String),
    /// A type of events that does not exist.
    #[error(transparent)]
    Type(#[from] UnknownType),
    /// Somebody else changed the webhook at the same moment.
    #[error("webhook `{0}` was changed at the same moment: read it again and try again")]
    Busy(String),
    /// The fault is ours, not the caller's.
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
