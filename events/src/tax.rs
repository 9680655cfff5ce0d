//! Consumption tax (消費税): categories, rates, and a document's totals per rate.

use std::fmt;

use crate::{Date, Money};

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
