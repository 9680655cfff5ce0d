//! Invoices (請求書).

use super::resource::{Resource, make};

pub(super) const INVOICES: Resource = Resource {
    path: "/invoices",
    kind: "invoice",
    commands: &[make("billing.issue_invoice", "/invoices")],
};
