//! What a caller asks of a list, and the page that answers it.

use super::cursor::Cursor;
use super::error::ViewError;
use super::value::{Comparison, Direction, Value, ViewRow};

/// Rows that one read may ask for.
pub const PAGE_ROWS_MAX: u32 = 10_000;
/// Filters of one page request.
pub const FILTERS_MAX: usize = 32;

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

pub(crate) fn check_limit(limit: u32) -> Result<(), ViewError> {
    if limit == 0 || limit > PAGE_ROWS_MAX {
        return Err(ViewError::Refused(format!(
            "a limit of {limit} rows: it must be 1 to {PAGE_ROWS_MAX}"
        )));
    }
    Ok(())
}
