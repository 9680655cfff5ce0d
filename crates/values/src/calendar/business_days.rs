//! Business days: which days a book counts as closed, and the dates that follow from it (R55, R85).
//! Which rule a book follows is its own setting, because R85 and the banks disagree on 31 December.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time, Weekday};

use super::{CalendarError, covered, day_after, is_holiday};

crate::data! {
    /// Which days are closed by rule.
    pub enum ClosedDays {
        /// Saturdays, Sundays, Japan's holidays and 31 December to 3 January (銀行法15条).
        Bank,
        /// Saturdays, Sundays and Japan's holidays (R85).
        Holidays,
        /// Saturdays and Sundays.
        Weekends,
    }
}

/// A book's business calendar.
///
/// Every question about a date outside [`YEAR_FIRST`](super::YEAR_FIRST)`..=`
/// [`YEAR_LAST`](super::YEAR_LAST), or whose answer would lie outside, is a
/// [`CalendarError::YearOutOfRange`]. That holds for [`ClosedDays::Weekends`] too, so that a change
/// of the setting never changes which dates are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessCalendar {
    /// The days closed by rule.
    pub rule: ClosedDays,
    /// Further closed days: the book's own, or a one-off holiday that became law since the rules
    /// were written.
    pub extra_closed: BTreeSet<Date>,
}

impl BusinessCalendar {
    /// A calendar that closes by rule alone, with no further closed days.
    #[must_use]
    pub fn new(rule: ClosedDays) -> Self {
        Self { rule, extra_closed: BTreeSet::new() }
    }

    /// Whether business is done on this day.
    ///
    /// # Errors
    /// [`CalendarError::YearOutOfRange`], as for all of this type.
    pub fn is_open(&self, date: Date) -> Result<bool, CalendarError> {
        covered(date.year())?;
        if is_weekend(date) || self.extra_closed.contains(&date) {
            return Ok(false);
        }
        let is_closed = match self.rule {
            ClosedDays::Bank => is_turn_of_year(date) || is_holiday(date)?,
            ClosedDays::Holidays => is_holiday(date)?,
            ClosedDays::Weekends => false,
        };
        Ok(!is_closed)
    }

    /// This day if it is open, or else the first open day after it.
    ///
    /// # Errors
    /// [`CalendarError::YearOutOfRange`], as for all of this type.
    pub fn next_open_on_or_after(&self, date: Date) -> Result<Date, CalendarError> {
        let mut day = date;
        while !self.is_open(day)? {
            day = day_after(day)?; // ends at the last covered day at the latest
        }
        Ok(day)
    }

    /// The first open day later than this one.
    ///
    /// # Errors
    /// [`CalendarError::YearOutOfRange`], as for all of this type.
    pub fn next_open_after(&self, date: Date) -> Result<Date, CalendarError> {
        self.next_open_on_or_after(day_after(date)?)
    }

    /// The `days`-th open day after this one. The day itself is not counted (初日不算入, Civil Code
    /// art. 140): one business day after a Saturday is Monday. Zero days: the day itself if open,
    /// or else the next open day.
    ///
    /// # Errors
    /// [`CalendarError::YearOutOfRange`], as for all of this type.
    pub fn add_business_days(&self, date: Date, days: u32) -> Result<Date, CalendarError> {
        if days == 0 {
            return self.next_open_on_or_after(date);
        }
        (0..days).try_fold(date, |day, _| self.next_open_after(day))
    }

    /// The business day an application counts for, by its local time of arrival (R55): at or after
    /// the cut-off it counts for the next open day; on a closed day, at any hour, likewise.
    ///
    /// # Errors
    /// [`CalendarError::YearOutOfRange`], as for all of this type.
    pub fn business_date(
        &self,
        received_at: DateTime,
        cutoff: Time,
    ) -> Result<Date, CalendarError> {
        let day = received_at.date();
        if received_at.time() < cutoff {
            return self.next_open_on_or_after(day);
        }
        self.next_open_after(day)
    }

    /// When an invoice issued on this day is due (R85): at the end of the month of issue; when that
    /// day is closed, on the next open day.
    ///
    /// # Errors
    /// [`CalendarError::YearOutOfRange`], as for all of this type.
    pub fn due_date(&self, issue_on: Date) -> Result<Date, CalendarError> {
        self.next_open_on_or_after(issue_on.last_of_month())
    }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn is_turn_of_year(date: Date) -> bool {
    matches!((date.month(), date.day()), (12, 31) | (1, 1..=3))
}
