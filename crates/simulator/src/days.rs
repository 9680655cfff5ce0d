//! Days and minutes of the shop's zone as instants, and back. Tokyo keeps no summer time.

use daicho_values::{Date, Timestamp};
use jiff::civil;
use jiff::tz::TimeZone;

/// 1970-01-01, the day 0 of an instant.
const EPOCH: civil::Date = civil::Date::constant(1970, 1, 1);
const MINUTE_US: i64 = 60_000_000;
const DAY_MINUTES: i64 = 24 * 60;
/// Tokyo is nine hours ahead of UTC.
const TOKYO_MINUTES: i64 = 9 * 60;

/// The instant of a minute of a day, in the shop's zone.
pub(crate) fn at(day: Date, minute: u32) -> Timestamp {
    let minutes = i64::from((day.0 - EPOCH).get_days()) * DAY_MINUTES + i64::from(minute);
    Timestamp::from_microseconds((minutes - TOKYO_MINUTES) * MINUTE_US)
}

/// The day of an instant, in the shop's zone.
pub(crate) fn day_of(instant: Timestamp) -> Date {
    let local = instant.as_microseconds().saturating_add(TOKYO_MINUTES * MINUTE_US);
    Date(Timestamp::from_microseconds(local).in_zone(&TimeZone::UTC).date())
}

/// Days from one day to a later one; 0 where it is not later.
pub(crate) fn days_between(from: Date, to: Date) -> u64 {
    u64::try_from((to.0 - from.0).get_days()).unwrap_or(0)
}

/// So many years earlier, on the same day or the month's last.
pub(crate) fn years_before(day: Date, years: i32) -> Date {
    let span = jiff::Span::new().years(years);
    Date(day.0.checked_sub(span).unwrap_or(EPOCH))
}

/// Minutes from midnight.
pub(crate) const fn hour(hours: u32) -> u32 {
    hours * 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_a_day_is_on_that_day_in_tokyo() {
        let day = Date::new(2026, 3, 1).unwrap();
        assert_eq!(at(day, 0).to_string(), "2026-02-28T15:00:00.000000Z");
        assert_eq!(day_of(at(day, 0)), day);
        assert_eq!(day_of(at(day, hour(24) - 1)), day);
        assert_eq!(day_of(at(day, hour(24))), day.next());
    }
}
