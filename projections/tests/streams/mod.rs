//! Plausible records: random events about few things, in any order, on any day.
//! Ids come from small pools, so that events hit rows that exist, rows that do not, and each other.

use std::collections::HashSet;
use std::fmt::Debug;
use std::str::FromStr;

use daicho_events::billing::{
    Allocation, BillingEvent, CreditIssued, InvoiceIssued, InvoiceLine, MonthClosed,
    PaymentReceived,
};
use daicho_events::contract::{
    CancellationScheduled, ContractConcluded, ContractEvent, ContractTerms, PenaltyAssessed,
    QuantityChanged, ServiceActivated,
};
use daicho_events::member::{
    EmailVerified, MainRegistrationCompleted, MemberEvent, MemberMigrated,
    MemberRegistrationRequested, VerificationLinkIssued,
};
use daicho_events::order::{
    DeliveryDateFixed, GoodsReturned, OrderAccepted, OrderCancelled, OrderConfirmed, OrderEvent,
    OrderFulfilled, OrderPlaced,
};
use daicho_events::organisation::OrganisationRegistered;
use daicho_events::product::ProductListed;
use daicho_events::quote::{QuoteConverted, QuoteEvent, QuoteIssued, QuoteWithdrawn};
use daicho_events::shop::{
    BillingCalendarSet, BusinessCalendarRevised, CutoffPolicySet, IssuerRegistrationSet,
    SettingChanged, ShopConfigured, TaxRateTableRevised,
};
use daicho_events::{Actor, Event, Header, Position, Recorded};
use daicho_values::{
    Currency, Date, InvoiceNumber, Login, Money, Period, Quantity, Sample, Timestamp, Totals,
};
use proptest::prelude::*;

/// Days over which facts count, from [`first_day`].
pub(crate) const DAYS: u32 = 400;
/// Things of a kind.
const POOL: u32 = 4;
/// Events of a record.
const EVENTS_MAX: usize = 80;
/// Kinds of events made here: the arms of [`Dice::event`].
const KINDS: u32 = 27;

pub(crate) fn first_day() -> Date {
    Date::new(2026, 1, 1).unwrap()
}

fn day(number: u32) -> Date {
    first_day().plus_days(number)
}

/// What an event is made of.
#[derive(Debug, Clone)]
struct Dice {
    kind: u32,
    thing: u32,
    other: u32,
    amount: u32,
    effective: u32,
    days: [u32; 2],
    pounds: bool,
    coin: bool,
}

fn dice() -> impl Strategy<Value = Dice> {
    let days = (0..DAYS, [0..DAYS, 0..DAYS]);
    let things = (0..KINDS, 0..POOL, 0..POOL, 0_u32..6);
    (things, days, proptest::bool::weighted(0.1), any::<bool>()).prop_map(
        |((kind, thing, other, amount), (effective, days), pounds, coin)| Dice {
            kind,
            thing,
            other,
            amount,
            effective,
            days,
            pounds,
            coin,
        },
    )
}

/// Records as the ledger may hold them: nothing comes into being twice.
pub(crate) fn records() -> impl Strategy<Value = Vec<Recorded>> {
    prop::collection::vec(dice(), 0..EVENTS_MAX).prop_map(|dice| {
        let mut begun = HashSet::new();
        let once = dice
            .iter()
            .map(|dice| (dice, dice.event()))
            .filter(|(_, event)| beginning(event).is_none_or(|thing| begun.insert(thing)));
        once.zip(1..)
            .map(|((dice, event), position)| recorded(position, day(dice.effective), event))
            .collect()
    })
}

/// Records that no decision would let through: the same things come into being again and again.
pub(crate) fn wild_records() -> impl Strategy<Value = Vec<Recorded>> {
    prop::collection::vec(dice(), 0..EVENTS_MAX).prop_map(|dice| {
        dice.iter()
            .zip(1..)
            .map(|(dice, position)| recorded(position, day(dice.effective), dice.event()))
            .collect()
    })
}

fn recorded(position: u64, effective_on: Date, event: Event) -> Recorded {
    let header = Header {
        position: Position(position),
        recorded_at: Timestamp::sample(),
        effective_on,
        actor: Actor::System(Login::sample()),
        on_behalf_of: None,
        cause: None,
    };
    Recorded { header, event }
}

/// The thing that comes into being by an event.
fn beginning(event: &Event) -> Option<String> {
    match event {
        Event::Quote(QuoteEvent::Issued(quote)) => Some(format!("{:?}", quote.quote)),
        Event::Order(OrderEvent::Placed(order)) => Some(format!("{:?}", order.order)),
        Event::Contract(ContractEvent::Concluded(contract)) => {
            Some(format!("{:?}", contract.contract))
        }
        Event::Billing(BillingEvent::InvoiceIssued(invoice)) => Some(invoice.invoice.to_string()),
        Event::Billing(BillingEvent::CreditIssued(credit)) => Some(credit.credit.to_string()),
        Event::Member(MemberEvent::RegistrationRequested(member)) => {
            Some(format!("{:?}", member.member))
        }
        Event::Member(MemberEvent::Migrated(member)) => Some(format!("{:?}", member.member)),
        _ => None,
    }
}

fn id<T: FromStr<Err: Debug>>(number: u32) -> T {
    format!("{number:026}").parse().unwrap()
}

fn invoice_number(number: u32) -> InvoiceNumber {
    InvoiceNumber::new(&format!("R{number:08}")).unwrap()
}

impl Dice {
    fn this<T: FromStr<Err: Debug>>(&self) -> T {
        id(self.thing)
    }

    fn money(&self) -> Money {
        let currency = if self.pounds { Currency::Gbp } else { Currency::Jpy };
        Money::new(self.amount.into(), currency).unwrap()
    }

    fn totals(&self) -> Totals {
        let gross = self.money();
        Totals { net: gross, tax: Money::zero(gross.currency()), gross, rates: Vec::new() }
    }

    fn quantity(&self) -> Quantity {
        Quantity::new(i64::from(self.amount) + 1).unwrap()
    }

    fn first(&self) -> Date {
        day(self.days[0])
    }

    fn shop(&self) -> Event {
        match (self.thing + self.other) % 7 {
            0 => ShopConfigured::sample().into(),
            1 => CutoffPolicySet::sample().into(),
            2 => TaxRateTableRevised::sample().into(),
            3 => BusinessCalendarRevised::sample().into(),
            4 => BillingCalendarSet::sample().into(),
            5 => IssuerRegistrationSet::sample().into(),
            _ => SettingChanged::sample().into(),
        }
    }

    fn second(&self) -> Date {
        day(self.days[1])
    }

    fn event(&self) -> Event {
        match self.kind {
            0..=4 => self.registration(),
            5..=8 => self.quote(),
            9..=15 => self.order(),
            16..=20 => self.contract(),
            21..=24 => self.billing(),
            25 => self.shop(),
            _ => ProductListed::sample().into(),
        }
    }

    fn registration(&self) -> Event {
        let member = self.this();
        let expires_at = format!("{}T12:00:00Z", self.first()).parse().unwrap();
        let expires_at = self.coin.then_some(expires_at);
        match self.kind {
            0 => MemberRegistrationRequested { member, ..Sample::sample() }.into(),
            1 => VerificationLinkIssued { member, expires_at }.into(),
            2 => EmailVerified { member }.into(),
            3 if self.coin => MemberMigrated { member, ..Sample::sample() }.into(),
            3 => OrganisationRegistered::sample().into(),
            _ => MainRegistrationCompleted { member }.into(),
        }
    }

    fn quote(&self) -> Event {
        let quote = self.this();
        match self.kind {
            5 | 6 => {
                let (totals, valid_until) = (self.totals(), self.first());
                QuoteIssued { quote, totals, valid_until, ..Sample::sample() }.into()
            }
            7 => QuoteConverted { quote, order: id(self.other) }.into(),
            _ => QuoteWithdrawn { quote, ..Sample::sample() }.into(),
        }
    }

    fn order(&self) -> Event {
        let order = self.this();
        match self.kind {
            9 => OrderPlaced { order, totals: self.totals(), ..Sample::sample() }.into(),
            10 => OrderAccepted { order, accepted_on: self.first() }.into(),
            11 => DeliveryDateFixed { order, delivery_on: self.first() }.into(),
            12 => OrderConfirmed { order }.into(),
            13 => OrderFulfilled { order, fulfilled_on: self.first() }.into(),
            14 => OrderCancelled { order, ..Sample::sample() }.into(),
            _ => {
                let (order, totals) = (self.coin.then_some(order), self.totals());
                GoodsReturned { order, totals, ..Sample::sample() }.into()
            }
        }
    }

    fn contract(&self) -> Event {
        let (contract, organisation) = (self.this(), Sample::sample());
        match self.kind {
            16 => self.concluded().into(),
            17 => ServiceActivated { contract, organisation, activated_on: self.first() }.into(),
            18 => {
                let (quantity, from) = (self.quantity(), self.first());
                QuantityChanged { contract, quantity, from, ..Sample::sample() }.into()
            }
            19 => {
                let ends_on = self.first();
                CancellationScheduled { contract, ends_on, ..Sample::sample() }.into()
            }
            _ => {
                let amount = self.money();
                PenaltyAssessed { contract, amount, ..Sample::sample() }.into()
            }
        }
    }

    fn concluded(&self) -> ContractConcluded {
        let (from, to) = (self.first(), self.first().plus_days(self.days[1] / 4));
        let whole = self.first().after_months(self.other + 1).previous();
        let term = match self.amount {
            0 => None,
            1 | 2 => Period::new(from, whole),
            _ => Period::new(from, to),
        };
        ContractConcluded {
            contract: self.this(),
            quantity: self.quantity(),
            starts_on: self.first(),
            terms: ContractTerms { term, auto_renew: self.coin, ..Sample::sample() },
            ..Sample::sample()
        }
    }

    fn billing(&self) -> Event {
        let (this, other) = (invoice_number(self.thing), invoice_number(self.other));
        match self.kind {
            21 => self.invoice(this).into(),
            22 => {
                let invoice = (self.coin && this != other).then_some(other);
                CreditIssued { credit: this, invoice, totals: self.totals(), ..Sample::sample() }
                    .into()
            }
            23 => MonthClosed::sample().into(),
            _ => {
                let part = |invoice: &InvoiceNumber| Allocation {
                    invoice: invoice.clone(),
                    amount: self.money(),
                };
                let allocations = [&this, &other, &this].map(part);
                let count = self.days[0] as usize % 4;
                let allocations = allocations.into_iter().take(count).collect();
                PaymentReceived { allocations, ..Sample::sample() }.into()
            }
        }
    }

    fn invoice(&self, invoice: InvoiceNumber) -> InvoiceIssued {
        let line = |order: Option<u32>| InvoiceLine {
            order: order.map(id),
            amount: self.money(),
            ..Sample::sample()
        };
        InvoiceIssued {
            invoice,
            order: self.coin.then(|| self.this()),
            lines: vec![line(None), line(Some(self.other)), line(Some(self.thing))],
            totals: self.totals(),
            due_on: self.second(),
            ..Sample::sample()
        }
    }
}
