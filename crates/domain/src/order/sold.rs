//! Lines as another system sold them: the name and the price are given, not looked up.

use daicho_events::order::OrderLine;
use daicho_values::{Date, Money, Name, ProductCode, TaxCategory};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pricing::{LineRejection, Priced, check_count, price_given, quantity_within, rate_on};
use crate::state::Shop;

/// A line as it was sold. A product may be on several lines, and a price may be zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoldLine {
    /// The product's code there; it need not be in the catalogue.
    pub product: ProductCode,
    /// Its name as sold.
    pub name: Name,
    /// How many, from 1.
    pub quantity: i64,
    /// Price of one, before tax; zero for what was given away.
    pub unit_price: Money,
}

/// The lines as given, in their order and numbered from 1, with the rate of one tax category on
/// the day.
///
/// # Errors
/// The first rule that a line breaks, in the order of the lines.
pub(crate) fn as_sold(
    sold: &[SoldLine],
    tax: TaxCategory,
    day: Date,
    shop: &Shop,
) -> Result<Priced, LineRejection> {
    check_count(sold.len())?;
    let lines = sold.iter().zip(1..).map(|(sold, line)| {
        let quantity = quantity_within(&sold.product, sold.quantity, None)?;
        let unit_price = price_given(&sold.product, sold.unit_price)?;
        Ok::<_, LineRejection>(OrderLine {
            line,
            product: sold.product.clone(),
            name: sold.name.clone(),
            plan: None,
            quantity,
            unit_price,
            amount: unit_price.times(quantity)?,
            tax,
            rate: rate_on(shop, &sold.product, tax, day)?,
        })
    });
    Priced::of(lines.collect::<Result<_, _>>()?, day, shop)
}
