//! Stored views: a projection's rows as tables that people and tools may query. The store knows no
//! orders: it knows a schema, opaque rows and typed columns beside them.
//!
//! A row and the position folded into it are written in one transaction; a view may be dropped at
//! any time and is made again from the record.

mod cursor;
mod known;
mod question;
mod select;
pub(crate) mod sql;
mod stage;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::StorageError;

pub use cursor::Cursor;
pub(crate) use known::Known;
pub(crate) use question::{Column, Condition, Question};
pub use select::select;
pub(crate) use stage::Stage;

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

/// What the rows of a view look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSchema {
    /// `[a-z_]+`, e.g. `orders`: its table is `view_orders`.
    pub name: &'static str,
    /// The projection's version: another one empties the view.
    pub version: u32,
    /// Fingerprint of the row's type: another one empties the view.
    pub fingerprint: String,
    /// The typed columns beside the row, at most [`COLUMNS_MAX`].
    pub columns: Vec<ViewColumn>,
}

/// A typed column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewColumn {
    /// `[a-z_]+`, none of `key`, `row`, `next_change`.
    pub name: &'static str,
    /// What its cells hold; every cell may be null.
    pub kind: ColumnKind,
    /// Whether lists are often filtered or sorted by it.
    pub index: ColumnIndex,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text in binary collation.
    Text,
    /// A whole number.
    Integer,
    /// A day as ISO text, `YYYY-MM-DD`.
    Date,
    /// A moment as ISO text in UTC, of one fixed precision, so that text order is time order.
    Timestamp,
    /// Money in units of the currency's smallest part.
    Money,
}

/// Whether a column has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnIndex {
    /// Pages sorted by it, or narrowed by it, read only what they show.
    Indexed,
    /// Reading by it looks at every row.
    Plain,
}

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

/// A view being made anew beside the one that people read.
#[derive(Debug, Clone)]
pub struct Shadow {
    pub(crate) schema: Arc<ViewSchema>,
    pub(crate) generation: i64,
}

impl Shadow {
    /// What its rows look like.
    pub fn schema(&self) -> &ViewSchema {
        &self.schema
    }
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

    /// A page of a list, by filters and order on the typed columns.
    async fn page(&self, view: &str, request: &PageRequest) -> Result<ViewPage, ViewError>;

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
    async fn begin_rebuild(&self, schema: &ViewSchema) -> Result<Shadow, ViewError>;

    /// Adds rows whose keys the shadow does not hold yet, in any order, at most [`BATCH_ROWS_MAX`]
    /// in one call. Not after [`Views::index_shadow`].
    async fn load(&self, shadow: &Shadow, rows: Vec<ViewRow>) -> Result<(), ViewError>;

    /// Builds the shadow's indexes, each in a transaction of its own. A key that was loaded twice
    /// fails here. Doing it again does nothing.
    async fn index_shadow(&self, shadow: &Shadow) -> Result<(), ViewError>;

    /// The packed rows under `keys` in an indexed shadow, to fold into it what was recorded since.
    async fn shadow_rows(
        &self,
        shadow: &Shadow,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError>;

    /// Changes rows of an indexed shadow.
    async fn shadow_write(&self, shadow: &Shadow, changes: ViewChanges) -> Result<(), ViewError>;

    /// Puts the shadow in the place of the live view, as it stands at `point`, in one transaction.
    /// Builds its indexes first if that was not done.
    async fn swap(&self, shadow: Shadow, point: &ViewPoint) -> Result<ViewState, ViewError>;

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
    #[error("this rebuild of view {view} was dropped for a later one: nothing was swapped")]
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

impl ViewSchema {
    /// # Panics
    /// When a name is not `[a-z_]+`, is taken or occurs twice, or there are too many columns.
    pub(crate) fn assert_well_formed(&self) {
        assert!(is_identifier(self.name), "view {} is not named [a-z_]+", self.name);
        assert!(self.columns.len() <= COLUMNS_MAX, "view {} has too many columns", self.name);
        for (place, column) in self.columns.iter().enumerate() {
            let name = column.name;
            assert!(is_identifier(name), "column {name} is not named [a-z_]+");
            assert!(!["key", "row", "next_change"].contains(&name), "column {name} is taken");
            let mut before = self.columns.iter().take(place);
            assert!(!before.any(|other| other.name == name), "column {name} occurs twice");
        }
    }

    /// Refuses a row that does not fit.
    pub(crate) fn check_row(&self, row: &ViewRow) -> Result<(), ViewError> {
        check_key(&row.key)?;
        if row.columns.len() != self.columns.len() {
            return Err(ViewError::Refused(format!(
                "row {} of view {} has {} cells: it must have {}",
                row.key,
                self.name,
                row.columns.len(),
                self.columns.len()
            )));
        }
        for (column, value) in self.columns.iter().zip(&row.columns) {
            if *value != Value::Null {
                column.check(value)?;
            }
        }
        row.next_change.as_deref().map_or(Ok(()), check_day)
    }

    /// Refuses changes of which one does not fit, or which name a key twice or too many keys.
    pub(crate) fn check_changes(&self, changes: &ViewChanges) -> Result<(), ViewError> {
        let count = changes.upserts.len() + changes.deletes.len();
        check_count(count)?;
        let mut keys = std::collections::HashSet::with_capacity(count);
        for key in changes.upserts.iter().map(|row| &row.key).chain(&changes.deletes) {
            if !keys.insert(key) {
                return Err(ViewError::Refused(format!("row {key} is changed twice in one write")));
            }
        }
        changes.upserts.iter().try_for_each(|row| self.check_row(row))
    }
}

impl ViewColumn {
    /// Refuses a cell that is not null and not for this column.
    fn check(&self, value: &Value) -> Result<(), ViewError> {
        self.kind.check(value, self.name)?;
        match (self.index, value) {
            (ColumnIndex::Indexed, Value::Text(text)) if text.len() > INDEXED_CELL_BYTES_MAX => {
                Err(ViewError::Refused(format!(
                    "column {} is indexed and holds text of at most {INDEXED_CELL_BYTES_MAX} \
                     bytes, not of {}",
                    self.name,
                    text.len()
                )))
            }
            (ColumnIndex::Indexed | ColumnIndex::Plain, _) => Ok(()),
        }
    }
}

impl ColumnKind {
    /// Refuses a value that is not null and not of this kind.
    pub(crate) fn check(self, value: &Value, column: &str) -> Result<(), ViewError> {
        let fits = match self {
            Self::Text | Self::Date | Self::Timestamp => {
                matches!(value, Value::Text(text) if is_cell_text(text))
            }
            Self::Integer | Self::Money => matches!(value, Value::Integer(_)),
        };
        if fits {
            return Ok(());
        }
        Err(ViewError::Refused(format!("column {column} holds {self}, not {value}")))
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => {
                write!(formatter, "text of at most {CELL_BYTES_MAX} bytes, none of them zero")
            }
            Self::Integer => formatter.write_str("whole numbers"),
            Self::Date => formatter.write_str("days (text, YYYY-MM-DD)"),
            Self::Timestamp => formatter.write_str("moments (text, ISO 8601)"),
            Self::Money => formatter.write_str("money (whole numbers of the smallest unit)"),
        }
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

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 48
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
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

fn check_key(key: &str) -> Result<(), ViewError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX || key.contains('\0') {
        return Err(ViewError::Refused(format!(
            "a row's key must have 1 to {KEY_BYTES_MAX} bytes, none of them zero; it has {}",
            key.len()
        )));
    }
    Ok(())
}
