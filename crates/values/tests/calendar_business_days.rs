//! Business days, the cut-off (R55) and the due date (R85), example by example and as laws over
//! random days and closures. The random cases come from a fixed seed.

use std::collections::BTreeSet;

use daicho_values::calendar::ClosedDays::{Bank, Holidays, Weekends};
use daicho_values::calendar::{BusinessCalendar, CalendarError, ClosedDays};
use jiff::civil::{Date, DateTime, Time, date, datetime, time};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const CUTOFF: Time = time(13, 0, 0, 0);

fn calendar(rule: ClosedDays) -> BusinessCalendar {
    BusinessCalendar::new(rule)
}

fn out_of_range<T>(year: i16) -> Result<T, CalendarError> {
    Err(CalendarError::YearOutOfRange { year, from: 2007, to: 2099 })
}

#[track_caller]
fn assert_open(rule: ClosedDays, expected: bool, days: &[Date]) {
    for day in days {
        assert_eq!(calendar(rule).is_open(*day), Ok(expected), "{rule:?} {day}");
    }
}

#[test]
fn saturdays_and_sundays_are_closed_under_every_rule() {
    for rule in [Bank, Holidays, Weekends] {
        assert_open(rule, false, &[date(2026, 6, 6), date(2026, 6, 7)]);
        assert_open(rule, true, &[date(2026, 6, 5), date(2026, 6, 8)]);
    }
}

#[test]
fn national_holidays_close_banks_and_holiday_books_but_not_weekend_books() {
    let marine_day = date(2026, 7, 20);
    assert_open(Bank, false, &[marine_day]);
    assert_open(Holidays, false, &[marine_day]);
    assert_open(Weekends, true, &[marine_day]);
}

#[test]
fn the_turn_of_the_year_closes_banks_only() {
    // Wednesday to Saturday; only 1 January is a national holiday.
    let around = [date(2024, 12, 31), date(2025, 1, 2), date(2025, 1, 3)];
    assert_open(Bank, false, &around);
    assert_open(Holidays, true, &around);
    assert_open(Bank, true, &[date(2024, 12, 30), date(2027, 1, 4)]);
}

#[test]
fn a_books_own_closed_day_is_closed_under_every_rule() {
    let founding_day = date(2026, 6, 10);
    for rule in [Bank, Holidays, Weekends] {
        let calendar = BusinessCalendar { rule, extra_closed: BTreeSet::from([founding_day]) };
        assert_eq!(calendar.is_open(founding_day), Ok(false));
        assert_eq!(calendar.next_open_on_or_after(founding_day), Ok(date(2026, 6, 11)));
    }
}

#[test]
fn the_next_open_day_passes_a_whole_run_of_holidays() {
    let books = calendar(Holidays);
    // Saturday 2 May to the substitute holiday on Wednesday 6 May 2026.
    assert_eq!(books.next_open_on_or_after(date(2026, 5, 2)), Ok(date(2026, 5, 7)));
    assert_eq!(books.next_open_after(date(2026, 5, 1)), Ok(date(2026, 5, 7)));
    assert_eq!(books.next_open_on_or_after(date(2026, 5, 1)), Ok(date(2026, 5, 1)));
}

#[test]
fn business_days_are_counted_without_the_first_day() {
    let books = calendar(Holidays);
    let friday = date(2026, 6, 5);
    let saturday = date(2026, 6, 6);
    assert_eq!(books.add_business_days(friday, 0), Ok(friday));
    assert_eq!(books.add_business_days(friday, 1), Ok(date(2026, 6, 8)));
    assert_eq!(books.add_business_days(friday, 6), Ok(date(2026, 6, 15)));
    assert_eq!(books.add_business_days(saturday, 0), Ok(date(2026, 6, 8)));
    assert_eq!(books.add_business_days(saturday, 1), Ok(date(2026, 6, 8)));
    assert_eq!(books.add_business_days(saturday, 2), Ok(date(2026, 6, 9)));
}

#[test]
fn an_application_before_13_counts_for_the_same_day_r55() {
    let received_at = datetime(2026, 6, 4, 12, 59, 59, 999_999_999);
    assert_eq!(calendar(Bank).business_date(received_at, CUTOFF), Ok(date(2026, 6, 4)));
}

#[test]
fn an_application_at_13_sharp_counts_for_the_next_business_day_r55() {
    let received_at = datetime(2026, 6, 4, 13, 0, 0, 0);
    assert_eq!(calendar(Bank).business_date(received_at, CUTOFF), Ok(date(2026, 6, 5)));
}

#[test]
fn an_application_on_friday_afternoon_counts_for_monday_r55() {
    let received_at = datetime(2026, 6, 5, 15, 30, 0, 0);
    assert_eq!(calendar(Bank).business_date(received_at, CUTOFF), Ok(date(2026, 6, 8)));
}

#[test]
fn an_application_on_a_closed_day_counts_for_the_next_open_day_at_any_hour_r55() {
    for hour in [0, 12, 13, 23] {
        let received_at = date(2026, 6, 6).at(hour, 0, 0, 0);
        assert_eq!(calendar(Bank).business_date(received_at, CUTOFF), Ok(date(2026, 6, 8)));
    }
}

#[test]
fn an_invoice_is_due_at_the_end_of_the_month_of_issue_r85() {
    assert_eq!(calendar(Holidays).due_date(date(2026, 6, 1)), Ok(date(2026, 6, 30)));
    assert_eq!(calendar(Holidays).due_date(date(2026, 6, 30)), Ok(date(2026, 6, 30)));
    // 29 February 2028 is a Tuesday.
    assert_eq!(calendar(Holidays).due_date(date(2028, 2, 10)), Ok(date(2028, 2, 29)));
}

#[test]
fn a_month_that_ends_on_a_weekend_is_due_on_the_next_business_day_r85() {
    assert_eq!(calendar(Holidays).due_date(date(2026, 5, 11)), Ok(date(2026, 6, 1)));
    assert_eq!(calendar(Holidays).due_date(date(2026, 1, 10)), Ok(date(2026, 2, 2)));
}

#[test]
fn a_month_that_ends_on_a_holiday_is_due_on_the_next_business_day_r85() {
    // 30 April 2019 was a citizens' holiday, the fourth of ten closed days.
    assert_eq!(calendar(Holidays).due_date(date(2019, 4, 10)), Ok(date(2019, 5, 7)));
    assert_eq!(calendar(Weekends).due_date(date(2019, 4, 10)), Ok(date(2019, 4, 30)));
}

#[test]
fn december_is_due_on_the_31st_by_holidays_and_in_january_by_the_bank_r85() {
    let issue_on = date(2026, 12, 10);
    assert_eq!(calendar(Holidays).due_date(issue_on), Ok(date(2026, 12, 31)));
    assert_eq!(calendar(Bank).due_date(issue_on), Ok(date(2027, 1, 4)));
    // 4 and 5 January 2025 were a weekend.
    assert_eq!(calendar(Bank).due_date(date(2024, 12, 10)), Ok(date(2025, 1, 6)));
}

#[test]
fn a_day_in_a_year_without_rules_is_refused_by_every_question() {
    for rule in [Bank, Holidays, Weekends] {
        for year in [-9999, 2006, 2100, 9999] {
            let books = calendar(rule);
            let day = date(year, 12, 31);
            assert_eq!(books.is_open(day), out_of_range(year));
            assert_eq!(books.next_open_on_or_after(day), out_of_range(year));
            assert_eq!(books.next_open_after(day), out_of_range(year));
            assert_eq!(books.add_business_days(day, 0), out_of_range(year));
            assert_eq!(books.add_business_days(day, 3), out_of_range(year));
            assert_eq!(books.business_date(day.at(9, 0, 0, 0), CUTOFF), out_of_range(year));
            assert_eq!(books.business_date(day.at(14, 0, 0, 0), CUTOFF), out_of_range(year));
            assert_eq!(books.due_date(day), out_of_range(year));
        }
    }
}

#[test]
fn an_answer_beyond_the_last_year_is_refused() {
    let last = date(2099, 12, 31); // a Thursday
    assert_eq!(calendar(Holidays).due_date(last), Ok(last));
    assert_eq!(calendar(Bank).due_date(last), out_of_range(2100));
    assert_eq!(calendar(Weekends).next_open_after(last), out_of_range(2100));
    assert_eq!(calendar(Bank).add_business_days(date(2099, 1, 5), u32::MAX), out_of_range(2100));
}

fn any_day() -> impl Strategy<Value = Date> {
    // To 2098, so that every answer lies within the covered years.
    (2007..=2098_i16, 1..=12_i8, 1..=31_i8).prop_map(|(year, month, day)| {
        let first = date(year, month, 1);
        date(year, month, day.min(first.days_in_month()))
    })
}

fn any_moment() -> impl Strategy<Value = DateTime> {
    (any_day(), 0..=23_i8, 0..=59_i8).prop_map(|(day, hour, minute)| day.at(hour, minute, 0, 0))
}

/// Any rule, with closures strewn closely over the days after `around`, so that they matter.
fn calendar_around(around: Date) -> impl Strategy<Value = BusinessCalendar> {
    let rule = prop_oneof![Just(Bank), Just(Holidays), Just(Weekends)];
    let offsets = prop::collection::btree_set(0..40_usize, 0..20);
    (rule, offsets).prop_map(move |(rule, offsets)| {
        let days = std::iter::successors(Some(around), |day| day.tomorrow().ok());
        let extra_closed = days.enumerate().take(40).filter(|(at, _)| offsets.contains(at));
        BusinessCalendar { rule, extra_closed: extra_closed.map(|(_, day)| day).collect() }
    })
}

fn day_and_calendar() -> impl Strategy<Value = (Date, BusinessCalendar)> {
    any_day().prop_flat_map(|day| (Just(day), calendar_around(day)))
}

fn two_moments_and_calendar() -> impl Strategy<Value = (DateTime, DateTime, BusinessCalendar)> {
    (any_moment(), 0..=14 * 24 * 60_i64).prop_flat_map(|(earlier, minutes)| {
        let later = earlier.saturating_add(jiff::SignedDuration::from_mins(minutes));
        (Just(earlier), Just(later), calendar_around(earlier.date()))
    })
}

fn fixed_seed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(1948),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fixed_seed())]

    #[test]
    fn the_next_open_day_is_open_and_the_first_one((day, books) in day_and_calendar()) {
        let next = books.next_open_on_or_after(day).unwrap();
        prop_assert!(next >= day);
        prop_assert!(books.is_open(next).unwrap());
        let mut passed = day;
        while passed < next {
            prop_assert!(!books.is_open(passed).unwrap(), "{passed} is open but was passed over");
            passed = passed.tomorrow().unwrap();
        }
    }

    #[test]
    fn the_day_after_is_strictly_later((day, books) in day_and_calendar()) {
        let next = books.next_open_after(day).unwrap();
        prop_assert!(next > day);
        prop_assert_eq!(books.next_open_on_or_after(day.tomorrow().unwrap()), Ok(next));
    }

    #[test]
    fn adding_business_days_passes_exactly_that_many_open_days(
        (day, books) in day_and_calendar(), days in 1..30_u32,
    ) {
        let end = books.add_business_days(day, days).unwrap();
        let later = std::iter::successors(day.tomorrow().ok(), |day| day.tomorrow().ok());
        let open = later.take_while(|day| *day <= end).filter(|day| books.is_open(*day).unwrap());
        prop_assert_eq!(open.count(), usize::try_from(days).unwrap());
        prop_assert!(books.is_open(end).unwrap());
    }

    #[test]
    fn a_due_date_is_open_and_not_before_the_end_of_the_month_r85(
        (issue_on, books) in day_and_calendar(),
    ) {
        let due = books.due_date(issue_on).unwrap();
        prop_assert!(due >= issue_on.last_of_month());
        prop_assert!(books.is_open(due).unwrap());
    }

    #[test]
    fn who_comes_later_never_counts_earlier_r55(
        (earlier, later, books) in two_moments_and_calendar(),
    ) {
        let first = books.business_date(earlier, CUTOFF).unwrap();
        let second = books.business_date(later, CUTOFF).unwrap();
        prop_assert!(first <= second);
        prop_assert!(first >= earlier.date());
        prop_assert!(books.is_open(first).unwrap());
    }
}
