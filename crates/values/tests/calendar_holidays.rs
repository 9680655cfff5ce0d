//! Japan's holidays by the rules of the law, held against a list that was not made from them.
//! Every covered year is compared, both ways; single rules have a test of their own beside it.

use std::collections::BTreeMap;

use daicho_values::calendar::{
    CalendarError, YEAR_FIRST, YEAR_LAST, holiday_on, holidays, is_holiday,
};
use jiff::civil::{Date, date};

const REFERENCE: &str = include_str!("data/japan_holidays.csv");

/// The one name that differs: the rules word 22 October 2019 as art. 1 of Act No. 99 of 2018 does.
const CEREMONY_IN_REFERENCE: &str = "即位礼正殿の儀が行われる日";
const CEREMONY_IN_LAW: &str = "即位礼正殿の儀の行われる日";

fn reference() -> BTreeMap<Date, &'static str> {
    REFERENCE
        .lines()
        .filter(|line| !line.starts_with('#') && *line != "date,name")
        .map(|line| {
            let (day, name) = line.split_once(',').unwrap_or_else(|| panic!("no comma: {line}"));
            let day = day.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            (day, if name == CEREMONY_IN_REFERENCE { CEREMONY_IN_LAW } else { name })
        })
        .collect()
}

fn by_the_rules() -> BTreeMap<Date, &'static str> {
    (YEAR_FIRST..=YEAR_LAST)
        .flat_map(|year| holidays(year).unwrap_or_else(|error| panic!("{year}: {error}")))
        .map(|holiday| (holiday.date, holiday.name_ja))
        .collect()
}

#[track_caller]
fn assert_names(expected: &[(Date, &str)]) {
    for (day, name) in expected {
        let found = holiday_on(*day).map(|holiday| holiday.map(|holiday| holiday.name_en));
        assert_eq!(found, Ok(Some(*name)), "{day}");
    }
}

#[track_caller]
fn assert_ordinary(days: &[Date]) {
    for day in days {
        assert_eq!(is_holiday(*day), Ok(false), "{day}");
    }
}

#[test]
fn the_reference_is_whole() {
    let reference = reference();
    let within = |from: Date, to: Date| reference.range(from..=to).count();
    assert_eq!(within(date(2015, 1, 1), date(2035, 12, 31)), 379);
    assert_eq!(within(date(2007, 1, 1), date(2099, 12, 31)), 1659);
    assert_eq!(reference.len(), 1659);
}

#[test]
fn every_reference_holiday_is_found_by_the_rules() {
    let rules = by_the_rules();
    let missing: Vec<_> =
        reference().into_iter().filter(|(day, _)| !rules.contains_key(day)).collect();
    assert_eq!(missing, []);
}

#[test]
fn every_holiday_of_the_rules_is_in_the_reference_under_the_same_name() {
    let reference = reference();
    let wrong: Vec<_> =
        by_the_rules().into_iter().filter(|(day, name)| reference.get(day) != Some(name)).collect();
    assert_eq!(wrong, []);
}

#[test]
fn is_holiday_says_of_every_day_what_the_reference_says() {
    let reference = reference();
    let mut day = date(YEAR_FIRST, 1, 1);
    while day.year() <= YEAR_LAST {
        assert_eq!(is_holiday(day), Ok(reference.contains_key(&day)), "{day}");
        day = day.tomorrow().unwrap();
    }
}

#[test]
fn holidays_come_in_order_of_date_each_day_once() {
    for year in YEAR_FIRST..=YEAR_LAST {
        let days: Vec<_> = holidays(year).unwrap().iter().map(|holiday| holiday.date).collect();
        assert!(days.is_sorted_by(|earlier, later| earlier < later), "{year}: {days:?}");
        assert!(days.iter().all(|day| day.year() == year), "{year}: {days:?}");
    }
}

#[test]
fn the_year_of_the_accession_has_its_extra_days_and_no_emperors_birthday() {
    assert_names(&[
        (date(2019, 4, 30), "Citizens' Holiday"),
        (date(2019, 5, 1), "Day of the Emperor's Accession"),
        (date(2019, 5, 2), "Citizens' Holiday"),
        (date(2019, 10, 22), "Day of the Enthronement Ceremony"),
        (date(2018, 12, 23), "The Emperor's Birthday"),
        (date(2020, 2, 23), "The Emperor's Birthday"),
    ]);
    assert_ordinary(&[date(2019, 2, 23), date(2019, 12, 23), date(2018, 5, 1), date(2020, 5, 1)]);
}

#[test]
fn the_olympic_years_moved_three_holidays() {
    assert_names(&[
        (date(2020, 7, 23), "Marine Day"),
        (date(2020, 7, 24), "Sports Day"),
        (date(2020, 8, 10), "Mountain Day"),
        (date(2021, 7, 22), "Marine Day"),
        (date(2021, 7, 23), "Sports Day"),
        (date(2021, 8, 8), "Mountain Day"),
        (date(2021, 8, 9), "Substitute Holiday"),
    ]);
    assert_ordinary(&[date(2020, 7, 20), date(2020, 8, 11), date(2020, 10, 12)]);
    assert_ordinary(&[date(2021, 7, 19), date(2021, 8, 11), date(2021, 10, 11)]);
}

#[test]
fn names_and_days_change_in_the_year_the_act_says() {
    assert_names(&[
        (date(2016, 8, 11), "Mountain Day"),
        (date(2019, 10, 14), "Health-Sports Day"),
        (date(2022, 10, 10), "Sports Day"),
    ]);
    assert_ordinary(&[date(2015, 8, 11)]);
}

#[test]
fn a_holiday_on_sunday_moves_past_the_holidays_that_follow_it() {
    // Sunday 3 May 2026: Monday and Tuesday are holidays of their own, so Wednesday is free.
    assert_names(&[(date(2026, 5, 6), "Substitute Holiday")]);
    // Sunday 1 January 2023: the very next day.
    assert_names(&[(date(2023, 1, 2), "Substitute Holiday")]);
    // Saturday 3 May 2025 moves nothing; Sunday 4 May does, past Children's Day.
    assert_names(&[(date(2025, 5, 6), "Substitute Holiday")]);
    // In 2024 the run of May begins on a Friday and its Sunday is Children's Day.
    assert_names(&[(date(2024, 5, 6), "Substitute Holiday")]);
    // In 2023 no day of the run is a Sunday.
    assert_ordinary(&[date(2023, 5, 6)]);
}

#[test]
fn a_day_between_two_national_holidays_is_a_holiday() {
    assert_names(&[
        (date(2009, 9, 22), "Citizens' Holiday"),
        (date(2015, 9, 22), "Citizens' Holiday"),
        (date(2026, 9, 22), "Citizens' Holiday"),
    ]);
    assert_ordinary(&[date(2025, 9, 22)]);
}

#[test]
fn years_without_rules_are_refused_by_name() {
    let refused = |year| CalendarError::YearOutOfRange { year, from: 2007, to: 2099 };
    for year in [-9999, 2006, 2100, 9999] {
        assert_eq!(holidays(year), Err(refused(year)));
        assert_eq!(holiday_on(date(year, 1, 1)), Err(refused(year)));
        assert_eq!(is_holiday(date(year, 12, 31)), Err(refused(year)));
    }
    assert!(holidays(2007).is_ok() && holidays(2099).is_ok());
    let text = refused(2100).to_string();
    assert!(text.contains("2100") && text.contains("2007 to 2099"), "{text}");
}
