//! Which days are holidays in Japan and which are business days: the answer behind every due date
//! (R85) and every start date (R55). Pure: civil dates in, civil dates out, no clock and no zone.
//!
//! ```
//! use daicho_values::calendar::{BusinessCalendar, ClosedDays, holiday_on};
//! use jiff::civil::date;
//!
//! let sports_day = holiday_on(date(2026, 10, 12))?.map(|holiday| holiday.name_en);
//! assert_eq!(sports_day, Some("Sports Day"));
//!
//! // R85: 31 May 2026 is a Sunday, so what is invoiced in May falls due on Monday.
//! let calendar = BusinessCalendar::new(ClosedDays::Holidays);
//! assert_eq!(calendar.due_date(date(2026, 5, 11))?, date(2026, 6, 1));
//! # Ok::<(), daicho_values::calendar::CalendarError>(())
//! ```

mod business_days;
mod equinox;
mod japan;

use jiff::civil::Date;

pub use business_days::{BusinessCalendar, ClosedDays};
pub use japan::{Holiday, holiday_on, holidays, is_holiday};

/// The first year answered for: the present text of art. 3 is in force since 1 January 2007
/// (Act No. 43 of 2005); earlier years had other rules.
pub const YEAR_FIRST: i16 = 2007;

/// The last year answered for: the equinox formula ends here.
pub const YEAR_LAST: i16 = 2099;

/// Why a calendar question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The date asked for, or the one the answer would fall on, lies in a year without rules.
    #[error(
        "no calendar for the year {year}: the holiday rules cover {from} to {to}; \
         give a date within those years"
    )]
    YearOutOfRange {
        /// The year that was reached.
        year: i16,
        /// The first year covered.
        from: i16,
        /// The last year covered.
        to: i16,
    },
}

/// Lets a covered year through; [`CalendarError::YearOutOfRange`] for any other.
fn covered(year: i16) -> Result<(), CalendarError> {
    if (YEAR_FIRST..=YEAR_LAST).contains(&year) { Ok(()) } else { Err(out_of_range(year)) }
}

/// The day after a covered date; an error when that day lies in no covered year.
fn day_after(date: Date) -> Result<Date, CalendarError> {
    covered(date.year())?;
    let next = date.tomorrow().map_err(|_| out_of_range(date.year()))?;
    covered(next.year())?;
    Ok(next)
}

fn out_of_range(year: i16) -> CalendarError {
    CalendarError::YearOutOfRange { year, from: YEAR_FIRST, to: YEAR_LAST }
}
