//! The HTTP service: it takes commands and answers with lists and events. It holds no rules of its
//! own: all that it does is done by `daicho_app::Ledger`.
//!
//! Every route is an `Endpoint` (`endpoint.rs`): the router, the check of rights and the OpenAPI
//! description are all made from the same value.

mod answer;
mod ask;
mod authorise;
mod books;
mod clients;
mod cloud_event;
mod commands;
mod config;
mod consumers;
mod endpoint;
mod events;
mod health;
mod history;
mod keys;
mod lists;
mod measures;
mod openapi;
mod problem;
mod request;
mod resources;
mod routes;
mod schemas;
mod serve_error;
mod server;
mod service;
mod sign_in;
mod trace;
mod webhooks;

pub use config::{ConfigError, Limits, Nats, Settings, Webhooks};
pub use daicho_sign_in::SignIn;
pub use routes::description;
pub use serve_error::ServeError;
pub use server::serve;
