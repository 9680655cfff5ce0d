//! The shop itself: its settings, each of them an event, so that a past day keeps its own rules.

use daicho_values::{
    Currency, Date, DatedTaxRate, IssuerNumber, LocalTime, Money, Name, Rounding, TimeZone,
};

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
    }
}

/// How long a quote holds where a version 1 event is silent, in days (R53 names no period).
pub const QUOTE_VALID_DAYS_DEFAULT: u32 = 30;

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
