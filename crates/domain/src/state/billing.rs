//! Invoices as they stand, and what of goods and services they already carry.

use std::collections::{BTreeMap, BTreeSet};

use daicho_events::billing::{BillingEvent, CreditIssued, InvoiceIssued, InvoiceLine};
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

/// What is billed: orders, months of contracts, penalties, returns, and closed months.
#[derive(Debug, Default)]
pub struct Billed {
    months: BTreeMap<(OrganisationId, Month), InvoiceNumber>,
    orders: BTreeMap<OrderId, InvoiceNumber>,
    contracts: BTreeSet<(ContractId, Month)>,
    penalties: BTreeSet<ContractId>,
    returns: BTreeMap<ReturnId, InvoiceNumber>,
    closed: BTreeSet<Month>,
}

impl Billed {
    /// The types that say what is billed to an organisation.
    pub const TYPES: [&str; 2] = ["billing.invoice_issued", "billing.credit_issued"];
    /// The type that says that a month is closed.
    pub const CLOSED: &str = "billing.month_closed";

    /// What must be read to know what is billed to an organisation.
    pub fn query(organisation: OrganisationId) -> Query {
        Query::default().and_types(&Self::TYPES, organisation.tag())
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

    /// Whether a month is closed.
    pub fn is_closed(&self, month: Month) -> bool {
        self.closed.contains(&month)
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
    fn apply(&mut self, recorded: &Recorded) {
        let Event::Billing(event) = &recorded.event else { return };
        match event {
            BillingEvent::InvoiceIssued(event) => self.invoiced(event),
            BillingEvent::CreditIssued(event) => self.credited(event),
            BillingEvent::MonthClosed(event) => {
                self.closed.insert(event.month);
            }
            BillingEvent::PaymentReceived(_) => {}
        }
    }
}
