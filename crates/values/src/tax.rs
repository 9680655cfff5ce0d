//! Consumption tax (消費税): categories, rates, and a document's totals. The tax is rounded once per
//! rate per document, never per line.
//!
//! Source: 消費税法施行令70条の10, 消費税法基本通達1-8-15. Three lines of 105 yen at 10 %, rounded
//! down, bear 31 yen and not 3 × 10.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Currency, Date, Money, MoneyError, Rounding};

crate::data! {
    /// Why a line bears the tax it bears (税区分); JP PINT's codes S, AA, E, G, O.
    pub enum TaxCategory {
        /// Standard rate (標準税率), S.
        Standard,
        /// Reduced rate (軽減税率), AA.
        Reduced,
        /// Exempt (非課税), E.
        Exempt,
        /// Export, zero-rated (輸出免税), G.
        Export,
        /// Outside the scope of the tax (不課税), O.
        OutOfScope,
    }
}

/// A rate in hundredths of a percent: 1000 is 10 %.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct TaxRate(pub u32);

impl TaxRate {
    /// No tax.
    pub const ZERO: Self = Self(0);
    /// What `basis_points` are parts of.
    pub const WHOLE: u32 = 10_000;
}

impl fmt::Display for TaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 100 {
            0 => write!(f, "{} %", self.0 / 100),
            rest => write!(f, "{}.{rest:02} %", self.0 / 100),
        }
    }
}

impl crate::Sample for TaxRate {
    fn sample() -> Self {
        Self(1_000)
    }
}

crate::data! {
    /// A row of the dated rate table (税率表).
    #[derive(Copy)]
    pub struct DatedTaxRate {
        /// The category it is for.
        pub category: TaxCategory,
        /// First day on which it holds.
        pub from: Date,
        /// The rate, in hundredths of a percent.
        pub rate: TaxRate,
    }
}

crate::data! {
    /// The part of a document that bears one rate.
    #[derive(Copy)]
    pub struct RateTotal {
        /// Its category.
        pub category: TaxCategory,
        /// Its rate.
        pub rate: TaxRate,
        /// Sum of its lines before tax.
        pub net: Money,
        /// The tax on that sum, rounded once (消令70の10).
        pub tax: Money,
    }
}

crate::data! {
    /// A document's totals: tax is rounded once per rate, never per line.
    pub struct Totals {
        /// Sum of the lines before tax.
        pub net: Money,
        /// Sum of the taxes.
        pub tax: Money,
        /// What is to be paid.
        pub gross: Money,
        /// One entry a category and rate.
        pub rates: Vec<RateTotal>,
    }
}

impl Totals {
    /// The totals of a document from its lines: (category, rate, amount before tax).
    ///
    /// Amounts may be finer than the minor unit; each rate's sum is rounded before tax is taken.
    ///
    /// # Errors
    /// Lines of another currency than the document's, or sums beyond the limits.
    pub fn of(
        lines: impl IntoIterator<Item = (TaxCategory, TaxRate, Money)>,
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let mut nets: BTreeMap<(TaxCategory, TaxRate), Money> = BTreeMap::new();
        for (category, rate, amount) in lines {
            let net = nets.entry((category, rate)).or_insert(Money::zero(currency));
            *net = net.plus(amount)?;
        }
        let zero = Money::zero(currency);
        let mut totals = Self { net: zero, tax: zero, gross: zero, rates: Vec::new() };
        for ((category, rate), net) in nets {
            let net = net.rounded(rounding)?;
            let tax = net.share(rate.0, TaxRate::WHOLE, rounding)?;
            let same_sign = tax.is_zero() || tax.is_negative() == net.is_negative();
            assert!(same_sign, "a tax has the sign of what bears it");
            totals.net = totals.net.plus(net)?;
            totals.tax = totals.tax.plus(tax)?;
            totals.rates.push(RateTotal { category, rate, net, tax });
        }
        totals.gross = totals.net.plus(totals.tax)?;
        assert_eq!(totals.gross.minus(totals.tax), Ok(totals.net), "totals add up");
        Ok(totals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: TaxRate = TaxRate(1_000);
    const EIGHT: TaxRate = TaxRate(800);

    fn yen(amount: &str) -> Money {
        Money::parse(amount, Currency::Jpy).unwrap()
    }

    fn three_of_105(rounding: Rounding) -> Totals {
        let line = (TaxCategory::Standard, TEN, yen("105"));
        Totals::of([line; 3], Currency::Jpy, rounding).unwrap()
    }

    #[test]
    fn tax_is_rounded_once_per_rate_and_not_per_line() {
        assert_eq!(three_of_105(Rounding::Floor).tax, yen("31"));
        assert_eq!(three_of_105(Rounding::HalfUp).tax, yen("32"));
        assert_eq!(three_of_105(Rounding::Ceiling).tax, yen("32"));
    }

    #[test]
    fn each_rate_is_rounded_by_itself() {
        let lines = [
            (TaxCategory::Standard, TEN, yen("105")),
            (TaxCategory::Reduced, EIGHT, yen("99")),
            (TaxCategory::OutOfScope, TaxRate::ZERO, yen("7")),
        ];
        let totals = Totals::of(lines, Currency::Jpy, Rounding::Floor).unwrap();
        let taxes: Vec<Money> = totals.rates.iter().map(|rate| rate.tax).collect();
        assert_eq!(taxes, [yen("10"), yen("7"), yen("0")]);
        assert_eq!((totals.net, totals.tax, totals.gross), (yen("211"), yen("17"), yen("228")));
    }

    #[test]
    fn a_line_of_another_currency_is_refused() {
        let pound = Money::parse("1", Currency::Gbp).unwrap();
        let lines = [(TaxCategory::Standard, TEN, pound)];
        let error = Totals::of(lines, Currency::Jpy, Rounding::Floor).unwrap_err();
        assert!(matches!(error, MoneyError::MixedCurrencies { .. }));
    }
}
