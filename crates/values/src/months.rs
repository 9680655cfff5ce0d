//! Months that are counted from a day (民法143条2項): the one home of this rule.
//!
//! A month that begins on a day ends on the day before the corresponding one of the next month;
//! where the next month has no such day, it ends on that month's last. From 31 January, months
//! therefore begin on 1 March, 31 March, 1 May …: always counted from the first day, so that a
//! short month does not shift those after it.

use jiff::civil;

use crate::Date;

impl Date {
    /// The first day after so many months from this day on: the corresponding day, or the first of
    /// the month after it where there is none. At most the last date of the calendar (9999-12-31).
    pub fn after_months(self, months: u32) -> Self {
        let first = self.0.first_of_month();
        let Some(month) = plus_months(first, months) else { return Self(civil::Date::MAX) };
        let corresponding = month.with().day(self.0.day()).build();
        let after = corresponding.map_or(Self(month.last_of_month()).next(), Self);
        assert!(after >= self, "months count forward");
        after
    }

    /// How many whole months lie between this day and `to`, which is itself not counted; 0 if `to`
    /// is earlier.
    pub fn whole_months_until(self, to: Self) -> u32 {
        let index = |date: Self| i32::from(date.0.year()) * 12 + i32::from(date.0.month());
        let months = u32::try_from(index(to) - index(self)).unwrap_or(0);
        let whole = if self.after_months(months) > to { months.saturating_sub(1) } else { months };
        assert!(whole == 0 || self.after_months(whole) <= to, "whole months end before the day");
        whole
    }
}

/// The first of a month so many months later; none beyond the calendar.
fn plus_months(first: civil::Date, months: u32) -> Option<civil::Date> {
    let span = jiff::Span::new().try_months(i64::from(months)).ok()?;
    first.checked_add(span).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn months_begin_on_the_corresponding_day_or_on_the_first_after_a_month_without_it() {
        let starts: Vec<String> =
            (1..=5).map(|months| day("2026-01-31").after_months(months).to_string()).collect();
        assert_eq!(starts, ["2026-03-01", "2026-03-31", "2026-05-01", "2026-05-31", "2026-07-01"]);
    }

    #[test]
    fn whole_months_end_with_the_last_day_there_is() {
        for (from, to, months) in [
            ("2026-01-31", "2026-02-28", 0),
            ("2026-01-31", "2026-03-01", 1),
            ("2024-02-29", "2025-02-28", 11),
            ("2024-02-29", "2025-03-01", 12),
            ("2026-05-15", "2026-06-14", 0),
            ("2026-05-15", "2027-05-15", 12),
            ("2026-05-15", "2026-05-01", 0),
            ("2026-05-15", "2025-05-01", 0),
        ] {
            assert_eq!(day(from).whole_months_until(day(to)), months, "{from} to {to}");
        }
    }

    #[test]
    fn months_beyond_the_calendar_end_with_it_and_never_panic() {
        assert_eq!(day("2026-01-31").after_months(u32::MAX), Date(civil::Date::MAX));
        assert_eq!(day("9999-12-31").after_months(1), Date(civil::Date::MAX));
    }
}
