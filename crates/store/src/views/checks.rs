//! What a view takes: limits, days, steps forward, and counts that a column can hold.

use crate::StorageError;

use super::error::ViewError;
use super::value::ViewPoint;

/// Rows, or keys, that one call may name.
pub const BATCH_ROWS_MAX: usize = 65_536;

pub(crate) fn check_count(count: usize) -> Result<(), ViewError> {
    if count > BATCH_ROWS_MAX {
        return Err(ViewError::Refused(format!(
            "{count} rows in one call: at most {BATCH_ROWS_MAX}, split them"
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
        StorageError::Corrupt(format!(
            "view {view} does not have the {rows} rows that it counts: remake it"
        ))
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
