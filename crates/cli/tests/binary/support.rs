//! A data folder of its own for each test, and the binary run in it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The main road of a shop, as JSON Lines: from the opening of the book to a confirmed order.
pub(crate) const MAIN_ROAD: &str = include_str!("../data/main_road.jsonl");
pub(crate) const ORGANISATION: &str = "01J0000000000000000000000A";
pub(crate) const MEMBER: &str = "01J0000000000000000000000B";
pub(crate) const QUOTE: &str = "01J0000000000000000000000C";
pub(crate) const ORDER: &str = "01J0000000000000000000000D";
/// Events that the main road leads to.
pub(crate) const ROAD_EVENTS: u64 = 21;

/// Far more than anything that is waited for takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run of the binary came to.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.out.contains(text), "`{text}` is not in: {}", self.out);
    }

    #[track_caller]
    pub(crate) fn complains(&self, text: &str) {
        assert!(self.err.contains(text), "`{text}` is not in: {}", self.err);
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            exit: output.status.code().expect("the process ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A folder of books.
pub(crate) struct Shop {
    folder: TempDir,
}

impl Shop {
    /// Without any book.
    pub(crate) fn without_books() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// With an empty book `shop`.
    pub(crate) fn empty() -> Self {
        let shop = Self::without_books();
        shop.daicho(&["book", "create", "shop"]).exits(0);
        shop
    }

    /// With a book `shop` that went the main road.
    pub(crate) fn after_the_main_road() -> Self {
        let shop = Self::empty();
        shop.run(MAIN_ROAD.as_bytes()).exits(0);
        shop
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        command.env("DAICHO_DATA", self.path("books"));
        command
    }

    pub(crate) fn daicho(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// `daicho run -` with this input.
    pub(crate) fn run(&self, input: &[u8]) -> Ran {
        feed(self.command(&["run", "-"]), input)
    }
}

/// Runs a command with this input.
pub(crate) fn feed(mut command: Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let ran = child.wait_with_output().unwrap().into();
    writer.join().unwrap().unwrap();
    ran
}

/// The binary with nothing of the surroundings that changes what it says.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daicho"));
    for variable in ["DAICHO_DATA", "DAICHO_DATABASE", "DAICHO_BOOK", "DAICHO_LOG", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// Waits until it is so.
#[track_caller]
pub(crate) fn within(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Flips one byte of a file, wherever `needle` stands: a database keeps copies in free space.
pub(crate) fn flip_where(path: &Path, needle: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let found = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(needle));
    let places: Vec<usize> = (0..bytes.len()).filter(found).collect();
    assert!(!places.is_empty(), "it is there");
    places.iter().for_each(|at| bytes[*at] ^= 1);
    std::fs::write(path, bytes).unwrap();
}
