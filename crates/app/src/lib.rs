//! The one place where the parts meet: decisions over the log, lists over the same log, proof of
//! both.
//!
//! [`Books`] finds and opens books; a [`Ledger`] is one open book. What the binary or a server can
//! do, a ledger can do: they hold no rules of their own.

mod archive;
mod books;
mod commands;
mod copy;
mod edge;
mod error;
mod execute;
mod history;
mod import;
mod ledger;
mod lists;
mod personal;
mod presets;
mod progress;
mod recall;
mod replay;
mod status;
mod translate;
mod upkeep;
mod verify;

pub use archive::ArchiveError;
pub use books::{BookName, Books};
pub use commands::{COMMANDS, CommandEntry, CommandRequest};
pub use copy::CopyBookError;
pub use edge::Edge;
pub use error::{BookError, EventError, ExecuteError, Failure};
pub use execute::{CONFLICTS_MAX, Context, DECISION_EVENTS_MAX, Executed, RequestKey};
pub use history::{EventPage, EventText, HistoryLine};
pub use import::{COLUMNS, FileError, ImportError, ImportOptions, ImportReport, Rejected};
pub use ledger::{Ledger, SOFTWARE};
pub use lists::{KnownAt, ListFilter, ListOrder, ListPage, ListRequest, list_by_name};
pub use personal::{ERASED, KEY_MISSING};
pub use presets::{Preset, PresetError, preset};
pub use progress::{Progress, Unwatched};
pub use status::ListState;
pub use upkeep::{Compared, Rebuild, Rebuilt};
pub use verify::{Checkpoint, Verified, VerifyError};

// What callers of a ledger meet of the crates below it: they lean on this crate alone.
pub use daicho_events::{
    Actor, ContractId, Currency, Date, MemberId, Money, Name, OrderId, OrganisationId, PUBLISHED,
    Position, QuoteId, Timestamp,
};
pub use daicho_projections::{Column, ColumnKind, List, Value, all};
pub use daicho_store::sqlite::backup::{BackupError, Manifest};
pub use daicho_store::vault::Entropy;
pub use daicho_store::views::{PAGE_ROWS_MAX, ViewError};
pub use daicho_store::{AppendError, Clock, CopyError, Fault, OpenError, ReadError};
