//! Time: instants of recording, civil dates, months and periods. No clock stands here.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Sample, Tag, Tagged};

/// A text is not a time of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}: write it as {form}")]
pub struct TimeError {
    kind: &'static str,
    text: String,
    form: &'static str,
}

/// A civil date (`2026-11-22`), in the shop's time zone where it is a business day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub civil::Date);

impl Date {
    /// The date, if it exists (31 February does not).
    ///
    /// # Errors
    /// A day that no calendar has.
    pub fn new(year: i16, month: i8, day: i8) -> Result<Self, TimeError> {
        civil::Date::new(year, month, day)
            .map(Self)
            .map_err(|_| Self::error(&format!("{year:04}-{month:02}-{day:02}")))
    }

    fn error(text: &str) -> TimeError {
        TimeError { kind: "a date of the calendar", text: text.to_owned(), form: "YYYY-MM-DD" }
    }

    /// The month that holds the date.
    pub fn month(self) -> Month {
        Month(self.0.first_of_month())
    }

    /// This many days later, at most the last date of the calendar (9999-12-31).
    pub fn plus_days(self, days: u32) -> Self {
        let span = jiff::Span::new().try_days(i64::from(days));
        Self(span.map_or(civil::Date::MAX, |span| self.0.saturating_add(span)))
    }

    /// How many days lie from this day to `to`, which is itself not counted; 0 if it is earlier.
    pub fn days_until(self, to: Self) -> u32 {
        u32::try_from((to.0 - self.0).get_days()).unwrap_or(0)
    }

    /// The day before.
    pub fn previous(self) -> Self {
        Self(self.0.yesterday().unwrap_or(self.0))
    }

    /// The day after.
    pub fn next(self) -> Self {
        Self(self.0.tomorrow().unwrap_or(self.0))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Date {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let date = || {
            let mut parts = text.split('-');
            let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
            let whole = text.len() == 10 && year.len() == 4 && month.len() == 2;
            let date = civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
            // A sign would parse as a number too: the text of the date must be the text given.
            date.ok().map(Self).filter(|date| whole && date.to_string() == text)
        };
        date().ok_or_else(|| Self::error(text))
    }
}

/// A month (`2026-11`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(civil::Date);

impl Month {
    /// The first day.
    pub fn first(self) -> Date {
        Date(self.0)
    }

    /// The last day.
    pub fn last(self) -> Date {
        Date(self.0.last_of_month())
    }

    /// The month after.
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// This many months later, at most the last month of the calendar (9999-12).
    pub fn plus(self, months: u32) -> Self {
        self.first().after_months(months).month()
    }

    /// The whole month as a period.
    pub fn period(self) -> Period {
        Period { from: self.first(), to: self.last() }
    }

    /// The tag of the month's billing, e.g. `month:2026-11`.
    pub fn tag(self) -> Tag {
        Tag::of("month", self)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Month {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || TimeError { kind: "a month", text: text.to_owned(), form: "YYYY-MM" };
        format!("{text}-01").parse::<Date>().map(Date::month).map_err(|_| error())
    }
}

impl Tagged for Month {
    fn tags(&self, tags: &mut Vec<Tag>) {
        tags.push(self.tag());
    }
}

/// An instant in microseconds (`2026-11-21T01:02:03.000004Z`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The instant so many microseconds after 1970-01-01T00:00:00Z, within the calendar's range.
    pub fn from_microseconds(microseconds: i64) -> Self {
        Self(jiff::Timestamp::from_microsecond(microseconds).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn as_microseconds(self) -> i64 {
        self.0.as_microsecond()
    }

    /// The civil date and time in a time zone.
    pub fn in_zone(self, zone: &jiff::tz::TimeZone) -> civil::DateTime {
        zone.to_datetime(self.0)
    }

    /// This many minutes later.
    pub fn plus_minutes(self, minutes: u32) -> Self {
        Self(
            self.0
                .saturating_add(jiff::SignedDuration::from_mins(i64::from(minutes)))
                .unwrap_or(self.0),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let instant = text.parse::<jiff::Timestamp>().map_err(|_| TimeError {
            kind: "an instant",
            text: text.to_owned(),
            form: "YYYY-MM-DDThh:mm:ss.ssssssZ",
        })?;
        Ok(Self::from_microseconds(instant.as_microsecond()))
    }
}

macro_rules! serde_as_text_or {
    ($name:ident, $wire:ty, $to:expr, $from:expr, $format:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    let to: fn(&$name) -> $wire = $to;
                    to(self).serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(D::Error::custom)
                } else {
                    let from: fn($wire) -> Option<$name> = $from;
                    let wire = <$wire>::deserialize(deserializer)?;
                    from(wire).ok_or_else(|| D::Error::custom("out of the calendar's range"))
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}

fn date_to_wire(date: &civil::Date) -> u32 {
    // Year, month and day in one integer; the calendar of the record holds years 0 to 9999.
    u32::from(date.year().unsigned_abs()) << 9
        | u32::from(date.month().unsigned_abs()) << 5
        | u32::from(date.day().unsigned_abs())
}

fn date_from_wire(wire: u32) -> Option<civil::Date> {
    let (year, month, day) = (wire >> 9, (wire >> 5) & 0xF, wire & 0x1F);
    let small = |value: u32| i8::try_from(value).ok();
    civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()
}

serde_as_text_or!(Date, u32, |d| date_to_wire(&d.0), |w| date_from_wire(w).map(Date), "date");
serde_as_text_or!(
    Month,
    u32,
    |m| date_to_wire(&m.0),
    |w| date_from_wire(w).map(|d| Date(d).month()),
    "year-month"
);
serde_as_text_or!(
    Timestamp,
    i64,
    |t| t.as_microseconds(),
    |w| jiff::Timestamp::from_microsecond(w).ok().map(Timestamp),
    "date-time"
);
serde_as_text_or!(TimeZone, String, |z| z.0.to_owned(), |w| w.parse().ok(), "time-zone");
serde_as_text_or!(
    LocalTime,
    u16,
    |t| t.0,
    |w| (w < MINUTES_A_DAY).then_some(LocalTime(w)),
    "hour-minute"
);

const MINUTES_A_DAY: u16 = 24 * 60;

/// A time of day in the shop's zone, to the minute (`13:00`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(u16);

impl LocalTime {
    /// As a civil time.
    pub fn civil(self) -> civil::Time {
        let part = |value: u16| i8::try_from(value).unwrap_or(0);
        civil::Time::constant(part(self.0 / 60), part(self.0 % 60), 0, 0)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for LocalTime {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let time = || {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            let time = (hour < 24 && minute < 60).then_some(Self(hour * 60 + minute))?;
            (time.to_string() == text).then_some(time)
        };
        time().ok_or_else(|| TimeError {
            kind: "a time of day",
            text: text.to_owned(),
            form: "hh:mm",
        })
    }
}

/// The shop's time zone, by its name in the IANA database (`Asia/Tokyo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeZone(&'static str);

/// The time zones a shop may keep: names are part of the record, so the list only grows.
const TIME_ZONES: &[&str] = &[
    "Asia/Tokyo",
    "UTC",
    "Europe/London",
    "Europe/Paris",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Singapore",
    "Asia/Seoul",
    "Australia/Sydney",
];

impl TimeZone {
    /// The rules of the zone.
    pub fn rules(self) -> jiff::tz::TimeZone {
        jiff::tz::db().get(self.0).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for TimeZone {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        TIME_ZONES.iter().find(|name| **name == text).map(|name| Self(name)).ok_or_else(|| {
            TimeError {
                kind: "a time zone known here",
                text: text.to_owned(),
                form: "a name such as Asia/Tokyo, Europe/London or UTC",
            }
        })
    }
}

crate::data! {
    /// Days from `from` to `to`, both of them in it.
    #[derive(Copy, Hash)]
    pub struct Period {
        /// First day.
        pub from: Date,
        /// Last day.
        pub to: Date,
    }
}

impl Period {
    /// The period, if it does not end before it begins.
    pub fn new(from: Date, to: Date) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// How many days it has.
    pub fn days(self) -> u32 {
        self.from.days_until(self.to) + 1
    }

    /// Whether the day is in it.
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }
}

impl Sample for Date {
    fn sample() -> Self {
        Self(civil::date(2026, 11, 22))
    }
}

impl Sample for Month {
    fn sample() -> Self {
        Date::sample().month()
    }
}

impl Sample for Timestamp {
    fn sample() -> Self {
        Self::from_microseconds(1_795_312_923_000_004)
    }
}

impl Sample for LocalTime {
    fn sample() -> Self {
        Self(13 * 60)
    }
}

impl Sample for TimeZone {
    fn sample() -> Self {
        Self("Asia/Tokyo")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_no_calendar_has_is_refused() {
        for text in
            ["2026-02-31", "2026-2-3", "26-02-03", "2026-02-03 ", "-026-02-03", "2026/02/03"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert_eq!(
            "2026-02-31".parse::<Date>().unwrap_err().to_string(),
            "`2026-02-31` is not a date of the calendar: write it as YYYY-MM-DD"
        );
        assert_eq!("2024-02-29".parse::<Date>().unwrap().to_string(), "2024-02-29");
    }

    #[test]
    fn every_time_zone_of_the_list_has_rules() {
        for name in TIME_ZONES {
            assert!(jiff::tz::db().get(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_instant_always_has_six_digits_of_a_second() {
        let instant = "2026-11-21T01:02:03Z".parse::<Timestamp>().unwrap();
        assert_eq!(instant.to_string(), "2026-11-21T01:02:03.000000Z");
        assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
    }
}
