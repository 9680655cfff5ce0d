//! The rows of a list as texts, for tables and CSV: amounts with the digits of their currency.

use daicho_projections::{ColumnKind, List, Value};
use daicho_values::Currency;

use super::pages::ListPage;

/// The column with the currency of the amounts of a row.
const CURRENCY: &str = "currency";

impl ListPage {
    /// The key and the typed columns of each row; `amount` writes money, given in the smallest unit
    /// of the row's currency.
    pub fn cells(
        &self,
        list: &dyn List,
        amount: impl Fn(i64, Option<Currency>) -> String,
    ) -> Vec<Vec<String>> {
        let rows = self.rows.iter().zip(&self.columns);
        rows.map(|(row, values)| {
            let key = row.get(list.key_name()).and_then(serde_json::Value::as_str);
            let mut cells = vec![key.unwrap_or_default().to_owned()];
            let typed = || list.columns().iter().zip(values);
            let currency = typed().find_map(|(column, value)| match value {
                Value::Text(code) if column.name == CURRENCY => code.parse::<Currency>().ok(),
                Value::Null | Value::Text(_) | Value::Integer(_) => None,
            });
            cells.extend(typed().map(|(column, value)| match (value, column.kind) {
                (Value::Null, _) => String::new(),
                (Value::Text(text), _) => text.clone(),
                (Value::Integer(number), ColumnKind::Money) => amount(*number, currency),
                (Value::Integer(number), _) => number.to_string(),
            }));
            cells
        })
        .collect()
    }
}

/// `1250` in pounds is `12.50`; an amount of an unknown currency stays in its smallest unit.
pub fn major_units(minor_units: i64, currency: Option<Currency>) -> String {
    let digits = currency.map_or(0, |currency| currency.fraction_digits());
    let Some(divisor) = 10_u64.checked_pow(digits).filter(|_| digits > 0) else {
        return minor_units.to_string();
    };
    let (sign, amount) = (if minor_units < 0 { "-" } else { "" }, minor_units.unsigned_abs());
    let width = usize::try_from(digits).unwrap_or_default();
    format!("{sign}{}.{:0width$}", amount / divisor, amount % divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pounds_have_two_digits_and_yen_have_none() {
        assert_eq!(major_units(1_250, Some(Currency::Gbp)), "12.50");
        assert_eq!(major_units(1_250, Some(Currency::Jpy)), "1250");
    }

    #[test]
    fn an_amount_below_one_keeps_its_zero_and_its_sign() {
        assert_eq!(major_units(-5, Some(Currency::Eur)), "-0.05");
        assert_eq!(major_units(i64::MIN, Some(Currency::Usd)), "-92233720368547758.08");
    }

    #[test]
    fn an_amount_without_a_known_currency_stays_as_it_is() {
        assert_eq!(major_units(1_250, None), "1250");
    }
}
