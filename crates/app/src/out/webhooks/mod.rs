//! Webhooks: addresses to which the events of a book are sent, signed, in order, each at least
//! once. The state stores each webhook and how far it has come; `daicho-deliveries` does the
//! sending.

mod error;
mod parked;
mod private_address;
mod progress;
mod registry;
mod secret;
mod stored;
mod work;

pub use error::WebhookError;
pub use parked::{Parked, ParkedChoice, ParkedMessages, ParkedNote};
pub use private_address::is_private_address;
pub use progress::{Outcome, RetryPolicy};
pub use registry::{MadeWebhook, WebhookChange, WebhookRequest, WebhookState, Webhooks};
pub use secret::Signature;
pub use work::{Next, WebhookSending, WebhookWork};
