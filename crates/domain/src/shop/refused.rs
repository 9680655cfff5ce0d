//! The rules that the value of a setting must keep, wherever it is given: at the opening of a book
//! or after. What was recorded before a rule was written is read as it was.

use std::collections::BTreeSet;
use std::fmt;

use daicho_values::calendar::{BusinessCalendar, CalendarError};
use daicho_values::{Currency, Date, DatedTaxRate, Money, TaxCategory, TaxRate};

use super::calendar::Calendar;
use crate::state::ShopNotOpen;

/// Days that a calendar may close besides its rule.
pub const EXTRA_CLOSED_DAYS_MAX: usize = 1_000;
/// Rows of the table of tax rates.
pub const TAX_RATE_ROWS_MAX: usize = 256;
/// Characters that the prefix of invoice numbers may have.
pub const INVOICE_PREFIX_CHARS_MAX: usize = 16;

/// A whole number from `least` to `most`, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// The smallest.
    pub least: u32,
    /// The largest.
    pub most: u32,
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.least, self.most)
    }
}

impl Within {
    /// Whether a number lies within.
    pub fn holds(self, number: u32) -> bool {
        (self.least..=self.most).contains(&number)
    }

    /// Checks that a number of a setting lies within.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn check(self, setting: &'static str, number: u32) -> Result<(), SettingRefused> {
        if self.holds(number) {
            return Ok(());
        }
        Err(SettingRefused::OutsideLimits { setting, number, within: self })
    }
}

rejections! {
    /// Why a table of tax rates is refused.
    pub enum TaxTableRefused {
        /// The table stays short enough to be read whole.
        TooManyRows { count: usize } = "too_many_tax_rates":
            "{count} tax rates are too many: a table has at most {TAX_RATE_ROWS_MAX} rows",
        /// A tax is a part of the price.
        RateAboveWhole { rate: TaxRate } = "tax_rate_above_whole":
            "{rate} is above 100 %: rates are in hundredths of a percent, 1000 is 10 %",
        /// A day has one rate of a category.
        RateTwice { category: TaxCategory, from: Date } = "tax_rate_twice":
            "two rates of the category {category:?} begin on {from}: a category has one rate a \
             day, leave out one",
    }
}

rejections! {
    /// Why the value of a setting is refused.
    pub enum SettingRefused {
        /// A number has limits.
        OutsideLimits { setting: &'static str, number: u32, within: Within }
            = "setting_outside_limits":
            "{number} is outside the limits of `{setting}`: give a number from {within}",
        /// The boundary of the barcode is an amount of the shop's currency.
        BarcodeCurrency { currency: Currency } = "mixed_currencies":
            "the barcode boundary is not in {currency}, the currency of the shop: give it in \
             {currency}",
        /// Nothing is below zero: a shop without barcodes has no boundary.
        BarcodeNotPositive { boundary: Money } = "barcode_boundary_not_positive":
            "no invoice is below {boundary}: give an amount above zero, or `null` for a shop \
             without barcodes",
        /// Numbers stay short and printable.
        PrefixRefused { prefix: String } = "invoice_prefix_refused":
            "`{prefix}` cannot begin an invoice number: at most 16 letters, digits and hyphens",
        /// A calendar stays short enough to be read whole.
        TooManyDays { count: usize } = "too_many_closed_days":
            "{count} closed days are too many: at most {EXTRA_CLOSED_DAYS_MAX} besides the rule, \
             leave out days long past",
        /// R86 speaks of days that every month has.
        IssueDayOutsideMonth { day: u32 } = "issue_day_outside_month":
            "day {day} is not in every month: bills go out on a day from 1 to 28",
        shared {
            /// Amounts are in the currency of the opening.
            NotOpen(ShopNotOpen),
            /// Holidays are known for certain years only.
            Calendar(CalendarError),
            /// The table breaks a rule.
            TaxTable(TaxTableRefused),
        }
    }
}

/// The rules of every table of tax rates.
pub(super) fn check_table(rates: &[DatedTaxRate]) -> Result<(), TaxTableRefused> {
    if rates.len() > TAX_RATE_ROWS_MAX {
        return Err(TaxTableRefused::TooManyRows { count: rates.len() });
    }
    if let Some(row) = rates.iter().find(|row| row.rate.0 > TaxRate::WHOLE) {
        return Err(TaxTableRefused::RateAboveWhole { rate: row.rate });
    }
    let mut begun = BTreeSet::new();
    match rates.iter().find(|row| !begun.insert((row.category, row.from))) {
        Some(row) => Err(TaxTableRefused::RateTwice { category: row.category, from: row.from }),
        None => Ok(()),
    }
}

/// The rules of every calendar.
pub(super) fn check_calendar(calendar: &Calendar) -> Result<(), SettingRefused> {
    let count = calendar.extra_closed.len();
    if count > EXTRA_CLOSED_DAYS_MAX {
        return Err(SettingRefused::TooManyDays { count });
    }
    let rule = BusinessCalendar::new(calendar.closed_days);
    calendar.extra_closed.iter().try_for_each(|day| rule.is_open(day.0).map(drop))?;
    Ok(())
}

/// The rules of every boundary below which invoices carry a barcode.
pub(super) fn check_barcode(
    boundary: Option<Money>,
    currency: Currency,
) -> Result<(), SettingRefused> {
    let Some(boundary) = boundary else { return Ok(()) };
    if boundary.currency() != currency {
        return Err(SettingRefused::BarcodeCurrency { currency });
    }
    if boundary.is_negative() || boundary.is_zero() {
        return Err(SettingRefused::BarcodeNotPositive { boundary });
    }
    Ok(())
}

/// The rules of every prefix of invoice numbers.
pub(super) fn check_prefix(prefix: &str) -> Result<(), SettingRefused> {
    let is_printable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if prefix.len() <= INVOICE_PREFIX_CHARS_MAX && prefix.bytes().all(is_printable) {
        return Ok(());
    }
    Err(SettingRefused::PrefixRefused { prefix: prefix.to_owned() })
}
