//! People sign in with a real provider, the npm package `oidc-provider`, and do their work.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod browser;
mod endings;
mod house;
mod outages;
mod provider;
mod refused;
mod roles;
mod secrets;
mod strange;
#[path = "../service/support.rs"]
#[allow(dead_code, reason = "the other tests of the service use the rest")]
mod support;
mod whole_way;
