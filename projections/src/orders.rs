//! The list of orders (注文一覧, R60, R64): how far each has come, what came back and what is billed.
//! If an order is absent here, it may not be complete (R60); lines stand in the event itself.

use daicho_events::billing::{BillingEvent, InvoiceIssued, InvoiceLine};
use daicho_events::order::{GoodsReturned, OrderEvent, OrderPlaced};
use daicho_events::product::PaymentMethod;
use daicho_events::{Event, Recorded};
use daicho_values::{
    Date, InvoiceNumber, MemberId, Money, Name, OrderId, OrganisationId, QuoteId, Reference,
    ReturnId, SalesRepCode,
};

use crate::history::{counts, note_earliest};
use crate::{History, Keys, Projection, Value, columns};

/// The list of orders, a row an order.
pub struct Orders;

daicho_values::data! {
    /// Goods of an order that came back (返品).
    pub struct Returned {
        /// The return.
        pub goods_return: ReturnId,
        /// With tax, positive.
        pub gross: Money,
    }
}

daicho_values::data! {
    /// What an invoice bills of an order. Without tax, which is rounded once per invoice.
    pub struct Invoiced {
        /// The invoice.
        pub invoice: InvoiceNumber,
        /// Before tax.
        pub net: Money,
    }
}

daicho_values::data! {
    /// An order.
    pub struct OrderRow {
        /// Its id.
        pub order: OrderId,
        /// Who ordered.
        pub member: MemberId,
        /// For whom.
        pub organisation: OrganisationId,
        /// The quote that it took up.
        pub quote: Option<QuoteId>,
        /// The business day on which it was placed.
        pub placed_on: Date,
        /// What the first line orders, as sold (R4).
        pub item: Option<Name>,
        /// How many lines it has.
        pub lines: u32,
        /// Before tax.
        pub net: Money,
        /// The tax.
        pub tax: Money,
        /// What is to be paid.
        pub gross: Money,
        /// How it will be paid.
        pub payment_method: PaymentMethod,
        /// The salesperson's code (R58).
        pub sales_rep: Option<SalesRepCode>,
        /// The first day wished for (R56).
        pub desired_start: Option<Date>,
        /// Its number in another system.
        pub reference: Option<Reference>,
        /// Where the goods go, as the source writes it.
        pub destination: Option<Name>,
        /// Taken by the shop (注文受付): the day as which it counts after the cut-off (R55).
        pub accepted: History<Date>,
        /// The delivery date, or the first day of the service (納期確定).
        pub delivery: History<Date>,
        /// From which day it is binding (契約確定).
        pub confirmed_on: Option<Date>,
        /// Delivered or opened: the day.
        pub fulfilled: History<Date>,
        /// Why it was cancelled.
        pub cancelled: History<String>,
        /// What came back.
        pub returns: History<Returned>,
        /// What invoices bill of it, before any credit.
        pub invoices: History<Invoiced>,
    }
}

daicho_values::data! {
    /// How far an order has come on a day (R64). Of several, the last in this order stands.
    pub enum OrderStatus {
        /// Placed by the customer (注文).
        Placed,
        /// Taken by the shop (注文受付).
        Accepted,
        /// The delivery date stands (納期確定).
        DeliveryFixed,
        /// Binding (契約確定).
        Confirmed,
        /// Delivered or opened (出荷・開通).
        Fulfilled,
        /// A part came back (返品).
        PartlyReturned,
        /// All of it came back (返品).
        Returned,
        /// Cancelled.
        Cancelled,
    }
}

daicho_values::data! {
    /// An order on a day.
    pub struct OrderOnDay {
        /// How far it has come.
        pub status: OrderStatus,
        /// The business day its acceptance is counted on (R55).
        pub accepted_on: Option<Date>,
        /// The delivery date that stands.
        pub delivery_on: Option<Date>,
        /// The day of delivery or opening.
        pub fulfilled_on: Option<Date>,
        /// What came back, with tax.
        pub returned_gross: Money,
        /// What invoices bill, before tax and before any credit.
        pub invoiced_net: Money,
    }
}

impl Projection for Orders {
    type Key = OrderId;
    type Row = OrderRow;
    type OnDay = OrderOnDay;

    const NAME: &'static str = "orders";
    const ABOUT: &'static str = "Orders (注文)";
    const VERSION: u32 = 1;
    const KEY: &'static str = "order";

    fn keys(event: &Recorded) -> Keys<OrderId> {
        match &event.event {
            Event::Order(event) => order_of(event).map_or(Keys::None, Keys::One),
            Event::Billing(BillingEvent::InvoiceIssued(invoice)) => {
                invoice.lines.iter().filter_map(|line| billed_order(invoice, line)).collect()
            }
            Event::Shop(_)
            | Event::Product(_)
            | Event::Organisation(_)
            | Event::Member(_)
            | Event::Quote(_)
            | Event::Contract(_)
            | Event::Access(_)
            | Event::Billing(
                BillingEvent::CreditIssued(_)
                | BillingEvent::MonthClosed(_)
                | BillingEvent::PaymentReceived(_),
            ) => Keys::None,
        }
    }

    fn fold(key: &OrderId, row: Option<OrderRow>, event: &Recorded) -> Option<OrderRow> {
        let on = event.header.effective_on;
        let Some(mut row) = row else { return OrderRow::begin(&event.event, on) };
        if let Event::Order(event) = &event.event {
            row.apply(event, on);
        }
        if let Event::Billing(BillingEvent::InvoiceIssued(invoice)) = &event.event {
            row.invoices.add(on, invoiced(*key, invoice));
        }
        Some(row)
    }

    fn begins(row: &OrderRow) -> Date {
        row.placed_on
    }

    fn on_day(row: &OrderRow, on: Date) -> OrderOnDay {
        let nothing = Money::zero(row.gross.currency());
        let returned_gross =
            row.returns.until(on).fold(nothing, |sum, returned| sum.folded(returned.gross));
        let invoiced_net =
            row.invoices.until(on).fold(nothing, |sum, invoiced| sum.folded(invoiced.net));
        OrderOnDay {
            status: row.status(returned_gross, on),
            accepted_on: row.accepted.on(on).copied(),
            delivery_on: row.delivery.on(on).copied(),
            fulfilled_on: row.fulfilled.on(on).copied(),
            returned_gross,
            invoiced_net,
        }
    }

    columns! { |row, day, _|
        indexed status: Text, "placed, accepted, delivery_fixed, confirmed, fulfilled …"
            => Value::name_of(&day.status);
        indexed organisation: Text, "for whom" => Value::text(row.organisation);
        indexed member: Text, "who ordered" => Value::text(row.member);
        indexed placed_on: Date, "business day of the order" => Value::text(row.placed_on);
        plain accepted_on: Date, "business day its acceptance is counted on"
            => Value::text_or_null(day.accepted_on);
        plain delivery_on: Date, "delivery date that stands"
            => Value::text_or_null(day.delivery_on);
        plain fulfilled_on: Date, "day of delivery or opening"
            => Value::text_or_null(day.fulfilled_on);
        plain item: Text, "what the first line orders" => Value::text_or_null(row.item.as_ref());
        plain lines: Integer, "how many lines" => Value::integer(row.lines);
        plain net: Money, "before tax" => Value::money(row.net);
        plain tax: Money, "the tax" => Value::money(row.tax);
        plain gross: Money, "what is to be paid" => Value::money(row.gross);
        plain returned_gross: Money, "what came back, with tax" => Value::money(day.returned_gross);
        plain invoiced_net: Money, "what invoices bill, before tax"
            => Value::money(day.invoiced_net);
        plain currency: Text, "of the amounts" => Value::text(row.gross.currency());
        plain payment_method: Text, "invoice, direct_debit or card"
            => Value::name_of(&row.payment_method);
        indexed reference: Text, "its number in another system"
            => Value::text_or_null(row.reference.as_ref());
        plain quote_id: Text, "the quote that it took up" => Value::text_or_null(row.quote);
        plain sales_rep: Text, "the salesperson's code"
            => Value::text_or_null(row.sales_rep.as_ref());
    }

    fn turning_days(row: &OrderRow, _: Date) -> Vec<Date> {
        let stages = row.accepted.days().chain(row.delivery.days()).chain(row.confirmed_on);
        let ends = row.fulfilled.days().chain(row.cancelled.days());
        stages.chain(ends).chain(row.returns.days()).chain(row.invoices.days()).collect()
    }
}

/// The order that an event of its family is about.
fn order_of(event: &OrderEvent) -> Option<OrderId> {
    match event {
        OrderEvent::Placed(placed) => Some(placed.order),
        OrderEvent::Accepted(accepted) => Some(accepted.order),
        OrderEvent::DeliveryDateFixed(fixed) => Some(fixed.order),
        OrderEvent::Confirmed(confirmed) => Some(confirmed.order),
        OrderEvent::Fulfilled(fulfilled) => Some(fulfilled.order),
        OrderEvent::Cancelled(cancelled) => Some(cancelled.order),
        OrderEvent::GoodsReturned(returned) => returned.order,
    }
}

/// The order that a line bills: its own, or the one of the whole invoice.
fn billed_order(invoice: &InvoiceIssued, line: &InvoiceLine) -> Option<OrderId> {
    line.order.or(invoice.order)
}

/// What an invoice bills of an order.
fn invoiced(order: OrderId, invoice: &InvoiceIssued) -> Invoiced {
    let lines = invoice.lines.iter().filter(|line| billed_order(invoice, line) == Some(order));
    let nothing = Money::zero(invoice.totals.gross.currency());
    let net = lines.fold(nothing, |sum, line| sum.folded(line.amount));
    Invoiced { invoice: invoice.invoice.clone(), net }
}

impl OrderRow {
    fn begin(event: &Event, on: Date) -> Option<Self> {
        let Event::Order(OrderEvent::Placed(placed)) = event else { return None };
        Some(Self::placed(placed, on))
    }

    fn placed(event: &OrderPlaced, on: Date) -> Self {
        Self {
            order: event.order,
            member: event.member,
            organisation: event.organisation,
            quote: event.quote,
            placed_on: on,
            item: event.lines.first().map(|line| line.name.clone()),
            lines: u32::try_from(event.lines.len()).unwrap_or(u32::MAX),
            net: event.totals.net,
            tax: event.totals.tax,
            gross: event.totals.gross,
            payment_method: event.payment_method,
            sales_rep: event.sales_rep.clone(),
            desired_start: event.desired_start,
            reference: event.reference.clone(),
            destination: event.destination.clone(),
            accepted: History::default(),
            delivery: History::default(),
            confirmed_on: None,
            fulfilled: History::default(),
            cancelled: History::default(),
            returns: History::default(),
            invoices: History::default(),
        }
    }

    fn apply(&mut self, event: &OrderEvent, on: Date) {
        match event {
            OrderEvent::Placed(_) => {} // an id is given once
            OrderEvent::Accepted(accepted) => self.accepted.add(on, accepted.accepted_on),
            OrderEvent::DeliveryDateFixed(fixed) => self.delivery.add(on, fixed.delivery_on),
            OrderEvent::Confirmed(_) => note_earliest(&mut self.confirmed_on, on),
            OrderEvent::Fulfilled(fulfilled) => self.fulfilled.add(on, fulfilled.fulfilled_on),
            OrderEvent::Cancelled(cancelled) => self.cancelled.add(on, cancelled.reason.clone()),
            OrderEvent::GoodsReturned(returned) => self.returns.add(on, Returned::of(returned)),
        }
    }

    fn status(&self, returned_gross: Money, on: Date) -> OrderStatus {
        if self.cancelled.on(on).is_some() {
            OrderStatus::Cancelled
        } else if !returned_gross.is_zero() {
            if returned_gross < self.gross {
                OrderStatus::PartlyReturned
            } else {
                OrderStatus::Returned
            }
        } else if self.fulfilled.on(on).is_some() {
            OrderStatus::Fulfilled
        } else if counts(self.confirmed_on, on) {
            OrderStatus::Confirmed
        } else if self.delivery.on(on).is_some() {
            OrderStatus::DeliveryFixed
        } else if self.accepted.on(on).is_some() {
            OrderStatus::Accepted
        } else {
            OrderStatus::Placed
        }
    }
}

impl Returned {
    fn of(event: &GoodsReturned) -> Self {
        Self { goods_return: event.goods_return, gross: event.totals.gross }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{day, given, totals, yen};
    use daicho_events::order::{
        DeliveryDateFixed, OrderAccepted, OrderCancelled, OrderConfirmed, OrderFulfilled,
    };
    use daicho_values::Sample;

    fn placed(gross: u32) -> OrderPlaced {
        OrderPlaced { totals: totals(gross), ..Sample::sample() }
    }

    fn returned(gross: u32) -> GoodsReturned {
        GoodsReturned { totals: totals(gross), ..Sample::sample() }
    }

    #[test]
    fn an_order_goes_from_acceptance_to_delivery_date_to_confirmation_r64() {
        let fixed = DeliveryDateFixed { delivery_on: day(40), ..Sample::sample() };
        given::<Orders>()
            .on(day(1), placed(1_000))
            .on(day(2), OrderAccepted::sample())
            .on(day(5), fixed)
            .on(day(8), OrderConfirmed::sample())
            .on(day(40), OrderFulfilled::sample())
            .then(day(1), |order| assert_eq!(order.status, OrderStatus::Placed))
            .then(day(2), |order| assert_eq!(order.status, OrderStatus::Accepted))
            .then(day(4), |order| assert_eq!(order.delivery_on, None))
            .then(day(5), |order| assert_eq!(order.status, OrderStatus::DeliveryFixed))
            .then(day(5), |order| assert_eq!(order.delivery_on, Some(day(40))))
            .then(day(39), |order| assert_eq!(order.status, OrderStatus::Confirmed))
            .then(day(40), |order| assert_eq!(order.status, OrderStatus::Fulfilled));
    }

    #[test]
    fn an_order_accepted_after_the_cut_off_counts_as_accepted_on_the_next_business_day_r55() {
        let accepted = OrderAccepted { accepted_on: day(4), ..Sample::sample() };
        given::<Orders>()
            .on(day(1), placed(1_000))
            .on(day(4), accepted)
            .then(day(3), |order| assert_eq!(order.status, OrderStatus::Placed))
            .then(day(4), |order| assert_eq!(order.accepted_on, Some(day(4))));
    }

    #[test]
    fn a_cancellation_recorded_for_a_later_day_does_not_count_before_it_r66() {
        given::<Orders>()
            .on(day(1), placed(1_000))
            .on(day(9), OrderCancelled::sample())
            .on(day(2), OrderAccepted::sample())
            .then(day(8), |order| assert_eq!(order.status, OrderStatus::Accepted))
            .then(day(9), |order| assert_eq!(order.status, OrderStatus::Cancelled))
            .then_next_change(day(2), Some(day(9)));
    }

    #[test]
    fn returns_of_an_order_add_up_until_all_of_it_came_back_r100() {
        given::<Orders>()
            .on(day(1), placed(1_000))
            .on(day(10), returned(400))
            .on(day(20), returned(600))
            .then(day(10), |order| assert_eq!(order.status, OrderStatus::PartlyReturned))
            .then(day(10), |order| assert_eq!(order.returned_gross, yen(400)))
            .then(day(20), |order| assert_eq!(order.status, OrderStatus::Returned));
    }

    #[test]
    fn an_order_shows_what_its_invoices_bill_of_it() {
        let line = |order, amount| InvoiceLine { order, amount: yen(amount), ..Sample::sample() };
        let other = Some("00000000000000000000000009".parse().unwrap());
        let invoice = InvoiceIssued {
            order: None,
            lines: vec![
                line(Some(OrderId::sample()), 300),
                line(other, 5_000),
                line(Some(OrderId::sample()), 200),
                line(None, 70),
            ],
            ..Sample::sample()
        };
        given::<Orders>()
            .on(day(1), placed(1_000))
            .on(day(31), invoice)
            .then(day(30), |order| assert_eq!(order.invoiced_net, yen(0)))
            .then(day(31), |order| assert_eq!(order.invoiced_net, yen(500)));
    }

    #[test]
    fn an_order_without_its_placing_is_absent_r60() {
        given::<Orders>()
            .on(day(1), OrderConfirmed::sample())
            .on(day(2), InvoiceIssued::sample())
            .then_no_row();
    }
}
