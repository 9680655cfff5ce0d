//! What is billed and paid: a month's invoices on its issue day, its closing, and the payments,
//! early, late or never.

use daicho_domain::billing::{CloseMonth, IssueInvoice, RecordPayment};
use daicho_events::billing::{Allocation, BillingEvent, InvoiceIssued, PayableAt, PaymentChannel};
use daicho_events::product::PaymentMethod;
use daicho_events::{Actor, Event, Recorded};
use daicho_values::{Date, InvoiceNumber, Login, Month};

use crate::SimulateError;
use crate::agenda::{CustomerPlace, Step};
use crate::days::{at, hour};
use crate::world::{Customer, Habit, World};

/// Of a thousand invoices of a punctual customer, those paid late all the same.
const FORGOTTEN_PER_MILLE: u32 = 30;
/// Of a thousand invoices of a late customer, those never paid.
const LOST_PER_MILLE: u32 = 40;
/// Of a thousand payments: in two parts; more than is open; without saying for what.
const IN_PARTS_PER_MILLE: u32 = 30;
const TOO_MUCH_PER_MILLE: u32 = 5;
const UNALLOCATED_PER_MILLE: u32 = 5;
/// Of a thousand invoices with a barcode, those paid at a convenience store.
const AT_STORES_PER_MILLE: u32 = 300;

/// An invoice that will be paid.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    customer: CustomerPlace,
    invoice: InvoiceNumber,
    /// Yen that are still open, as the customer knows.
    open: i64,
    channel: PaymentChannel,
}

impl Customer {
    fn is_due_in(&self, month: Month) -> bool {
        let goods = self.goods_months.iter().any(|delivered| *delivered <= month);
        goods || self.contracts.iter().any(|contract| contract.is_due_in(month))
    }
}

impl World<'_> {
    /// Every customer's invoice of a month, then the month is closed.
    pub(crate) async fn bill(&mut self, month: Month) -> Result<(), SimulateError> {
        let program = Actor::System(Login::new("billing")?);
        for place in 0..self.customers.len() {
            let due = self.customer(place).filter(|customer| customer.is_due_in(month));
            let Some(customer) = due else { continue };
            let organisation = customer.organisation;
            let issue = IssueInvoice { month, organisation, issued_on: None };
            let events = self.may(program.clone(), &issue, &["nothing_to_invoice"]).await?;
            self.enter_payments(place, &events.unwrap_or_default());
            self.forget_billed(place, month);
            if self.is_done() {
                return Ok(());
            }
        }
        self.must(program, &CloseMonth { month }).await.map(drop)
    }

    fn forget_billed(&mut self, place: CustomerPlace, month: Month) {
        if let Some(customer) = self.customers.get_mut(place) {
            customer.goods_months.retain(|delivered| *delivered > month);
            customer.contracts.retain(|contract| !contract.is_over_before(month.next()));
        }
    }

    /// Enters when the invoices among some events are paid.
    pub(crate) fn enter_payments(&mut self, place: CustomerPlace, events: &[Recorded]) {
        for recorded in events {
            if let Event::Billing(BillingEvent::InvoiceIssued(invoice)) = &recorded.event {
                self.enter_payment(place, invoice);
            }
        }
    }

    fn enter_payment(&mut self, place: CustomerPlace, invoice: &InvoiceIssued) {
        let Some((habit, method)) = self.customer(place).map(|it| (it.habit, it.method)) else {
            return;
        };
        let Some(day) = self.day_of_payment(habit, method, invoice) else { return };
        let bill = Bill {
            customer: place,
            invoice: invoice.invoice.clone(),
            open: invoice.totals.gross.minor_units(),
            channel: self.channel(method, invoice.payable_at),
        };
        let minute = hour(10) + self.chance.below(hour(6));
        self.agenda.enter(at(day, minute), Step::Pay(bill));
    }

    /// The day on which an invoice is paid; `None`: never.
    fn day_of_payment(
        &mut self,
        habit: Habit,
        method: PaymentMethod,
        invoice: &InvoiceIssued,
    ) -> Option<Date> {
        let (issued_on, due_on) = (invoice.issued_on, invoice.due_on);
        let late = |days| Some(due_on.plus_days(days));
        match habit {
            Habit::Never => None,
            Habit::Late if self.chance.per_mille(LOST_PER_MILLE) => None,
            Habit::Late => late(self.chance.between(1, 45)),
            Habit::Punctual if self.chance.per_mille(FORGOTTEN_PER_MILLE) => {
                late(self.chance.between(1, 12))
            }
            Habit::Punctual => match method {
                PaymentMethod::DirectDebit => Some(due_on),
                PaymentMethod::Invoice | PaymentMethod::Card => {
                    let days = self.chance.between(1, 20);
                    Some(issued_on.plus_days(days).min(due_on.max(issued_on.next())))
                }
            },
        }
    }

    fn channel(&mut self, method: PaymentMethod, payable_at: PayableAt) -> PaymentChannel {
        match (method, payable_at) {
            (PaymentMethod::DirectDebit, _) => PaymentChannel::DirectDebit,
            (PaymentMethod::Card, _) => PaymentChannel::Card,
            (PaymentMethod::Invoice, PayableAt::BanksAndStores)
                if self.chance.per_mille(AT_STORES_PER_MILLE) =>
            {
                PaymentChannel::ConvenienceStore
            }
            (PaymentMethod::Invoice, PayableAt::BanksAndStores | PayableAt::BanksOnly) => {
                PaymentChannel::BankTransfer
            }
        }
    }

    /// A customer pays what is open of an invoice, or a part of it.
    pub(crate) async fn pay(&mut self, mut bill: Bill) -> Result<(), SimulateError> {
        bill.open -= self.credited.remove(&bill.invoice).unwrap_or(0);
        let Some(customer) = self.customer(bill.customer) else { return Ok(()) };
        let organisation = customer.organisation;
        if bill.open <= 0 {
            return Ok(());
        }
        let in_parts = bill.open > 1 && self.chance.per_mille(IN_PARTS_PER_MILLE);
        let amount = if in_parts { bill.open / 2 } else { bill.open };
        let over = if self.chance.per_mille(TOO_MUCH_PER_MILLE) { 1_000 } else { 0 };
        let amount_open = Self::yen(amount)?;
        let mut allocations =
            vec![Allocation { invoice: bill.invoice.clone(), amount: amount_open }];
        if self.chance.per_mille(UNALLOCATED_PER_MILLE) {
            allocations.clear();
        }
        let record = RecordPayment {
            payment: self.ledger.clock_and_entropy().id(),
            organisation,
            amount: Self::yen(amount + over)?,
            received_on: self.today(),
            channel: bill.channel,
            allocations,
        };
        self.must(Actor::System(Login::new("bank")?), &record).await?;
        if in_parts {
            let later = self.in_days(5, 30);
            bill.open -= amount;
            self.agenda.enter(later, Step::Pay(bill));
        }
        Ok(())
    }
}
