//! `daicho serve` as a process, and `wrk` as those who call it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::error::BenchError;
use crate::machine;

/// The script that tells wrk what to send.
const SCRIPT: &str = include_str!("load.lua");
/// Threads of wrk: the machine's cores are shared with what is measured.
const THREADS: &str = "2";
pub(super) const BOOK: &str = "shop";

/// The binary, and where its books are.
pub(super) struct Daicho {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    /// URL of their database; none: they are in the folder.
    pub(super) database: Option<String>,
}

impl Daicho {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null());
        match &self.database {
            Some(url) => command.env("DAICHO_DATABASE", url),
            None => command.env("DAICHO_DATA", self.folder.join("books")),
        };
        command
    }

    /// Runs a command to its end; answers with what it printed.
    fn run(&self, arguments: &[&str]) -> Result<String, BenchError> {
        output(&mut self.command(arguments))
    }

    /// Makes an open book, and a key that may do everything.
    pub(super) fn open_book(&self) -> Result<String, BenchError> {
        self.run(&["book", "create", BOOK, "--shop", "software-market"])?;
        let key = ["key", "create", "--name", "load", "--actor", "system:load"];
        let made = self.run(&[&key[..], &["--role", "operator", "--output", "json"]].concat())?;
        let made: Value = serde_json::from_str(&made)?;
        text(&made, "secret").ok_or_else(|| wrong("a key without a secret"))
    }

    /// Serves the books until the answer is dropped or ended.
    pub(super) fn serve(&self, requests_max: usize, queue_ms: u64) -> Result<Serving, BenchError> {
        let config = self.folder.join("serve.toml");
        let limits = format!(
            "[limits]\nrequests_max = {requests_max}\nqueue_ms_max = {queue_ms}\n\
             requests_a_second = 1000000\nburst = 1000000\n"
        );
        std::fs::write(&config, limits)?;
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--output", "json"]);
        command.arg("--config").arg(&config).env("DAICHO_LOG", "warn");
        command.stdout(Stdio::piped()).stderr(File::create(self.folder.join("serve.log"))?);
        let mut child = command.spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let told = serde_json::from_str(&line);
        let address = told.ok().and_then(|told: Value| text(&told, "listening"));
        let address =
            address.ok_or_else(|| wrong("`daicho serve` did not say where it listens"))?;
        Ok(Serving { child, address })
    }
}

/// A service that listens.
pub(super) struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    /// Time of the first answer, for which the book is opened.
    pub(super) fn first_answer(&self, key: &str) -> Result<Duration, BenchError> {
        let asked = Instant::now();
        let mut stream = TcpStream::connect(&self.address)?;
        write!(
            stream,
            "GET /v1/books/{BOOK}/events?limit=1 HTTP/1.1\r\nHost: {}\r\n\
             Authorization: Bearer {key}\r\nConnection: close\r\n\r\n",
            self.address
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200 ") {
            Ok(asked.elapsed())
        } else {
            Err(BenchError::Wrong(format!("the first answer: {answer}")))
        }
    }

    /// Sends it what the script says.
    pub(super) fn load(&self, wrk: &Path, load: &Load<'_>) -> Result<Loaded, BenchError> {
        let mut script = tempfile::NamedTempFile::with_suffix(".lua")?;
        script.write_all(SCRIPT.as_bytes())?;
        let Load { what, key, run, head, connections, seconds, counts } = load;
        let mut command = Command::new(wrk);
        command.args(["-t", THREADS, "-c", &connections.to_string()]);
        command.args(["-d", &format!("{seconds}s"), "--timeout", "30s", "-s"]).arg(script.path());
        command.arg(format!("http://{}/", self.address)).arg("--");
        command.args([*what, &format!("/v1/books/{BOOK}"), *key, *run, &head.max(&1).to_string()]);
        command.args(counts.then_some("count"));
        let said = output(&mut command)?;
        let line = said.lines().find(|line| line.starts_with('{'));
        let line = line.ok_or_else(|| wrong("wrk printed no result"))?;
        let loaded: Loaded = serde_json::from_str(line)?;
        if loaded.requests == 0 || loaded.broken > 0 || (!counts && loaded.refused > 0) {
            return Err(BenchError::Wrong(format!("{what}: {loaded:?}")));
        }
        Ok(loaded)
    }

    /// MiB of memory that it holds, and has held at most; none where the system does not say.
    pub(super) fn memory_mib(&self) -> Option<[u64; 2]> {
        machine::memory_mib(&self.child.id().to_string())
    }

    /// Asks it to end, and waits until it has, in good order.
    pub(super) fn end(mut self) -> Result<(), BenchError> {
        let id = self.child.id().to_string();
        output(Command::new("kill").args([OsStr::new("-TERM"), id.as_ref()]))?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(wrong(&format!("the service ended by {status}")))
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is sent.
pub(super) struct Load<'a> {
    /// `commands` or `pages`.
    pub(super) what: &'a str,
    pub(super) key: &'a str,
    /// A name that no other run has.
    pub(super) run: &'a str,
    /// Pages begin before it.
    pub(super) head: u64,
    pub(super) connections: usize,
    pub(super) seconds: u64,
    /// Whether answers are counted by status; else each must be a good one.
    pub(super) counts: bool,
}

/// What came back, as the script prints it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Loaded {
    pub(super) requests: u64,
    pub(super) seconds: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) longest_us: f64,
    /// Answers that were no good ones.
    refused: u64,
    /// Connections and requests that came to nothing.
    broken: u64,
    /// Where they are counted: answers 201.
    pub(super) made: u64,
    /// 429 and 503.
    pub(super) told_later: u64,
    /// All others.
    pub(super) others: u64,
}

fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

fn output(command: &mut Command) -> Result<String, BenchError> {
    let Output { status, stdout, stderr } = command.output().map_err(|error| {
        BenchError::Child(format!("{}: {error}", command.get_program().display()))
    })?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&stderr);
    Err(BenchError::Child(format!("{}: {status}: {said}", command.get_program().display())))
}

fn wrong(why: &str) -> BenchError {
    BenchError::Child(why.to_owned())
}
