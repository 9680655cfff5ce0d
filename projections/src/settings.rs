//! The list of the shop's settings: what holds on a day, since when, who set it, and where that
//! stands in the record. A setting that no event ever gave a value has no row: its default holds.

use daicho_events::shop::{NONE_UNTIL_SET, ShopEvent, TAX_RATES};
use daicho_events::{Actor, Event, Position, Recorded, SettingValue};
use daicho_values::{Date, SettingCode};

use crate::history::note_earliest;
use crate::{Dated, History, Keys, Projection, Value, columns};

/// The list of settings, a row a setting.
pub struct Settings;

daicho_values::data! {
    /// A setting.
    pub struct SettingRow {
        /// Its name.
        pub setting: SettingCode,
        /// The first day on which it has a value, or is known to have none.
        pub begins_on: Date,
        /// The first day on which the shop was there without it: none until it is set.
        pub none_from: Option<Date>,
        /// Every value that it was given.
        pub values: History<SettingSet>,
    }
}

daicho_values::data! {
    /// A setting was given a value.
    pub struct SettingSet {
        /// The value.
        pub value: SettingValue,
        /// Who gave it.
        pub set_by: Actor,
        /// Where that stands in the record.
        pub position: Position,
    }
}

daicho_values::data! {
    /// Whether the shop has a setting on a day.
    pub enum SettingStatus {
        /// It has a value.
        Set,
        /// It is none: no cut-off, no boundary of the barcode.
        Unset,
    }
}

daicho_values::data! {
    /// A setting on a day.
    pub struct SettingOnDay {
        /// Whether it has a value.
        pub status: SettingStatus,
        /// The value that holds.
        pub value: SettingValue,
        /// The first day on which it holds.
        pub since: Date,
        /// Who gave it.
        pub set_by: Option<Actor>,
        /// Where that stands in the record.
        pub at_position: Option<Position>,
    }
}

impl Projection for Settings {
    type Key = SettingCode;
    type Row = SettingRow;
    type OnDay = SettingOnDay;

    const NAME: &'static str = "settings";
    const ABOUT: &'static str = "Settings of the shop (店舗設定)";
    const VERSION: u32 = 1;
    const KEY: &'static str = "setting";

    fn keys(event: &Recorded) -> Keys<SettingCode> {
        let Event::Shop(event) = &event.event else { return Keys::None };
        let none = none_until_set(event).filter_map(|name| SettingCode::new(name).ok());
        event.settings().into_iter().map(|(setting, _)| setting).chain(none).collect()
    }

    fn fold(key: &SettingCode, row: Option<SettingRow>, event: &Recorded) -> Option<SettingRow> {
        let Event::Shop(shop) = &event.event else { return row };
        let day = event.header.effective_on;
        if none_until_set(shop).any(|name| name == key.as_str()) {
            let mut row = SettingRow::from(key, row, day);
            note_earliest(&mut row.none_from, day);
            return Some(row);
        }
        let given = shop.settings().into_iter().find(|(setting, _)| setting == key);
        let Some((_, value)) = given else { return row };
        let mut row = SettingRow::from(key, row, day);
        let (set_by, position) = (event.header.actor.clone(), event.header.position);
        row.values.add(day, SettingSet { value, set_by, position });
        Some(row)
    }

    fn begins(row: &SettingRow) -> Date {
        row.begins_on
    }

    fn on_day(row: &SettingRow, on: Date) -> SettingOnDay {
        let held = row.held(on);
        let value = held.map_or_else(SettingValue::none, |held| held.fact.value.clone());
        let status = match value.plain() {
            Some(_) => SettingStatus::Set,
            None => SettingStatus::Unset,
        };
        SettingOnDay {
            status,
            value,
            since: held.map_or(row.begins_on, |held| held.effective_on),
            set_by: held.map(|held| held.fact.set_by.clone()),
            at_position: held.map(|held| held.fact.position),
        }
    }

    columns! { |_row, day, _|
        indexed status: Text, "set or unset" => Value::name_of(&day.status);
        plain value: Text, "the value that holds: a text, or JSON"
            => Value::text_or_null(day.value.plain());
        plain since: Date, "first day on which it holds" => Value::text(day.since);
        plain set_by: Text, "who gave it" => Value::text_or_null(day.set_by.as_ref());
        plain at_position: Integer, "where that stands in the record"
            => day.at_position.map_or(Value::Null, position);
    }

    fn turning_days(row: &SettingRow, _: Date) -> Vec<Date> {
        row.values.days().chain(row.none_from).collect()
    }
}

/// The settings that an event leaves without a value unless they have one.
fn none_until_set(event: &ShopEvent) -> impl Iterator<Item = &'static str> {
    let opens = matches!(event, ShopEvent::Configured(_));
    NONE_UNTIL_SET.into_iter().filter(move |_| opens)
}

fn position(position: Position) -> Value {
    i64::try_from(position.0).map_or(Value::Null, Value::integer)
}

impl SettingRow {
    /// What holds on a day: the last value that counts. Of the tables of rates, which are dated by
    /// their own rows, it is the one recorded last: decisions use the newest for every day, and a
    /// list of an earlier day shows the one that the shop had set by then.
    fn held(&self, on: Date) -> Option<&Dated<SettingSet>> {
        let mut counting = self.values.dated_until(on);
        if self.setting.as_str() == TAX_RATES {
            return counting.max_by_key(|known| known.fact.position);
        }
        counting.next_back()
    }

    /// The row, which something is known of from a day on.
    fn from(setting: &SettingCode, row: Option<Self>, day: Date) -> Self {
        let mut row = row.unwrap_or_else(|| Self {
            setting: setting.clone(),
            begins_on: day,
            none_from: None,
            values: History::default(),
        });
        row.begins_on = row.begins_on.min(day);
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{day, given};
    use daicho_events::shop::{
        CutoffPolicySet, SettingChanged, ShopConfigured, TaxRateTableRevised,
    };
    use daicho_values::Sample;

    fn changed(setting: &str, value: u32) -> SettingChanged {
        let setting = SettingCode::new(setting).unwrap();
        SettingChanged { setting, value: SettingValue::of(&value).unwrap() }
    }

    fn shown(value: &SettingValue) -> Option<String> {
        value.plain()
    }

    #[test]
    fn a_setting_shows_what_holds_since_when_and_where_it_was_set() {
        given::<Settings>()
            .on(day(1), ShopConfigured::sample())
            .on(day(10), changed("quote_valid_days", 60))
            .then_of("quote_valid_days", day(9), |setting| {
                assert_eq!((shown(&setting.value), setting.since), (Some("1".to_owned()), day(1)));
            })
            .then_of("quote_valid_days", day(10), |setting| {
                assert_eq!(
                    (shown(&setting.value), setting.since),
                    (Some("60".to_owned()), day(10))
                );
                assert_eq!(setting.at_position, Some(Position(2)));
                assert_eq!(setting.set_by, Some(Actor::sample()));
            })
            .then_of("currency", day(10), |setting| {
                assert_eq!(shown(&setting.value), Some("JPY".to_owned()));
            });
    }

    #[test]
    fn a_shop_has_no_cutoff_until_it_sets_one_and_keeps_it_when_it_is_configured_again_r55() {
        given::<Settings>()
            .on(day(1), ShopConfigured::sample())
            .on(day(10), CutoffPolicySet::sample())
            .on(day(20), ShopConfigured::sample())
            .then_of("cutoff", day(9), |it| assert_eq!(it.status, SettingStatus::Unset))
            .then_of("cutoff", day(20), |it| {
                assert_eq!(shown(&it.value), Some("13:00".to_owned()));
            });
    }

    #[test]
    fn the_table_of_rates_that_was_recorded_last_is_shown_from_its_day_on() {
        let newest = TaxRateTableRevised { rates: Vec::new() };
        given::<Settings>()
            .on(day(30), TaxRateTableRevised::sample())
            .on(day(10), newest)
            .then_absent(day(9))
            .then(day(10), |table| assert_eq!(shown(&table.value), Some("[]".to_owned())))
            .then(day(30), |table| {
                assert_eq!((shown(&table.value), table.since), (Some("[]".to_owned()), day(10)));
            });
    }

    #[test]
    fn the_first_days_of_an_earlier_value_come_into_the_list_r53() {
        given::<Settings>()
            .on(day(10), changed("quote_valid_days", 30))
            .on(day(5), changed("quote_valid_days", 60))
            .then_absent(day(4))
            .then(day(5), |it| assert_eq!(shown(&it.value), Some("60".to_owned())))
            .then_next_change(day(5), Some(day(10)));
    }
}
