//! Accepts an order (注文受付, R64): its business day follows from the cut-off (R55).

use daicho_events::access::Role;
use daicho_events::order::OrderAccepted;
use daicho_events::{NewEvent, Query};
use daicho_values::OrderId;
use daicho_values::calendar::CalendarError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stage::{self, StageRejection};
use crate::frame::Known;
use crate::state::Orders;
use crate::{By, Command, Decision, Moment};

/// Accepts an order. Its business day follows from when the customer placed it, not from when
/// staff accepted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptOrder {
    /// The order.
    pub order: OrderId,
}

rejections! {
    /// Why an order is not accepted.
    pub enum AcceptOrderRejection {
        shared {
            /// The order is at another stage.
            Stage(StageRejection),
            /// The calendar does not cover the day.
            Calendar(CalendarError),
        }
    }
}

known! {
    /// The shop's calendar and the order.
    pub struct AcceptOrderState { orders: Orders, }
}

impl Decision for AcceptOrder {
    type State = AcceptOrderState;
    type Rejection = AcceptOrderRejection;

    fn query(&self, _: &Known<AcceptOrderState>) -> Query {
        Orders::query(self.order)
    }

    fn decide(
        &self,
        known: &Known<AcceptOrderState>,
        _: &Moment,
    ) -> Result<Vec<NewEvent>, AcceptOrderRejection> {
        let order = stage::open(&known.orders, self.order)?;
        if order.accepted_on.is_some() {
            return Err(StageRejection::AlreadyAccepted { order: self.order }.into());
        }
        let accepted_on = known.shop.accepted_on(order.placed_at)?;
        Ok(vec![NewEvent::on(accepted_on, OrderAccepted { order: self.order, accepted_on })])
    }
}

impl Command for AcceptOrder {
    const NAME: &'static str = "order.accept";
    const BY: By<Self> = By::Staff;
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
}

#[cfg(test)]
mod tests {
    use daicho_events::Actor;
    use daicho_values::Sample;
    use daicho_values::calendar::ClosedDays;

    use super::*;
    use crate::order::fixtures::{
        TEA, administrator, cancelled, fulfilled, order_id, order_placed, placed, shop, wanted,
    };
    use crate::shop::{ReviseCalendar, SetCutoff};
    use crate::testing::{at, by, day, event, given};

    fn accept() -> AcceptOrder {
        AcceptOrder { order: order_id() }
    }

    #[track_caller]
    fn counts_as(placed_at: &str, expected: &str) {
        let order = event(order_placed(&[wanted(TEA, None, 1)]));
        let history = shop([at(placed_at), order, at("2026-05-20T09:00")]);
        let accepted_on = day(expected);
        let events = given(history).when(accept()).events();
        let expected = OrderAccepted { order: order_id(), accepted_on };
        assert_eq!(events, [NewEvent::on(accepted_on, expected)], "placed at {placed_at}");
    }

    #[test]
    fn an_order_placed_before_the_cut_off_counts_as_that_day_whenever_staff_take_it_r55() {
        counts_as("2026-05-11T12:59", "2026-05-11");
    }

    #[test]
    fn an_order_placed_at_the_cut_off_counts_as_the_next_business_day_r55() {
        counts_as("2026-05-11T13:00", "2026-05-12");
        counts_as("2026-05-08T13:00", "2026-05-11");
    }

    #[test]
    fn an_order_placed_on_a_closed_day_counts_as_the_next_business_day_r55() {
        counts_as("2026-05-09T09:00", "2026-05-11");
    }

    #[test]
    fn an_order_counts_by_the_cut_off_of_the_day_on_which_it_was_placed_r55() {
        let order = event(order_placed(&[wanted(TEA, None, 1)]));
        let cutoff = SetCutoff { cutoff: "15:00".parse().unwrap() };
        let placed = [at("2026-05-11T14:00"), order];
        let changed = [at("2026-05-12T09:00"), cutoff.into()];
        let events = given(shop(placed.into_iter().chain(changed))).when(accept()).events();
        assert_eq!(events[0].effective_on, day("2026-05-12"), "the cut-off was 13:00 that day");
    }

    #[test]
    fn an_order_counts_by_the_calendar_of_the_day_on_which_it_was_placed_r55() {
        let order = event(order_placed(&[wanted(TEA, None, 1)]));
        let closing = ReviseCalendar {
            closed_days: ClosedDays::Bank,
            extra_closed: [day("2026-05-11")].into(),
            source: Sample::sample(),
        };
        let placed = [at("2026-05-11T09:00"), order];
        let changed = [at("2026-05-12T09:00"), closing.into()];
        let events = given(shop(placed.into_iter().chain(changed))).when(accept()).events();
        assert_eq!(events[0].effective_on, day("2026-05-11"), "the shop was open that day");
    }

    #[test]
    fn a_customer_accepts_nothing_r65() {
        let actor = by(Actor::Member(administrator()));
        given(placed([actor])).when(accept()).then_rejected("staff_only");
    }

    #[test]
    fn a_book_that_is_not_open_accepts_nothing() {
        given([]).when(accept()).then_rejected("shop_not_open");
    }

    #[test]
    fn an_order_that_was_never_placed_is_not_accepted() {
        given(shop([])).when(accept()).then_rejected("order_unknown");
    }

    #[test]
    fn a_cancelled_order_is_not_accepted() {
        given(placed([cancelled()])).when(accept()).then_rejected("order_cancelled");
    }

    #[test]
    fn a_fulfilled_order_is_not_accepted() {
        let history = placed([fulfilled("2026-05-11")]);
        given(history).when(accept()).then_rejected("order_already_fulfilled");
    }

    #[test]
    fn an_order_is_accepted_once() {
        given(placed([accept().into()])).when(accept()).then_rejected("order_already_accepted");
    }

    #[test]
    fn a_year_without_a_calendar_is_named() {
        let order = event(order_placed(&[wanted(TEA, None, 1)]));
        let history = shop([at("2100-01-04T09:00"), order]);
        given(history).when(accept()).then_rejected("year_out_of_range");
    }
}
