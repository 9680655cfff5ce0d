//! A NATS server with JetStream that one test has for itself: stopped, started again, wiped.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ports::free_port;

/// The environment variable that names the program; it counts before any other place.
const PROGRAM_VARIABLE: &str = "DAICHO_NATS_SERVER";
const PROGRAM: &str = "nats-server";
/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);
/// Ends the server when the test that holds the other end of the pipe is gone, however it went.
const GUARD: &str = r#""$@" >/dev/null 2>&1 & server=$!; cat >/dev/null; kill -9 $server"#;

/// A NATS server with JetStream.
pub struct NatsServer {
    folder: TempDir,
    port: u16,
    guard: Option<Child>,
}

impl NatsServer {
    /// Starts one with an empty store.
    ///
    /// # Panics
    /// When there is no program, or it does not listen in time.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("the test's NATS: a folder can be made");
        let mut server = Self { folder, port: free_port(), guard: None };
        server.start_again();
        server
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it.
    pub fn stop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            // A guard that cannot be waited for is gone already.
            let _ = guard.wait();
        }
    }

    /// Takes away everything that it has stored; it must be stopped.
    ///
    /// # Panics
    /// When it runs, or the folder cannot be emptied.
    pub fn wipe(&mut self) {
        assert!(self.guard.is_none(), "the test's NATS: it runs");
        self.folder = tempfile::tempdir().expect("the test's NATS: a folder can be made");
    }

    /// Starts it on the same port, with what it has stored.
    ///
    /// # Panics
    /// When there is no program, or it does not listen in time.
    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "nats"])
            .arg(program())
            .args(["--jetstream", "--addr", "127.0.0.1", "--port", &port, "--store_dir"])
            .arg(self.folder.path())
            .stdin(Stdio::piped())
            .spawn();
        self.guard = Some(guard.expect("the test's NATS: a shell can be started"));
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(since.elapsed() < PATIENCE, "the test's NATS does not listen on {port}");
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn program() -> PathBuf {
    if let Some(named) = std::env::var_os(PROGRAM_VARIABLE) {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where not every user looks.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = folders.map(|folder| folder.join(PROGRAM)).find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "this test needs a NATS server, and none is on the PATH: install it (Debian: \
             {PROGRAM}), or name the program in {PROGRAM_VARIABLE}"
        )
    })
}
