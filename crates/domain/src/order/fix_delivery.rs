//! Fixes the delivery date (納期確定, R64): the day of delivery, or the first day of the service.

use daicho_events::access::Role;
use daicho_events::order::DeliveryDateFixed;
use daicho_events::{NewEvent, Query};
use daicho_values::{Date, OrderId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stage::{self, StageRejection};
use crate::frame::Known;
use crate::state::Orders;
use crate::{By, Command, Decision, Moment};

/// Fixes the delivery date. Until the order is confirmed it may be fixed again; the last one holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixDelivery {
    /// The order.
    pub order: OrderId,
    /// The day.
    pub delivery_on: Date,
}

rejections! {
    /// Why a delivery date is not fixed.
    pub enum FixDeliveryRejection {
        /// Nothing is delivered before it is accepted.
        BeforeAcceptance { order: OrderId, delivery_on: Date, accepted_on: Date }
            = "delivery_before_acceptance":
            "{delivery_on} is before order {order} was accepted: give {accepted_on} or a later day",
        shared {
            /// The order is at another stage.
            Stage(StageRejection),
        }
    }
}

known! {
    /// The shop's zone and the order.
    pub struct FixDeliveryState { orders: Orders, }
}

impl Decision for FixDelivery {
    type State = FixDeliveryState;
    type Rejection = FixDeliveryRejection;

    fn query(&self, _: &Known<FixDeliveryState>) -> Query {
        Orders::query(self.order)
    }

    fn decide(
        &self,
        known: &Known<FixDeliveryState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, FixDeliveryRejection> {
        let order = stage::open(&known.orders, self.order)?;
        let accepted_on = stage::accepted(order)?;
        stage::unconfirmed(order)?;
        let Self { order, delivery_on } = *self;
        if delivery_on < accepted_on {
            let broken = FixDeliveryRejection::BeforeAcceptance { order, delivery_on, accepted_on };
            return Err(broken);
        }
        let fixed = DeliveryDateFixed { order, delivery_on };
        Ok(vec![NewEvent::on(known.shop.today(at), fixed)])
    }
}

impl Command for FixDelivery {
    const NAME: &'static str = "order.fix_delivery";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;

    use super::*;
    use crate::order::fixtures::{
        accepted, administrator, cancelled, confirmed, fulfilled, order_id, placed, shop,
    };
    use crate::testing::{by, day, given};

    fn fix(delivery_on: &str) -> FixDelivery {
        FixDelivery { order: order_id(), delivery_on: day(delivery_on) }
    }

    #[test]
    fn the_delivery_date_of_an_accepted_order_is_fixed_on_the_day_of_fixing_r64() {
        let events = given(placed([accepted("2026-05-12")])).when(fix("2026-05-12")).events();
        let fixed = DeliveryDateFixed { order: order_id(), delivery_on: day("2026-05-12") };
        assert_eq!(events, [NewEvent::on(day("2026-05-11"), fixed)]);
    }

    #[test]
    fn a_delivery_date_may_be_fixed_anew_until_the_order_is_confirmed() {
        let history = placed([accepted("2026-05-12"), fix("2026-06-01").into()]);
        given(history).when(fix("2026-06-08")).then_types(["order.delivery_date_fixed"]);
    }

    #[test]
    fn a_day_before_acceptance_is_refused() {
        let history = placed([accepted("2026-05-12")]);
        given(history).when(fix("2026-05-11")).then_rejected("delivery_before_acceptance");
    }

    #[test]
    fn a_customer_fixes_nothing_r65() {
        let history = placed([accepted("2026-05-12"), by(Actor::Member(administrator()))]);
        given(history).when(fix("2026-06-01")).then_rejected("staff_only");
    }

    #[test]
    fn a_book_that_is_not_open_delivers_nothing() {
        given([]).when(fix("2026-06-01")).then_rejected("shop_not_open");
    }

    #[test]
    fn an_order_that_was_never_placed_has_no_delivery_date() {
        given(shop([])).when(fix("2026-06-01")).then_rejected("order_unknown");
    }

    #[test]
    fn an_order_that_is_not_accepted_has_no_delivery_date() {
        given(placed([])).when(fix("2026-06-01")).then_rejected("order_not_accepted");
    }

    #[test]
    fn a_cancelled_order_has_no_delivery_date() {
        let history = placed([accepted("2026-05-12"), cancelled()]);
        given(history).when(fix("2026-06-01")).then_rejected("order_cancelled");
    }

    #[test]
    fn a_confirmed_order_keeps_its_delivery_date() {
        let history = placed([accepted("2026-05-12"), fix("2026-06-01").into(), confirmed()]);
        given(history).when(fix("2026-06-08")).then_rejected("order_already_confirmed");
    }

    #[test]
    fn a_fulfilled_order_keeps_its_delivery_date() {
        let history = placed([accepted("2026-05-11"), fulfilled("2026-05-11")]);
        given(history).when(fix("2026-06-08")).then_rejected("order_already_fulfilled");
    }
}
