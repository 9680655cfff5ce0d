//! The original sale of a return: the customer's latest order that sold everything that is
//! returned.

use std::collections::BTreeMap;

use daicho_events::order::OrderEvent;
use daicho_events::{Event, Recorded};
use daicho_values::{Date, MemberId, OrderId, ProductCode};

use super::row::Row;

/// What each member bought, and how much of it has not been returned yet.
#[derive(Debug, Default)]
pub(super) struct Originals(BTreeMap<MemberId, Vec<Sold>>);

#[derive(Debug)]
struct Sold {
    order: OrderId,
    day: Date,
    left: BTreeMap<ProductCode, i64>,
}

impl Originals {
    /// Takes note of what was recorded, now or by an earlier import.
    pub(super) fn learn(&mut self, events: &[Recorded]) {
        for recorded in events {
            let Event::Order(event) = &recorded.event else { continue };
            match event {
                OrderEvent::Placed(placed) => {
                    let mut left = BTreeMap::new();
                    for line in &placed.lines {
                        *left.entry(line.product.clone()).or_default() +=
                            i64::from(line.quantity.get());
                    }
                    let day = recorded.header.effective_on;
                    let sold = Sold { order: placed.order, day, left };
                    self.0.entry(placed.member).or_default().push(sold);
                }
                OrderEvent::GoodsReturned(returned) => {
                    let orders = self.0.get_mut(&returned.member).into_iter().flatten();
                    let sold = { orders }.find(|sold| Some(sold.order) == returned.order);
                    let Some(sold) = sold else { continue };
                    for line in &returned.lines {
                        if let Some(left) = sold.left.get_mut(&line.product) {
                            *left -= i64::from(line.quantity.get());
                        }
                    }
                }
                OrderEvent::Accepted(_)
                | OrderEvent::DeliveryDateFixed(_)
                | OrderEvent::Confirmed(_)
                | OrderEvent::Fulfilled(_)
                | OrderEvent::Cancelled(_) => {}
            }
        }
    }

    /// The latest order, not after the day of the return, that sold at least as much of each
    /// product. `None`: the original sale is unknown, and the return is recorded as a credit by
    /// itself.
    pub(super) fn find(&self, member: MemberId, day: Date, rows: &[Row]) -> Option<OrderId> {
        let mut wanted: BTreeMap<&ProductCode, i64> = BTreeMap::new();
        for row in rows {
            *wanted.entry(&row.product).or_default() += i64::from(row.quantity.get());
        }
        let covers = |sold: &&Sold| {
            let enough = |(product, quantity): (&&ProductCode, &i64)| {
                sold.left.get(*product).is_some_and(|left| left >= quantity)
            };
            sold.day <= day && wanted.iter().all(enough)
        };
        self.0.get(&member)?.iter().rev().find(covers).map(|sold| sold.order)
    }
}
