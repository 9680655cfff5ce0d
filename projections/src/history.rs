//! Dated facts: what a row knows, each fact with the business day from which it counts.
//! A question for a day is answered by the facts that count on it, whenever they were recorded.

use daicho_values::{Date, Sample};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fact and the business day from which it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dated<T> {
    /// The day, from the header of the event.
    pub effective_on: Date,
    /// The fact.
    pub fact: T,
}

/// Facts in the order of the days from which they count; of one day, in the order of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct History<T>(Vec<Dated<T>>);

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> History<T> {
    /// Adds a fact that counts from a day.
    pub fn add(&mut self, effective_on: Date, fact: T) {
        let after = self.0.partition_point(|known| known.effective_on <= effective_on);
        self.0.insert(after, Dated { effective_on, fact });
    }

    /// The facts that count on a day, oldest first, each with the day from which it counts.
    pub fn dated_until(&self, on: Date) -> impl DoubleEndedIterator<Item = &Dated<T>> {
        let counting = self.0.partition_point(|known| known.effective_on <= on);
        self.0.iter().take(counting)
    }

    /// The facts that count on a day, oldest first.
    pub fn until(&self, on: Date) -> impl DoubleEndedIterator<Item = &T> {
        self.dated_until(on).map(|known| &known.fact)
    }

    /// The fact that stands on a day: the last of those that count.
    pub fn on(&self, on: Date) -> Option<&T> {
        self.until(on).next_back()
    }

    /// The days on which a fact begins to count.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        self.0.iter().map(|known| known.effective_on)
    }

    /// Every fact, whatever the day.
    pub fn facts(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|known| &known.fact)
    }
}

impl<T: Sample> Sample for History<T> {
    fn sample() -> Self {
        Self(vec![Dated { effective_on: Date::sample(), fact: T::sample() }])
    }
}

/// Notes the first day from which something counts; a later one changes nothing.
pub(crate) fn note_earliest(known: &mut Option<Date>, day: Date) {
    *known = Some(known.map_or(day, |known| known.min(day)));
}

/// Whether something that counts from `day` counts on `on`.
pub(crate) fn counts(day: Option<Date>, on: Date) -> bool {
    day.is_some_and(|day| day <= on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    #[test]
    fn a_fact_recorded_later_for_an_earlier_day_does_not_hide_the_later_day() {
        let mut history = History::default();
        history.add(day(10), "first");
        history.add(day(5), "backdated");
        assert_eq!(history.on(day(4)), None);
        assert_eq!(history.on(day(7)), Some(&"backdated"));
        assert_eq!(history.on(day(10)), Some(&"first"));
    }

    #[test]
    fn of_two_facts_of_one_day_the_last_recorded_stands() {
        let mut history = History::default();
        history.add(day(5), "first");
        history.add(day(5), "corrected");
        assert_eq!(history.on(day(5)), Some(&"corrected"));
        assert_eq!(history.until(day(5)).count(), 2);
    }
}
