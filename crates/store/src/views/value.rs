//! What a view is made of: cells and how they compare, rows, and the point at which it stands.

use std::fmt;

use serde::{Deserialize, Serialize};

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

/// A row of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Its key, unique in the view; at most [`KEY_BYTES_MAX`] and no zero byte.
    pub key: String,
    /// The whole row as the projection packs it; opaque here.
    pub row: Vec<u8>,
    /// Its cells, in the order of the schema's columns.
    pub columns: Vec<Value>,
    /// The day (`YYYY-MM-DD`) on which its columns change although nothing is recorded.
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

/// A view, as the list of all views shows it.
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

/// Whether both databases can hold `text` in a cell: PostgreSQL has no zero byte in a text.
pub(crate) fn is_cell_text(text: &str) -> bool {
    text.len() <= CELL_BYTES_MAX && !text.contains('\0')
}
