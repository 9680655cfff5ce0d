//! Japan's holidays from the rules of the law, not from a list. Source: 国民の祝日に関する法律 (Act
//! on National Holidays, Act No. 178 of 1948), arts. 2 and 3, and the one-off acts of 2018 to 2020.
//!
//! Article 2 is the table [`RULES`], one row for each day and period; a later amendment is a new
//! row. Article 3 is code: paragraph 2 (substitute holiday) and 3 (the day between two holidays).

use std::iter::successors;

use jiff::civil::{Date, Weekday};

use super::equinox::{autumnal_day_of_september, vernal_day_of_march};
use super::{CalendarError, YEAR_FIRST, YEAR_LAST, covered};
use On::{AutumnalEquinox, Fixed, Monday, VernalEquinox};

/// A day that is a holiday (休日) under the Act on National Holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// The day.
    pub date: Date,
    /// Its name in the law; for art. 3, paras. 2 and 3, the customary 振替休日 and 国民の休日.
    pub name_ja: &'static str,
    /// Its name in English, as the Cabinet Office translates it.
    pub name_en: &'static str,
}

/// All holidays of a year, in order of date.
///
/// # Errors
/// [`CalendarError::YearOutOfRange`] outside [`YEAR_FIRST`]`..=`[`YEAR_LAST`].
pub fn holidays(year: i16) -> Result<Vec<Holiday>, CalendarError> {
    covered(year)?;
    let new_year = Date::new(year, 1, 1).ok();
    Ok(successors(new_year, |date| date.tomorrow().ok())
        .take_while(|date| date.year() == year)
        .filter_map(find_holiday)
        .collect())
}

/// The holiday that falls on this day, if any.
///
/// # Errors
/// [`CalendarError::YearOutOfRange`] outside [`YEAR_FIRST`]`..=`[`YEAR_LAST`].
pub fn holiday_on(date: Date) -> Result<Option<Holiday>, CalendarError> {
    covered(date.year())?;
    Ok(find_holiday(date))
}

/// Whether this day is a holiday. A plain Saturday or Sunday is not one.
///
/// # Errors
/// [`CalendarError::YearOutOfRange`] outside [`YEAR_FIRST`]`..=`[`YEAR_LAST`].
pub fn is_holiday(date: Date) -> Result<bool, CalendarError> {
    Ok(holiday_on(date)?.is_some())
}

fn find_holiday(date: Date) -> Option<Holiday> {
    let name = national_holiday(date).or_else(|| article_3_holiday(date))?;
    Some(Holiday { date, name_ja: name.ja, name_en: name.en })
}

/// Art. 2: the day's name when it is a national holiday (国民の祝日) in its own right.
fn national_holiday(date: Date) -> Option<Name> {
    RULES.iter().find(|rule| rule.falls_on(date)).map(|rule| rule.name)
}

/// Art. 3, paras. 2 and 3, for a day that is no national holiday itself.
fn article_3_holiday(date: Date) -> Option<Name> {
    if ends_run_with_sunday(date) {
        return Some(SUBSTITUTE_HOLIDAY);
    }
    is_between_national_holidays(date).then_some(CITIZENS_HOLIDAY)
}

/// Para. 2: a national holiday fell on a Sunday and this is the nearest later day that is none,
/// so that every day between is one. The walk back ends at the first ordinary day, after three
/// steps at most.
fn ends_run_with_sunday(date: Date) -> bool {
    successors(date.yesterday().ok(), |day| day.yesterday().ok())
        .take_while(|day| national_holiday(*day).is_some())
        .any(|day| day.weekday() == Weekday::Sunday)
}

/// Para. 3: the day before and the day after are both national holidays (art. 2, not substitutes).
fn is_between_national_holidays(date: Date) -> bool {
    let is_national =
        |day: Result<Date, jiff::Error>| day.is_ok_and(|day| national_holiday(day).is_some());
    is_national(date.yesterday()) && is_national(date.tomorrow())
}

#[derive(Clone, Copy)]
struct Name {
    ja: &'static str,
    en: &'static str,
}

/// One row of art. 2: a day, for the years in which it stood like this.
struct Rule {
    name: Name,
    /// First and last year, both included.
    years: (i16, i16),
    on: On,
}

/// How the law names a day within the year. Months and days count from 1.
enum On {
    Fixed { month: i8, day: i8 },
    Monday { month: i8, nth: i8 },
    VernalEquinox,
    AutumnalEquinox,
}

impl Rule {
    fn falls_on(&self, date: Date) -> bool {
        let (from, to) = self.years;
        (from..=to).contains(&date.year()) && self.on.falls_on(date)
    }
}

impl On {
    fn falls_on(&self, date: Date) -> bool {
        let (year, month, day) = (date.year(), date.month(), date.day());
        match *self {
            Fixed { month: in_month, day: on_day } => month == in_month && day == on_day,
            Monday { month: in_month, nth } => {
                month == in_month && date.weekday() == Weekday::Monday && (day - 1) / 7 + 1 == nth
            }
            VernalEquinox => month == 3 && i32::from(day) == vernal_day_of_march(year),
            AutumnalEquinox => month == 9 && i32::from(day) == autumnal_day_of_september(year),
        }
    }
}

const ALWAYS: (i16, i16) = (YEAR_FIRST, YEAR_LAST);

const SUBSTITUTE_HOLIDAY: Name = Name { ja: "振替休日", en: "Substitute Holiday" };
const CITIZENS_HOLIDAY: Name = Name { ja: "国民の休日", en: "Citizens' Holiday" };

const NEW_YEARS_DAY: Name = Name { ja: "元日", en: "New Year's Day" };
const COMING_OF_AGE_DAY: Name = Name { ja: "成人の日", en: "Coming of Age Day" };
const FOUNDATION_DAY: Name = Name { ja: "建国記念の日", en: "National Foundation Day" };
const EMPERORS_BIRTHDAY: Name = Name { ja: "天皇誕生日", en: "The Emperor's Birthday" };
const VERNAL_EQUINOX_DAY: Name = Name { ja: "春分の日", en: "Vernal Equinox Day" };
const SHOWA_DAY: Name = Name { ja: "昭和の日", en: "Showa Day" };
const CONSTITUTION_DAY: Name = Name { ja: "憲法記念日", en: "Constitution Memorial Day" };
const GREENERY_DAY: Name = Name { ja: "みどりの日", en: "Greenery Day" };
const CHILDRENS_DAY: Name = Name { ja: "こどもの日", en: "Children's Day" };
const MARINE_DAY: Name = Name { ja: "海の日", en: "Marine Day" };
const MOUNTAIN_DAY: Name = Name { ja: "山の日", en: "Mountain Day" };
const RESPECT_FOR_THE_AGED_DAY: Name = Name { ja: "敬老の日", en: "Respect for the Aged Day" };
const AUTUMNAL_EQUINOX_DAY: Name = Name { ja: "秋分の日", en: "Autumnal Equinox Day" };
const HEALTH_SPORTS_DAY: Name = Name { ja: "体育の日", en: "Health-Sports Day" };
const SPORTS_DAY: Name = Name { ja: "スポーツの日", en: "Sports Day" };
const CULTURE_DAY: Name = Name { ja: "文化の日", en: "Culture Day" };
const LABOR_THANKSGIVING_DAY: Name =
    Name { ja: "勤労感謝の日", en: "Labor Thanksgiving Day" };
const ACCESSION_DAY: Name =
    Name { ja: "天皇の即位の日", en: "Day of the Emperor's Accession" };
const ENTHRONEMENT_CEREMONY: Name =
    Name { ja: "即位礼正殿の儀の行われる日", en: "Day of the Enthronement Ceremony" };

const RULES: &[Rule] = &[
    // Art. 2; 11 February by cabinet order (昭和41年政令第376号).
    Rule { name: NEW_YEARS_DAY, years: ALWAYS, on: Fixed { month: 1, day: 1 } },
    Rule { name: COMING_OF_AGE_DAY, years: ALWAYS, on: Monday { month: 1, nth: 2 } },
    Rule { name: FOUNDATION_DAY, years: ALWAYS, on: Fixed { month: 2, day: 11 } },
    Rule { name: VERNAL_EQUINOX_DAY, years: ALWAYS, on: VernalEquinox },
    Rule { name: SHOWA_DAY, years: ALWAYS, on: Fixed { month: 4, day: 29 } },
    Rule { name: CONSTITUTION_DAY, years: ALWAYS, on: Fixed { month: 5, day: 3 } },
    Rule { name: GREENERY_DAY, years: ALWAYS, on: Fixed { month: 5, day: 4 } },
    Rule { name: CHILDRENS_DAY, years: ALWAYS, on: Fixed { month: 5, day: 5 } },
    Rule { name: RESPECT_FOR_THE_AGED_DAY, years: ALWAYS, on: Monday { month: 9, nth: 3 } },
    Rule { name: AUTUMNAL_EQUINOX_DAY, years: ALWAYS, on: AutumnalEquinox },
    Rule { name: CULTURE_DAY, years: ALWAYS, on: Fixed { month: 11, day: 3 } },
    Rule { name: LABOR_THANKSGIVING_DAY, years: ALWAYS, on: Fixed { month: 11, day: 23 } },
    // 皇室典範特例法 (Act No. 63 of 2017), suppl. art. 10: changed on 1 May 2019, after 23 February
    // and before 23 December, so 2019 had no Emperor's Birthday.
    Rule { name: EMPERORS_BIRTHDAY, years: (YEAR_FIRST, 2018), on: Fixed { month: 12, day: 23 } },
    Rule { name: EMPERORS_BIRTHDAY, years: (2020, YEAR_LAST), on: Fixed { month: 2, day: 23 } },
    // 天皇の即位の日及び即位礼正殿の儀の行われる日を休日とする法律 (Act No. 99 of 2018): national holidays
    // for art. 3, paras. 2 and 3, hence also 30 April and 2 May.
    Rule { name: ACCESSION_DAY, years: (2019, 2019), on: Fixed { month: 5, day: 1 } },
    Rule { name: ENTHRONEMENT_CEREMONY, years: (2019, 2019), on: Fixed { month: 10, day: 22 } },
    // Mountain Day since 2016 (Act No. 43 of 2014), Sports Day so named since 2020 (Act No. 57 of
    // 2018). The moves of 2020 and 2021: 東京オリンピック競技大会・東京パラリンピック競技大会特別措置法
    // (Act No. 33 of 2015), art. 32, by Act No. 55 of 2018 and Act No. 68 of 2020.
    Rule { name: MARINE_DAY, years: (YEAR_FIRST, 2019), on: Monday { month: 7, nth: 3 } },
    Rule { name: MARINE_DAY, years: (2020, 2020), on: Fixed { month: 7, day: 23 } },
    Rule { name: MARINE_DAY, years: (2021, 2021), on: Fixed { month: 7, day: 22 } },
    Rule { name: MARINE_DAY, years: (2022, YEAR_LAST), on: Monday { month: 7, nth: 3 } },
    Rule { name: MOUNTAIN_DAY, years: (2016, 2019), on: Fixed { month: 8, day: 11 } },
    Rule { name: MOUNTAIN_DAY, years: (2020, 2020), on: Fixed { month: 8, day: 10 } },
    Rule { name: MOUNTAIN_DAY, years: (2021, 2021), on: Fixed { month: 8, day: 8 } },
    Rule { name: MOUNTAIN_DAY, years: (2022, YEAR_LAST), on: Fixed { month: 8, day: 11 } },
    Rule { name: HEALTH_SPORTS_DAY, years: (YEAR_FIRST, 2019), on: Monday { month: 10, nth: 2 } },
    Rule { name: SPORTS_DAY, years: (2020, 2020), on: Fixed { month: 7, day: 24 } },
    Rule { name: SPORTS_DAY, years: (2021, 2021), on: Fixed { month: 7, day: 23 } },
    Rule { name: SPORTS_DAY, years: (2022, YEAR_LAST), on: Monday { month: 10, nth: 2 } },
];
