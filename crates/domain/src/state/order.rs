//! Orders as they stand: placed, accepted, delivered, cancelled, and what came back of them.

use std::collections::{BTreeMap, BTreeSet};

use daicho_events::billing::{BillingEvent, InvoiceIssued};
use daicho_events::contract::{ContractConcluded, ContractEvent};
use daicho_events::order::{GoodsReturned, OrderEvent, OrderLine, OrderPlaced};
use daicho_events::{Event, Query, Recorded};
use daicho_values::{
    Date, InvoiceNumber, OrderId, OrganisationId, ProductCode, Reference, ReturnId, Timestamp,
};

use super::Fold;

/// What is known of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// As the customer placed it.
    pub placed: OrderPlaced,
    /// When that was recorded: the cut-off counts from here (R55).
    pub placed_at: Timestamp,
    /// The business day of placing: its prices and plans hold (R63).
    pub placed_on: Date,
    /// The business day it is counted on, once it is accepted.
    pub accepted_on: Option<Date>,
    /// The delivery date, once it is fixed.
    pub delivery_on: Option<Date>,
    /// Whether it is binding (契約確定).
    pub confirmed: bool,
    /// The day of delivery, once it is delivered or opened.
    pub fulfilled_on: Option<Date>,
    /// Whether it is cancelled.
    pub cancelled: bool,
    /// How many of each product came back.
    pub returned: BTreeMap<ProductCode, u64>,
    /// The invoice of this order alone, once it is issued.
    pub invoice: Option<InvoiceNumber>,
}

impl Order {
    /// How many of a product were sold.
    pub fn sold(&self, product: &ProductCode) -> u64 {
        let lines = self.placed.lines.iter().filter(|line| line.product == *product);
        lines.map(|line| u64::from(line.quantity.get())).sum()
    }

    /// How many of a product came back.
    pub fn came_back(&self, product: &ProductCode) -> u64 {
        self.returned.get(product).copied().unwrap_or(0)
    }
}

/// The orders that a command asked about, and the returns and references that stand with them. A
/// line for which its order concluded a contract is a service; the others are goods.
#[derive(Debug, Default)]
pub struct Orders {
    orders: BTreeMap<OrderId, Order>,
    services: BTreeSet<(OrderId, ProductCode)>,
    returns: BTreeMap<ReturnId, GoodsReturned>,
    references: BTreeSet<Reference>,
}

impl Orders {
    /// What must be read to know an order.
    pub fn query(order: OrderId) -> Query {
        Self::about(order.tag())
    }

    /// What must be read to know the orders and returns of an organisation: what was placed and
    /// came back, not yet how far the orders are.
    pub fn placed_by(organisation: OrganisationId) -> Query {
        Self::about(organisation.tag())
    }

    /// What must be read to know a return.
    pub fn return_query(goods_return: ReturnId) -> Query {
        Self::about(goods_return.tag())
    }

    /// What must be read to know whether another system's number stands in the book already.
    pub fn reference_query(reference: &Reference) -> Query {
        Self::about(reference.tag())
    }

    /// The order, if it was placed.
    pub fn get(&self, order: OrderId) -> Option<&Order> {
        self.orders.get(&order)
    }

    /// The organisation that placed it, if it was placed.
    pub fn owner(&self, order: OrderId) -> Option<OrganisationId> {
        self.get(order).map(|order| order.placed.organisation)
    }

    /// The orders with goods, in the order of their ids.
    pub fn with_goods(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| self.goods(order).next().is_some())
    }

    /// The lines of an order that are goods: its services are billed by their contracts.
    pub fn goods<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a OrderLine> {
        let id = order.placed.order;
        let is_service =
            move |line: &OrderLine| self.services.contains(&(id, line.product.clone()));
        order.placed.lines.iter().filter(move |line| !is_service(line))
    }

    /// The return, if it is recorded.
    pub fn goods_return(&self, goods_return: ReturnId) -> Option<&GoodsReturned> {
        self.returns.get(&goods_return)
    }

    /// Whether an order or return carries this number of another system.
    pub fn has_reference(&self, reference: &Reference) -> bool {
        self.references.contains(reference)
    }

    fn change(&mut self, order: OrderId, change: impl FnOnce(&mut Order)) {
        self.orders.get_mut(&order).map(change);
    }

    fn placed(&mut self, placed: &OrderPlaced, recorded: &Recorded) {
        self.references.extend(placed.reference.clone());
        let order = Order {
            placed: placed.clone(),
            placed_at: recorded.header.recorded_at,
            placed_on: recorded.header.effective_on,
            accepted_on: None,
            delivery_on: None,
            confirmed: false,
            fulfilled_on: None,
            cancelled: false,
            returned: BTreeMap::new(),
            invoice: None,
        };
        self.orders.insert(placed.order, order);
    }

    fn returned(&mut self, event: &GoodsReturned) {
        self.returns.insert(event.goods_return, event.clone());
        self.references.extend(event.reference.clone());
        let Some(order) = event.order else { return };
        self.change(order, |order| {
            for line in &event.lines {
                let count = order.returned.entry(line.product.clone()).or_default();
                *count += u64::from(line.quantity.get());
            }
        });
    }

    fn ordered(&mut self, event: &OrderEvent, recorded: &Recorded) {
        match event {
            OrderEvent::Placed(event) => self.placed(event, recorded),
            OrderEvent::Accepted(event) => {
                self.change(event.order, |order| order.accepted_on = Some(event.accepted_on));
            }
            OrderEvent::DeliveryDateFixed(event) => {
                self.change(event.order, |order| order.delivery_on = Some(event.delivery_on));
            }
            OrderEvent::Confirmed(event) => {
                self.change(event.order, |order| order.confirmed = true);
            }
            OrderEvent::Fulfilled(event) => {
                self.change(event.order, |order| order.fulfilled_on = Some(event.fulfilled_on));
            }
            OrderEvent::Cancelled(event) => {
                self.change(event.order, |order| order.cancelled = true);
            }
            OrderEvent::GoodsReturned(event) => self.returned(event),
        }
    }

    fn contracted(&mut self, event: &ContractEvent) {
        match event {
            ContractEvent::Concluded(event) => {
                self.services.insert((event.order, event.product.clone()));
            }
            ContractEvent::ServiceActivated(_)
            | ContractEvent::QuantityChanged(_)
            | ContractEvent::CancellationScheduled(_)
            | ContractEvent::PenaltyAssessed(_) => {}
        }
    }

    fn billed(&mut self, event: &BillingEvent) {
        match event {
            BillingEvent::InvoiceIssued(event) => {
                let Some(order) = event.order else { return };
                self.change(order, |order| order.invoice = Some(event.invoice.clone()));
            }
            BillingEvent::CreditIssued(_)
            | BillingEvent::MonthClosed(_)
            | BillingEvent::PaymentReceived(_) => {}
        }
    }
}

impl Fold for Orders {
    const READS: &'static [&'static [&'static str]] =
        &[OrderEvent::STORED, &[InvoiceIssued::STORED, ContractConcluded::STORED]];

    fn apply(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Order(event) => self.ordered(event, recorded),
            Event::Billing(event) => self.billed(event),
            Event::Contract(event) => self.contracted(event),
            Event::Shop(_)
            | Event::Product(_)
            | Event::Organisation(_)
            | Event::Member(_)
            | Event::Quote(_)
            | Event::Access(_) => {}
        }
    }
}
