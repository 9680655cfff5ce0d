//! From which day something may be set: neither within a closed month nor before it, since what was
//! billed by the values of that time is final.

use daicho_events::Query;
use daicho_values::{Date, Month};

use crate::state::ClosedMonths;

/// Months back from which something may still be set: as far as bills look for what became known
/// late.
pub const FROM_MONTHS_BACK_MAX: u32 = 120;

rejections! {
    /// Why nothing is set from a day on.
    pub enum FirstDayRefused {
        /// Bills look back so far and no further.
        TooLongAgo { from: Date } = "from_too_long_ago":
            "{from} is more than {FROM_MONTHS_BACK_MAX} months ago: give a later day",
        /// What is closed was billed by what held then.
        InClosedMonth { from: Date, month: Month } = "from_in_closed_month":
            "{from} lies in or before {month}, which is closed: give a day after it",
    }
}

/// What must be read to know that no month from a day on is closed. Nothing where no day is given:
/// the month of today is never closed.
pub(crate) fn closed_months_query(from: Option<Date>) -> Query {
    Query::any(from.into_iter().flat_map(months).map(ClosedMonths::query))
}

/// The first day of what is set: the one given, or today.
///
/// # Errors
/// A day in or before a closed month, or longer ago than bills look back.
pub(crate) fn check_first_day(
    from: Option<Date>,
    today: Date,
    closed: &ClosedMonths,
) -> Result<Date, FirstDayRefused> {
    let Some(from) = from else { return Ok(today) };
    if from.month().plus(FROM_MONTHS_BACK_MAX) < today.month() {
        return Err(FirstDayRefused::TooLongAgo { from });
    }
    match months(from).filter(|month| closed.is_closed(*month)).last() {
        Some(month) => Err(FirstDayRefused::InClosedMonth { from, month }),
        None => Ok(from),
    }
}

/// The months from a day on, of which one may be closed.
fn months(from: Date) -> impl Iterator<Item = Month> {
    (0..=FROM_MONTHS_BACK_MAX).map(move |months| from.month().plus(months))
}
