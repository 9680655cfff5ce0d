//! The real binary, run as a user runs it: arguments, input and files in; texts and exit code out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod collector;
mod connect;
mod consumers;
mod database;
mod errors;
mod faults;
mod follow;
mod ground;
mod help;
mod journey;
mod market;
mod pipes;
mod rebuild;
mod support;
mod tls;
