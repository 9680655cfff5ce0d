//! Organisations (企業) that buy.

use super::resource::{Resource, make};

pub(super) const ORGANISATIONS: Resource = Resource {
    path: "/organisations",
    kind: "organisation",
    commands: &[make("organisation.register", "/organisations")],
};
