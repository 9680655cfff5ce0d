//! What an invoice or credit says beyond its sums: its lines, where it can be paid, and whether
//! the law asks for the document.

use daicho_events::billing::{InvoiceLine, PayableAt};
use daicho_events::order::OrderLine;
use daicho_values::{Currency, Money, OrderId};

/// Below this many yen, tax included, no qualified return invoice is needed
/// (消費税法57条の4第3項, 同施行令70条の9第3項).
pub(crate) const RETURN_INVOICE_FROM_YEN: i64 = 10_000;

/// A line of an order as a line of an invoice or credit: the same words, price, amount and tax.
pub(crate) fn line_of(sold: &OrderLine, order: Option<OrderId>) -> InvoiceLine {
    InvoiceLine {
        line: sold.line,
        description: sold.name.clone(),
        product: Some(sold.product.clone()),
        order,
        contract: None,
        period: None,
        quantity: sold.quantity,
        unit_price: sold.unit_price,
        amount: sold.amount,
        tax: sold.tax,
        rate: sold.rate,
    }
}

/// Where an invoice can be paid (R95): with a barcode strictly below the shop's boundary of its day
/// of issue; at the boundary itself, which the source leaves open, at banks only.
pub(crate) fn payable_at(gross: Money, barcode_below: Option<Money>) -> PayableAt {
    if barcode_below.is_some_and(|boundary| gross < boundary) {
        PayableAt::BanksAndStores
    } else {
        PayableAt::BanksOnly
    }
}

/// Whether the law asks for a qualified return invoice (適格返還請求書): from
/// [`RETURN_INVOICE_FROM_YEN`] on, and always where the sum is not in yen.
pub(crate) fn return_document_required(gross: Money) -> bool {
    gross.currency() != Currency::Jpy || gross.minor_units() >= RETURN_INVOICE_FROM_YEN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::yen;

    #[test]
    fn a_return_invoice_is_asked_for_from_ten_thousand_yen_with_tax() {
        assert!(!return_document_required(yen(9_999)));
        assert!(return_document_required(yen(10_000)));
        assert!(return_document_required(Money::parse("1", Currency::Gbp).unwrap()));
    }
}
