//! Consumption tax (消費税): rounded once per rate per document, never per line.
//!
//! Source: 消費税法施行令70条の10, 消費税法基本通達1-8-15. Three lines of 105 yen at 10 %, rounded
//! down, bear 31 yen and not 3 × 10.

use std::collections::BTreeMap;

use daicho_events::{
    Currency, Money, MoneyError, RateTotal, Rounding, TaxCategory, TaxRate, Totals,
};

/// The totals of a document from its lines: (category, rate, amount before tax).
///
/// Amounts may be finer than the minor unit; the sum of each rate is rounded before tax is taken.
///
/// # Errors
/// Lines of another currency than the document's, or sums beyond the limits.
pub fn totals(
    lines: impl IntoIterator<Item = (TaxCategory, TaxRate, Money)>,
    currency: Currency,
    rounding: Rounding,
) -> Result<Totals, MoneyError> {
    let mut nets: BTreeMap<(TaxCategory, TaxRate), Money> = BTreeMap::new();
    for (category, rate, amount) in lines {
        let net = nets.entry((category, rate)).or_insert(Money::zero(currency));
        *net = net.plus(amount)?;
    }
    let zero = Money::zero(currency);
    let mut totals = Totals { net: zero, tax: zero, gross: zero, rates: Vec::new() };
    for ((category, rate), net) in nets {
        let net = net.rounded(rounding)?;
        let tax = net.share(rate.0, TaxRate::WHOLE, rounding)?;
        totals.net = totals.net.plus(net)?;
        totals.tax = totals.tax.plus(tax)?;
        totals.rates.push(RateTotal { category, rate, net, tax });
    }
    totals.gross = totals.net.plus(totals.tax)?;
    assert_eq!(totals.gross.minus(totals.tax), Ok(totals.net), "totals add up");
    Ok(totals)
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
        totals([line; 3], Currency::Jpy, rounding).unwrap()
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
        let totals = totals(lines, Currency::Jpy, Rounding::Floor).unwrap();
        let taxes: Vec<Money> = totals.rates.iter().map(|rate| rate.tax).collect();
        assert_eq!(taxes, [yen("10"), yen("7"), yen("0")]);
        assert_eq!((totals.net, totals.tax, totals.gross), (yen("211"), yen("17"), yen("228")));
    }

    #[test]
    fn a_line_of_another_currency_is_refused() {
        let pound = Money::parse("1", Currency::Gbp).unwrap();
        let lines = [(TaxCategory::Standard, TEN, pound)];
        let error = totals(lines, Currency::Jpy, Rounding::Floor).unwrap_err();
        assert!(matches!(error, MoneyError::MixedCurrencies { .. }));
    }
}
