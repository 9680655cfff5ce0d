//! The stages of an order (R64): placed, accepted (注文受付), delivery date fixed (納期確定),
//! confirmed (契約確定), fulfilled; or cancelled. What a command needs of them reads the same here.

use daicho_values::{Date, OrderId};

use crate::state::{Order, Orders};

rejections! {
    /// Why an order is not at the stage that a command needs.
    pub enum StageRejection {
        /// Only what was placed goes on.
        Unknown { order: OrderId } = "order_unknown": "no order {order} in this book: check the id",
        /// A cancelled order goes nowhere.
        Cancelled { order: OrderId } = "order_cancelled":
            "order {order} is cancelled: place another one",
        /// What is delivered is changed by a return only.
        AlreadyFulfilled { order: OrderId } = "order_already_fulfilled":
            "order {order} is fulfilled: take goods back as a return",
        /// The shop takes an order once.
        AlreadyAccepted { order: OrderId } = "order_already_accepted":
            "order {order} is already accepted: go on with its delivery date",
        /// The shop must take an order first.
        NotAccepted { order: OrderId } = "order_not_accepted":
            "order {order} is not accepted yet: accept it first",
        /// The delivery date must stand first.
        DeliveryNotFixed { order: OrderId } = "delivery_not_fixed":
            "order {order} has no delivery date yet: fix it first",
        /// An order becomes binding once.
        AlreadyConfirmed { order: OrderId } = "order_already_confirmed":
            "order {order} is already confirmed: its contracts are changed one by one",
    }
}

/// The order, if it is placed, not cancelled and not fulfilled.
///
/// # Errors
/// The first of these that it is not.
pub(crate) fn open(orders: &Orders, order: OrderId) -> Result<&Order, StageRejection> {
    let known = orders.get(order).ok_or(StageRejection::Unknown { order })?;
    if known.cancelled {
        return Err(StageRejection::Cancelled { order });
    }
    if known.fulfilled_on.is_some() {
        return Err(StageRejection::AlreadyFulfilled { order });
    }
    Ok(known)
}

/// The business day on which the acceptance of an open order counts.
///
/// # Errors
/// It is not accepted yet.
pub(crate) fn accepted(order: &Order) -> Result<Date, StageRejection> {
    order.accepted_on.ok_or(StageRejection::NotAccepted { order: order.placed.order })
}

/// Lets an order through that is not binding yet.
///
/// # Errors
/// It is confirmed.
pub(crate) fn unconfirmed(order: &Order) -> Result<(), StageRejection> {
    if order.confirmed {
        return Err(StageRejection::AlreadyConfirmed { order: order.placed.order });
    }
    Ok(())
}
