//! The shop itself: its settings, each of them an event, so that a past day keeps its own rules.

use daicho_values::{
    Currency, Date, DatedTaxRate, IssuerNumber, LocalTime, Money, Name, Rounding, SettingCode,
    TimeZone,
};
use serde_json::{Value, json};

use crate::SettingValue;

/// The tag that every event of the shop itself carries.
pub const SHOP: &str = "shop";

family! {
    /// The shop and its settings (店舗設定).
    pub enum ShopEvent tags [SHOP] {
        /// The book was opened, or its settings were replaced.
        Configured(ShopConfigured) = "shop.configured" 2 from { 1: ShopConfiguredV1 },
        /// The days on which the shop is closed (営業日カレンダー).
        BusinessCalendarRevised(BusinessCalendarRevised) = "shop.business_calendar_revised" 1,
        /// The hour from which an order counts as the next business day's (受付締め時刻, R55).
        CutoffPolicySet(CutoffPolicySet) = "shop.cutoff_policy_set" 1,
        /// The day of a month on which the month before is billed (請求発行日, R86).
        BillingCalendarSet(BillingCalendarSet) = "shop.billing_calendar_set" 1,
        /// The dated table of tax rates (税率).
        TaxRateTableRevised(TaxRateTableRevised) = "shop.tax_rate_table_revised" 1,
        /// The issuer's registration number (登録番号).
        IssuerRegistrationSet(IssuerRegistrationSet) = "shop.issuer_registration_set" 1,
        /// A setting that has no event of its own has another value from a day on.
        SettingChanged(SettingChanged) = "shop.setting_changed" 1,
    }
}

/// The setting whose value, a table, is dated by its own rows: the newest holds for every day.
pub const TAX_RATES: &str = "tax_rates";
/// The settings that a shop has none of where its opening records none.
pub const NONE_UNTIL_SET: [&str; 2] = ["cutoff", "issuer"];

/// How long a quote holds where a version 1 event is silent, in days (R53 names no period).
pub const QUOTE_VALID_DAYS_DEFAULT: u32 = 30;

impl ShopEvent {
    /// The settings that this event gives a value, each under its name and in the form in which
    /// `shop.set` takes it; currency and time zone stand among them.
    pub fn settings(&self) -> Vec<(SettingCode, SettingValue)> {
        let one = |name: &str, value: Value| named([(name.to_owned(), value)]);
        match self {
            Self::Configured(event) => {
                let members = json!(event).as_object().cloned();
                named(members.into_iter().flatten())
            }
            Self::BusinessCalendarRevised(event) => {
                let BusinessCalendarRevised { closed_days, extra_closed, .. } = event;
                let value = json!({ "closed_days": closed_days, "extra_closed": extra_closed });
                one("calendar", value)
            }
            Self::CutoffPolicySet(event) => one("cutoff", json!(event.cutoff)),
            Self::BillingCalendarSet(event) => one("issue_day", json!(event.issue_day)),
            Self::TaxRateTableRevised(event) => one(TAX_RATES, json!(event.rates)),
            Self::IssuerRegistrationSet(event) => one("issuer", json!(event.number)),
            Self::SettingChanged(event) => vec![(event.setting.clone(), event.value.clone())],
        }
    }
}

fn named(values: impl IntoIterator<Item = (String, Value)>) -> Vec<(SettingCode, SettingValue)> {
    let named = values.into_iter().map(|(name, value)| {
        // A value of the record that is longer than one that comes in today is shown as none.
        let value = SettingValue::of(&value).unwrap_or_else(|_| SettingValue::none());
        SettingCode::new(&name).ok().map(|name| (name, value))
    });
    named.flatten().collect()
}

event! {
    /// The shop's settings as a whole.
    pub struct ShopConfigured tags [] {
        /// The shop's name.
        pub name: Name,
        /// The currency of all its prices.
        pub currency: Currency,
        /// Where its business days begin and end.
        pub time_zone: TimeZone,
        /// How tax and shares are rounded.
        pub rounding: Rounding,
        /// Minutes for which a verification link holds (R14); `null`: no limit (R11).
        pub verification_minutes: Option<u32>,
        /// Whether staff complete a registration after verification (本登録, R13).
        pub main_registration: bool,
        /// Days for which a quote holds, the day of issue counted as day 0.
        pub quote_valid_days: u32,
        /// Below this an invoice carries a barcode that stores take (R95); `null`: never.
        pub barcode_below: Option<Money>,
        /// What invoice numbers begin with (R92).
        pub invoice_prefix: String,
    }
}

event! {
    /// Version 1 knew no validity of quotes: the period was printed on the quote only.
    pub struct ShopConfiguredV1 tags [] {
        /// The shop's name.
        pub name: Name,
        /// The currency of all its prices.
        pub currency: Currency,
        /// Where its business days begin and end.
        pub time_zone: TimeZone,
        /// How tax and shares are rounded.
        pub rounding: Rounding,
        /// Minutes for which a verification link holds; `null`: no limit.
        pub verification_minutes: Option<u32>,
        /// Whether staff complete a registration after verification.
        pub main_registration: bool,
        /// Below this an invoice carries a barcode that stores take; `null`: never.
        pub barcode_below: Option<Money>,
        /// What invoice numbers begin with.
        pub invoice_prefix: String,
    }
}

impl From<ShopConfiguredV1> for ShopConfigured {
    fn from(old: ShopConfiguredV1) -> Self {
        Self {
            name: old.name,
            currency: old.currency,
            time_zone: old.time_zone,
            rounding: old.rounding,
            verification_minutes: old.verification_minutes,
            main_registration: old.main_registration,
            quote_valid_days: QUOTE_VALID_DAYS_DEFAULT,
            barcode_below: old.barcode_below,
            invoice_prefix: old.invoice_prefix,
        }
    }
}

event! {
    /// The calendar of business days.
    pub struct BusinessCalendarRevised tags [] {
        /// The rule.
        pub closed_days: daicho_values::calendar::ClosedDays,
        /// Days closed besides the rule.
        pub extra_closed: Vec<Date>,
        /// Who says so.
        pub source: String,
    }
}

event! {
    /// The cut-off: at or after it an order counts as the next business day's.
    pub struct CutoffPolicySet tags [] {
        /// In the shop's time zone; 13:00 in R55.
        pub cutoff: LocalTime,
    }
}

event! {
    /// When a month is billed.
    pub struct BillingCalendarSet tags [] {
        /// Day of the month on which the month before is billed, 1 to 28 (R86: 10 to 15).
        pub issue_day: u32,
    }
}

event! {
    /// The dated rate table replaces the one before it.
    pub struct TaxRateTableRevised tags [] {
        /// Its rows.
        pub rates: Vec<DatedTaxRate>,
    }
}

event! {
    /// The number printed on qualified invoices (適格請求書).
    pub struct IssuerRegistrationSet tags [] {
        /// T and 13 digits.
        pub number: IssuerNumber,
    }
}

event! {
    /// One setting of the shop, from the event's business day on.
    pub struct SettingChanged tags [] {
        /// Which one; a name that this software does not know changes nothing.
        pub setting: SettingCode,
        /// Its value, whole numbers only.
        pub value: SettingValue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daicho_values::Sample;

    fn names(event: impl Into<ShopEvent>) -> Vec<String> {
        event.into().settings().into_iter().map(|(name, _)| name.to_string()).collect()
    }

    #[test]
    fn an_event_tells_its_settings_by_their_names() {
        assert_eq!(names(ShopConfigured::sample()).len(), 9);
        assert_eq!(names(BusinessCalendarRevised::sample()), ["calendar"]);
        assert_eq!(names(CutoffPolicySet::sample()), ["cutoff"]);
        assert_eq!(names(BillingCalendarSet::sample()), ["issue_day"]);
        assert_eq!(names(TaxRateTableRevised::sample()), [TAX_RATES]);
        assert_eq!(names(IssuerRegistrationSet::sample()), ["issuer"]);
        assert_eq!(names(SettingChanged::sample()), ["quote_valid_days"]);
    }
}
