//! Pricing: the lines that a customer wants become lines with the name, price, tax category and
//! rate of a day, and the totals of the document. Quotes and orders share it.

use std::collections::BTreeSet;

use daicho_events::order::OrderLine;
use daicho_values::{
    Date, Money, MoneyError, PlanCode, ProductCode, QUANTITY_MAX, Quantity, TaxCategory, TaxRate,
    Totals,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Rejection;
use crate::state::{Catalogue, Plan, Product, Shop, ShopNotOpen};

/// Lines of one document.
pub const LINES_MAX: usize = 1_000;
/// Bytes that a document's lines may take in the record; the log takes 1 MiB an event.
pub const LINES_BYTES_MAX: usize = 1_000_000;

/// Bytes of a line in the record without its texts: keys, numbers, ids and amounts at their widest.
const LINE_BYTES_FIXED: usize = 400;

/// A line as the customer wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedLine {
    /// The product.
    pub product: ProductCode,
    /// The plan; may be left out where the product has only one.
    #[serde(default)]
    pub plan: Option<PlanCode>,
    /// How many, from 1.
    pub quantity: i64,
}

/// The lines of a document and their totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// The lines, numbered from 1.
    pub lines: Vec<OrderLine>,
    /// Sums and tax, rounded once per rate.
    pub totals: Totals,
}

rejections! {
    /// Why lines are not priced.
    pub enum LineRejection {
        /// A document has at least one line.
        NoLines = "no_lines": "there is no line: name at least one product and its quantity",
        /// The limit of a document.
        TooManyLines { lines: usize } = "too_many_lines":
            "{lines} lines are too many: at most 1000, put the rest on another document",
        /// A quantity is one or more.
        QuantityBelowOne { product: ProductCode, quantity: i64 } = "quantity_below_one":
            "{quantity} of `{product}` cannot be sold: give 1 or more",
        /// Only what is listed is sold.
        ProductUnknown { product: ProductCode } = "product_unknown":
            "no product `{product}` in the catalogue: list it first, or check the code",
        /// What is retired is not sold.
        ProductRetired { product: ProductCode, day: Date } = "product_retired":
            "`{product}` is not offered any more on {day}: choose another product",
        /// The upper limit of a line (R57).
        QuantityOverLimit { product: ProductCode, quantity: i64, limit: u32 }
            = "quantity_over_limit":
            "{quantity} of `{product}` are over the limit of {limit} a line: order larger \
             quantities by phone from the shop's desk",
        /// Several plans have several prices, so one must be named.
        PlanRequired { product: ProductCode } = "plan_required":
            "`{product}` has several plans: name the one that is wanted",
        /// A product needs a price before it is sold.
        PriceMissing { product: ProductCode } = "price_missing":
            "`{product}` has no price: give its price, or publish a plan with one",
        /// A plan of another product, or none at all.
        PlanUnknown { product: ProductCode, plan: PlanCode } = "plan_unknown":
            "`{product}` has no plan `{plan}`: choose one of its plans",
        /// A plan whose first price begins later.
        PlanNotYetSold { product: ProductCode, plan: PlanCode, day: Date } = "plan_not_yet_sold":
            "plan `{plan}` of `{product}` has no price on {day}: order it from its first day on",
        /// What is given away is free; nobody is paid for taking it.
        PriceBelowZero { product: ProductCode, price: Money } = "price_below_zero":
            "the price of `{product}`, {price}, is below zero: record what came back as a return",
        /// The limit of an event's data.
        LinesTooLong { bytes: usize } = "lines_too_long":
            "the lines take {bytes} bytes in the record, over the limit of 1000000: split them",
        shared {
            /// A standard or reduced rate must be known, even where it is 0 %.
            Rate(TaxRateMissing),
            /// The shop's currency, rates and rounding are needed.
            Shop(ShopNotOpen),
            /// Another currency than the shop's, or sums beyond the limits.
            Money(MoneyError),
        }
    }
}

/// A rate is needed that the shop's table does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the tax table has no rate for `{product}` on {day}: revise the table, or use the tax category \
     that applies"
)]
pub struct TaxRateMissing {
    product: ProductCode,
    day: Date,
}

impl Rejection for TaxRateMissing {
    fn code(&self) -> &'static str {
        "tax_rate_missing"
    }
}

impl Priced {
    /// Wanted lines at the prices of a day.
    ///
    /// # Errors
    /// The first rule that a line breaks, in the order of the lines.
    pub fn of_wanted(
        wanted: &[WantedLine],
        day: Date,
        catalogue: &Catalogue,
        shop: &Shop,
    ) -> Result<Self, LineRejection> {
        check_count(wanted.len())?;
        let numbered = wanted.iter().zip(1..);
        let lines = numbered.map(|(wanted, line)| {
            let product = sellable(catalogue, &wanted.product, day)?;
            price(wanted, product, Place { line, day }, shop)
        });
        Self::of(lines.collect::<Result<_, _>>()?, day, shop)
    }

    /// Lines that have their prices already, with their totals as they are rounded on a day.
    ///
    /// # Errors
    /// Too many, too long, of another currency than the shop's, or sums beyond the limits.
    pub fn of(lines: Vec<OrderLine>, day: Date, shop: &Shop) -> Result<Self, LineRejection> {
        check_count(lines.len())?;
        check_bytes(bytes_of(&lines))?;
        let currency = shop.opened()?.currency;
        let taxed = lines.iter().map(|line| (line.tax, line.rate, line.amount));
        let totals = Totals::of(taxed, currency, shop.on(day).rounding())?;
        Ok(Self { lines, totals })
    }
}

/// The number of a line in its document, and the day of its price.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: u32,
    day: Date,
}

fn price(
    wanted: &WantedLine,
    product: &Product,
    at: Place,
    shop: &Shop,
) -> Result<OrderLine, LineRejection> {
    let limit = product.rules_on(at.day).quantity_max;
    let quantity = quantity_within(&wanted.product, wanted.quantity, limit)?;
    let plan = plan_of(wanted, product, at.day)?;
    Ok(OrderLine {
        line: at.line,
        product: wanted.product.clone(),
        name: product.name.clone(),
        plan: Some(plan.plan.clone()),
        quantity,
        unit_price: plan.price,
        amount: plan.price.times(quantity)?,
        tax: product.tax,
        rate: rate_on(shop, &wanted.product, product.tax, at.day)?,
    })
}

/// A product that can be bought on a day.
///
/// # Errors
/// Not listed, or retired by that day.
pub fn sellable<'a>(
    catalogue: &'a Catalogue,
    code: &ProductCode,
    day: Date,
) -> Result<&'a Product, LineRejection> {
    let unknown = || LineRejection::ProductUnknown { product: code.clone() };
    let product = catalogue.get(code).ok_or_else(unknown)?;
    if product.is_retired_on(day) {
        return Err(LineRejection::ProductRetired { product: code.clone(), day });
    }
    Ok(product)
}

/// The quantity of a line within a limit: the product's, or the ledger's own where it has none.
///
/// # Errors
/// Below one, or over the limit (R57).
pub fn quantity_within(
    product: &ProductCode,
    quantity: i64,
    limit: Option<Quantity>,
) -> Result<Quantity, LineRejection> {
    if quantity < 1 {
        return Err(LineRejection::QuantityBelowOne { product: product.clone(), quantity });
    }
    let limit = limit.map_or(QUANTITY_MAX, Quantity::get);
    let within = Quantity::new(quantity).ok().filter(|quantity| quantity.get() <= limit);
    let product = product.clone();
    within.ok_or(LineRejection::QuantityOverLimit { product, quantity, limit })
}

/// The rate of a product's tax on a day.
///
/// # Errors
/// A standard or reduced rate without a row in the shop's table: it is not taken for 0 %.
pub fn rate_on(
    shop: &Shop,
    product: &ProductCode,
    tax: TaxCategory,
    day: Date,
) -> Result<TaxRate, TaxRateMissing> {
    let missing = || TaxRateMissing { product: product.clone(), day };
    shop.rate_on(tax, day).ok_or_else(missing)
}

/// The price of one that a caller gives.
///
/// # Errors
/// Below zero. Zero is legal: free goods are sold too.
pub fn price_given(product: &ProductCode, price: Money) -> Result<Money, LineRejection> {
    if price.is_negative() {
        return Err(LineRejection::PriceBelowZero { product: product.clone(), price });
    }
    Ok(price)
}

fn plan_of<'a>(
    wanted: &WantedLine,
    product: &'a Product,
    day: Date,
) -> Result<&'a Plan, LineRejection> {
    let code = || wanted.product.clone();
    let plans: BTreeSet<&PlanCode> = product.plans.iter().map(|plan| &plan.plan).collect();
    let plan = match (&wanted.plan, plans.first()) {
        (Some(plan), _) if !plans.contains(plan) => {
            return Err(LineRejection::PlanUnknown { product: code(), plan: plan.clone() });
        }
        (Some(plan), _) => plan,
        (None, None) => return Err(LineRejection::PriceMissing { product: code() }),
        (None, Some(_)) if plans.len() > 1 => {
            return Err(LineRejection::PlanRequired { product: code() });
        }
        (None, Some(only)) => *only,
    };
    let not_yet = || LineRejection::PlanNotYetSold { product: code(), plan: plan.clone(), day };
    product.plan_on(plan, day).ok_or_else(not_yet)
}

/// Lets a number of lines through that a document can have.
///
/// # Errors
/// None at all, or more than [`LINES_MAX`].
pub fn check_count(lines: usize) -> Result<(), LineRejection> {
    match lines {
        0 => Err(LineRejection::NoLines),
        1..=LINES_MAX => Ok(()),
        lines => Err(LineRejection::TooManyLines { lines }),
    }
}

/// Lets a document through whose data stay within the log's limit.
///
/// # Errors
/// More than [`LINES_BYTES_MAX`].
pub fn check_bytes(bytes: usize) -> Result<(), LineRejection> {
    if bytes > LINES_BYTES_MAX {
        return Err(LineRejection::LinesTooLong { bytes });
    }
    Ok(())
}

/// The most bytes that the lines can take in the record.
pub fn bytes_of(lines: &[OrderLine]) -> usize {
    let texts = lines.iter().map(|line| {
        let plan = line.plan.as_ref().map_or(0, |plan| text_bytes(plan.as_str()));
        LINE_BYTES_FIXED + text_bytes(line.product.as_str()) + text_bytes(line.name.as_str()) + plan
    });
    texts.sum()
}

/// Bytes of a text in JSON: quotes and backslashes are written with a backslash before them.
pub(crate) fn text_bytes(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

#[cfg(test)]
mod tests {
    use daicho_events::Event;
    use daicho_events::order::OrderPlaced;
    use daicho_values::{Name, Sample};

    use super::*;
    use crate::order::fixtures::{
        ANNUAL, DATED, MAIL, PAPER, PLAIN, TEA, code, known, known_shop, listed, name, plan,
    };
    use crate::testing::{day, event, given, open_book, yen};

    fn line(product: &str, plan: Option<&str>, quantity: i64) -> WantedLine {
        WantedLine {
            product: code(product),
            plan: plan.map(|plan| PlanCode::new(plan).unwrap()),
            quantity,
        }
    }

    fn priced_on(on: &str, lines: &[WantedLine]) -> Result<Priced, LineRejection> {
        let (catalogue, shop) = known_shop();
        Priced::of_wanted(lines, day(on), &catalogue, &shop)
    }

    #[track_caller]
    fn rejected(lines: &[WantedLine], expected: &str) {
        let rejection = priced_on("2026-05-11", lines).unwrap_err();
        assert_eq!(rejection.code(), expected, "{rejection}");
    }

    #[test]
    fn lines_take_the_name_the_price_and_the_rate_of_the_day() {
        let wanted = [line(MAIL, Some("monthly"), 3), line(TEA, None, 2)];
        let priced = priced_on("2026-05-11", &wanted).unwrap();
        let mail = &priced.lines[0];
        assert_eq!((mail.line, mail.name.clone()), (1, name("Business Mail")));
        assert_eq!((mail.unit_price, mail.amount), (yen(1_200), yen(3_600)));
        assert_eq!((mail.tax, mail.rate), (TaxCategory::Standard, TaxRate(1_000)));
        let tea = &priced.lines[1];
        assert_eq!((tea.line, tea.rate, tea.amount), (2, TaxRate(800), yen(1_000)));
        assert_eq!(priced.totals.net, yen(4_600));
        assert_eq!((priced.totals.tax, priced.totals.gross), (yen(440), yen(5_040)));
    }

    #[test]
    fn a_price_that_begins_later_counts_from_its_day() {
        let wanted = [line(MAIL, Some("monthly"), 1)];
        let price = |on| priced_on(on, &wanted).unwrap().totals.net;
        assert_eq!((price("2026-06-30"), price("2026-07-01")), (yen(1_200), yen(1_300)));
    }

    #[test]
    fn a_document_without_lines_is_refused() {
        rejected(&[], "no_lines");
    }

    #[test]
    fn a_document_of_more_than_a_thousand_lines_is_refused() {
        assert!(priced_on("2026-05-11", &vec![line(TEA, None, 1); LINES_MAX]).is_ok());
        rejected(&vec![line(TEA, None, 1); LINES_MAX + 1], "too_many_lines");
    }

    #[test]
    fn a_quantity_below_one_is_refused() {
        rejected(&[line(TEA, None, 0)], "quantity_below_one");
        rejected(&[line(TEA, None, i64::MIN)], "quantity_below_one");
    }

    #[test]
    fn a_quantity_over_the_products_limit_is_refused_and_sent_to_the_phone_desk_r57() {
        assert!(priced_on("2026-05-11", &[line(MAIL, Some("monthly"), 100)]).is_ok());
        let over = priced_on("2026-05-11", &[line(MAIL, Some("monthly"), 101)]).unwrap_err();
        assert_eq!(over.code(), "quantity_over_limit");
        let text = over.to_string();
        assert!(text.contains("limit of 100") && text.contains("by phone"), "{text}");
    }

    #[test]
    fn a_quantity_beyond_what_the_ledger_counts_is_refused() {
        rejected(&[line(TEA, None, i64::from(QUANTITY_MAX) + 1)], "quantity_over_limit");
        rejected(&[line(TEA, None, i64::MAX)], "quantity_over_limit");
    }

    #[test]
    fn a_product_that_is_not_listed_is_refused() {
        rejected(&[line("nothing", None, 1)], "product_unknown");
    }

    #[test]
    fn a_retired_product_is_refused_from_its_day_on() {
        let wanted = [line(PAPER, None, 1)];
        assert!(priced_on("2026-05-31", &wanted).is_ok());
        assert_eq!(priced_on("2026-06-01", &wanted).unwrap_err().code(), "product_retired");
    }

    #[test]
    fn a_product_of_several_plans_asks_for_one() {
        rejected(&[line(MAIL, None, 1)], "plan_required");
    }

    #[test]
    fn a_plan_that_the_product_does_not_have_is_refused() {
        rejected(&[line(TEA, Some(ANNUAL), 1)], "plan_unknown");
    }

    #[test]
    fn a_plan_without_a_price_on_the_day_is_refused() {
        rejected(&[line(DATED, None, 1)], "plan_not_yet_sold");
    }

    #[test]
    fn a_product_without_any_price_is_refused() {
        rejected(&[line(PLAIN, None, 1)], "price_missing");
    }

    #[test]
    fn a_price_in_another_currency_than_the_shops_is_refused() {
        rejected(&[line("imported", None, 1)], "mixed_currencies");
    }

    #[test]
    fn an_amount_beyond_the_ledgers_limit_is_refused() {
        rejected(&[line("castle", None, 1_000_000)], "amount_too_large");
    }

    #[test]
    fn a_standard_rate_without_a_row_is_not_taken_for_nothing() {
        let early = priced_on("2019-09-30", &[line(TEA, None, 1)]).unwrap_err();
        assert_eq!(early.code(), "tax_rate_missing");
    }

    #[test]
    fn a_price_below_zero_is_refused_and_zero_is_not() {
        assert_eq!(price_given(&code(TEA), yen(0)), Ok(yen(0)));
        assert_eq!(price_given(&code(TEA), yen(-1)).unwrap_err().code(), "price_below_zero");
    }

    #[test]
    fn the_bytes_of_lines_are_never_fewer_than_they_take_in_the_record() {
        let mut placed = OrderPlaced::sample();
        let widest = OrderLine {
            line: 1_000,
            name: Name::new(&"\"".repeat(256)).unwrap(),
            product: code(&"円".repeat(64)),
            quantity: Quantity::new(QUANTITY_MAX.into()).unwrap(),
            unit_price: Money::parse("999999999999999.999999", daicho_values::Currency::Usd)
                .unwrap(),
            amount: Money::parse("999999999999999.999999", daicho_values::Currency::Usd).unwrap(),
            tax: TaxCategory::OutOfScope,
            ..placed.lines[0].clone()
        };
        placed.lines.clear();
        let empty = Event::from(placed.clone()).to_json().len();
        placed.lines = vec![widest; 10];
        let full = Event::from(placed.clone()).to_json().len();
        assert!(full - empty <= bytes_of(&placed.lines));
    }

    #[test]
    fn lines_that_would_not_fit_an_event_are_refused() {
        let names = name(&"長".repeat(256));
        let long = vec![
            open_book().into(),
            event(listed("long", &names, daicho_events::product::ProductKind::Goods)),
            event(plan("long", "piece", "2020-01-01", yen(1))),
        ];
        let (catalogue, shop) = known(&given(long));
        let wanted = vec![line("long", None, 1); LINES_MAX];
        let refused = Priced::of_wanted(&wanted, day("2026-05-11"), &catalogue, &shop).unwrap_err();
        assert_eq!(refused.code(), "lines_too_long");
    }
}
