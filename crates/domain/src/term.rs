//! Terms of contracts (契約期間): the days from a first day on for a number of months.

use daicho_events::{Date, Period};

/// The term of so many months that begins on a day: it ends on the day before the one that
/// corresponds to its first; where the last month has no such day, on that month's last
/// (民法143条2項). `None` for no months at all.
pub fn term_from(first: Date, months: u32) -> Option<Period> {
    let corresponding = first.plus_months(months);
    let exists = corresponding.0.day() == first.0.day();
    Period::new(first, if exists { corresponding.previous() } else { corresponding })
        .filter(|_| months > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    fn term(first: &str, months: u32) -> (Date, Date) {
        let term = term_from(day(first), months).unwrap();
        (term.from, term.to)
    }

    #[test]
    fn a_term_ends_on_the_day_before_the_corresponding_one() {
        assert_eq!(term("2026-06-01", 12), (day("2026-06-01"), day("2027-05-31")));
        assert_eq!(term("2026-05-13", 1), (day("2026-05-13"), day("2026-06-12")));
    }

    #[test]
    fn a_term_ends_on_the_months_last_day_where_no_day_corresponds() {
        assert_eq!(term("2026-01-31", 1), (day("2026-01-31"), day("2026-02-28")));
        assert_eq!(term("2028-02-29", 12), (day("2028-02-29"), day("2029-02-28")));
    }

    #[test]
    fn no_months_are_no_term() {
        assert_eq!(term_from(day("2026-01-31"), 0), None);
    }
}
