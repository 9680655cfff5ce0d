//! Invoices the goods of one order at once, after they were delivered.

use daicho_events::access::Role;
use daicho_events::{NewEvent, Query};
use daicho_values::{InvoiceNumber, OrderId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{DocumentRejection, Draft};
use super::invoice::line_of;
use super::series::Series;
use crate::frame::Known;
use crate::state::{Billed, Order, Orders};
use crate::{By, Command, Decision, Moment};

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
            /// The document cannot be made; comes last.
            Document(DocumentRejection),
        }
    }
}

known! {
    /// The order, what is billed to its organisation, and the series.
    pub struct InvoiceOrderState { series: Series, orders: Orders, billed: Billed, }
}

impl Decision for InvoiceOrder {
    type State = InvoiceOrderState;
    type Rejection = InvoiceOrderRejection;

    fn query(&self, known: &Known<InvoiceOrderState>) -> Query {
        let order = known.orders.get(self.order);
        let billed = order.map(|order| Billed::query(order.placed.organisation));
        let query =
            Series::query().or(Orders::query(self.order)).or(Billed::order_query(self.order));
        query.or(billed.unwrap_or_default())
    }

    fn decide(
        &self,
        known: &Known<InvoiceOrderState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, InvoiceOrderRejection> {
        let order = self.check(known)?;
        let goods = known.orders.goods(order);
        let draft = Draft {
            organisation: order.placed.organisation,
            order: Some(self.order),
            month: None,
            lines: goods.map(|line| line_of(line, Some(self.order))).collect(),
            issued_on: known.shop.today(at),
        };
        assert!(!draft.lines.is_empty(), "an order without goods has no invoice");
        Ok(vec![draft.issue(&known.shop, known.series)?])
    }
}

impl InvoiceOrder {
    fn check<'a>(
        &self,
        known: &'a Known<InvoiceOrderState>,
    ) -> Result<&'a Order, InvoiceOrderRejection> {
        let id = self.order;
        let order = known.orders.get(id);
        let order = order.ok_or(InvoiceOrderRejection::OrderUnknown { order: id })?;
        if order.cancelled {
            return Err(InvoiceOrderRejection::OrderCancelled { order: id });
        }
        if order.fulfilled_on.is_none() {
            return Err(InvoiceOrderRejection::OrderNotFulfilled { order: id });
        }
        if known.orders.goods(order).next().is_none() {
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
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Billing];
}

#[cfg(test)]
mod tests {
    use daicho_events::billing::{BillingEvent, InvoiceIssued};
    use daicho_events::contract::ContractConcluded;
    use daicho_events::{Actor, Event};
    use daicho_values::{Sample, TaxCategory};

    use super::super::fixtures::{book, cancelled, chair, fulfilled, invoice, line, order, placed};
    use super::*;
    use crate::contract::fixtures::concluded;
    use crate::testing::{Outcome, Step, at, by, day, event, given, yen};

    fn command() -> InvoiceOrder {
        InvoiceOrder { order: order(1) }
    }

    fn delivered() -> [Step; 2] {
        [placed(order(1), vec![chair(100)]), fulfilled(order(1), "2026-05-11")]
    }

    fn issued(outcome: Outcome<InvoiceOrder>) -> InvoiceIssued {
        let event = outcome.events().remove(0).event;
        let Event::Billing(BillingEvent::InvoiceIssued(issued)) = event else {
            panic!("not an invoice: {event:?}")
        };
        issued
    }

    #[test]
    fn delivered_goods_are_invoiced_at_once() {
        let invoice = issued(given(book(delivered())).when(command()));
        assert_eq!((invoice.order, invoice.month), (Some(order(1)), None));
        assert_eq!((invoice.issued_on, invoice.due_on), (day("2026-05-11"), day("2026-06-01")));
        assert_eq!(invoice.totals.gross, yen(110));
    }

    #[test]
    fn services_of_the_order_stay_with_their_contract() {
        let service = line("SUITE-01", 10_000, TaxCategory::Standard);
        let history = [
            placed(order(1), vec![service, chair(100)]),
            event(ContractConcluded { order: order(1), ..concluded() }),
            fulfilled(order(1), "2026-05-11"),
        ];
        assert_eq!(issued(given(book(history)).when(command())).totals.net, yen(100));
    }

    #[test]
    fn a_customer_does_not_bill_himself() {
        let history = book(delivered()).into_iter().chain([by(Actor::Member(Sample::sample()))]);
        given(history).when(command()).then_rejected("staff_only");
    }

    #[test]
    fn a_book_without_settings_bills_nothing() {
        given(delivered()).when(command()).then_rejected("shop_not_open");
    }

    #[test]
    fn an_unknown_order_is_refused() {
        given(book([])).when(command()).then_rejected("order_unknown");
    }

    #[test]
    fn a_cancelled_order_is_not_billed() {
        let history = book(delivered()).into_iter().chain([cancelled(order(1))]);
        given(history).when(command()).then_rejected("order_cancelled");
    }

    #[test]
    fn goods_are_billed_after_delivery() {
        given(book([placed(order(1), vec![chair(100)])]))
            .when(command())
            .then_rejected("order_not_fulfilled");
    }

    #[test]
    fn an_order_of_services_alone_has_no_invoice_of_its_own() {
        let history = [
            placed(order(1), vec![line("SUITE-01", 10_000, TaxCategory::Standard)]),
            event(ContractConcluded { order: order(1), ..concluded() }),
            fulfilled(order(1), "2026-05-11"),
        ];
        given(book(history)).when(command()).then_rejected("order_without_goods");
    }

    #[test]
    fn goods_are_invoiced_once_by_themselves_or_with_the_month() {
        let twice = book(delivered()).into_iter().chain([command().into()]);
        given(twice).when(command()).then_rejected("order_already_invoiced");
        let month = book(delivered())
            .into_iter()
            .chain([at("2026-06-10T10:00"), invoice("2026-05").into()]);
        given(month).when(command()).then_rejected("order_already_invoiced");
    }
}
