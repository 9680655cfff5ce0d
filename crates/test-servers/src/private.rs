//! A server of its own for one test, which may stop it, kill it and start it again.

use tempfile::TempDir;

use crate::account::Account;
use crate::cluster::{Cluster, Stop};
use crate::database;
use crate::shared::temporary_folder;
use crate::watchdog::Watchdog;

/// A PostgreSQL server that one test has to itself. It takes a second and a half to make; a test
/// that only needs a database asks [`crate::shared`]. Dropping it, also in a panic, stops it and
/// removes its data, and so does the death of the test's process.
#[derive(Debug)]
pub struct PostgresServer {
    cluster: Cluster,
    _watchdog: Watchdog,
    _folder: TempDir,
}

impl PostgresServer {
    /// Makes a server and starts it; returns when it takes connections.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn private() -> Self {
        Self::with(&[])
    }

    /// The same, with a write-ahead log in files of one MiB, so that a limit on the size of files
    /// meets tables first; see [`PostgresServer::restart_with_files_up_to`].
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn of_small_files() -> Self {
        Self::with(&["--wal-segsize=1"])
    }

    fn with(initdb: &[&str]) -> Self {
        let account = Account::of_servers();
        let folder = temporary_folder("daicho-postgres-");
        let watchdog = Watchdog::of_one_test(folder.path(), account);
        let cluster = Cluster::create(folder.path(), initdb);
        Self { cluster, _watchdog: watchdog, _folder: folder }
    }

    /// How a client reaches `database`; `postgres` is there from the start. Stays the same when the
    /// server is stopped and started again.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.cluster.url(database)
    }

    /// Makes an empty database; answers with its URL.
    pub async fn fresh_database(&self) -> String {
        database::create(&self.cluster).await
    }

    /// Ends the server as a crash would: nothing is written out, and the next start recovers what
    /// was committed from the write-ahead log. Returns when it is gone.
    pub fn stop_immediate(&self) {
        self.cluster.stop(Stop::Immediate);
    }

    /// Starts a server that was stopped; returns when it takes connections.
    pub fn start_again(&self) {
        self.cluster.start();
    }

    /// Cuts every client off; returns when their backends are gone. The server goes on.
    pub async fn terminate_backends(&self) {
        database::terminate_backends(&self.cluster).await;
    }

    /// Stops the server in good order and starts it with its own settings and these, which hold
    /// until the next call.
    pub fn restart_with(&self, settings: &[(&str, &str)]) {
        self.cluster.stop(Stop::Fast);
        self.cluster.configure(settings);
        self.cluster.start();
    }

    /// Stops the server in good order and starts it with its own settings, and no file of it may
    /// grow beyond `kib`: PostgreSQL takes that for a full disk. [`PostgresServer::restart_with`]
    /// gives the space back.
    pub fn restart_with_files_up_to(&self, kib: u32) {
        self.cluster.stop(Stop::Fast);
        self.cluster.configure(&[]);
        self.cluster.start_with_files_up_to(kib);
    }

    /// Stops the server in good order and starts it with TLS under this certificate and key (PEM).
    /// From then on it takes no connection without TLS.
    pub fn restart_with_tls(&self, certificate: &str, key: &str) {
        self.cluster.put("pg_hba.conf", "hostssl all all 127.0.0.1/32 scram-sha-256\n");
        let certificate = self.cluster.put("server.crt", certificate).display().to_string();
        let key = self.cluster.put("server.key", key).display().to_string();
        let files = [("ssl_cert_file", &*certificate), ("ssl_key_file", &*key)];
        self.restart_with(&[("ssl", "on"), files[0], files[1]]);
    }

    /// Stops the server in good order and starts it as a standby: it can be read, and refuses every
    /// write. There is no way back.
    pub fn restart_as_standby(&self) {
        self.cluster.stop(Stop::Fast);
        self.cluster.make_standby();
        self.cluster.start();
    }
}

#[cfg(test)]
mod tests;
