//! Stored views: a projection's rows as tables that people and tools may query. The store knows no
//! orders: it knows a schema, opaque rows and typed columns beside them.
//!
//! A row and the position folded into it are written in one transaction; a view may be dropped at
//! any time and is made again from the record.

mod cursor;
mod known;
mod question;
mod schema;
mod select;
mod shadow;
pub(crate) mod sql;

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::StorageError;

pub use cursor::Cursor;
pub(crate) use known::Known;
pub(crate) use question::{Column, Condition, Question};
pub use schema::{ColumnIndex, ColumnKind, ViewColumn, ViewSchema};
pub use select::select;
pub use shadow::{RebuildFrom, Resumed, Shadow};
pub(crate) use shadow::{Replaces, ShadowEntry, Stage};

/// Rows that one read may ask for.
pub const PAGE_ROWS_MAX: u32 = 10_000;
/// Rows, or keys, that one call may name.
pub const BATCH_ROWS_MAX: usize = 65_536;
/// Filters of one page request.
pub const FILTERS_MAX: usize = 32;
/// Typed columns of a view.
pub const COLUMNS_MAX: usize = 64;
/// Bytes of a row's key.
pub const KEY_BYTES_MAX: usize = 1_024;
/// Bytes of one text cell, or of a text to compare with.
pub const CELL_BYTES_MAX: usize = 16 * 1_024;
/// Bytes of a text cell in an indexed column: with the longest key, an index entry of PostgreSQL
/// (at most 2,704 bytes) holds it.
pub const INDEXED_CELL_BYTES_MAX: usize = 1_536;

/// A cell. In order: null, then integers, then texts by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// A row of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Its key, unique in the view; at most [`KEY_BYTES_MAX`] and no zero byte.
    pub key: String,
    /// The whole row as the projection packs it; opaque here.
    pub row: Vec<u8>,
    /// Its cells, in the order of the schema's columns.
    pub columns: Vec<Value>,
    /// The day (`YYYY-MM-DD`) on which its columns change though nothing happens.
    pub next_change: Option<String>,
}

/// Up to where a view was folded, and for which day its columns were computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewPoint {
    /// Position of the last event folded in, 0 for none.
    pub cursor: u64,
    /// Business day of the columns, `YYYY-MM-DD`.
    pub as_of: String,
}

/// How a view stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewState {
    /// Up to where it was folded.
    pub point: ViewPoint,
    /// How many rows it has.
    pub rows: u64,
}

/// A view in the list of all views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewInfo {
    /// Its name.
    pub name: String,
    /// The projection's version that made it.
    pub version: u32,
    /// How it stands.
    pub state: ViewState,
}

/// What one step of upkeep changes. No key may occur twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewChanges {
    /// Rows that are new or replace the one under their key.
    pub upserts: Vec<ViewRow>,
    /// Keys of rows that are no more.
    pub deletes: Vec<String>,
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// A column of the schema, or `key`.
    pub column: String,
    /// How to compare.
    pub op: Comparison,
    /// What to compare with; of the column's kind.
    pub value: Value,
}

/// How a filter compares. Null is a value to `Eq` and `Ne` only: a row whose cell is null is never
/// before, after or like anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same, null included.
    Eq,
    /// Anything else, null included.
    Ne,
    /// Before.
    Lt,
    /// Before, or the same.
    Le,
    /// After.
    Gt,
    /// After, or the same.
    Ge,
    /// A text that starts with this one.
    Prefix,
}

/// Which way a list runs. Rows with equal cells follow their keys, the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Smallest first; null is the smallest.
    Ascending,
    /// Largest first; null comes last.
    Descending,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// All must hold; at most [`FILTERS_MAX`].
    pub filters: Vec<Filter>,
    /// The column (or `key`) to sort by; by ascending key without it.
    pub sort: Option<(String, Direction)>,
    /// Where the last page ended: its [`ViewPage::next`].
    pub after: Option<Cursor>,
    /// Rows at most, 1 to [`PAGE_ROWS_MAX`].
    pub limit: u32,
}

/// Rows of a page, and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewPage {
    /// In the order asked for.
    pub rows: Vec<ViewRow>,
    /// Where to go on; none on the last page.
    pub next: Option<Cursor>,
}

/// The views of one book. Every read sees one committed state; a swap is seen whole or not at all.
#[async_trait]
pub trait Views: Send + Sync {
    /// Makes `schema`'s view known to this process and says how it stands. One that is not there,
    /// or was made by another version, fingerprint or set of columns, is made anew: empty, cursor
    /// 0, for the day `as_of`.
    ///
    /// # Panics
    /// When the schema is not well formed: schemas are written by programmers, not by users.
    async fn ensure(&self, schema: &ViewSchema, as_of: &str) -> Result<ViewState, ViewError>;

    /// How a view stands now.
    async fn state(&self, view: &str) -> Result<ViewState, ViewError>;

    /// How all stored views stand, by name.
    async fn list(&self) -> Result<Vec<ViewInfo>, ViewError>;

    /// The packed rows under `keys` (at most [`BATCH_ROWS_MAX`]); absent keys are left out.
    async fn rows(
        &self,
        view: &str,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError>;

    /// The packed row under `key`.
    async fn get(&self, view: &str, key: &str) -> Result<Option<Vec<u8>>, ViewError>;

    /// Keys and packed rows whose columns change by themselves on or before the day `on`, the
    /// longest due first.
    async fn due(
        &self,
        view: &str,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError>;

    /// Writes changed rows and the point they bring the view to, in one transaction. Nothing is
    /// written unless the view stands at `from`: another process may keep up the same view. Neither
    /// cursor nor day goes back.
    async fn write(
        &self,
        view: &str,
        from: &ViewPoint,
        changes: ViewChanges,
        to: &ViewPoint,
    ) -> Result<(), ViewWriteError>;

    /// A page of a list, by filters and order on the typed columns, and the point at which the view
    /// stood, both of one committed state.
    async fn page_at(
        &self,
        view: &str,
        request: &PageRequest,
    ) -> Result<(ViewPage, ViewPoint), ViewError>;

    /// The page alone.
    async fn page(&self, view: &str, request: &PageRequest) -> Result<ViewPage, ViewError> {
        Ok(self.page_at(view, request).await?.0)
    }

    /// Whole rows in order of key, after `after_key`: to compare one view with another.
    async fn scan(
        &self,
        view: &str,
        after_key: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ViewRow>, ViewError>;

    /// Starts a rebuild beside the live view. An earlier rebuild of the view that was not swapped
    /// is dropped; whoever still loads it gets [`ViewError::Superseded`].
    ///
    /// # Panics
    /// When the schema is not well formed.
    async fn begin_rebuild(
        &self,
        schema: &ViewSchema,
        from: &RebuildFrom,
    ) -> Result<Shadow, ViewError>;

    /// Takes over a rebuild of a view of this very form that was begun and not swapped; whoever
    /// still works on it gets [`ViewError::Superseded`]. Whether it may go on is the caller's to
    /// judge by what it was begun from: else another is begun.
    async fn resume_rebuild(&self, schema: &ViewSchema) -> Result<Option<Resumed>, ViewError>;

    /// Adds rows whose keys the shadow does not hold yet, in any order, at most [`BATCH_ROWS_MAX`]
    /// in one call, and keeps `loaded`, the caller's measure of what is loaded by now, in the same
    /// transaction. Not after [`Views::index_shadow`].
    async fn load(&self, shadow: &Shadow, rows: Vec<ViewRow>, loaded: u32)
    -> Result<(), ViewError>;

    /// Builds the shadow's indexes, each in a transaction of its own. A key that was loaded twice
    /// fails here. Doing it again does nothing.
    async fn index_shadow(&self, shadow: &Shadow) -> Result<(), ViewError>;

    /// The packed rows under `keys` in an indexed shadow, to fold into it what was recorded since.
    async fn shadow_rows(
        &self,
        shadow: &Shadow,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError>;

    /// [`Views::due`] of an indexed shadow, to bring it to a later day.
    async fn shadow_due(
        &self,
        shadow: &Shadow,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError>;

    /// Changes rows of an indexed shadow, and keeps the position folded into them.
    async fn shadow_write(
        &self,
        shadow: &Shadow,
        changes: ViewChanges,
        cursor: u64,
    ) -> Result<(), ViewError>;

    /// Puts the shadow in the place of the live view, as it stands at `point`, in one transaction.
    /// Builds its indexes first if that was not done.
    async fn swap(&self, shadow: Shadow, point: &ViewPoint) -> Result<ViewState, ViewError>;

    /// The same, unless the live view of this form was folded further than `point` or is of a later
    /// day: `None`, and the shadow is to be caught up with. Whoever has brought a view to a
    /// position and a day finds them there.
    async fn swap_forward(
        &self,
        shadow: &Shadow,
        point: &ViewPoint,
    ) -> Result<Option<ViewState>, ViewError>;

    /// Waits for what is under way and lets go of the storage.
    async fn close(&self);
}

/// Why a view was not read or made.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Nobody made the view known to this process.
    #[error("there is no view {view}: known are {known}")]
    UnknownView {
        /// As asked for.
        view: String,
        /// Names of those there are.
        known: String,
    },
    /// Another program made the view anew, in another form.
    #[error("view {view} was made anew by another version of the program: restart this one")]
    Remade {
        /// Its name.
        view: String,
    },
    /// A filter or sort names a column that there is not.
    #[error("view {view} has no column {column}: its columns are {known}")]
    UnknownColumn {
        /// Name of the view.
        view: String,
        /// As asked for.
        column: String,
        /// Names of those there are.
        known: String,
    },
    /// A cursor is not one of ours, or not one of this list.
    #[error("the cursor {reason}: start again from the first page")]
    BadCursor {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A later rebuild of the view was begun.
    #[error(
        "this rebuild of view {view} was dropped for a later one, and nothing was swapped; another \
         process rebuilds it: wait, or run the rebuild again"
    )]
    Superseded {
        /// Its name.
        view: String,
    },
    /// A named limit or rule of form was broken.
    #[error("{0}")]
    Refused(String),
    /// The storage failed.
    #[error("the storage of the views failed")]
    Storage(#[from] StorageError),
}

/// Why changed rows were not written.
#[derive(Debug, thiserror::Error)]
pub enum ViewWriteError {
    /// Somebody else moved the view: read its rows again from where it stands.
    #[error("view {view} stands at {} for {} by now: read its rows again", at.cursor, at.as_of)]
    Moved {
        /// Its name.
        view: String,
        /// Where it stands.
        at: ViewPoint,
    },
    /// Anything else.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl From<StorageError> for ViewWriteError {
    fn from(error: StorageError) -> Self {
        Self::View(error.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("nothing"),
            Self::Integer(number) => write!(formatter, "the number {number}"),
            Self::Text(text) if text.len() > 64 => {
                write!(formatter, "a text of {} bytes", text.len())
            }
            Self::Text(text) => write!(formatter, "the text {text:?}"),
        }
    }
}

/// Whether both databases can hold `text` in a cell: PostgreSQL has no zero byte in a text.
pub(crate) fn is_cell_text(text: &str) -> bool {
    text.len() <= CELL_BYTES_MAX && !text.contains('\0')
}

pub(crate) fn check_count(count: usize) -> Result<(), ViewError> {
    if count > BATCH_ROWS_MAX {
        return Err(ViewError::Refused(format!(
            "{count} rows in one call: at most {BATCH_ROWS_MAX}, split them"
        )));
    }
    Ok(())
}

pub(crate) fn check_limit(limit: u32) -> Result<(), ViewError> {
    if limit == 0 || limit > PAGE_ROWS_MAX {
        return Err(ViewError::Refused(format!(
            "a limit of {limit} rows: it must be 1 to {PAGE_ROWS_MAX}"
        )));
    }
    Ok(())
}

/// Refuses a step back, of the cursor or of the day: rows due between would be passed over.
pub(crate) fn check_step(from: &ViewPoint, to: &ViewPoint) -> Result<(), ViewError> {
    check_day(&to.as_of)?;
    if to.cursor < from.cursor || to.as_of < from.as_of {
        return Err(ViewError::Refused(format!(
            "a view at {} for {} cannot go back to {} for {}: rebuild it",
            from.cursor, from.as_of, to.cursor, to.as_of
        )));
    }
    Ok(())
}

/// Refuses what is not `YYYY-MM-DD`: days are compared as text.
pub(crate) fn check_day(day: &str) -> Result<(), ViewError> {
    let fits = day.len() == 10
        && day.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if fits {
        return Ok(());
    }
    Err(ViewError::Refused(format!("{day:?} is not a day: it must be YYYY-MM-DD")))
}

/// How many rows a view has that had `rows` and has grown by `added`.
pub(crate) fn grown(view: &str, rows: u64, added: i64) -> Result<u64, StorageError> {
    rows.checked_add_signed(added).ok_or_else(|| {
        StorageError::Corrupt(format!("view {view} counts {rows} rows and has others: remake it"))
    })
}

/// `more - less`; both are counts of rows in one call, far below the range.
pub(crate) fn difference(more: u64, less: u64) -> i64 {
    let size = i64::try_from(more.abs_diff(less)).unwrap_or(i64::MAX);
    if more < less { -size } else { size }
}

/// A count or position as a column keeps it.
pub(crate) fn stored_number(number: u64) -> Result<i64, StorageError> {
    i64::try_from(number)
        .map_err(|_| StorageError::Corrupt(format!("{number} is beyond what a column can hold")))
}
