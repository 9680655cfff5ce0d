//! Orders (注文).

use super::resource::{Resource, change, make};

pub(super) const ORDERS: Resource = Resource {
    path: "/orders",
    kind: "order",
    commands: &[
        make("order.place", "/orders"),
        make("order.record_sale", "/orders/record-sale"),
        change("order.accept", "/orders/{order}/accept"),
        change("order.fix_delivery", "/orders/{order}/fix-delivery"),
        change("order.confirm", "/orders/{order}/confirm"),
        change("order.fulfil", "/orders/{order}/fulfil"),
        change("order.cancel", "/orders/{order}/cancel"),
        change("billing.invoice_order", "/orders/{order}/invoice"),
    ],
};
