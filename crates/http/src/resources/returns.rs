//! Returns of goods (返品).

use super::resource::{Resource, change, make};

pub(super) const RETURNS: Resource = Resource {
    path: "/returns",
    kind: "return",
    commands: &[
        make("return.accept", "/returns"),
        make("return.import", "/returns/record"),
        change("billing.credit_return", "/returns/{goods_return}/credit"),
    ],
};
