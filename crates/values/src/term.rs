//! Terms of contracts (契約期間) that follow each other: which days the n-th has, and which term
//! holds on a day. Decisions, bills and lists all ask here.

use std::num::NonZeroU32;

use crate::{Date, Period};

/// Months of a year: what the price of an annual plan pays for.
pub const MONTHS_A_YEAR: NonZeroU32 = NonZeroU32::MIN.saturating_add(11);

/// A term that begins anew as often as it ends, counted from the first day of the first (R34, R73).
///
/// The n-th begins n × its length after the anchor, so that a short month does not shift the terms
/// after it. Terms tile the days from the anchor on, without gap or overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Term {
    anchor: Date,
    length: Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Length {
    Months(NonZeroU32),
    Days(NonZeroU32),
}

impl Term {
    /// Terms of so many months from a day on (民法143条2項).
    pub fn of_months(anchor: Date, months: NonZeroU32) -> Self {
        Self { anchor, length: Length::Months(months) }
    }

    /// The terms whose first one is recorded. A first term of whole months is followed by terms of
    /// as many months, any other by terms of as many days; one that ends before it begins, which
    /// no decision records, counts as one day.
    pub fn recorded(first: Period) -> Self {
        let (anchor, after) = (first.from, first.to.next());
        let months = NonZeroU32::new(anchor.whole_months_until(after));
        let whole = months.filter(|months| anchor.after_months(months.get()) == after);
        let days = || NonZeroU32::new(anchor.days_until(after)).unwrap_or(NonZeroU32::MIN);
        Self { anchor, length: whole.map_or_else(|| Length::Days(days()), Length::Months) }
    }

    /// The first day of the first term.
    pub fn anchor(self) -> Date {
        self.anchor
    }

    /// The n-th term; 0 is the first.
    pub fn nth(self, n: u32) -> Period {
        let (from, after) = (self.start(n), self.start(n.saturating_add(1)));
        let term = Period { from, to: after.previous().max(from) };
        assert!(term.from >= self.anchor, "no term begins before the first");
        term
    }

    /// The term that holds a day; before the first begins, the first.
    pub fn holding(self, day: Date) -> Period {
        let term = self.nth(self.index(day));
        assert!(term.contains(day) || day < self.anchor, "terms tile the days from the anchor on");
        term
    }

    /// The last day of the term that holds a day.
    pub fn end_of(self, day: Date) -> Date {
        self.holding(day).to
    }

    /// The whole months of the term that holds a day, in order. Months of a term that is counted in
    /// months are counted from the anchor as the terms are; those of any other, from its first day.
    pub fn months(self, day: Date) -> impl Iterator<Item = Period> {
        let (term, index) = (self.holding(day), self.index(day));
        let (months, count) = match self.length {
            Length::Months(count) => {
                let skipped = index.saturating_mul(count.get());
                (Self::of_months(self.anchor, NonZeroU32::MIN), skipped..skipped + count.get())
            }
            Length::Days(_) => {
                let whole = term.from.whole_months_until(term.to.next());
                (Self::of_months(term.from, NonZeroU32::MIN), 0..whole)
            }
        };
        count.map(move |n| months.nth(n)).inspect(move |month| {
            assert!(term.from <= month.from && month.to <= term.to, "months lie within their term");
        })
    }

    fn start(self, n: u32) -> Date {
        match self.length {
            Length::Months(months) => self.anchor.after_months(months.get().saturating_mul(n)),
            Length::Days(days) => self.anchor.plus_days(days.get().saturating_mul(n)),
        }
    }

    /// Which term holds a day.
    fn index(self, day: Date) -> u32 {
        match self.length {
            Length::Months(months) => self.anchor.whole_months_until(day) / months.get(),
            Length::Days(days) => self.anchor.days_until(day) / days.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn period(text: &str) -> Period {
        let (from, to) = text.split_once('/').unwrap();
        Period { from: day(from), to: day(to) }
    }

    fn months(anchor: &str, months: u32) -> Term {
        Term::of_months(day(anchor), NonZeroU32::new(months).unwrap())
    }

    #[track_caller]
    fn check(first: &str, on: &str, expected: &str) {
        assert_eq!(Term::recorded(period(first)).holding(day(on)), period(expected));
    }

    #[test]
    fn a_term_ends_on_the_day_before_the_corresponding_one() {
        assert_eq!(months("2026-06-01", 12).nth(0), period("2026-06-01/2027-05-31"));
        assert_eq!(months("2026-05-13", 1).nth(0), period("2026-05-13/2026-06-12"));
    }

    #[test]
    fn a_term_ends_on_the_months_last_day_where_no_day_corresponds() {
        assert_eq!(months("2026-01-31", 1).nth(0), period("2026-01-31/2026-02-28"));
        assert_eq!(months("2028-02-29", 12).nth(0), period("2028-02-29/2029-02-28"));
    }

    #[test]
    fn an_annual_term_from_29_february_begins_on_1_march_of_common_years_r73() {
        let first = "2028-02-29/2029-02-28";
        check(first, "2029-03-01", "2029-03-01/2030-02-28");
        check(first, "2030-02-28", "2029-03-01/2030-02-28");
        check(first, "2030-03-01", "2030-03-01/2031-02-28");
        check(first, "2032-02-29", "2032-02-29/2033-02-28");
    }

    #[test]
    fn a_monthly_term_from_the_31st_does_not_drift_r73() {
        let first = "2026-01-31/2026-02-28";
        check(first, "2026-03-01", "2026-03-01/2026-03-30");
        check(first, "2026-03-31", "2026-03-31/2026-04-30");
        check(first, "2026-05-01", "2026-05-01/2026-05-30");
    }

    #[test]
    fn a_year_from_the_first_of_a_month_is_followed_by_a_year_r34() {
        let first = "2026-04-01/2027-03-31";
        check(first, "2026-01-01", first);
        check(first, "2027-03-31", first);
        check(first, "2027-04-01", "2027-04-01/2028-03-31");
        check(first, "2036-03-31", "2035-04-01/2036-03-31");
    }

    #[test]
    fn a_term_of_some_days_is_followed_by_as_many_days_r73() {
        let first = "2026-01-10/2026-02-23"; // 45 days
        check(first, "2026-02-24", "2026-02-24/2026-04-09");
        check(first, "2026-04-10", "2026-04-10/2026-05-24");
        check("2026-01-31/2026-02-27", "2026-02-28", "2026-02-28/2026-03-27"); // 28 days
    }

    #[test]
    fn the_months_of_a_term_are_as_many_as_it_has_whatever_its_first_day_r76() {
        for anchor in ["2026-01-15", "2026-01-31", "2028-02-29"] {
            let term = months(anchor, 3);
            for n in 0..8 {
                assert_eq!(term.months(term.nth(n).from).count(), 3, "{anchor}, term {n}");
            }
        }
        assert_eq!(
            Term::recorded(period("2026-01-10/2026-02-23")).months(day("2026-01-10")).count(),
            1
        );
    }

    #[test]
    fn a_damaged_term_is_answered_and_never_a_panic() {
        let backwards = Period { from: day("2026-05-01"), to: Date(jiff::civil::Date::MIN) };
        Term::recorded(backwards).holding(Date(jiff::civil::Date::MAX));
    }

    /// Over all first days from 2024 to 2033 and lengths of 1 to 36 months.
    #[test]
    fn terms_tile_the_days_and_begin_so_many_months_after_the_anchor_r73() {
        let mut anchor = day("2024-01-01");
        while anchor < day("2034-01-01") {
            for length in 1..=36 {
                let term = Term::of_months(anchor, NonZeroU32::new(length).unwrap());
                assert_eq!(Term::recorded(term.nth(0)), term, "{anchor}: {length} months");
                for n in 0..3 {
                    let (this, next) = (term.nth(n), term.nth(n + 1));
                    assert_eq!(this.from, anchor.after_months(n * length));
                    assert_eq!(this.to.next(), next.from, "{anchor}: {length} months, {n}");
                    for held in [this.from, this.to] {
                        assert_eq!(term.holding(held), this, "{anchor}: {length} months, {n}");
                    }
                    let day_of_month = anchor.0.day();
                    let corresponds = next.from.0.day() == day_of_month;
                    assert!(
                        corresponds || next.from.0.day() == 1 && this.to.0.day() < day_of_month
                    );
                }
            }
            anchor = anchor.next();
        }
    }
}
