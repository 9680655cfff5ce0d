//! The clock as the log sees it, and the text form of its readings.
//! Times are microseconds since the Unix epoch, UTC; leap seconds do not exist in them.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

const US_A_SECOND: i64 = 1_000_000;
const US_A_DAY: i64 = 86_400 * US_A_SECOND;
/// Length of `2026-11-21T01:02:03.000004Z`.
pub(crate) const TEXT_BYTES: usize = 27;

/// Where the time of recording comes from.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch.
    fn now_us(&self) -> i64;
    /// Whether it tells the time that other machines tell too, so that it may be compared with
    /// their clocks.
    fn is_shared(&self) -> bool {
        false
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "here the clock comes in")]
    fn now_us(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// RFC 3339 in UTC with six fractional digits. Times outside the years 0 to 9999 become the nearer
/// end, since the form has four digits for the year.
#[must_use]
pub fn format_us(us: i64) -> String {
    let us = us.clamp(-719_528 * US_A_DAY, 2_932_897 * US_A_DAY - 1);
    let (year, month, day) = civil_from_days(us.div_euclid(US_A_DAY));
    let in_day = us.rem_euclid(US_A_DAY);
    let (seconds, fraction) = (in_day / US_A_SECOND, in_day % US_A_SECOND);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = String::with_capacity(TEXT_BYTES);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z"
    );
    text
}

/// Reads exactly the form that [`format_us`] writes; nothing else is accepted.
#[must_use]
pub fn parse_us(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != TEXT_BYTES || !text.ends_with('Z') {
        return None;
    }
    for (at, mark) in [(10, b'T'), (13, b':'), (16, b':'), (19, b'.')] {
        if bytes.get(at) != Some(&mark) {
            return None;
        }
    }
    let days = parse_day(text.get(..10)?)?;
    let hour = digits(text.get(11..13)?)?;
    let minute = digits(text.get(14..16)?)?;
    let second = digits(text.get(17..19)?)?;
    let fraction = digits(text.get(20..26)?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days * US_A_DAY + (hour * 3_600 + minute * 60 + second) * US_A_SECOND + fraction)
}

/// Days since the epoch of `YYYY-MM-DD`, if that is a day of the calendar.
pub(crate) fn parse_day(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = digits(text.get(..4)?)?;
    let month = digits(text.get(5..7)?)?;
    let day = digits(text.get(8..)?)?;
    let days = days_from_civil(year, month, day);
    // A day that the calendar does not have comes back as another one.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().try_fold(0, |number: i64, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Howard Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years from 1 March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The reverse of [`days_from_civil`], from the same source.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_six_digits_and_read_back() {
        for (us, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_795_222_923_000_004, "2026-11-21T01:02:03.000004Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
        ] {
            assert_eq!(format_us(us), text);
            assert_eq!(parse_us(text), Some(us));
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in -73_000..73_100 {
            let text = format_us(day * US_A_DAY);
            assert_eq!(parse_day(&text[..10]), Some(day));
        }
    }

    #[test]
    fn another_form_of_a_time_is_not_read() {
        for text in [
            "2026-11-21T01:02:03Z",
            "2026-11-21T01:02:03.000004+00:00",
            "2026-11-21t01:02:03.000004Z",
            "2026-02-30T01:02:03.000004Z",
            "2026-11-21T24:02:03.000004Z",
            "2026-11-21T01:02:60.000004Z",
            "2026-11-21T01:02:03.00000+Z",
        ] {
            assert_eq!(parse_us(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_that_the_calendar_lacks_is_not_read() {
        for text in
            ["2026-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "26-01-01", "2026/01/01"]
        {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
