//! How many customers come on a day, so that the life covers its span whatever the number of
//! events.

use daicho_values::Date;

use crate::chance::Chance;
use crate::days::{days_between, years_before};

/// Years of a life.
const YEARS: i32 = 3;
/// Days before the end on which the events should be there: room for what comes in bursts.
const RESERVE_DAYS: u64 = 10;
/// Days within which the pace makes up for what is missing: about the time of an order.
const LOOK_AHEAD_DAYS: u64 = 14;
/// Events that follow a visit or arrival within those days.
const EVENTS_A_VISIT: u64 = 6;
/// Visits of one day.
const VISITS_MAX: u64 = 100_000;

/// The plan of a life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// First day.
    pub(crate) first: Date,
    /// Last day.
    pub(crate) last: Date,
    events: u64,
    days: u64,
}

impl Pace {
    /// A life of so many events that ends on a day.
    pub(crate) fn ending(last: Date, events: u64) -> Self {
        let first = years_before(last, YEARS);
        let days = days_between(first, last).saturating_sub(RESERVE_DAYS).max(1);
        Self { first, last, events, days }
    }

    /// Events that the book should hold after so many days: the shop grows, its last day has three
    /// times the events of its first.
    fn wanted(&self, days: u64) -> u64 {
        let (days, span) = (u128::from(days), u128::from(self.days));
        let part = u128::from(self.events) * days * (span + days) / (2 * span * span);
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    /// How many visits a day brings, where `foreseen` events are in the book or under way.
    pub(crate) fn visits(&self, day: Date, foreseen: u64, chance: &mut Chance) -> u64 {
        let days = days_between(self.first, day) + LOOK_AHEAD_DAYS;
        let missing = self.wanted(days).saturating_sub(foreseen);
        let visits = missing * 1_000 / (LOOK_AHEAD_DAYS * EVENTS_A_VISIT);
        let rest = u32::try_from(visits % 1_000).unwrap_or(0);
        (visits / 1_000 + u64::from(chance.per_mille(rest))).min(VISITS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_covers_three_years_and_wants_all_its_events_before_its_end() {
        let last = Date::new(2026, 3, 31).unwrap();
        for events in [300, 20_000, 1_000_000] {
            let pace = Pace::ending(last, events);
            assert_eq!(pace.first, Date::new(2023, 3, 31).unwrap());
            assert_eq!(pace.wanted(0), 0);
            assert_eq!(pace.wanted(pace.days), events);
        }
    }

    #[test]
    fn nobody_visits_while_enough_is_under_way() {
        let pace = Pace::ending(Date::new(2026, 3, 31).unwrap(), 10_000);
        let mut chance = Chance::new(1);
        assert_eq!(pace.visits(pace.first, 10_000, &mut chance), 0);
        assert!(pace.visits(pace.last, 0, &mut chance) > 0);
    }
}
