//! Goods for tests: orders placed, delivered, returned; and an open book with one organisation.

use daicho_events::order::{GoodsReturned, OrderCancelled, OrderFulfilled, OrderLine, OrderPlaced};
use daicho_values::{
    Currency, Name, OrderId, Period, ProductCode, Quantity, ReturnId, Rounding, Sample,
    TaxCategory, TaxRate, Totals,
};
use ulid::Ulid;

use super::IssueInvoice;
use crate::contract::fixtures::organisation;
use crate::testing::{Step, day, event, open_book, yen};

/// An open book with the organisation that the tests bill.
pub(crate) fn book(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    [open_book().into(), event(organisation())].into_iter().chain(steps).collect()
}

/// The month's invoice, issued today.
pub(crate) fn invoice(month: &str) -> IssueInvoice {
    let organisation = Sample::sample();
    IssueInvoice { month: month.parse().unwrap(), organisation, issued_on: None }
}

/// The `n`-th order of the tests.
pub(crate) fn order(n: u128) -> OrderId {
    Ulid(n).into()
}

/// A line of goods: one piece at that price, at 10 %, or at 8 % where it is reduced.
pub(crate) fn line(name: &str, price: i64, tax: TaxCategory) -> OrderLine {
    let rate = match tax {
        TaxCategory::Standard => TaxRate(1_000),
        TaxCategory::Reduced => TaxRate(800),
        TaxCategory::Exempt | TaxCategory::Export | TaxCategory::OutOfScope => TaxRate::ZERO,
    };
    OrderLine {
        line: 1,
        product: ProductCode::new(name).unwrap(),
        name: Name::new(name).unwrap(),
        plan: None,
        quantity: Quantity::ONE,
        unit_price: yen(price),
        amount: yen(price),
        tax,
        rate,
    }
}

/// A chair at 10 %.
pub(crate) fn chair(price: i64) -> OrderLine {
    line("chair", price, TaxCategory::Standard)
}

/// The totals of lines.
pub(crate) fn totals(lines: &[OrderLine]) -> Totals {
    let amounts = lines.iter().map(|line| (line.tax, line.rate, line.amount));
    Totals::of(amounts, Currency::Jpy, Rounding::Floor).unwrap()
}

/// An order of the organisation.
pub(crate) fn placed(order: OrderId, lines: Vec<OrderLine>) -> Step {
    let totals = totals(&lines);
    event(OrderPlaced { order, lines, totals, ..Sample::sample() })
}

/// Delivered on a day.
pub(crate) fn fulfilled(order: OrderId, on: &str) -> Step {
    event(OrderFulfilled { order, fulfilled_on: day(on) })
}

/// Cancelled.
pub(crate) fn cancelled(order: OrderId) -> Step {
    event(OrderCancelled { order, reason: "moved".to_owned() })
}

/// The chair of an order came back.
pub(crate) fn returned(order: Option<OrderId>, price: i64) -> GoodsReturned {
    let lines = vec![chair(price)];
    let totals = totals(&lines);
    GoodsReturned { goods_return: ReturnId::sample(), order, lines, totals, ..Sample::sample() }
}

/// Days.
pub(crate) fn period(from: &str, to: &str) -> Option<Period> {
    Some(Period { from: day(from), to: day(to) })
}
