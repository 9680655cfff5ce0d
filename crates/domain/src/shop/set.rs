//! Sets settings of the shop from a day on (設定変更): what was done before keeps its rules.

use daicho_events::access::Role;
use daicho_events::shop::TAX_RATES;
use daicho_events::{NewEvent, Query};
use daicho_values::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::first_day::{FirstDayRefused, check_first_day, closed_months_query};
use super::refused::SettingRefused;
use super::settings::SettingChanges;
use crate::frame::Known;
use crate::state::ClosedMonths;
use crate::{By, Command, Decision, Moment};

/// Sets settings of the shop from a day on. Currency and time zone are fixed at the opening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSettings {
    /// The first day on which the new values hold, after the last closed month; left out, today.
    #[serde(default)]
    pub from: Option<Date>,
    /// The new values by name, at least one.
    pub settings: SettingChanges,
}

rejections! {
    /// Why settings are not set.
    pub enum SetSettingsRejection {
        /// At least one setting is named.
        NoSettings = "no_settings": "no setting is named: give at least one with its new value",
        /// The newest table of tax rates holds for every day: a first day would be a false promise.
        TaxRatesFrom { from: Date } = "tax_rates_dated_by_rows":
            "the table of tax rates holds for every day and not from {from} on: leave `from` out, \
             give each row its first day, and set other settings by themselves",
        /// A value that already holds need not be recorded.
        Unchanged { settings: String, from: Date } = "settings_unchanged":
            "nothing changes on {from} for {settings}: give another value, or another day",
        shared {
            /// A value breaks the rule of its setting.
            Setting(SettingRefused),
            /// The day is not one from which something may be set.
            FirstDay(FirstDayRefused),
        }
    }
}

known! {
    /// Which months are closed.
    pub struct SetSettingsState { closed: ClosedMonths, }
}

impl Decision for SetSettings {
    type State = SetSettingsState;
    type Rejection = SetSettingsRejection;

    fn query(&self, _: &Known<SetSettingsState>) -> Query {
        closed_months_query(self.from)
    }

    fn decide(
        &self,
        known: &Known<SetSettingsState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, SetSettingsRejection> {
        let names = self.settings.names();
        if names.is_empty() {
            return Err(SetSettingsRejection::NoSettings);
        }
        let (currency, today) =
            (known.shop.opened().map_err(SettingRefused::from)?.currency, known.shop.today(at));
        self.settings.check(currency)?;
        if let Some(from) = self.from.filter(|from| *from != today && names.contains(&TAX_RATES)) {
            return Err(SetSettingsRejection::TaxRatesFrom { from });
        }
        let from = check_first_day(self.from, today, &known.closed)?;
        let events = self.settings.events(known.shop.by_day(), from);
        if events.is_empty() {
            let settings = names.join(", ");
            return Err(SetSettingsRejection::Unchanged { settings, from });
        }
        Ok(events)
    }
}

impl Command for SetSettings {
    const NAME: &'static str = super::settings::NAME;
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[];
}

#[cfg(test)]
mod tests {
    use daicho_events::billing::MonthClosed;
    use daicho_events::shop::{CutoffPolicySet, SettingChanged};
    use daicho_events::{Actor, SettingValue};
    use daicho_values::{Currency, Money, Sample, SettingCode};
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Step, at, by, day, event, given, open_book, yen};

    fn set(from: Option<&str>, settings: Value) -> SetSettings {
        SetSettings { from: from.map(day), settings: serde_json::from_value(settings).unwrap() }
    }

    fn changed(setting: &str, value: Value) -> SettingChanged {
        let setting = SettingCode::new(setting).unwrap();
        SettingChanged { setting, value: SettingValue::of(&value).unwrap() }
    }

    fn closed(month: &str) -> Step {
        event(MonthClosed { month: month.parse().unwrap(), invoices: 0, gross: yen(0) })
    }

    #[track_caller]
    fn refused(settings: Value, code: &str) {
        given([open_book().into()]).when(set(None, settings)).then_rejected(code);
    }

    #[test]
    fn each_setting_that_changes_is_an_event_from_the_day_given() {
        let command = set(Some("2026-06-01"), json!({ "cutoff": "15:00", "rounding": "half_up" }));
        let events = given([open_book().into()]).when(command).events();
        let from = day("2026-06-01");
        let rounding = changed("rounding", json!("half_up"));
        let cutoff = CutoffPolicySet { cutoff: "15:00".parse().unwrap() };
        assert_eq!(events, [NewEvent::on(from, rounding), NewEvent::on(from, cutoff)]);
    }

    #[test]
    fn without_a_day_a_setting_holds_from_the_shops_own_today() {
        // Early on the 12th in Tokyo it is still the 11th in UTC.
        let history = given([open_book().into(), at("2026-05-12T08:30")]);
        let events = history.when(set(None, json!({ "issue_day": 15 }))).events();
        assert_eq!(events[0].effective_on, day("2026-05-12"));
    }

    #[test]
    fn null_is_a_value_where_a_setting_may_be_none() {
        let history = given([open_book().into()]);
        let events = history.when(set(None, json!({ "cutoff": null })));
        events.then([changed("cutoff", json!(null)).into()]);
        assert!(serde_json::from_value::<SettingChanges>(json!({ "rounding": null })).is_err());
        assert!(serde_json::from_value::<SettingChanges>(json!({ "colour": "red" })).is_err());
    }

    #[test]
    fn a_value_that_holds_already_is_no_event() {
        let both = json!({ "quote_valid_days": 30, "main_registration": false });
        let some = given([open_book().into()]).when(set(None, both));
        some.then([changed("main_registration", json!(false)).into()]);
        let same = json!({ "quote_valid_days": 30, "cutoff": "13:00" });
        let none = given([open_book().into()]).when(set(None, same));
        none.then_rejected("settings_unchanged");
    }

    #[test]
    fn what_holds_is_asked_for_the_day_and_not_for_today() {
        let later = set(Some("2026-06-01"), json!({ "quote_valid_days": 60 }));
        let history = || given([open_book().into(), later.clone().into()]);
        let again = history().when(later.clone());
        again.then_rejected("settings_unchanged");
        let back = history().when(set(Some("2026-07-01"), json!({ "quote_valid_days": 30 })));
        back.then_types(["shop.setting_changed"]);
    }

    #[test]
    fn the_table_of_tax_rates_is_set_from_no_day_but_those_of_its_rows() {
        let rates = json!({ "tax_rates": [] });
        let later = set(Some("2026-06-01"), rates.clone());
        given([open_book().into()]).when(later).then_rejected("tax_rates_dated_by_rows");
        let both = set(Some("2026-06-01"), json!({ "tax_rates": [], "issue_day": 15 }));
        given([open_book().into()]).when(both).then_rejected("tax_rates_dated_by_rows");
        for from in [None, Some("2026-05-11")] {
            let today = given([open_book().into()]).when(set(from, rates.clone()));
            today.then_types(["shop.tax_rate_table_revised"]);
        }
    }

    #[test]
    fn a_change_names_a_setting() {
        refused(json!({}), "no_settings");
    }

    #[test]
    fn numbers_have_limits() {
        for (setting, least, most) in
            [("quote_valid_days", 1, 3_650), ("verification_minutes", 1, 525_600)]
        {
            for within in [least, most] {
                let command = set(None, json!({ setting: within }));
                given([open_book().into()]).when(command).then_types(["shop.setting_changed"]);
            }
            for outside in [least - 1, most + 1] {
                refused(json!({ setting: outside }), "setting_outside_limits");
            }
        }
        refused(json!({ "issue_day": 0 }), "issue_day_outside_month");
        refused(json!({ "issue_day": 29 }), "issue_day_outside_month");
    }

    #[test]
    fn each_value_keeps_to_the_rule_that_the_opening_has() {
        let pound = Money::parse("100", Currency::Gbp).unwrap();
        refused(json!({ "barcode_below": pound }), "mixed_currencies");
        refused(json!({ "barcode_below": yen(0) }), "barcode_boundary_not_positive");
        refused(json!({ "invoice_prefix": "請求" }), "invoice_prefix_refused");
        let years = json!({ "closed_days": "bank", "extra_closed": ["2100-01-04"] });
        refused(json!({ "calendar": years }), "year_out_of_range");
        let row = json!({ "category": "standard", "from": "2027-04-01", "rate": 10_001 });
        refused(json!({ "tax_rates": [row] }), "tax_rate_above_whole");
    }

    #[test]
    fn nothing_is_set_within_a_closed_month_or_before_it() {
        let history = || given([open_book().into(), at("2026-08-11T10:00"), closed("2026-06")]);
        let change = json!({ "quote_valid_days": 60 });
        for from in ["2026-05-31", "2026-06-01", "2026-06-30"] {
            let command = set(Some(from), change.clone());
            history().when(command).then_rejected("from_in_closed_month");
        }
        let after = history().when(set(Some("2026-07-01"), change.clone()));
        after.then_types(["shop.setting_changed"]);
        history().when(set(None, change)).then_types(["shop.setting_changed"]);
    }

    #[test]
    fn a_day_is_at_most_ten_years_back() {
        let change = |from| set(Some(from), json!({ "quote_valid_days": 60 }));
        let history = || given([open_book().into()]);
        history().when(change("2016-05-01")).then_types(["shop.setting_changed"]);
        history().when(change("2016-04-30")).then_rejected("from_too_long_ago");
    }

    #[test]
    fn a_shop_that_is_not_open_has_no_settings() {
        let command = set(None, json!({ "issue_day": 15 }));
        given([]).when(command).then_rejected("shop_not_open");
    }

    #[test]
    fn a_member_does_not_set_up_the_shop() {
        let history = [open_book().into(), by(Actor::Member(Sample::sample()))];
        given(history).when(set(None, json!({ "issue_day": 15 }))).then_rejected("staff_only");
    }

    #[test]
    fn the_schema_of_the_command_names_each_setting_with_its_sentence() {
        let schema = schemars::schema_for!(SetSettings).to_value();
        let settings = schema.pointer("/$defs/SettingChanges/properties").unwrap();
        let settings = settings.as_object().unwrap();
        assert_eq!(settings.len(), crate::shop::ROWS.len());
        for row in crate::shop::ROWS {
            let described = settings[row.name].get("description").unwrap().as_str().unwrap();
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(described), words(row.sentence), "{}", row.name);
        }
    }
}
