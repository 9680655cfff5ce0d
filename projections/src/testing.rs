//! Given events, then a row on a day: the words in which the lists' own tests are written.

use std::collections::BTreeMap;
use std::fmt::Debug;

use daicho_events::{Actor, Event, Header, Position, Recorded};
use daicho_values::{Currency, Date, Login, Money, Sample, Timestamp, Totals};

use crate::Projection;

/// A day, counted from 2026-01-01.
pub(crate) fn day(number: u32) -> Date {
    Date::new(2026, 1, 1).unwrap().plus_days(number)
}

/// Noon of a day in UTC.
pub(crate) fn noon(day: Date) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

pub(crate) fn yen(amount: u32) -> Money {
    Money::new(amount.into(), Currency::Jpy).unwrap()
}

/// Totals of an untaxed document.
pub(crate) fn totals(gross: u32) -> Totals {
    Totals { net: yen(gross), tax: yen(0), gross: yen(gross), rates: Vec::new() }
}

/// The rows of a list, folded in the order of the record.
pub(crate) struct Given<P: Projection> {
    position: u64,
    rows: BTreeMap<P::Key, P::Row>,
}

pub(crate) fn given<P: Projection>() -> Given<P> {
    Given { position: 0, rows: BTreeMap::new() }
}

impl<P: Projection> Given<P> {
    /// The next event of the record, counting from a day.
    pub(crate) fn on(mut self, effective_on: Date, event: impl Into<Event>) -> Self {
        self.position += 1;
        let header = Header {
            position: Position(self.position),
            recorded_at: Timestamp::sample(),
            effective_on,
            actor: Actor::System(Login::sample()),
            on_behalf_of: None,
            cause: None,
        };
        let event = Recorded { header, event: event.into() };
        for key in P::keys(&event) {
            if let Some(row) = P::fold(&key, self.rows.remove(&key), &event) {
                self.rows.insert(key, row);
            }
        }
        self
    }

    #[track_caller]
    fn only_row(&self) -> &P::Row {
        assert_eq!(self.rows.len(), 1, "one row is expected");
        self.rows.values().next().unwrap()
    }

    /// The one row as it is on a day.
    #[track_caller]
    pub(crate) fn then(self, on: Date, check: impl FnOnce(P::OnDay)) -> Self {
        let row = self.only_row();
        assert!(P::begins(row) <= on, "the row is not in the list on {on}");
        check(P::on_day(row, on));
        self
    }

    /// The row of a key as it is on a day.
    #[track_caller]
    pub(crate) fn then_of(self, key: &str, on: Date, check: impl FnOnce(P::OnDay)) -> Self
    where
        <P::Key as std::str::FromStr>::Err: Debug,
    {
        check(P::on_day(&self.rows[&key.parse().unwrap()], on));
        self
    }

    /// The one row is not in the list on a day.
    #[track_caller]
    pub(crate) fn then_absent(self, on: Date) -> Self {
        assert!(on < P::begins(self.only_row()), "the row is in the list on {on}");
        self
    }

    /// When the one row next changes by itself.
    #[track_caller]
    pub(crate) fn then_next_change(self, on: Date, expected: Option<Date>) -> Self {
        let row = self.only_row();
        let begins = P::begins(row);
        let next = if on < begins { Some(begins) } else { P::next_change(row, on) };
        assert_eq!(next, expected, "after {on}");
        self
    }

    /// No row came into being.
    #[track_caller]
    pub(crate) fn then_no_row(self) {
        assert!(self.rows.is_empty(), "a row is there");
    }
}
