//! All endpoints, and their description.

use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::{
    commands, consumers, events, health, history, keys, lists, openapi, resources, schemas,
    sign_in, webhooks,
};

/// Every endpoint of the service.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let commands = resources::RESOURCES.iter().flat_map(commands::endpoints);
    commands
        .chain(lists::endpoints())
        .chain(history::endpoints())
        .chain(events::endpoints())
        .chain(keys::endpoints())
        .chain(consumers::endpoints())
        .chain(webhooks::endpoints())
        .chain(sign_in::endpoints())
        .chain(schemas::endpoints())
        .chain(openapi::endpoints(description))
        .chain(health::endpoints())
        .collect()
}

/// The description of every endpoint, OpenAPI 3.1.
#[must_use]
pub fn description() -> Value {
    openapi::description(&endpoints())
}
