//! Invoices the goods of one order at once, after they were delivered.

use daicho_events::{InvoiceNumber, NewEvent, OrderId, Query, Recorded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{DocumentRejection, Draft};
use crate::acting::{StaffOnly, staff_only};
use crate::invoice::line_of;
use crate::series::Series;
use crate::state::{Billed, Goods, GoodsOrder, Shop, ShopNotOpen};
use crate::{Command, Decision, Moment};

/// Invoices an order's goods today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceOrder {
    /// The order.
    pub order: OrderId,
}

rejections! {
    /// Why an order is not invoiced.
    pub enum InvoiceOrderRejection {
        /// No order has this id.
        OrderUnknown { order: OrderId } = "order_unknown":
            "no order {order} in this book: take its id from the list of orders",
        /// Nothing is owed for it.
        OrderCancelled { order: OrderId } = "order_cancelled":
            "order {order} was cancelled: nothing is owed for it",
        /// Goods are invoiced once delivered.
        OrderNotFulfilled { order: OrderId } = "order_not_fulfilled":
            "order {order} is not delivered yet: fulfil it first",
        /// Services are billed by the month.
        NoGoods { order: OrderId } = "order_without_goods":
            "order {order} has services only: `billing.issue_invoice` bills them by the month",
        /// Goods are invoiced once.
        AlreadyInvoiced { order: OrderId, invoice: InvoiceNumber } = "order_already_invoiced":
            "order {order} is on invoice {invoice}: goods are invoiced once",
        shared {
            /// A customer asked for what the shop does; comes first.
            StaffOnly(StaffOnly),
            /// The book has no settings; comes second.
            NotOpen(ShopNotOpen),
            /// The document cannot be made; comes last.
            Document(DocumentRejection),
        }
    }
}

known! {
    /// The order, what is billed to its organisation, and the series.
    pub struct Known { shop: Shop, series: Series, goods: Goods, billed: Billed, }
}

impl Decision for InvoiceOrder {
    type State = Known;
    type Rejection = InvoiceOrderRejection;

    fn query(&self, known: &Known) -> Query {
        let order = known.goods.get(self.order);
        let billed = order.map(|order| Billed::query(order.organisation));
        let query = Shop::query().or(Series::query()).and(self.order.tag());
        query.or(billed.unwrap_or_default())
    }

    fn evolve(known: &mut Known, event: &Recorded) {
        known.apply(event);
    }

    fn decide(&self, known: &Known, at: &Moment) -> Result<Vec<NewEvent>, InvoiceOrderRejection> {
        staff_only(at, Self::NAME)?;
        known.shop.settings()?;
        let order = self.check(known)?;
        let goods = known.goods.lines(order);
        let draft = Draft {
            organisation: order.organisation,
            order: Some(self.order),
            month: None,
            lines: goods.map(|line| line_of(line, Some(self.order))).collect(),
            issued_on: known.shop.today(at),
        };
        Ok(vec![draft.issue(&known.shop, known.series)?])
    }
}

impl InvoiceOrder {
    fn check<'a>(&self, known: &'a Known) -> Result<&'a GoodsOrder, InvoiceOrderRejection> {
        let id = self.order;
        let order = known.goods.get(id);
        let order = order.ok_or(InvoiceOrderRejection::OrderUnknown { order: id })?;
        if order.cancelled {
            return Err(InvoiceOrderRejection::OrderCancelled { order: id });
        }
        if order.fulfilled_on.is_none() {
            return Err(InvoiceOrderRejection::OrderNotFulfilled { order: id });
        }
        if known.goods.lines(order).next().is_none() {
            return Err(InvoiceOrderRejection::NoGoods { order: id });
        }
        if let Some(invoice) = known.billed.order(id) {
            let invoice = invoice.clone();
            return Err(InvoiceOrderRejection::AlreadyInvoiced { order: id, invoice });
        }
        Ok(order)
    }
}

impl Command for InvoiceOrder {
    const NAME: &'static str = "billing.invoice_order";
}
