//! Real database servers for tests, started by the tests themselves and gone after them.
//!
//! [`shared`] is one PostgreSQL for all test processes of one run, with an empty database for each
//! test that asks; [`PostgresServer::private`] is one that a single test may stop, kill and start
//! again. Neither touches a server that runs on the machine already. A machine without PostgreSQL
//! fails the test and says what to install: no test is skipped.
//!
//! [`NatsServer`] is a message broker that one test has for itself.
//!
//! [`free_port`] is for a server that a test starts itself.
//!
//! [`npm_packages`] and [`python_packages`] install what others wrote and a test runs.
//!
//! [`faults`] says how much the tests with faults do.
//!
//! Everything here panics where it cannot do its work, since nobody but a failing test could
//! answer. What waits (starting, stopping) blocks its thread.
//!
//! ```no_run
//! # async fn example() {
//! let url = daicho_test_servers::shared().fresh_database().await;
//! assert!(url.starts_with("postgres://"));
//! # }
//! ```

mod account;
mod binaries;
mod cluster;
mod database;
pub mod faults;
mod nats;
mod packages;
mod ports;
mod private;
mod random;
mod shared;
#[cfg(test)]
mod testing;
mod watchdog;

pub use binaries::folder as programs_folder;
pub use nats::NatsServer;
pub use packages::{npm_packages, python_packages};
pub use ports::free_port;
pub use private::PostgresServer;
pub use shared::{SharedPostgres, shared};

/// The value. A test that did not get what it needs ends here.
#[track_caller]
pub(crate) fn need<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("the test's PostgreSQL: cannot {what}: {error}"))
}
