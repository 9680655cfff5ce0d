//! How events leave a book: they are read as recorded, followed, handed to consumers and sent to
//! webhooks.

pub(crate) mod consumers;
pub(crate) mod event_text;
pub(crate) mod event_types;
pub(crate) mod follow;
pub(crate) mod history;
pub(crate) mod leases;
pub(crate) mod webhooks;

pub use consumers::{
    BATCH_EVENTS_MAX, Batch, BatchRequest, BatchState, ConsumerError, ConsumerRequest,
    ConsumerSettings, ConsumerState, Consumers, HandingOut,
};
pub use event_text::EventText;
pub use event_types::{UnknownType, check_types};
pub use follow::{CursorState, EventStretch, FollowRequest, Follower, Following};
pub use history::{EventPage, History, HistoryLine};
pub use leases::{DeliveryLease, DeliveryLeases};
pub use webhooks::{
    MadeWebhook, Next, Outcome, Parked, ParkedChoice, ParkedMessages, ParkedNote, RetryPolicy,
    Signature, WebhookChange, WebhookError, WebhookRequest, WebhookSending, WebhookState,
    WebhookWork, Webhooks, is_private_address,
};
