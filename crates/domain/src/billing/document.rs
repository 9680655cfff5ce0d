//! The document that lines become: an invoice, or a credit where more is given back than charged.

use daicho_events::NewEvent;
use daicho_events::billing::{CreditIssued, InvoiceIssued, InvoiceLine};
use daicho_values::calendar::CalendarError;
use daicho_values::{Date, MoneyError, Month, OrderId, OrganisationId, Totals};

use super::invoice::{payable_at, return_document_required};
use super::series::Series;
use crate::pricing::TaxRateMissing;
use crate::state::{Shop, ShopNotOpen};

/// Lines of one document: the longest lines of so many stay within the 1 MiB of an event's data.
pub(super) const LINES_MAX: usize = 600;

rejections! {
    /// Why no document is made.
    pub enum DocumentRejection {
        /// A document has a limit.
        TooManyLines { lines: usize } = "too_many_lines":
            "{lines} lines are more than the {LINES_MAX} of one invoice: bill orders one by one \
             with `billing.invoice_order` first",
        shared {
            /// The book has no settings.
            NotOpen(ShopNotOpen),
            /// Mixed currencies, or amounts beyond the limits.
            Money(MoneyError),
            /// A charge has no known tax rate.
            Rate(TaxRateMissing),
            /// The calendar gives no due date in that year.
            Calendar(CalendarError),
        }
    }
}

/// Who is billed for what, and when.
pub(super) struct Draft {
    pub(super) organisation: OrganisationId,
    pub(super) order: Option<OrderId>,
    pub(super) month: Option<Month>,
    pub(super) lines: Vec<InvoiceLine>,
    pub(super) issued_on: Date,
}

impl Draft {
    /// The invoice, with the next number, tax once per rate, and the day of payment, by the
    /// settings of its day of issue.
    pub(super) fn issue(
        self,
        shop: &Shop,
        mut series: Series,
    ) -> Result<NewEvent, DocumentRejection> {
        if self.lines.len() > LINES_MAX {
            return Err(DocumentRejection::TooManyLines { lines: self.lines.len() });
        }
        let totals = self.totals(shop)?;
        if totals.gross.is_negative() {
            return self.credit(shop, series);
        }
        let that_day = shop.on(self.issued_on);
        let (invoice, sequence) = series.next(&that_day.invoice_prefix());
        let event = InvoiceIssued {
            invoice,
            sequence,
            organisation: self.organisation,
            order: self.order,
            month: self.month,
            lines: numbered(self.lines),
            payable_at: payable_at(totals.gross, that_day.barcode_below()),
            totals,
            issued_on: self.issued_on,
            due_on: shop.due_on(self.issued_on)?,
            issuer: that_day.issuer(),
        };
        assert!(event.due_on >= event.issued_on, "an invoice is due on its day or later");
        Ok(NewEvent::on(self.issued_on, event))
    }

    /// What is owed to the customer, as positive amounts.
    fn credit(mut self, shop: &Shop, mut series: Series) -> Result<NewEvent, DocumentRejection> {
        self.lines.iter_mut().for_each(|line| line.amount = line.amount.negated());
        let (credit, sequence) = series.next(&shop.on(self.issued_on).invoice_prefix());
        let totals = self.totals(shop)?;
        assert!(!totals.gross.is_negative(), "a credit is what is owed to the customer");
        let event = CreditIssued {
            credit,
            sequence,
            organisation: self.organisation,
            goods_return: None,
            invoice: None,
            lines: numbered(self.lines),
            document_required: return_document_required(totals.gross),
            totals,
            issued_on: self.issued_on,
        };
        Ok(NewEvent::on(self.issued_on, event))
    }

    fn totals(&self, shop: &Shop) -> Result<Totals, DocumentRejection> {
        let amounts = self.lines.iter().map(|line| (line.tax, line.rate, line.amount));
        let rounding = shop.on(self.issued_on).rounding();
        let currency = shop.opened()?.currency;
        let totals = Totals::of(amounts, currency, rounding)?;
        assert_eq!(totals.gross.currency(), currency, "a document has the shop's currency");
        Ok(totals)
    }
}

/// Numbers the lines from 1.
pub(super) fn numbered(mut lines: Vec<InvoiceLine>) -> Vec<InvoiceLine> {
    lines.iter_mut().zip(1..).for_each(|(line, number)| line.line = number);
    let last = lines.last().and_then(|line| usize::try_from(line.line).ok());
    assert_eq!(last.unwrap_or(0), lines.len(), "lines are numbered without a gap");
    lines
}
