//! Returns of goods (返品).

use super::{Resource, change, make};

pub(super) const RETURNS: Resource = Resource {
    path: "/returns",
    kind: "return",
    commands: &[
        make("order.take_back", "/returns"),
        make("order.record_return", "/returns/record"),
        change("billing.credit_return", "/returns/{goods_return}/credit"),
    ],
};
