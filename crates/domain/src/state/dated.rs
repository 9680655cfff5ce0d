//! Values by the first day on which each holds: what was set later leaves the days before as they
//! were.

use daicho_values::Date;

/// The values that something has had, each from its first day on.
///
/// ```
/// use daicho_domain::state::Dated;
///
/// let mut cutoff = Dated::default();
/// cutoff.set("2026-04-01".parse()?, "13:00");
/// cutoff.set("2026-10-01".parse()?, "15:00");
/// assert_eq!(cutoff.on("2026-09-30".parse()?), Some(&"13:00"));
/// assert_eq!(cutoff.on("2026-10-01".parse()?), Some(&"15:00"));
/// # Ok::<(), daicho_values::TimeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T>(Vec<(Date, T)>);

impl<T> Default for Dated<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Dated<T> {
    /// From this day on it has this value, until the first day of the next one. Of two with one
    /// first day the one set later holds.
    pub fn set(&mut self, from: Date, value: T) {
        let place = self.0.partition_point(|(known, _)| *known < from);
        match self.0.get_mut(place).filter(|(known, _)| *known == from) {
            Some((_, held)) => *held = value,
            None => self.0.insert(place, (from, value)),
        }
    }

    /// The value on a day; before the first one's day the first one: it is the oldest that is
    /// known. `None`: there is no value at all.
    pub fn on(&self, day: Date) -> Option<&T> {
        let begun = self.0.partition_point(|(from, _)| *from <= day);
        self.0.get(begun.saturating_sub(1)).map(|(_, value)| value)
    }
}

/// A table that says itself from which day each of its rows holds: the one set last holds for
/// every day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest<T>(Option<T>);

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Newest<T> {
    /// It has this value, whatever the day.
    pub fn set(&mut self, _: Date, value: T) {
        self.0 = Some(value);
    }

    /// The value. `None`: there is none at all.
    pub fn on(&self, _: Date) -> Option<&T> {
        self.0.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    #[test]
    fn a_value_holds_from_its_day_until_the_next_ones() {
        let mut dated = Dated::default();
        dated.set(day("2026-05-11"), "second");
        dated.set(day("2026-05-01"), "first, recorded later");
        let on = |text| dated.on(day(text)).copied();
        assert_eq!(on("2026-05-10"), Some("first, recorded later"));
        assert_eq!(on("2026-05-11"), Some("second"));
        assert_eq!(on("2099-12-31"), Some("second"));
    }

    #[test]
    fn before_its_first_value_a_setting_has_that_value() {
        let mut dated = Dated::default();
        assert_eq!(dated.on(day("2026-05-11")), None);
        dated.set(day("2026-05-11"), "first");
        assert_eq!(dated.on(day("2010-12-01")), Some(&"first"));
    }

    #[test]
    fn of_two_values_of_one_day_the_later_recorded_holds() {
        let mut dated = Dated::default();
        dated.set(day("2026-05-11"), "first");
        dated.set(day("2026-05-11"), "corrected");
        assert_eq!(dated.on(day("2026-05-11")), Some(&"corrected"));
    }

    #[test]
    fn the_newest_revision_of_a_table_holds_for_every_day() {
        let mut table = Newest::default();
        table.set(day("2027-04-01"), "first");
        table.set(day("2026-05-11"), "newest");
        assert_eq!(table.on(day("2010-12-01")), Some(&"newest"));
    }
}
