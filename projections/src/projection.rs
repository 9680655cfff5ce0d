//! A list as a keyed fold: which rows an event touches, what each becomes, and how it looks on a
//! day. A row keeps dated facts; a status is never stored but computed for the day that is asked
//! for.

use std::fmt::Display;
use std::hash::Hash;
use std::str::FromStr;
use std::vec;

use daicho_events::Recorded;
use daicho_values::{Date, Sample};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Column, Value};

/// A list: one type without data, one file.
///
/// Folds are total: an event about a row that does not exist leaves it missing, an event that the
/// record cannot hold twice changes nothing the second time. `fold` matches its own family without
/// `_ =>`, so that a new event breaks the build here.
pub trait Projection: Send + Sync + 'static {
    /// What a row is found by. Its order is that of its text.
    type Key: Clone + Eq + Ord + Hash + Display + FromStr<Err: Display> + Send;
    /// What a row knows.
    type Row: Clone + Serialize + DeserializeOwned + JsonSchema + Sample + Send;
    /// What is computed from a row for a day; its field names are not those of the row.
    type OnDay: Serialize + JsonSchema + Sample;

    /// The list's name, `quotes`.
    const NAME: &'static str;
    /// What the list is of, in a few words: `Quotes (見積)`.
    const ABOUT: &'static str;
    /// Rises whenever the row, the columns or the meaning of the fold change.
    const VERSION: u32;
    /// What the key is, as the row calls it: `quote`.
    const KEY: &'static str;
    /// The columns beside the key. The macro `columns!` writes them and their values.
    const COLUMNS: &'static [Column];

    /// The rows that an event touches.
    fn keys(event: &Recorded) -> Keys<Self::Key>;

    /// The row after an event; `None`: there is none. A list never deletes a row that came into
    /// being: a fact that takes it back is a fact.
    fn fold(key: &Self::Key, row: Option<Self::Row>, event: &Recorded) -> Option<Self::Row>;

    /// The day from which the row is in the list: the business day of its first fact.
    fn begins(row: &Self::Row) -> Date;

    /// The row on a day that is not before [`Projection::begins`].
    fn on_day(row: &Self::Row, on: Date) -> Self::OnDay;

    /// The columns on that day, as many as [`Projection::COLUMNS`].
    fn columns(row: &Self::Row, on: Date) -> Vec<Value>;

    /// The days on which columns may change by themselves, in any order: among those after `on`
    /// must be the first on which they do. Days before `on` and days of no change do no harm.
    fn turning_days(row: &Self::Row, on: Date) -> Vec<Date>;

    /// The next day after `on` on which the columns are others than on `on`, if no event comes.
    fn next_change(row: &Self::Row, on: Date) -> Option<Date> {
        let mut days = Self::turning_days(row, on);
        days.retain(|day| *day > on);
        if days.is_empty() {
            return None;
        }
        days.sort_unstable();
        days.dedup();
        let columns = Self::columns(row, on);
        days.into_iter().find(|day| Self::columns(row, *day) != columns)
    }
}

/// The keys that an event touches, each once. None or one of them costs no allocation.
#[derive(Debug, Clone)]
pub enum Keys<K> {
    /// The event is not about this list.
    None,
    /// About one row.
    One(K),
    /// About several.
    Many(vec::IntoIter<K>),
}

impl<K: Ord> FromIterator<K> for Keys<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut keys = keys.into_iter();
        let Some(first) = keys.next() else { return Self::None };
        let mut rest: Vec<K> = keys.filter(|key| *key != first).collect();
        if rest.is_empty() {
            return Self::One(first);
        }
        rest.push(first);
        rest.sort_unstable();
        rest.dedup();
        Self::Many(rest.into_iter())
    }
}

impl<K> Iterator for Keys<K> {
    type Item = K;

    fn next(&mut self) -> Option<K> {
        match std::mem::replace(self, Self::None) {
            Self::None => None,
            Self::One(key) => Some(key),
            Self::Many(mut keys) => {
                let key = keys.next();
                *self = Self::Many(keys);
                key
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_named_twice_by_an_event_is_touched_once() {
        assert_eq!(Keys::from_iter([1, 1]).collect::<Vec<_>>(), [1]);
        assert_eq!(Keys::from_iter([2, 1, 2, 3, 1]).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(Keys::from_iter(None::<u8>).count(), 0);
    }
}
