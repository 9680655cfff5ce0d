//! Months of billing (請求月).

use super::resource::{Resource, change};

pub(super) const MONTHS: Resource = Resource {
    path: "/months",
    kind: "month",
    commands: &[change("billing.close_month", "/months/{month}/close")],
};
