//! The equinox days, which the Act on National Holidays leaves to astronomy. They follow the
//! approximation of 『新こよみ便利帳』 (海上保安庁水路部 暦計算研究会編, 恒星社厚生閣), good for 1980 to
//! 2099.
//!
//! The binding day is the one the gazette (暦要項) names on 1 February of the year before.
//! `day = floor(c + 0.242194·(y − 1980)) − floor((y − 1980) / 4)`, with c = 20.8431 in March and
//! 23.2488 in September; here in millionths of a day, because money and dates know no floats.

const BASE_YEAR: i32 = 1980;
const VERNAL_BASE_MICRODAYS: i32 = 20_843_100;
const AUTUMNAL_BASE_MICRODAYS: i32 = 23_248_800;
/// What a year is longer than 365 days.
const YEARLY_DRIFT_MICRODAYS: i32 = 242_194;
const MICRODAYS_PER_DAY: i32 = 1_000_000;

/// The day in March on which Vernal Equinox Day (春分の日) falls. Year 1980 to 2099.
pub(super) fn vernal_day_of_march(year: i16) -> i32 {
    equinox_day(VERNAL_BASE_MICRODAYS, year)
}

/// The day in September on which Autumnal Equinox Day (秋分の日) falls. Year 1980 to 2099.
pub(super) fn autumnal_day_of_september(year: i16) -> i32 {
    equinox_day(AUTUMNAL_BASE_MICRODAYS, year)
}

fn equinox_day(base_microdays: i32, year: i16) -> i32 {
    let years = i32::from(year) - BASE_YEAR;
    let drifted = base_microdays + YEARLY_DRIFT_MICRODAYS * years;
    drifted.div_euclid(MICRODAYS_PER_DAY) - years.div_euclid(4)
}
