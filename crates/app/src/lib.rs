//! The one place where the parts meet: decisions based on the log, lists built from the same log,
//! and proof of both.
//!
//! [`Books`] finds and opens books; a [`Ledger`] is one open book. Whatever the binary or a server
//! can do, a ledger can do: they hold no rules of their own. A ledger is composed of parts, and
//! each part is in a module: `decide` carries out commands, `access` authenticates callers, `lists`
//! maintains and reads the lists, `out` delivers events, `import` imports files, and `keep` looks
//! after whole books. No module knows the ledger.

mod access;
mod blame;
mod clock_and_entropy;
mod decide;
mod error;
mod import;
mod keep;
mod ledger;
mod lists;
mod out;
mod progress;
mod record;
mod storage;

pub use access::{ApiKeys, Caller, KeyRequest, KeyState};
pub use blame::Blame;
pub use clock_and_entropy::ClockAndEntropy;
pub use decide::{
    COMMANDS, CONFLICTS_MAX, CommandEntry, CommandRequest, Commands, Context, DECISION_EVENTS_MAX,
    Decisions, ERASED, Executed, Expectation, FormError, KEY_MISSING, KeySecret, Privacy,
    RequestKey, SEALED, UniqueJson, read_form,
};
pub use error::{BookError, EventError, ExecuteError, Failure};
pub use import::{COLUMNS, FileError, ImportError, ImportOptions, ImportReport, Imports, Rejected};
pub use keep::{
    Archive, ArchiveError, BookName, Books, Checkpoint, CopyBookError, Preset, PresetError, Proof,
    Verified, VerifyError, preset, preset_or_file,
};
pub use ledger::Ledger;
pub use lists::{
    AtLeast, Compared, Comparison, ListFilter, ListPage, ListRequest, ListSort, ListState, Lists,
    Rebuild, RebuildOptions, Rebuilds, Rebuilt, Stopped, list_by_name, major_units,
};
pub use out::{
    BATCH_EVENTS_MAX, Batch, BatchRequest, BatchState, ConsumerError, ConsumerRequest,
    ConsumerSettings, ConsumerState, Consumers, CursorState, DeliveryLease, DeliveryLeases,
    EventPage, EventStretch, EventText, FollowRequest, Follower, Following, HandingOut, History,
    HistoryLine, MadeWebhook, Next, Outcome, Parked, ParkedChoice, ParkedMessages, ParkedNote,
    RetryPolicy, Signature, UnknownType, WebhookChange, WebhookError, WebhookRequest,
    WebhookSending, WebhookState, WebhookWork, Webhooks, check_types, is_private_address,
};
pub use progress::{Progress, Unwatched};
pub use record::{KnownAt, Record, SOFTWARE};

// What callers of a ledger need of the crates below it, so that they depend on this crate alone.
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
