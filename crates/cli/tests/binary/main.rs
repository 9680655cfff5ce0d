//! The real binary, run as a user runs it: arguments, input and files in; texts and exit code out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod database;
mod errors;
mod faults;
mod help;
mod journey;
mod pipes;
mod support;
