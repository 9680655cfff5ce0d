//! A PostgreSQL database for a test, the binary run with it, and PostgreSQL's own client.

use std::process::Command;

use daicho_test_servers::PostgresServer;

use crate::support::{Ran, Shop};

/// A day on which every simulated life of these tests ends, so that two of them are the same.
pub(crate) const UNTIL: &str = "2026-01-01T00:00:00Z";
const LIFE_EVENTS: &str = "500";

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// An empty database, and a folder for what does not stand in it.
pub(crate) struct Market {
    pub(crate) url: String,
    pub(crate) shop: Shop,
}

impl Market {
    pub(crate) fn new() -> Self {
        Self::at(block_on(daicho_test_servers::shared().fresh_database()))
    }

    /// A database on a server of its own.
    pub(crate) fn on(server: &PostgresServer) -> Self {
        Self::at(block_on(server.fresh_database()))
    }

    fn at(url: String) -> Self {
        Self { url, shop: Shop::without_books() }
    }

    /// In the database.
    pub(crate) fn daicho(&self, args: &[&str]) -> Ran {
        let ran: Ran = self.command(args).output().unwrap().into();
        self.keeps_the_password(ran)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.shop.command(args);
        command.env("DAICHO_DATABASE", &self.url);
        command
    }

    #[track_caller]
    pub(crate) fn keeps_the_password(&self, ran: Ran) -> Ran {
        let secret = self.url.split([':', '@']).nth(2).unwrap();
        assert!(secret.len() > 8, "the server of the tests asks for a password");
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "a password is shown");
        ran
    }

    pub(crate) fn simulated(&self, book: &str) -> Ran {
        let life = ["simulate", "--events", LIFE_EVENTS, "--seed", "7", "--until", UNTIL];
        self.daicho(&[&life, ["--book", book].as_slice()].concat())
    }
}

/// The last line of a verification: `N:ROOT`.
pub(crate) fn checkpoint(ran: &Ran) -> String {
    ran.out.lines().last().unwrap().to_owned()
}

/// Runs a statement with PostgreSQL's own client.
pub(crate) fn psql(url: &str, statement: &str) -> Ran {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command", statement, url]);
    command.output().unwrap().into()
}
