//! Goods as billing sees them: ordered, fulfilled, cancelled, returned. A line for which its order
//! concluded a contract is a service and is billed by that contract.

use std::collections::{BTreeMap, BTreeSet};

use daicho_events::contract::ContractEvent;
use daicho_events::order::{GoodsReturned, OrderEvent, OrderLine};
use daicho_events::{Event, Recorded};
use daicho_values::{Date, OrderId, OrganisationId, ProductCode, ReturnId};

use super::Fold;

/// The orders and returns that a command asked about.
#[derive(Debug, Default)]
pub struct Goods {
    orders: BTreeMap<OrderId, GoodsOrder>,
    services: BTreeSet<(OrderId, ProductCode)>,
    returns: BTreeMap<ReturnId, GoodsReturned>,
}

/// What is known of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodsOrder {
    /// Its id.
    pub order: OrderId,
    /// Who pays.
    pub organisation: OrganisationId,
    /// The day on which it was delivered.
    pub fulfilled_on: Option<Date>,
    /// It was cancelled.
    pub cancelled: bool,
    lines: Vec<OrderLine>,
}

impl Goods {
    /// The order, if known.
    pub fn get(&self, order: OrderId) -> Option<&GoodsOrder> {
        self.orders.get(&order)
    }

    /// The orders with goods, in the order of their ids.
    pub fn orders(&self) -> impl Iterator<Item = &GoodsOrder> {
        self.orders.values().filter(|order| self.lines(order).next().is_some())
    }

    /// The lines of an order that are goods.
    pub fn lines<'a>(&'a self, order: &'a GoodsOrder) -> impl Iterator<Item = &'a OrderLine> {
        let is_goods =
            |line: &&OrderLine| !self.services.contains(&(order.order, line.product.clone()));
        order.lines.iter().filter(is_goods)
    }

    /// The return, if known.
    pub fn returned(&self, goods_return: ReturnId) -> Option<&GoodsReturned> {
        self.returns.get(&goods_return)
    }

    fn change(&mut self, order: OrderId, change: impl FnOnce(&mut GoodsOrder)) {
        self.orders.get_mut(&order).map(change);
    }

    fn apply_order(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed(event) => {
                let order = GoodsOrder {
                    order: event.order,
                    organisation: event.organisation,
                    fulfilled_on: None,
                    cancelled: false,
                    lines: event.lines.clone(),
                };
                self.orders.insert(event.order, order);
            }
            OrderEvent::Fulfilled(event) => {
                self.change(event.order, |order| order.fulfilled_on = Some(event.fulfilled_on));
            }
            OrderEvent::Cancelled(event) => {
                self.change(event.order, |order| order.cancelled = true);
            }
            OrderEvent::GoodsReturned(event) => {
                self.returns.insert(event.goods_return, event.clone());
            }
            OrderEvent::Accepted(_)
            | OrderEvent::DeliveryDateFixed(_)
            | OrderEvent::Confirmed(_) => {}
        }
    }
}

impl Fold for Goods {
    fn apply(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Order(event) => self.apply_order(event),
            Event::Contract(ContractEvent::Concluded(event)) => {
                self.services.insert((event.order, event.product.clone()));
            }
            Event::Contract(
                ContractEvent::ServiceActivated(_)
                | ContractEvent::QuantityChanged(_)
                | ContractEvent::CancellationScheduled(_)
                | ContractEvent::PenaltyAssessed(_),
            )
            | Event::Shop(_)
            | Event::Product(_)
            | Event::Registration(_)
            | Event::Quote(_)
            | Event::Billing(_)
            | Event::Access(_) => {}
        }
    }
}
