//! The list of invoices and credits (請求一覧, R98): what is open on a day, what is paid, what is late.
//! Both are rows of one list, because both number themselves by one series without gaps.

use daicho_events::billing::{
    BillingEvent, CreditIssued, InvoiceIssued, PayableAt, PaymentChannel, PaymentReceived,
    SeriesNumber,
};
use daicho_events::{Event, Recorded};
use daicho_values::{
    Date, InvoiceNumber, Money, Month, Name, OrderId, OrganisationId, PaymentId, ReturnId,
};

use crate::{History, Keys, Projection, Value, columns};

/// The list of invoices and credits, a row a number of the series.
pub struct Invoices;

daicho_values::data! {
    /// What a number of the series is.
    pub enum DocumentKind {
        /// An invoice (請求書).
        Invoice,
        /// A qualified return invoice, or a credit (適格返還請求書, R100).
        Credit,
    }
}

daicho_values::data! {
    /// A part of a payment that settles the invoice (消込).
    pub struct Paid {
        /// The payment.
        pub payment: PaymentId,
        /// By which way it came.
        pub channel: PaymentChannel,
        /// How much of it is for this invoice.
        pub amount: Money,
    }
}

daicho_values::data! {
    /// A credit that reduces the invoice.
    pub struct Credited {
        /// The credit's number.
        pub credit: InvoiceNumber,
        /// With tax, positive.
        pub gross: Money,
    }
}

daicho_values::data! {
    /// An invoice or a credit.
    pub struct InvoiceRow {
        /// Its number.
        pub invoice: InvoiceNumber,
        /// What it is.
        pub kind: DocumentKind,
        /// Its place in the series.
        pub sequence: SeriesNumber,
        /// Who pays, or is credited.
        pub organisation: OrganisationId,
        /// The business day from which it counts.
        pub counts_from: Date,
        /// Day of issue.
        pub issued_on: Date,
        /// Last day of payment (R85); `null` for a credit.
        pub due_on: Option<Date>,
        /// The month that it bills.
        pub month: Option<Month>,
        /// The one order that it bills.
        pub order: Option<OrderId>,
        /// The return that a credit answers.
        pub goods_return: Option<ReturnId>,
        /// The invoice that a credit reduces, where it is known.
        pub reduces: Option<InvoiceNumber>,
        /// Where an invoice can be paid (R95).
        pub payable_at: Option<PayableAt>,
        /// What the first line is for, as printed.
        pub item: Option<Name>,
        /// How many lines it has.
        pub lines: u32,
        /// Before tax.
        pub net: Money,
        /// The tax.
        pub tax: Money,
        /// With tax; positive for a credit too.
        pub gross: Money,
        /// What was paid of it.
        pub payments: History<Paid>,
        /// What reduces it.
        pub credits: History<Credited>,
    }
}

daicho_values::data! {
    /// Where an invoice or a credit stands on a day.
    pub enum InvoiceStatus {
        /// An invoice not due yet, nothing paid.
        Open,
        /// An invoice not due yet, a part paid or credited.
        PartlyPaid,
        /// An invoice whose last day of payment is over, with something open (R98).
        Overdue,
        /// Nothing is open.
        Paid,
        /// Credits give back all of it.
        Credited,
        /// A credit: it stands.
        Issued,
    }
}

daicho_values::data! {
    /// An invoice or a credit on a day.
    pub struct InvoiceOnDay {
        /// Where it stands.
        pub status: InvoiceStatus,
        /// What was paid of it.
        pub paid: Money,
        /// What credits reduce it by, with tax.
        pub credited: Money,
        /// What the customer owes by it; below zero: what the shop owes. A credit that reduces an
        /// invoice is counted there, so that the list can be summed.
        pub open: Money,
    }
}

impl Projection for Invoices {
    type Key = InvoiceNumber;
    type Row = InvoiceRow;
    type OnDay = InvoiceOnDay;

    const NAME: &'static str = "invoices";
    const ABOUT: &'static str = "Invoices and credits (請求書)";
    const VERSION: u32 = 1;
    const KEY: &'static str = "invoice";

    fn keys(event: &Recorded) -> Keys<InvoiceNumber> {
        let Event::Billing(event) = &event.event else { return Keys::None };
        match event {
            BillingEvent::InvoiceIssued(invoice) => Keys::One(invoice.invoice.clone()),
            BillingEvent::CreditIssued(credit) => {
                [&credit.credit].into_iter().chain(&credit.invoice).cloned().collect()
            }
            BillingEvent::MonthClosed(_) => Keys::None,
            BillingEvent::PaymentReceived(payment) => {
                payment.allocations.iter().map(|part| part.invoice.clone()).collect()
            }
        }
    }

    fn fold(key: &InvoiceNumber, row: Option<InvoiceRow>, event: &Recorded) -> Option<InvoiceRow> {
        let on = event.header.effective_on;
        let Event::Billing(event) = &event.event else { return row };
        let Some(mut row) = row else { return InvoiceRow::begin(key, event, on) };
        match event {
            // A number is given once, and a closed month changes none of its invoices.
            BillingEvent::InvoiceIssued(_) | BillingEvent::MonthClosed(_) => {}
            BillingEvent::CreditIssued(credit) if credit.invoice.as_ref() == Some(key) => {
                let gross = credit.totals.gross;
                row.credits.add(on, Credited { credit: credit.credit.clone(), gross });
            }
            BillingEvent::CreditIssued(_) => {}
            BillingEvent::PaymentReceived(payment) => row.settle(key, payment, on),
        }
        Some(row)
    }

    fn begins(row: &InvoiceRow) -> Date {
        row.counts_from
    }

    fn on_day(row: &InvoiceRow, on: Date) -> InvoiceOnDay {
        let nothing = Money::zero(row.gross.currency());
        let paid = row.payments.until(on).fold(nothing, |sum, paid| sum.folded(paid.amount));
        let credited = row.credits.until(on).fold(nothing, |sum, credit| sum.folded(credit.gross));
        let open = match row.kind {
            DocumentKind::Invoice => row.gross.folded(paid.negated()).folded(credited.negated()),
            DocumentKind::Credit if row.reduces.is_some() => nothing,
            DocumentKind::Credit => row.gross.negated(),
        };
        InvoiceOnDay { status: row.status(paid, credited, open, on), paid, credited, open }
    }

    columns! { |row, day, _|
        indexed status: Text, "open, partly_paid, overdue, paid, credited; issued: a credit"
            => Value::name_of(&day.status);
        indexed kind: Text, "invoice or credit" => Value::name_of(&row.kind);
        indexed organisation: Text, "who pays, or is credited" => Value::text(row.organisation);
        indexed issued_on: Date, "day of issue" => Value::text(row.issued_on);
        indexed due_on: Date, "last day of payment" => Value::text_or_null(row.due_on);
        indexed month: Text, "the month that it bills" => Value::text_or_null(row.month);
        indexed order_id: Text, "the one order that it bills" => Value::text_or_null(row.order);
        plain return_id: Text, "the return that a credit answers"
            => Value::text_or_null(row.goods_return);
        indexed reduces: Text, "the invoice that a credit reduces"
            => Value::text_or_null(row.reduces.as_ref());
        plain sequence: Integer, "place in the series"
            => Value::integer(i64::try_from(row.sequence.0).unwrap_or(i64::MAX));
        plain item: Text, "what the first line is for" => Value::text_or_null(row.item.as_ref());
        plain lines: Integer, "how many lines" => Value::integer(row.lines);
        plain net: Money, "before tax" => Value::money(row.net);
        plain tax: Money, "the tax" => Value::money(row.tax);
        indexed gross: Money, "with tax; positive for a credit too" => Value::money(row.gross);
        plain paid: Money, "what was paid of it" => Value::money(day.paid);
        plain credited: Money, "what credits reduce it by" => Value::money(day.credited);
        plain open: Money, "what is owed; below zero: by the shop" => Value::money(day.open);
        plain currency: Text, "of the amounts" => Value::text(row.gross.currency());
        plain payable_at: Text, "banks_and_stores or banks_only"
            => row.payable_at.map_or(Value::Null, |place| Value::name_of(&place));
    }

    fn turning_days(row: &InvoiceRow, _: Date) -> Vec<Date> {
        let late = row.due_on.map(Date::next);
        row.payments.days().chain(row.credits.days()).chain(late).collect()
    }
}

impl InvoiceRow {
    fn begin(key: &InvoiceNumber, event: &BillingEvent, on: Date) -> Option<Self> {
        match event {
            BillingEvent::InvoiceIssued(invoice) => Some(Self::invoice(invoice, on)),
            BillingEvent::CreditIssued(credit) => {
                // The invoice that a credit reduces does not begin with the credit.
                (credit.credit == *key).then(|| Self::credit(credit, on))
            }
            BillingEvent::MonthClosed(_) | BillingEvent::PaymentReceived(_) => None,
        }
    }

    fn invoice(event: &InvoiceIssued, on: Date) -> Self {
        Self {
            invoice: event.invoice.clone(),
            kind: DocumentKind::Invoice,
            sequence: event.sequence,
            organisation: event.organisation,
            counts_from: on,
            issued_on: event.issued_on,
            due_on: Some(event.due_on),
            month: event.month,
            order: event.order,
            goods_return: None,
            reduces: None,
            payable_at: Some(event.payable_at),
            item: event.lines.first().map(|line| line.description.clone()),
            lines: u32::try_from(event.lines.len()).unwrap_or(u32::MAX),
            net: event.totals.net,
            tax: event.totals.tax,
            gross: event.totals.gross,
            payments: History::default(),
            credits: History::default(),
        }
    }

    fn credit(event: &CreditIssued, on: Date) -> Self {
        Self {
            invoice: event.credit.clone(),
            kind: DocumentKind::Credit,
            sequence: event.sequence,
            organisation: event.organisation,
            counts_from: on,
            issued_on: event.issued_on,
            due_on: None,
            month: None,
            order: None,
            goods_return: event.goods_return,
            reduces: event.invoice.clone(),
            payable_at: None,
            item: event.lines.first().map(|line| line.description.clone()),
            lines: u32::try_from(event.lines.len()).unwrap_or(u32::MAX),
            net: event.totals.net,
            tax: event.totals.tax,
            gross: event.totals.gross,
            payments: History::default(),
            credits: History::default(),
        }
    }

    fn settle(&mut self, key: &InvoiceNumber, event: &PaymentReceived, on: Date) {
        for part in event.allocations.iter().filter(|part| part.invoice == *key) {
            let (payment, channel) = (event.payment, event.channel);
            self.payments.add(on, Paid { payment, channel, amount: part.amount });
        }
    }

    fn status(&self, paid: Money, credited: Money, open: Money, on: Date) -> InvoiceStatus {
        let nothing_open = open.is_zero() || open.is_negative();
        if self.kind == DocumentKind::Credit {
            InvoiceStatus::Issued
        } else if !credited.is_zero() && credited >= self.gross {
            InvoiceStatus::Credited
        } else if nothing_open {
            InvoiceStatus::Paid
        } else if self.due_on.is_some_and(|due_on| due_on < on) {
            InvoiceStatus::Overdue
        } else if !paid.is_zero() || !credited.is_zero() {
            InvoiceStatus::PartlyPaid
        } else {
            InvoiceStatus::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{day, given, totals, yen};
    use daicho_events::billing::{Allocation, MonthClosed};
    use daicho_values::Sample;

    fn number(text: &str) -> InvoiceNumber {
        InvoiceNumber::new(text).unwrap()
    }

    /// 1,000 yen, due on day 30.
    fn invoice() -> InvoiceIssued {
        let totals = totals(1_000);
        InvoiceIssued { invoice: number("R1"), totals, due_on: day(30), ..Sample::sample() }
    }

    fn paid(parts: &[(&str, u32)]) -> PaymentReceived {
        let part = |(invoice, amount): &(&str, u32)| Allocation {
            invoice: number(invoice),
            amount: yen(*amount),
        };
        PaymentReceived { allocations: parts.iter().map(part).collect(), ..Sample::sample() }
    }

    fn credit(reduces: Option<&str>, gross: u32) -> CreditIssued {
        let invoice = reduces.map(number);
        CreditIssued { credit: number("R2"), invoice, totals: totals(gross), ..Sample::sample() }
    }

    #[test]
    fn an_invoice_is_overdue_on_the_day_after_its_due_day_r85() {
        given::<Invoices>()
            .on(day(1), invoice())
            .then(day(30), |invoice| assert_eq!(invoice.status, InvoiceStatus::Open))
            .then(day(31), |invoice| assert_eq!(invoice.status, InvoiceStatus::Overdue))
            .then_next_change(day(1), Some(day(31)));
    }

    #[test]
    fn an_invoice_paid_late_was_overdue_until_the_money_came_r98() {
        given::<Invoices>()
            .on(day(1), invoice())
            .on(day(40), paid(&[("R1", 1_000)]))
            .then(day(39), |invoice| assert_eq!(invoice.status, InvoiceStatus::Overdue))
            .then(day(40), |invoice| assert_eq!(invoice.status, InvoiceStatus::Paid))
            .then(day(40), |invoice| assert_eq!(invoice.open, yen(0)))
            .then_next_change(day(40), None);
    }

    #[test]
    fn only_the_part_of_a_payment_for_the_invoice_settles_it_r98() {
        given::<Invoices>()
            .on(day(1), invoice())
            .on(day(5), paid(&[("R1", 200), ("R9", 5_000), ("R1", 100)]))
            .then(day(5), |invoice| assert_eq!(invoice.status, InvoiceStatus::PartlyPaid))
            .then(day(5), |invoice| assert_eq!(invoice.paid, yen(300)))
            .then(day(5), |invoice| assert_eq!(invoice.open, yen(700)));
    }

    #[test]
    fn a_credit_reduces_what_is_open_of_its_invoice_and_owes_nothing_itself_r100() {
        given::<Invoices>()
            .on(day(1), invoice())
            .on(day(5), credit(Some("R1"), 400))
            .on(day(6), paid(&[("R1", 600)]))
            .then_of("R1", day(5), |invoice| assert_eq!(invoice.open, yen(600)))
            .then_of("R1", day(6), |invoice| assert_eq!(invoice.status, InvoiceStatus::Paid))
            .then_of("R2", day(6), |credit| assert_eq!(credit.status, InvoiceStatus::Issued))
            .then_of("R2", day(6), |credit| assert_eq!(credit.open, yen(0)));
    }

    #[test]
    fn a_credit_of_the_whole_amount_after_payment_leaves_the_shop_owing_it_r100() {
        given::<Invoices>()
            .on(day(1), invoice())
            .on(day(5), paid(&[("R1", 1_000)]))
            .on(day(9), credit(Some("R1"), 1_000))
            .then_of("R1", day(9), |invoice| assert_eq!(invoice.status, InvoiceStatus::Credited))
            .then_of("R1", day(9), |invoice| assert_eq!(invoice.open, yen(1_000).negated()));
    }

    #[test]
    fn a_credit_whose_invoice_is_not_known_is_owed_by_the_shop_r100() {
        given::<Invoices>()
            .on(day(1), credit(None, 400))
            .then(day(1), |credit| assert_eq!(credit.open, yen(400).negated()));
    }

    #[test]
    fn a_payment_of_an_unknown_invoice_and_a_closed_month_make_no_row() {
        given::<Invoices>()
            .on(day(1), paid(&[("R1", 600)]))
            .on(day(2), MonthClosed::sample())
            .then_no_row();
    }
}
