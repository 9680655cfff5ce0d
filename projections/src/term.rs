//! Terms that begin anew by themselves (自動更新): the one that holds on a day.
//! Counted from the first term, so that a short month does not shift the terms after it.

use daicho_events::{Date, Period};

/// The term that holds on a day, where the first one renews itself without end (R34, R73).
///
/// A first term of whole months is followed by terms of as many months, another one by terms of as
/// many days. Before the first term begins it is the answer.
pub(crate) fn term_on(first: Period, on: Date) -> Period {
    if on <= first.to {
        return first;
    }
    match whole_months(first) {
        Some(months) => {
            let start = |terms: u32| first.from.plus_months(months.saturating_mul(terms));
            let terms = months_between(first.from, on) / months;
            // In the last month of a term the next one has not begun before its day.
            let terms = if start(terms) <= on { terms } else { terms.saturating_sub(1) };
            Period { from: start(terms), to: start(terms.saturating_add(1)).previous() }
        }
        None => {
            let days = days_between(first.from, first.to).saturating_add(1);
            let start = |terms: u32| first.from.plus_days(days.saturating_mul(terms));
            let terms = days_between(first.from, on) / days;
            Period { from: start(terms), to: start(terms.saturating_add(1)).previous() }
        }
    }
}

/// How many months the term has, if it is made of whole ones.
fn whole_months(term: Period) -> Option<u32> {
    let months = months_between(term.from, term.to.next());
    (months > 0 && term.from.plus_months(months) == term.to.next()).then_some(months)
}

/// Months from the month of one day to that of a later one.
fn months_between(from: Date, to: Date) -> u32 {
    let months = |day: Date| i32::from(day.0.year()) * 12 + i32::from(day.0.month());
    u32::try_from(months(to) - months(from)).unwrap_or(0)
}

/// Days from one day to a later one.
fn days_between(from: Date, to: Date) -> u32 {
    u32::try_from((to.0 - from.0).get_days()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        let (from, to) = text.split_once('/').unwrap();
        Period { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[track_caller]
    fn check(first: &str, on: &str, expected: &str) {
        assert_eq!(term_on(period(first), on.parse().unwrap()), period(expected));
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
    fn a_short_month_does_not_shift_the_terms_after_it_r73() {
        let first = "2026-01-31/2026-02-27";
        check(first, "2026-02-28", "2026-02-28/2026-03-30");
        check(first, "2026-03-30", "2026-02-28/2026-03-30");
        check(first, "2026-03-31", "2026-03-31/2026-04-29");
    }

    #[test]
    fn a_term_of_some_days_is_followed_by_as_many_days_r73() {
        let first = "2026-01-10/2026-02-23"; // 45 days
        check(first, "2026-02-24", "2026-02-24/2026-04-09");
        check(first, "2026-04-10", "2026-04-10/2026-05-24");
    }

    #[test]
    fn terms_follow_each_other_without_a_gap_r73() {
        for first in ["2026-01-31/2026-04-29", "2024-02-29/2025-02-27", "2026-01-10/2026-01-10"] {
            let mut term = period(first);
            for _ in 0..60 {
                let next = term_on(period(first), term.to.next());
                assert_eq!(next.from, term.to.next(), "after {term:?}");
                assert_eq!(term_on(period(first), next.to), next);
                term = next;
            }
        }
    }

    #[test]
    fn a_damaged_term_is_answered_and_never_a_panic() {
        let backwards =
            Period { from: period("2026-05-01/2026-05-01").to, to: Date(jiff::civil::Date::MIN) };
        term_on(backwards, Date(jiff::civil::Date::MAX));
    }
}
