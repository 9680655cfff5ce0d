//! Cancels an order. Until when that is allowed depends on its products and on who asks (R65, R66).

use daicho_events::access::Role;
use daicho_events::order::OrderCancelled;
use daicho_events::product::CancellationPolicy;
use daicho_events::{Actor, NewEvent, Query};
use daicho_values::{Date, OrderId, ProductCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stage::StageRejection;
use crate::frame::Known;
use crate::reason::{self, ReasonRejection};
use crate::state::{Catalogue, Order, Orders};
use crate::{By, Command, Decision, Moment};

/// Cancels an order. The strictest of its products' rules as they are now holds; customers cancel
/// until the shop has accepted the order, staff until that rule's limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// The order.
    pub order: OrderId,
    /// Why, at most 1,000 characters.
    pub reason: String,
}

rejections! {
    /// Why an order is not cancelled.
    pub enum CancelOrderRejection {
        /// An order is cancelled once.
        AlreadyCancelled { order: OrderId } = "already_cancelled":
            "order {order} is already cancelled: nothing is left to do",
        /// Some products cannot be cancelled once ordered (R66).
        NotAllowed { order: OrderId, product: ProductCode } = "cancellation_not_allowed":
            "order {order} holds `{product}`, which cannot be cancelled once ordered: once it is \
             delivered, goods can be taken back as a return",
        /// The limit of the strictest rule has passed (R66).
        TooLate { order: OrderId, limit: &'static str } = "too_late_to_cancel":
            "order {order} can no longer be cancelled ({limit} was the limit): record a return, or \
             end its contracts one by one",
        /// After acceptance only staff cancel (R65).
        ThroughStaff { order: OrderId } = "cancellation_through_staff":
            "order {order} is accepted: ask the shop's staff to cancel it",
        shared {
            /// No such order.
            Stage(StageRejection),
            /// The reason is empty or too long.
            Reason(ReasonRejection),
        }
    }
}

known! {
    /// The order, its products' rules now, and who acts for its organisation.
    pub struct CancelOrderState { orders: Orders, catalogue: Catalogue, }
}

impl Decision for CancelOrder {
    type State = CancelOrderState;
    type Rejection = CancelOrderRejection;

    fn query(&self, known: &Known<CancelOrderState>) -> Query {
        let query = Orders::query(self.order);
        let Some(order) = known.orders.get(self.order) else { return query };
        let products = order.placed.lines.iter().map(|line| &line.product);
        query.or(Catalogue::query(products))
    }

    fn decide(
        &self,
        known: &Known<CancelOrderState>,
        at: &Moment,
    ) -> Result<Vec<NewEvent>, CancelOrderRejection> {
        let unknown = StageRejection::Unknown { order: self.order };
        let order = known.orders.get(self.order).ok_or(unknown)?;
        if order.cancelled {
            return Err(CancelOrderRejection::AlreadyCancelled { order: self.order });
        }
        let today = known.shop.today(at);
        check_policy(order, &known.catalogue, today)?;
        if matches!(at.actor, Actor::Member(_)) && order.accepted_on.is_some() {
            return Err(CancelOrderRejection::ThroughStaff { order: self.order });
        }
        reason::check(&self.reason)?;
        let cancelled = OrderCancelled { order: self.order, reason: self.reason.clone() };
        Ok(vec![NewEvent::on(today, cancelled)])
    }
}

/// Checks that the strictest of today's rules of the order's products still allows cancelling it.
fn check_policy(
    known: &Order,
    catalogue: &Catalogue,
    today: Date,
) -> Result<(), CancelOrderRejection> {
    let order = known.placed.order;
    let policies = known.placed.lines.iter().filter_map(|line| {
        let product = catalogue.get(&line.product)?;
        Some((product.rules_on(today).cancellation, &line.product))
    });
    // The policies are declared from the most lenient to the strictest.
    let strictest = policies.max_by_key(|(policy, _)| *policy);
    let (passed, limit) = match strictest {
        Some((CancellationPolicy::NotAllowed, product)) => {
            return Err(CancelOrderRejection::NotAllowed { order, product: product.clone() });
        }
        Some((CancellationPolicy::UntilDeliveryFixed, _)) => {
            (known.delivery_on.is_some() || known.confirmed, "the fixing of its delivery date")
        }
        Some((CancellationPolicy::UntilConfirmed, _)) | None => {
            (known.confirmed, "its confirmation")
        }
    };
    if known.fulfilled_on.is_some() {
        return Err(CancelOrderRejection::TooLate { order, limit: "its delivery" });
    }
    if passed { Err(CancelOrderRejection::TooLate { order, limit }) } else { Ok(()) }
}

impl Command for CancelOrder {
    const NAME: &'static str = "order.cancel";
    const BY: By<Self> = By::Administrator(|command, known: &Known<CancelOrderState>| {
        known.orders.owner(command.order)
    });
    const ROLES: &'static [Role] = &[Role::Fulfilment, Role::Integration];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::fixtures::{
        CUSTOM, MAIL, TEA, accepted, administrator, applicant, confirmed, delivery_fixed,
        fulfilled, general_user, order_id, order_placed, placed, rules, shop, stranger, wanted,
    };
    use crate::pricing::WantedLine;
    use crate::testing::{Step, by, event, given};

    fn cancel() -> CancelOrder {
        CancelOrder { order: order_id(), reason: "ordered twice".to_owned() }
    }

    fn order_of<const N: usize>(
        lines: [WantedLine; N],
        more: impl IntoIterator<Item = Step>,
    ) -> Vec<Step> {
        shop([event(order_placed(&lines))].into_iter().chain(more))
    }

    fn mail() -> WantedLine {
        wanted(MAIL, Some("monthly"), 1)
    }

    #[test]
    fn a_customer_cancels_an_order_that_is_not_accepted_r66() {
        let cancelled = OrderCancelled { order: order_id(), reason: "ordered twice".to_owned() };
        let actor = by(Actor::Member(administrator()));
        given(placed([actor])).when(cancel()).then([cancelled.into()]);
    }

    #[test]
    fn who_may_not_order_may_not_cancel_r36() {
        for (member, code) in
            [(general_user(), "role_may_not_order"), (applicant(), "member_not_registered")]
        {
            let actor = by(Actor::Member(member));
            given(placed([actor])).when(cancel()).then_rejected(code);
        }
    }

    #[test]
    fn after_acceptance_a_customer_asks_the_staff_r65() {
        let history = placed([accepted("2026-05-11"), by(Actor::Member(administrator()))]);
        given(history).when(cancel()).then_rejected("cancellation_through_staff");
    }

    #[test]
    fn after_acceptance_staff_cancel_r65() {
        let history = placed([accepted("2026-05-11"), delivery_fixed("2026-05-20")]);
        given(history).when(cancel()).then_types(["order.cancelled"]);
    }

    #[test]
    fn a_product_cancelled_until_confirmed_is_not_cancelled_after_r66() {
        let history = order_of([wanted(TEA, None, 1)], [accepted("2026-05-11"), confirmed()]);
        given(history).when(cancel()).then_rejected("too_late_to_cancel");
    }

    #[test]
    fn the_strictest_rule_of_the_order_holds_r66() {
        let fixed = || [accepted("2026-05-11"), delivery_fixed("2026-05-20")];
        let lenient = order_of([wanted(TEA, None, 1)], fixed());
        given(lenient).when(cancel()).then_types(["order.cancelled"]);
        let stricter = order_of([wanted(TEA, None, 1), mail()], fixed());
        given(stricter).when(cancel()).then_rejected("too_late_to_cancel");
    }

    #[test]
    fn a_product_that_cannot_be_cancelled_keeps_the_whole_order_r66() {
        let history = order_of([wanted(CUSTOM, None, 1), mail()], []);
        given(history).when(cancel()).then_rejected("cancellation_not_allowed");
    }

    #[test]
    fn the_rules_count_as_they_are_now_r66() {
        let loosened = event(rules(CUSTOM, |_| {}));
        let history = order_of([wanted(CUSTOM, None, 1)], [loosened]);
        given(history).when(cancel()).then_types(["order.cancelled"]);
    }

    #[test]
    fn a_delivered_order_is_not_cancelled() {
        let history = placed([accepted("2026-05-11"), fulfilled("2026-05-11")]);
        given(history).when(cancel()).then_rejected("too_late_to_cancel");
    }

    #[test]
    fn an_order_is_cancelled_once() {
        given(placed([cancel().into()])).when(cancel()).then_rejected("already_cancelled");
    }

    #[test]
    fn a_member_of_another_organisation_cancels_nothing() {
        let actor = by(Actor::Member(stranger()));
        given(placed([actor])).when(cancel()).then_rejected("not_of_the_organisation");
    }

    #[test]
    fn a_book_that_is_not_open_cancels_nothing() {
        given([]).when(cancel()).then_rejected("shop_not_open");
    }

    #[test]
    fn an_order_that_was_never_placed_is_not_cancelled() {
        given(shop([])).when(cancel()).then_rejected("order_unknown");
    }

    #[test]
    fn an_order_is_cancelled_with_a_reason() {
        let silent = CancelOrder { reason: " ".to_owned(), ..cancel() };
        given(placed([])).when(silent).then_rejected("reason_missing");
    }
}
