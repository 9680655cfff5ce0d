//! The start-up gate: a book is not opened where that would not be safe. Each refusal names what
//! was found, what is asked, and the way out.

use std::path::PathBuf;

use crate::clock::Clock;
use crate::error::StorageError;
use crate::log::ReadError;
use crate::merkle::Frontier;

use super::database::{HeadRow, RecordDb};
use super::scan::for_each_row;

/// Schema of the record that this program writes, on every database.
pub(crate) const SCHEMA_VERSION: i64 = 1;
/// Microseconds that the clock may be behind the last event.
pub const CLOCK_SKEW_US_MAX: i64 = 5_000_000;
/// Events at the end of the book that are hashed again at every start.
const START_CHECK_EVENTS: u64 = 64;
/// The same, where the last node of the tree needs more to be checked.
const START_CHECK_EVENTS_MAX: u64 = 4_096;

/// Why a book was not opened or created.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// There is no book.
    #[error("{place} holds no book: create one, or name another place")]
    NotABook {
        /// The folder, or the database and the schema in it.
        place: String,
    },
    /// There is a book already.
    #[error("{place} holds a book already: open it, or name another place")]
    AlreadyABook {
        /// The folder, or the database and the schema in it.
        place: String,
    },
    /// The options break a rule.
    #[error("{0}")]
    Options(String),
    /// SQLite has a bug that corrupts databases in WAL mode.
    #[error(
        "SQLite {version} has the WAL-reset bug (3.7.0 to 3.51.2, and 3.52.0): \
         build with 3.51.3, 3.53.0 or later"
    )]
    UnsafeSqlite {
        /// The version that is linked.
        version: String,
    },
    /// The database would acknowledge what it has not synced.
    #[error("{place} runs with {setting}, a book needs {asked}: {way_out}")]
    WeakDurability {
        /// The database.
        place: String,
        /// What was found.
        setting: String,
        /// What it must be.
        asked: &'static str,
        /// What to do.
        way_out: &'static str,
    },
    /// The record was written by a later release.
    #[error(
        "the record has schema {found}, this program knows {SCHEMA_VERSION}: use a later release"
    )]
    NewerSchema {
        /// The schema found.
        found: i64,
    },
    /// The record cannot be written.
    #[error("{} is read-only: allow writing, or restore the book to another place", file.display())]
    ReadOnly {
        /// The database.
        file: PathBuf,
    },
    /// The role may not do what a book needs.
    #[error(
        "the role {role} cannot use the book, it lacks {missing}: let the book's owner grant it"
    )]
    NoRights {
        /// The role.
        role: String,
        /// Every right that it lacks, and on what.
        missing: String,
    },
    /// The node's clock is behind the record.
    #[error(
        "clock_skew: the clock is {behind_ms} ms behind the last event, at most {} ms are allowed: \
         set the clock",
        CLOCK_SKEW_US_MAX / 1_000
    )]
    ClockSkew {
        /// Milliseconds.
        behind_ms: i64,
    },
    /// The node's clock is not the database's.
    #[error(
        "clock_skew: the clock is {off_ms} ms off the database's, at most {} ms are allowed: set \
         the clock of this machine, or the database's",
        CLOCK_SKEW_US_MAX / 1_000
    )]
    ClockOff {
        /// Milliseconds; negative: behind it.
        off_ms: i64,
    },
    /// Head and log do not agree.
    #[error("the end of the book is damaged: {reason}; verify it and restore it from a backup")]
    Damaged {
        /// What does not agree.
        reason: String,
    },
    /// The database or the file system failed.
    #[error("the book cannot be opened")]
    Storage(#[from] StorageError),
    /// What must be read to open the book cannot be read.
    #[error("the book cannot be opened")]
    Read(#[source] ReadError),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Corrupt { .. } => Self::Damaged { reason: error.to_string() },
            ReadError::Storage(error) => Self::Storage(error),
            ReadError::Refused(_) | ReadError::Overloaded { .. } => Self::Read(error),
        }
    }
}

/// Refuses a clock that is behind the last event by more than [`CLOCK_SKEW_US_MAX`].
pub(crate) fn check_clock(clock: &dyn Clock, recorded_at_us: i64) -> Result<(), OpenError> {
    let behind_us = recorded_at_us.saturating_sub(clock.now_us());
    if behind_us > CLOCK_SKEW_US_MAX {
        return Err(OpenError::ClockSkew { behind_ms: behind_us / 1_000 });
    }
    Ok(())
}

/// Checks that the log ends where its head says, and that its last events hash to it. Everything
/// before them is checked by a verification.
pub(crate) async fn check_end(record: &dyn RecordDb) -> Result<HeadRow, OpenError> {
    let head = record.head().await?;
    let position = head.position();
    if head.last != position {
        return Err(OpenError::Damaged {
            reason: format!("its head says {position} events, its log ends at {}", head.last),
        });
    }
    // The last node of the frontier spans the last 2^k events.
    let node_events = 1_u64.checked_shl(position.trailing_zeros()).unwrap_or(u64::MAX);
    let node_is_checked = position > 0 && node_events <= START_CHECK_EVENTS_MAX;
    let node_events = if node_is_checked { node_events } else { 0 };
    let after = position.saturating_sub(START_CHECK_EVENTS.max(node_events));
    let mut node = Frontier::default();
    for_each_row(record, after, position, |row| {
        if row.position > position - node_events {
            node.push(row.leaf);
        }
        Ok(())
    })
    .await?;
    assert_eq!(node.size(), node_events, "every event below the last node was hashed");
    if node_is_checked && head.frontier.last_node() != Some(&node.root()) {
        return Err(OpenError::Damaged {
            reason: format!("its last {node_events} events do not hash to its head"),
        });
    }
    Ok(head)
}
