//! The shop itself: its settings, calendar and tax rates.

use super::resource::{Resource, change};

pub(super) const SHOP: Resource = Resource {
    path: "/shop",
    kind: "shop",
    commands: &[
        change("shop.open_book", "/shop"),
        change("shop.revise_calendar", "/shop/revise-calendar"),
        change("shop.revise_tax_rates", "/shop/revise-tax-rates"),
        change("shop.set_cutoff", "/shop/set-cutoff"),
    ],
};
