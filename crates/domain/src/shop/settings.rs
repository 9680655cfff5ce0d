//! The settings of a shop: one table, a row a setting. All else of a setting is derived from its
//! row (`table.rs`); a new setting is a new row here.

use daicho_events::shop::{
    BillingCalendarSet, CutoffPolicySet, IssuerRegistrationSet, QUOTE_VALID_DAYS_DEFAULT,
    SettingChanged, ShopConfigured, ShopEvent, TaxRateTableRevised,
};
use daicho_events::{Event, NewEvent};
use daicho_values::calendar::ClosedDays;
use daicho_values::{
    Currency, Date, DatedTaxRate, IssuerNumber, LocalTime, Money, Name, Rounding, Sample, TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::refused::{
    SettingRefused, Within, check_barcode, check_calendar, check_prefix, check_table,
};
use super::table::{Given, Row, setting_changed, settings};
use crate::state::{Dated, Newest};

/// The command that sets them; the calendar's event names it as what revised it.
pub(super) const NAME: &str = "shop.set";

/// A link of no minute opens nothing, and one of more than a year is none that expires (R14).
const VERIFICATION_MINUTES: Within = Within { least: 1, most: 525_600 };
/// A quote that lapses on its own day binds nobody; ten years is how long books are kept.
const QUOTE_VALID_DAYS: Within = Within { least: 1, most: 3_650 };
/// The days that every month has (R86).
const ISSUE_DAY: Within = Within { least: 1, most: 28 };

/// The day of the month on which bills go out where no setting says so (R86: 10th to 15th).
const ISSUE_DAY_DEFAULT: u32 = 10;

settings! {
    /// The shop's name, as documents show it.
    name: Dated<Name> {
        default: unnamed(),
        is: "text",
        limits: "1 to 256 characters, none of them a control character",
        source: "消費税法57条の4: an invoice names who issues it",
        check: |_, _| Ok(()),
        opening: { name: Name },
    }
    /// How tax and shares of prices are rounded, on documents of the day.
    rounding: Dated<Rounding> {
        default: Rounding::Floor,
        is: "`floor`, `half_up` or `ceiling`",
        limits: "one of them",
        source: "消費税法基本通達1-8-15: rounded once per rate, the way is the shop's choice",
        check: |_, _| Ok(()),
        opening: { rounding: Rounding },
    }
    /// Minutes for which a verification link that is mailed on the day holds; `null`: no limit.
    verification_minutes: Dated<Option<u32>> {
        default: None,
        is: "minutes, or `null`",
        limits: VERIFICATION_MINUTES,
        source: "R14 (30 minutes), R11 (no limit)",
        check: |minutes, _| match minutes {
            Some(minutes) => VERIFICATION_MINUTES.check("verification_minutes", *minutes),
            None => Ok(()),
        },
        opening: { #[serde(default)] verification_minutes: Option<u32> },
    }
    /// Whether staff complete a registration after the person has verified the mail address.
    main_registration: Dated<bool> {
        default: false,
        is: "`true` or `false`",
        limits: "one of them",
        source: "R13 (staff complete it), R11 (the link does)",
        check: |_, _| Ok(()),
        opening: { main_registration: bool },
    }
    /// Days for which a quote that is issued on the day holds, that day counted as day 0.
    quote_valid_days: Dated<u32> {
        default: QUOTE_VALID_DAYS_DEFAULT,
        is: "days",
        limits: QUOTE_VALID_DAYS,
        source: "R53, which names no period",
        check: |days, _| QUOTE_VALID_DAYS.check("quote_valid_days", *days),
        opening: { quote_valid_days: u32 },
    }
    /// Below this an invoice that is issued on the day carries a barcode that stores take; `null`:
    /// never.
    barcode_below: Dated<Option<Money>> {
        default: None,
        is: "an amount of the shop's currency, or `null`",
        limits: "above zero",
        source: "R95 (300,000 yen)",
        check: |boundary, currency| check_barcode(*boundary, currency),
        opening: { #[serde(default)] barcode_below: Option<Money> },
    }
    /// What the number of an invoice that is issued on the day begins with.
    invoice_prefix: Dated<String> {
        default: "R".to_owned(),
        is: "text",
        limits: "at most 16 letters, digits and hyphens",
        source: "R92",
        check: |prefix, _| check_prefix(prefix),
        opening: { invoice_prefix: String },
    }
    /// The days that are closed: by a rule, and besides it. Starts and due dates move by it.
    calendar: Dated<Calendar> {
        default: Calendar::from(ClosedDays::Bank),
        is: "an object: `closed_days` is `bank`, `holidays` or `weekends`; `extra_closed`, days",
        limits: "at most 1000 days besides the rule, in the years 2007 to 2099",
        source: "R55, R85; 銀行法15条, 国民の祝日に関する法律",
        check: |calendar, _| check_calendar(calendar),
        stored: |calendar| Some(calendar.revised(NAME).into()),
        opening: { closed_days: ClosedDays },
    }
    /// The day of the month from which the month before is billed.
    issue_day: Dated<u32> {
        default: ISSUE_DAY_DEFAULT,
        is: "day of the month",
        limits: ISSUE_DAY,
        source: "R86 (the 10th to the 15th)",
        check: |day, _| {
            if ISSUE_DAY.holds(*day) {
                return Ok(());
            }
            Err(SettingRefused::IssueDayOutsideMonth { day: *day })
        },
        stored: |issue_day| Some(BillingCalendarSet { issue_day: *issue_day }.into()),
        opening: { issue_day: u32 },
    }
    /// The tax rates, each with its first day. The table is dated by its rows: the newest holds for
    /// every day, and it is set without a day of its own. For a past day the list of settings shows
    /// the table that the shop had set by then.
    tax_rates: Newest<Vec<DatedTaxRate>> {
        default: Vec::new(),
        is: "a list of rows: `category`, `from`, `rate` in hundredths of a percent",
        limits: "at most 256 rows, rates to 100 %, one rate a category and day",
        source: "消費税法29条",
        check: |rates, _| Ok(check_table(rates)?),
        stored: |rates| Some(TaxRateTableRevised { rates: rates.clone() }.into()),
        opening: { tax_rates: Vec<DatedTaxRate> },
    }
    /// The time of day from which an order belongs to the next business day; `null`: none.
    cutoff: Dated<Option<LocalTime>> {
        default: None,
        is: "a time of day in the shop's zone, `hh:mm`, or `null`",
        limits: "00:00 to 23:59",
        source: "R55 (13:00)",
        check: |_, _| Ok(()),
        stored: |cutoff| cutoff.map(|cutoff| CutoffPolicySet { cutoff }.into()),
        opening: { #[serde(default)] cutoff: Option<LocalTime> },
    }
    /// The issuer's registration number (登録番号) on invoices that are issued on the day; `null`:
    /// the shop has none.
    issuer: Dated<Option<IssuerNumber>> {
        default: None,
        is: "text, or `null`",
        limits: "T and 13 digits",
        source: "消費税法57条の2, 57条の4",
        check: |_, _| Ok(()),
        stored: |issuer| issuer.clone().map(|number| IssuerRegistrationSet { number }.into()),
        opening: { #[serde(default)] issuer: Option<IssuerNumber> },
    }
}

/// The settings as they hold on a day.
#[derive(Debug, Clone, Copy)]
pub struct OnDay<'a> {
    settings: &'a Settings,
    day: Date,
}

impl Settings {
    /// The rows of the table of tax rates, without a copy: every line of a document asks.
    pub(crate) fn tax_rows(&self, day: Date) -> &[DatedTaxRate] {
        self.tax_rates.on(day).map_or(&[], Vec::as_slice)
    }

    /// As they hold on a day.
    pub fn on(&self, day: Date) -> OnDay<'_> {
        OnDay { settings: self, day }
    }

    /// Takes an event of the shop in, from its business day on. Cannot fail: what a later rule
    /// would refuse is read as it was.
    pub fn apply(&mut self, day: Date, event: &ShopEvent) {
        match event {
            ShopEvent::Configured(event) => self.configure(day, event),
            ShopEvent::BusinessCalendarRevised(event) => self.calendar.set(day, event.into()),
            ShopEvent::CutoffPolicySet(event) => self.cutoff.set(day, Some(event.cutoff)),
            ShopEvent::BillingCalendarSet(event) => self.issue_day.set(day, event.issue_day),
            ShopEvent::TaxRateTableRevised(event) => self.tax_rates.set(day, event.rates.clone()),
            ShopEvent::IssuerRegistrationSet(event) => {
                self.issuer.set(day, Some(event.number.clone()));
            }
            ShopEvent::SettingChanged(event) => self.change(day, event),
        }
    }

    /// From its opening on a shop has every setting: what was not said then has its default, so
    /// that a cut-off set years later is none of the years before.
    fn configure(&mut self, day: Date, event: &ShopConfigured) {
        self.name.set(day, event.name.clone());
        self.rounding.set(day, event.rounding);
        self.verification_minutes.set(day, event.verification_minutes);
        self.main_registration.set(day, event.main_registration);
        self.quote_valid_days.set(day, event.quote_valid_days);
        self.barcode_below.set(day, event.barcode_below);
        self.invoice_prefix.set(day, event.invoice_prefix.clone());
        self.begin(day);
    }
}

/// The name of a shop whose book is not open: no document shows it.
fn unnamed() -> Name {
    match Name::new("unnamed") {
        Ok(name) => name,
        Err(error) => unreachable!("a plain word is a name: {error}"),
    }
}

/// The value as JSON, for people.
fn json(value: &impl Serialize) -> String {
    daicho_events::SettingValue::of(value).map_or_else(|error| error.to_string(), |v| v.to_string())
}
