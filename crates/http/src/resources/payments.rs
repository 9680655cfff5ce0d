//! Payments (入金).

use super::resource::{Resource, make};

pub(super) const PAYMENTS: Resource = Resource {
    path: "/payments",
    kind: "payment",
    commands: &[make("billing.record_payment", "/payments")],
};
