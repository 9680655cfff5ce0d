//! Payments (入金).

use super::{Resource, make};

pub(super) const PAYMENTS: Resource = Resource {
    path: "/payments",
    kind: "payment",
    commands: &[make("billing.record_payment", "/payments")],
};
