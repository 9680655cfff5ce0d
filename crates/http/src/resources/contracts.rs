//! Contracts (契約).

use super::resource::{Resource, change};

pub(super) const CONTRACTS: Resource = Resource {
    path: "/contracts",
    kind: "contract",
    commands: &[
        change("contract.activate", "/contracts/{contract}/activate"),
        change("contract.add_licences", "/contracts/{contract}/add-licences"),
        change("contract.reduce_licences", "/contracts/{contract}/reduce-licences"),
        change("contract.cancel", "/contracts/{contract}/cancel"),
    ],
};
