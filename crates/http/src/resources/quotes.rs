//! Quotes (見積).

use super::resource::{Resource, change, make};

pub(super) const QUOTES: Resource = Resource {
    path: "/quotes",
    kind: "quote",
    commands: &[
        make("quote.issue", "/quotes"),
        change("quote.withdraw", "/quotes/{quote}/withdraw"),
    ],
};
