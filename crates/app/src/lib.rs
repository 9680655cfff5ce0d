//! The one place where the parts meet: decisions over the log, lists over the same log, proof of
//! both.
//!
//! [`Books`] finds and opens books; a [`Ledger`] is one open book. What the binary or a server can
//! do, a ledger can do: they hold no rules of their own.

mod access;
mod archive;
mod books;
mod cells;
mod commands;
mod compare;
mod consumers;
mod copy;
mod crew;
mod edge;
mod error;
mod execute;
mod folds;
mod follow;
mod form;
mod history;
mod import;
mod leases;
mod ledger;
mod lists;
mod loading;
mod personal;
mod presets;
mod private_address;
mod progress;
mod rebuild;
mod recall;
mod replay;
mod rows;
mod status;
mod translate;
mod turn;
mod upkeep;
mod verify;
mod webhooks;

pub use access::{Caller, CreatedKey, KeyRequest, KeySecret, KeyState};
pub use archive::ArchiveError;
pub use books::{BookName, Books};
pub use cells::major_units;
pub use commands::{COMMANDS, CommandEntry, CommandRequest};
pub use compare::Compared;
pub use consumers::{
    BATCH_EVENTS_MAX, Batch, BatchRequest, BatchState, ConsumerError, ConsumerRequest,
    ConsumerSettings, ConsumerState,
};
pub use copy::CopyBookError;
pub use edge::Edge;
pub use error::{BookError, EventError, ExecuteError, Failure};
pub use execute::{CONFLICTS_MAX, Context, DECISION_EVENTS_MAX, Executed, Expectation, RequestKey};
pub use follow::{CursorState, EventStretch, FollowRequest, Follower};
pub use form::{FormError, read as read_form};
pub use history::{EventPage, EventText, HistoryLine};
pub use import::{COLUMNS, FileError, ImportError, ImportOptions, ImportReport, Rejected};
pub use leases::DeliveryLease;
pub use ledger::{Ledger, SOFTWARE};
pub use lists::{AtLeast, KnownAt, ListFilter, ListPage, ListRequest, ListSort, list_by_name};
pub use personal::{ERASED, KEY_MISSING, Privacy, SEALED};
pub use presets::{Preset, PresetError, preset};
pub use private_address::is_private_address;
pub use progress::{Progress, Unwatched};
pub use rebuild::{Rebuild, RebuildOptions, Rebuilt, Stopped};
pub use status::ListState;
pub use verify::{Checkpoint, Verified, VerifyError};
pub use webhooks::{
    MadeWebhook, Next, Outcome, Parked, ParkedChoice, ParkedNote, RetryPolicy, Signature,
    WebhookChange, WebhookError, WebhookRequest, WebhookState, WebhookWork,
};

// What callers of a ledger meet of the crates below it: they lean on this crate alone.
pub use daicho_domain::access::{Right, may};
pub use daicho_events::access::Role;
pub use daicho_events::{Actor, PUBLISHED, Position, Published, Recorded};
pub use daicho_projections::{Column, ColumnKind, List, SLICES, Value, all};
pub use daicho_store::sqlite::backup::{BackupError, Manifest};
pub use daicho_store::vault::Entropy;
pub use daicho_store::views::{PAGE_ROWS_MAX, ViewError};
pub use daicho_store::{
    AppendError, Clock, ConsumeError, CopyError, Fault, Holder, OpenError, ReadError, StateError,
    causes, with_causes,
};
pub use daicho_values::{
    ContractId, Currency, Date, KeyId, MemberId, Money, Name, OrderId, OrganisationId, QuoteId,
    Scope, Timestamp,
};
