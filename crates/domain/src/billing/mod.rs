//! Commands about billing (請求): invoices, credits, the closing of a month, payments.

pub mod charges;
mod close_month;
mod credit_return;
mod document;
pub(crate) mod invoice;
mod invoice_order;
mod issue_invoice;
mod lines;
mod record_payment;
mod series;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod laws;

pub use close_month::CloseMonth;
pub use credit_return::CreditReturn;
pub use invoice_order::InvoiceOrder;
pub use issue_invoice::IssueInvoice;
pub use record_payment::{ALLOCATIONS_MAX, RecordPayment};
pub use series::Series;

use daicho_values::{Date, Month};

use crate::state::Shop;

/// The day from which a month may be billed: in the month after, the issue day that the shop has on
/// its first day (R86).
fn first_issue_day(shop: &Shop, month: Month) -> Date {
    let next = month.next().first();
    next.plus_days(shop.on(next).issue_day().saturating_sub(1))
}
