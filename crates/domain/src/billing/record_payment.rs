//! Records money received (入金) and the invoices that it settles (消込).

use std::collections::BTreeSet;

use daicho_events::access::Role;
use daicho_events::billing::{Allocation, PaymentChannel, PaymentReceived};
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, InvoiceNumber, Money, MoneyError, OrganisationId, PaymentId, Rounding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame::Known;
use crate::state::{Invoices, Organisations, ShopNotOpen};
use crate::{By, Command, Decision, Moment};

/// Invoices that one payment may settle: with the payment's own tags they fill an event's 32 tags,
/// two of them kept free.
pub const ALLOCATIONS_MAX: usize = 28;

/// Records a payment. What is not allocated remains the customer's credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPayment {
    /// Its id; a new one where it is left out.
    pub payment: PaymentId,
    /// Who paid.
    pub organisation: OrganisationId,
    /// How much.
    pub amount: Money,
    /// The day on which it was received.
    pub received_on: Date,
    /// The way of payment.
    pub channel: PaymentChannel,
    /// What it settles, at most 28 invoices.
    #[serde(default)]
    pub allocations: Vec<Allocation>,
}

rejections! {
    /// Why a payment is not recorded.
    pub enum RecordPaymentRejection {
        /// An event has a limit of tags.
        TooManyAllocations { count: usize } = "too_many_allocations":
            "{count} invoices are more than the {ALLOCATIONS_MAX} of one payment: record the \
             rest as a second payment",
        /// A payment is money received; a refund is not a payment.
        AmountNotPositive { amount: Money } = "amount_not_positive":
            "{amount} cannot be paid: give amounts above zero",
        /// An amount has no fraction of the smallest unit.
        AmountTooFine { amount: Money } = "amount_too_fine":
            "{amount} is finer than the currency's smallest unit: give whole units",
        /// An invoice has one allocation of a payment.
        InvoiceNamedTwice { invoice: InvoiceNumber } = "invoice_named_twice":
            "invoice {invoice} is named twice: add the amounts up",
        /// A payment is recorded once it was received.
        ReceivedInFuture { received_on: Date, today: Date } = "received_in_future":
            "{received_on} is after today, {today}: record the payment once it was received",
        /// The payer is not registered.
        OrganisationUnknown { organisation: OrganisationId } = "organisation_unknown":
            "no organisation {organisation} in this book: register it first",
        /// A payment is recorded once.
        AlreadyRecorded { payment: PaymentId } = "payment_already_recorded":
            "payment {payment} is recorded already: another payment has another id",
        /// No invoice has this number.
        InvoiceUnknown { invoice: InvoiceNumber } = "invoice_unknown":
            "no invoice {invoice} in this book: take its number from the list of invoices",
        /// Customers pay their own invoices.
        InvoiceOfAnother { invoice: InvoiceNumber, organisation: OrganisationId }
            = "invoice_of_another_organisation":
            "invoice {invoice} is not one of organisation {organisation}: allocate to its own",
        /// An invoice is paid once.
        AllocatedMoreThanOpen { invoice: InvoiceNumber, amount: Money, open: Money }
            = "allocated_more_than_open":
            "{amount} is more than the {open} open on invoice {invoice}: allocate that or less",
        /// A payment settles no more than its amount.
        AllocatedMoreThanReceived { allocated: Money, amount: Money }
            = "allocated_more_than_received":
            "{allocated} is allocated of the {amount} received: allocate that or less",
        shared {
            /// The book has no settings; comes second.
            NotOpen(ShopNotOpen),
            /// Not the shop's currency; after the amounts above zero.
            Money(MoneyError),
        }
    }
}

known! {
    /// The payer, the invoices named, and whether the payment is recorded.
    pub struct RecordPaymentState { organisations: Organisations, invoices: Invoices, }
}

impl Decision for RecordPayment {
    type State = RecordPaymentState;
    type Rejection = RecordPaymentRejection;

    fn query(&self, _: &Known<RecordPaymentState>) -> Query {
        let invoices = self.allocations.iter().take(ALLOCATIONS_MAX);
        Organisations::query(self.organisation)
            .or(Invoices::payment_query(self.payment))
            .or(Query::any(invoices.map(|part| Invoices::query(&part.invoice))))
    }

    fn decide(
        &self,
        known: &Known<RecordPaymentState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, RecordPaymentRejection> {
        self.check_amounts(Money::zero(known.shop.opened()?.currency))?;
        self.check_payment(known, known.shop.today(at))?;
        self.check_invoices(known)?;
        let received = PaymentReceived {
            payment: self.payment,
            organisation: self.organisation,
            amount: self.amount,
            received_on: self.received_on,
            channel: self.channel,
            allocations: self.allocations.clone(),
        };
        Ok(vec![NewEvent::on(self.received_on, received)])
    }
}

impl RecordPayment {
    fn check_amounts(&self, zero: Money) -> Result<(), RecordPaymentRejection> {
        let count = self.allocations.len();
        if count > ALLOCATIONS_MAX {
            return Err(RecordPaymentRejection::TooManyAllocations { count });
        }
        for amount in self.allocations.iter().map(|part| part.amount).chain([self.amount]) {
            if amount.is_negative() || amount.is_zero() {
                return Err(RecordPaymentRejection::AmountNotPositive { amount });
            }
            zero.plus(amount)?;
            if amount.rounded(Rounding::Floor)? != amount {
                return Err(RecordPaymentRejection::AmountTooFine { amount });
            }
        }
        Ok(())
    }

    fn check_payment(
        &self,
        known: &Known<RecordPaymentState>,
        today: Date,
    ) -> Result<(), RecordPaymentRejection> {
        let mut named = BTreeSet::new();
        let mut invoices = self.allocations.iter().map(|part| &part.invoice);
        if let Some(invoice) = invoices.find(|invoice| !named.insert(*invoice)) {
            let invoice = invoice.clone();
            return Err(RecordPaymentRejection::InvoiceNamedTwice { invoice });
        }
        let (received_on, organisation) = (self.received_on, self.organisation);
        if received_on > today {
            return Err(RecordPaymentRejection::ReceivedInFuture { received_on, today });
        }
        if known.organisations.get(organisation).is_none() {
            return Err(RecordPaymentRejection::OrganisationUnknown { organisation });
        }
        if known.invoices.has_payment(self.payment) {
            return Err(RecordPaymentRejection::AlreadyRecorded { payment: self.payment });
        }
        Ok(())
    }

    fn check_invoices(
        &self,
        known: &Known<RecordPaymentState>,
    ) -> Result<(), RecordPaymentRejection> {
        let mut allocated = Money::zero(self.amount.currency());
        for Allocation { invoice, amount } in &self.allocations {
            let unknown = || RecordPaymentRejection::InvoiceUnknown { invoice: invoice.clone() };
            let known = known.invoices.get(invoice).ok_or_else(unknown)?;
            let (invoice, amount, open) = (invoice.clone(), *amount, known.open());
            if known.organisation != self.organisation {
                let organisation = self.organisation;
                return Err(RecordPaymentRejection::InvoiceOfAnother { invoice, organisation });
            }
            if amount > open {
                return Err(RecordPaymentRejection::AllocatedMoreThanOpen {
                    invoice,
                    amount,
                    open,
                });
            }
            allocated = allocated.plus(amount)?;
        }
        assert!(!allocated.is_negative(), "only amounts above zero are allocated");
        if allocated > self.amount {
            let amount = self.amount;
            return Err(RecordPaymentRejection::AllocatedMoreThanReceived { allocated, amount });
        }
        Ok(())
    }
}

impl Command for RecordPayment {
    const NAME: &'static str = "billing.record_payment";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Billing, Role::Integration];
    const NEW_IDS: &'static [&'static str] = &["payment"];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_events::organisation::OrganisationRegistered;
    use daicho_values::{Currency, Sample};
    use ulid::Ulid;

    use super::super::fixtures::{book, chair, fulfilled, order, placed, returned};
    use super::super::{CreditReturn, InvoiceOrder};
    use super::*;
    use crate::testing::{Step, by, day, event, given, open_book, yen};

    /// Two invoices of 110 and 220 yen.
    fn invoiced(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
        let goods = [
            placed(order(1), vec![chair(100)]),
            fulfilled(order(1), "2026-05-11"),
            InvoiceOrder { order: order(1) }.into(),
            placed(order(2), vec![chair(200)]),
            fulfilled(order(2), "2026-05-11"),
            InvoiceOrder { order: order(2) }.into(),
        ];
        book(goods).into_iter().chain(steps).collect()
    }

    fn part(invoice: &str, amount: i64) -> Allocation {
        Allocation { invoice: InvoiceNumber::new(invoice).unwrap(), amount: yen(amount) }
    }

    fn pay(amount: i64, allocations: impl IntoIterator<Item = Allocation>) -> RecordPayment {
        RecordPayment {
            payment: PaymentId::sample(),
            organisation: Sample::sample(),
            amount: yen(amount),
            received_on: day("2026-05-11"),
            channel: PaymentChannel::BankTransfer,
            allocations: allocations.into_iter().collect(),
        }
    }

    fn earlier(payment: RecordPayment) -> Step {
        RecordPayment { payment: Ulid(1).into(), ..payment }.into()
    }

    #[test]
    fn a_payment_settles_invoices_and_the_rest_stands_to_the_customers_credit() {
        let command = pay(400, [part("R00000001", 110), part("R00000002", 220)]);
        let received = PaymentReceived {
            payment: command.payment,
            organisation: command.organisation,
            amount: yen(400),
            received_on: day("2026-05-11"),
            channel: PaymentChannel::BankTransfer,
            allocations: command.allocations.clone(),
        };
        given(invoiced([])).when(command).then([received.into()]);
    }

    #[test]
    fn a_payment_may_settle_nothing_yet() {
        given(invoiced([])).when(pay(1, [])).then_types(["billing.payment_received"]);
    }

    #[test]
    fn an_invoice_is_paid_in_parts_up_to_its_sum() {
        let first = || earlier(pay(60, [part("R00000001", 60)]));
        given(invoiced([first()]))
            .when(pay(50, [part("R00000001", 50)]))
            .then_types(["billing.payment_received"]);
        given(invoiced([first()]))
            .when(pay(51, [part("R00000001", 51)]))
            .then_rejected("allocated_more_than_open");
    }

    #[test]
    fn what_was_credited_is_not_open_any_more_r100() {
        let credited = || {
            [
                event(returned(Some(order(2)), 100)),
                CreditReturn { goods_return: Sample::sample() }.into(),
            ]
        };
        given(invoiced(credited()))
            .when(pay(110, [part("R00000002", 110)]))
            .then_types(["billing.payment_received"]);
        given(invoiced(credited()))
            .when(pay(111, [part("R00000002", 111)]))
            .then_rejected("allocated_more_than_open");
    }

    #[test]
    fn a_customer_does_not_record_his_payment() {
        given(invoiced([by(Actor::Member(Sample::sample()))]))
            .when(pay(1, []))
            .then_rejected("staff_only");
    }

    #[test]
    fn a_book_without_settings_takes_no_payment() {
        given([]).when(pay(1, [])).then_rejected("shop_not_open");
    }

    #[test]
    fn a_payment_has_a_limit_of_invoices() {
        let parts = |count: i64| (1..=count).map(|n| part(&format!("R{n:08}"), 1));
        given(invoiced([])).when(pay(99, parts(29))).then_rejected("too_many_allocations");
        given(invoiced([])).when(pay(99, parts(28))).then_rejected("invoice_unknown");
    }

    #[test]
    fn the_tags_of_the_largest_payment_are_within_those_of_an_event() {
        let parts = (1..=ALLOCATIONS_MAX).map(|n| part(&format!("R{n:08}"), 1));
        let received = PaymentReceived { allocations: parts.collect(), ..Sample::sample() };
        assert_eq!(daicho_events::Event::from(received).tags().len(), ALLOCATIONS_MAX + 2);
    }

    #[test]
    fn amounts_are_above_zero() {
        for amount in [0, -1] {
            given(invoiced([])).when(pay(amount, [])).then_rejected("amount_not_positive");
            given(invoiced([]))
                .when(pay(1, [part("R00000001", amount)]))
                .then_rejected("amount_not_positive");
        }
    }

    #[test]
    fn another_currency_than_the_shops_is_refused() {
        let pounds = Money::parse("1", Currency::Gbp).unwrap();
        let payment = RecordPayment { amount: pounds, ..pay(1, []) };
        given(invoiced([])).when(payment).then_rejected("mixed_currencies");
        let part = Allocation { amount: pounds, ..part("R00000001", 1) };
        given(invoiced([])).when(pay(1, [part])).then_rejected("mixed_currencies");
    }

    #[test]
    fn nobody_pays_half_a_yen() {
        let amount = Money::parse("1.5", Currency::Jpy).unwrap();
        let payment = RecordPayment { amount, ..pay(1, []) };
        given(invoiced([])).when(payment).then_rejected("amount_too_fine");
    }

    #[test]
    fn an_invoice_is_named_once() {
        given(invoiced([]))
            .when(pay(110, [part("R00000001", 60), part("R00000001", 60)]))
            .then_rejected("invoice_named_twice");
    }

    #[test]
    fn money_that_is_not_in_is_not_recorded() {
        let payment = RecordPayment { received_on: day("2026-05-12"), ..pay(1, []) };
        given(invoiced([])).when(payment).then_rejected("received_in_future");
    }

    #[test]
    fn an_unknown_organisation_is_refused() {
        given([open_book().into()]).when(pay(1, [])).then_rejected("organisation_unknown");
    }

    #[test]
    fn a_payment_is_recorded_once() {
        given(invoiced([pay(1, []).into()]))
            .when(pay(1, []))
            .then_rejected("payment_already_recorded");
    }

    #[test]
    fn an_unknown_invoice_is_refused() {
        given(invoiced([])).when(pay(1, [part("R00000003", 1)])).then_rejected("invoice_unknown");
    }

    #[test]
    fn customers_pay_their_own_invoices() {
        let other = OrganisationRegistered {
            organisation: Ulid(9).into(),
            corporate_number: None,
            reference: None,
            ..Sample::sample()
        };
        let organisation = other.organisation;
        let payment = RecordPayment { organisation, ..pay(110, [part("R00000001", 110)]) };
        given(invoiced([event(other)]))
            .when(payment)
            .then_rejected("invoice_of_another_organisation");
    }

    #[test]
    fn a_payment_settles_no_more_than_it_is() {
        given(invoiced([]))
            .when(pay(329, [part("R00000001", 110), part("R00000002", 220)]))
            .then_rejected("allocated_more_than_received");
    }
}
