//! The state of invoices, and which goods and services they already bill.

use std::collections::{BTreeMap, BTreeSet};

use daicho_events::billing::{
    BillingEvent, CreditIssued, InvoiceIssued, InvoiceLine, MonthClosed, PaymentReceived,
};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{
    ContractId, InvoiceNumber, Money, Month, OrderId, OrganisationId, PaymentId, ReturnId,
};

use super::Fold;

/// The invoices that a command asked about, with what was paid and credited.
#[derive(Debug, Default)]
pub struct Invoices {
    invoices: BTreeMap<InvoiceNumber, Invoice>,
    payments: BTreeSet<PaymentId>,
}

/// What is known of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Who pays.
    pub organisation: OrganisationId,
    /// The month that it bills; `None`: an order's invoice.
    pub month: Option<Month>,
    /// With tax.
    pub gross: Money,
    /// What payments settled of it.
    pub paid: Money,
    /// What credits took off it.
    pub credited: Money,
}

impl Invoice {
    /// What is still to be paid; below zero where it was credited after it was paid.
    pub fn open(&self) -> Money {
        self.gross.folded(self.paid.negated()).folded(self.credited.negated())
    }
}

impl Invoices {
    /// What must be read to know an invoice.
    pub fn query(invoice: &InvoiceNumber) -> Query {
        Self::about(invoice.tag())
    }

    /// What must be read to know whether a payment is recorded.
    pub fn payment_query(payment: PaymentId) -> Query {
        Self::about(payment.tag())
    }

    /// What must be read to know the invoices of a month.
    pub fn month_query(month: Month) -> Query {
        Self::about(month.tag())
    }

    /// The invoice, if known.
    pub fn get(&self, invoice: &InvoiceNumber) -> Option<&Invoice> {
        self.invoices.get(invoice)
    }

    /// The invoices of a month.
    pub fn of_month(&self, month: Month) -> impl Iterator<Item = &Invoice> {
        self.invoices.values().filter(move |invoice| invoice.month == Some(month))
    }

    /// Whether the payment is recorded.
    pub fn has_payment(&self, payment: PaymentId) -> bool {
        self.payments.contains(&payment)
    }

    fn change(&mut self, invoice: &InvoiceNumber, change: impl FnOnce(&mut Invoice)) {
        self.invoices.get_mut(invoice).map(change);
    }
}

impl Fold for Invoices {
    const READS: &'static [&'static [&'static str]] =
        &[&[InvoiceIssued::STORED, CreditIssued::STORED, PaymentReceived::STORED]];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Billing(event) = &recorded.event else { return };
        match event {
            BillingEvent::InvoiceIssued(event) => {
                let nothing = Money::zero(event.totals.gross.currency());
                let invoice = Invoice {
                    organisation: event.organisation,
                    month: event.month,
                    gross: event.totals.gross,
                    paid: nothing,
                    credited: nothing,
                };
                self.invoices.insert(event.invoice.clone(), invoice);
            }
            BillingEvent::CreditIssued(event) => {
                let Some(number) = &event.invoice else { return };
                self.change(number, |invoice| {
                    invoice.credited = invoice.credited.folded(event.totals.gross);
                });
            }
            BillingEvent::PaymentReceived(event) => {
                self.payments.insert(event.payment);
                for part in &event.allocations {
                    self.change(&part.invoice, |invoice| {
                        invoice.paid = invoice.paid.folded(part.amount);
                    });
                }
            }
            BillingEvent::MonthClosed(_) => {}
        }
    }
}

/// What is billed: orders, months of contracts, penalties, returns.
#[derive(Debug, Default)]
pub struct Billed {
    months: BTreeMap<(OrganisationId, Month), InvoiceNumber>,
    orders: BTreeMap<OrderId, InvoiceNumber>,
    contracts: BTreeSet<(ContractId, Month)>,
    penalties: BTreeSet<ContractId>,
    returns: BTreeMap<ReturnId, InvoiceNumber>,
}

impl Billed {
    /// What must be read to know what is billed to an organisation.
    pub fn query(organisation: OrganisationId) -> Query {
        Self::about(organisation.tag())
    }

    /// What must be read to know the credit that answers a return.
    pub fn return_query(goods_return: ReturnId) -> Query {
        Self::about(goods_return.tag())
    }

    /// What must be read to know what is billed of an order.
    pub fn order_query(order: OrderId) -> Query {
        Self::about(order.tag())
    }

    /// The invoice of an organisation for a month.
    pub fn month(&self, organisation: OrganisationId, month: Month) -> Option<&InvoiceNumber> {
        self.months.get(&(organisation, month))
    }

    /// The invoice that carries an order's goods.
    pub fn order(&self, order: OrderId) -> Option<&InvoiceNumber> {
        self.orders.get(&order)
    }

    /// Whether a contract's charges of a month are billed.
    pub fn has_contract_month(&self, contract: ContractId, month: Month) -> bool {
        self.contracts.contains(&(contract, month))
    }

    /// Whether a contract's penalty is billed.
    pub fn has_penalty(&self, contract: ContractId) -> bool {
        self.penalties.contains(&contract)
    }

    /// The credit that answers a return.
    pub fn credit_of(&self, goods_return: ReturnId) -> Option<&InvoiceNumber> {
        self.returns.get(&goods_return)
    }

    fn invoiced(&mut self, event: &InvoiceIssued) {
        if let Some(month) = event.month {
            self.months.insert((event.organisation, month), event.invoice.clone());
        }
        let orders = event.lines.iter().filter_map(|line| line.order).chain(event.order);
        self.orders.extend(orders.map(|order| (order, event.invoice.clone())));
        event.lines.iter().for_each(|line| self.charged(line));
    }

    fn credited(&mut self, event: &CreditIssued) {
        if let Some(goods_return) = event.goods_return {
            self.returns.insert(goods_return, event.credit.clone());
            return;
        }
        // A month in which more is given back than charged is settled by a credit.
        let orders = event.lines.iter().filter_map(|line| line.order);
        self.orders.extend(orders.map(|order| (order, event.credit.clone())));
        event.lines.iter().for_each(|line| self.charged(line));
    }

    fn charged(&mut self, line: &InvoiceLine) {
        let Some(contract) = line.contract else { return };
        match line.period {
            Some(period) => self.contracts.insert((contract, period.from.month())),
            None => self.penalties.insert(contract),
        };
    }
}

impl Fold for Billed {
    const READS: &'static [&'static [&'static str]] =
        &[&[InvoiceIssued::STORED, CreditIssued::STORED]];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Billing(event) = &recorded.event else { return };
        match event {
            BillingEvent::InvoiceIssued(event) => self.invoiced(event),
            BillingEvent::CreditIssued(event) => self.credited(event),
            BillingEvent::MonthClosed(_) | BillingEvent::PaymentReceived(_) => {}
        }
    }
}

/// The months that are closed.
#[derive(Debug, Default)]
pub struct ClosedMonths(BTreeSet<Month>);

impl ClosedMonths {
    /// What must be read to know whether a month is closed.
    pub fn query(month: Month) -> Query {
        Self::about(month.tag())
    }

    /// Whether a month is closed.
    pub fn is_closed(&self, month: Month) -> bool {
        self.0.contains(&month)
    }
}

impl Fold for ClosedMonths {
    const READS: &'static [&'static [&'static str]] = &[&[MonthClosed::STORED]];

    fn apply(&mut self, recorded: &Recorded) {
        let Event::Billing(event) = &recorded.event else { return };
        match event {
            BillingEvent::MonthClosed(event) => {
                self.0.insert(event.month);
            }
            BillingEvent::InvoiceIssued(_)
            | BillingEvent::CreditIssued(_)
            | BillingEvent::PaymentReceived(_) => {}
        }
    }
}
