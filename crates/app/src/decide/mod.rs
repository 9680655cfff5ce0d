//! How a command is carried out: from its text to the recorded events.

pub(crate) mod commands;
pub(crate) mod context;
pub(crate) mod execute;
pub(crate) mod form;
pub(crate) mod personal;
pub(crate) mod read_cache;
pub(crate) mod secret;
pub(crate) mod translate;
mod unique_json;

pub use commands::{COMMANDS, CommandEntry, CommandRequest, Commands};
pub use context::{Context, Executed, Expectation, RequestKey};
pub use execute::{CONFLICTS_MAX, Decisions};
pub use form::{FormError, read as read_form};
pub use personal::{ERASED, KEY_MISSING, Privacy, SEALED};
pub use read_cache::DECISION_EVENTS_MAX;
pub use secret::KeySecret;
pub use unique_json::UniqueJson;
