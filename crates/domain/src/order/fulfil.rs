//! Fulfils an order (出荷・開通): the goods are delivered, the services open.

use daicho_events::access::Role;
use daicho_events::order::OrderFulfilled;
use daicho_events::product::ProductKind;
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, OrderId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stage::{self, StageRejection};
use crate::frame::Known;
use crate::state::{Catalogue, Order, Orders};
use crate::{By, Command, Decision, Moment};

/// Records that an order was delivered as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FulfilOrder {
    /// The order.
    pub order: OrderId,
    /// The day of delivery, not after today.
    pub fulfilled_on: Date,
}

rejections! {
    /// Why an order is not fulfilled.
    pub enum FulfilOrderRejection {
        /// A service opens under a contract, and a contract needs the confirmation.
        NotConfirmed { order: OrderId } = "order_not_confirmed":
            "order {order} holds a service and is not confirmed yet: confirm it first",
        /// Nothing is delivered before it is accepted.
        BeforeAcceptance { order: OrderId, fulfilled_on: Date, accepted_on: Date }
            = "fulfilled_before_acceptance":
            "{fulfilled_on} is before order {order} was accepted: give {accepted_on} or a \
             later day",
        /// A delivery is recorded once it has happened.
        InTheFuture { fulfilled_on: Date, today: Date } = "fulfilled_in_the_future":
            "{fulfilled_on} has not come yet: record the delivery once it happened, by {today}",
        shared {
            /// The order is at another stage.
            Stage(StageRejection),
        }
    }
}

known! {
    /// The order, and which of its products are services.
    pub struct FulfilOrderState { orders: Orders, catalogue: Catalogue, }
}

impl FulfilOrderState {
    fn has_service(&self, order: &Order) -> bool {
        order.placed.lines.iter().any(|line| {
            let product = self.catalogue.get(&line.product);
            product.is_some_and(|product| product.kind == ProductKind::Service)
        })
    }
}

impl Decision for FulfilOrder {
    type State = FulfilOrderState;
    type Rejection = FulfilOrderRejection;

    fn query(&self, known: &Known<FulfilOrderState>) -> Query {
        let lines = known.orders.get(self.order).map(|order| &order.placed.lines);
        Orders::query(self.order)
            .or(Catalogue::query(lines.into_iter().flatten().map(|line| &line.product)))
    }

    fn decide(
        &self,
        known: &Known<FulfilOrderState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, FulfilOrderRejection> {
        let known_order = stage::open(&known.orders, self.order)?;
        let accepted_on = stage::accepted(known_order)?;
        let Self { order, fulfilled_on } = *self;
        if known.has_service(known_order) && !known_order.confirmed {
            return Err(FulfilOrderRejection::NotConfirmed { order });
        }
        if fulfilled_on < accepted_on {
            let broken =
                FulfilOrderRejection::BeforeAcceptance { order, fulfilled_on, accepted_on };
            return Err(broken);
        }
        let today = known.shop.today(at);
        if fulfilled_on > today {
            return Err(FulfilOrderRejection::InTheFuture { fulfilled_on, today });
        }
        Ok(vec![NewEvent::on(fulfilled_on, OrderFulfilled { order, fulfilled_on })])
    }
}

impl Command for FulfilOrder {
    const NAME: &'static str = "order.fulfil";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;

    use super::*;
    use crate::order::fixtures::{
        MAIL, accepted, administrator, cancelled, confirmed, order_id, order_placed, placed, shop,
        wanted,
    };
    use crate::testing::{at, by, day, event, given};

    fn fulfil(fulfilled_on: &str) -> FulfilOrder {
        FulfilOrder { order: order_id(), fulfilled_on: day(fulfilled_on) }
    }

    #[test]
    fn goods_are_delivered_on_a_day() {
        let history = placed([accepted("2026-05-11"), at("2026-05-14T10:00")]);
        let fulfilled = OrderFulfilled { order: order_id(), fulfilled_on: day("2026-05-13") };
        let events = given(history).when(fulfil("2026-05-13")).events();
        assert_eq!(events, [NewEvent::on(day("2026-05-13"), fulfilled)]);
    }

    #[test]
    fn a_service_opens_only_after_the_confirmation_r64() {
        let order = || event(order_placed(&[wanted(MAIL, Some("monthly"), 1)]));
        let early = shop([order(), accepted("2026-05-11")]);
        given(early).when(fulfil("2026-05-11")).then_rejected("order_not_confirmed");
        let late = shop([order(), accepted("2026-05-11"), confirmed()]);
        given(late).when(fulfil("2026-05-11")).then_types(["order.fulfilled"]);
    }

    #[test]
    fn a_day_before_acceptance_is_refused() {
        let history = placed([accepted("2026-05-12"), at("2026-05-14T10:00")]);
        given(history).when(fulfil("2026-05-11")).then_rejected("fulfilled_before_acceptance");
    }

    #[test]
    fn a_day_that_has_not_come_is_refused() {
        let history = placed([accepted("2026-05-11")]);
        given(history).when(fulfil("2026-05-12")).then_rejected("fulfilled_in_the_future");
    }

    #[test]
    fn a_customer_fulfils_nothing_r65() {
        let history = placed([accepted("2026-05-11"), by(Actor::Member(administrator()))]);
        given(history).when(fulfil("2026-05-11")).then_rejected("staff_only");
    }

    #[test]
    fn a_book_that_is_not_open_fulfils_nothing() {
        given([]).when(fulfil("2026-05-11")).then_rejected("shop_not_open");
    }

    #[test]
    fn an_order_that_was_never_placed_is_not_fulfilled() {
        given(shop([])).when(fulfil("2026-05-11")).then_rejected("order_unknown");
    }

    #[test]
    fn an_order_that_is_not_accepted_is_not_fulfilled() {
        given(placed([])).when(fulfil("2026-05-11")).then_rejected("order_not_accepted");
    }

    #[test]
    fn a_cancelled_order_is_not_fulfilled() {
        let history = placed([accepted("2026-05-11"), cancelled()]);
        given(history).when(fulfil("2026-05-11")).then_rejected("order_cancelled");
    }

    #[test]
    fn an_order_is_fulfilled_once() {
        let history = placed([accepted("2026-05-11"), fulfil("2026-05-11").into()]);
        given(history).when(fulfil("2026-05-11")).then_rejected("order_already_fulfilled");
    }
}
