//! The fold of a shop's settings: what holds on a day, whatever was recorded when.

use daicho_events::shop::{
    CutoffPolicySet, NONE_UNTIL_SET, SettingChanged, ShopConfigured, ShopEvent, TAX_RATES,
    TaxRateTableRevised,
};
use daicho_events::{Event, SettingValue};
use daicho_values::{Currency, Date, DatedTaxRate, Rounding, Sample, SettingCode};
use serde_json::{Value, json};

use crate::shop::{OpenBook, ROWS, SetSettings, Settings};
use crate::testing::{day, given, open_book};

fn opened_on(first: Date, book: OpenBook) -> Settings {
    let mut settings = Settings::default();
    for new in given([]).when(book).events() {
        let Event::Shop(event) = new.event else { panic!("{new:?}") };
        settings.apply(first, &event);
    }
    settings
}

fn changed(setting: &str, value: &Value) -> ShopEvent {
    let setting = SettingCode::new(setting).unwrap();
    SettingChanged { setting, value: SettingValue::of(value).unwrap() }.into()
}

fn cutoff(text: &str) -> ShopEvent {
    CutoffPolicySet { cutoff: text.parse().unwrap() }.into()
}

#[test]
fn a_setting_holds_from_its_day_on_and_the_days_before_keep_theirs() {
    let mut settings = opened_on(day("2026-05-11"), open_book());
    settings.apply(day("2026-06-01"), &changed("rounding", &json!("half_up")));
    settings.apply(day("2026-05-20"), &changed("rounding", &json!("ceiling")));
    let rounding = |on| settings.on(day(on)).rounding();
    assert_eq!(rounding("2026-05-19"), Rounding::Floor);
    assert_eq!(rounding("2026-05-31"), Rounding::Ceiling);
    assert_eq!(rounding("2026-06-01"), Rounding::HalfUp);
}

#[test]
fn before_its_opening_a_shop_has_the_settings_of_its_opening() {
    let settings = opened_on(day("2026-05-11"), open_book());
    let before = settings.on(day("2010-12-01"));
    assert_eq!((before.cutoff(), before.issue_day()), (Some("13:00".parse().unwrap()), 10));
    assert_eq!(before.name().as_str(), "Business Online Shop");
}

#[test]
fn a_shop_without_a_cutoff_has_none_before_its_first_one_r55() {
    let mut settings = opened_on(day("2026-05-11"), OpenBook { cutoff: None, ..open_book() });
    settings.apply(day("2027-01-04"), &cutoff("13:00"));
    assert_eq!(settings.on(day("2027-01-03")).cutoff(), None);
    assert_eq!(settings.on(day("2027-01-04")).cutoff(), Some("13:00".parse().unwrap()));
    settings.apply(day("2027-02-01"), &changed("cutoff", &json!(null)));
    assert_eq!(settings.on(day("2027-02-01")).cutoff(), None);
}

#[test]
fn settings_that_are_given_as_a_whole_again_leave_the_others_as_they_were() {
    let mut settings = opened_on(day("2026-05-11"), open_book());
    let again = ShopConfigured { quote_valid_days: 14, ..Sample::sample() };
    settings.apply(day("2026-06-01"), &again.into());
    let then = settings.on(day("2026-06-01"));
    assert_eq!((then.quote_valid_days(), then.cutoff()), (14, Some("13:00".parse().unwrap())));
    assert_eq!(settings.on(day("2026-05-31")).quote_valid_days(), 30);
}

#[test]
fn the_newest_table_of_rates_holds_for_every_day() {
    let mut settings = opened_on(day("2026-05-11"), open_book());
    let rates = vec![DatedTaxRate::sample()];
    settings.apply(day("2030-01-01"), &TaxRateTableRevised { rates: rates.clone() }.into());
    assert_eq!(settings.on(day("2010-01-01")).tax_rates(), rates);
}

#[test]
fn what_this_software_cannot_read_changes_nothing() {
    let mut settings = opened_on(day("2026-05-11"), open_book());
    let before = settings.clone();
    settings.apply(day("2026-05-12"), &changed("colour", &json!("red")));
    settings.apply(day("2026-05-12"), &changed("quote_valid_days", &json!("thirty")));
    settings.apply(day("2026-05-12"), &changed("rounding", &json!(null)));
    assert_eq!(settings, before);
}

#[test]
fn a_recorded_value_that_a_rule_refuses_today_is_read_as_it_was() {
    let mut settings = opened_on(day("2026-05-11"), open_book());
    settings.apply(day("2026-05-12"), &changed("quote_valid_days", &json!(100_000)));
    assert_eq!(settings.on(day("2026-05-12")).quote_valid_days(), 100_000);
}

#[test]
fn a_book_that_opens_with_defaults_needs_no_event_beyond_those_of_every_book() {
    let (name, zone) = (Sample::sample(), Sample::sample());
    given([]).when(OpenBook::of(name, Currency::Jpy, zone)).then_types([
        "shop.configured",
        "shop.business_calendar_revised",
        "shop.billing_calendar_set",
        "shop.tax_rate_table_revised",
    ]);
}

#[test]
fn an_event_tells_each_setting_under_the_name_and_in_the_form_of_its_row() {
    let given_all = json!({
        "name": "Another Shop", "rounding": "ceiling", "verification_minutes": 60,
        "main_registration": false, "quote_valid_days": 60, "barcode_below": null,
        "invoice_prefix": "A-", "issue_day": 15, "cutoff": "15:00", "issuer": "T1234567890123",
        "calendar": { "closed_days": "weekends", "extra_closed": ["2026-08-13"] },
        "tax_rates": [{ "category": "standard", "from": "2027-04-01", "rate": 1_200 }],
    });
    let settings = serde_json::from_value(given_all.clone()).unwrap();
    let events = given([open_book().into()]).when(SetSettings { from: None, settings }).events();
    // A row that is added later is recorded by its own name and needs no line here.
    let rows: Vec<_> = ROWS.iter().filter(|row| given_all.get(row.name).is_some()).collect();
    assert_eq!((rows.len(), events.len()), (12, 12), "each is given another value");
    for (new, row) in events.into_iter().zip(rows) {
        let Event::Shop(event) = new.event else { panic!("{new:?}") };
        let [(name, value)] = &event.settings()[..] else { panic!("{event:?}") };
        assert_eq!(name.as_str(), row.name);
        assert_eq!(value, &SettingValue::of(&given_all[row.name]).unwrap(), "{name}");
    }
}

#[test]
fn the_settings_that_are_none_until_set_have_that_default() {
    let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    assert!(known.contains(&TAX_RATES));
    for name in NONE_UNTIL_SET {
        let row = ROWS.iter().find(|row| row.name == name).unwrap();
        assert_eq!((row.default)(), "null", "{name}");
    }
}

#[test]
fn the_record_calls_each_setting_as_its_row_does() {
    for row in ROWS {
        assert!(SettingCode::new(row.name).is_ok(), "{}", row.name);
        let told = [row.sentence, row.is, row.source].iter().all(|text| !text.trim().is_empty());
        assert!(told && !row.limits.to_string().is_empty(), "{} says what it is", row.name);
    }
}
