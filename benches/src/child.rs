//! Processes that measure, ours and the peers': started one after the other, each alone.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::error::BenchError;

/// How long one process may measure before it is given up.
const CHILD_MAX: Duration = Duration::from_secs(1_800);
/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Characters of an error that are repeated.
const ERROR_CHARS: usize = 400;

/// How to start a process that measures.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// What is loaded before its C library.
    pub(crate) preload: Option<PathBuf>,
}

impl Child {
    /// Runs it to its end; answers with the lines that it printed, decoded. What it says goes to a
    /// file in `folder`.
    ///
    /// # Errors
    /// It failed or took too long: with the end of what it said.
    pub(crate) fn lines<T: DeserializeOwned>(&self, folder: &Path) -> Result<Vec<T>, BenchError> {
        let (out, err) = (folder.join("out"), folder.join("err"));
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null());
        command.stdout(File::create(&out)?).stderr(File::create(&err)?);
        if let Some(shim) = &self.preload {
            command.env("LD_PRELOAD", shim);
        }
        let (mut child, started) = (command.spawn()?, Instant::now());
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Ok(status);
            }
            if started.elapsed() > CHILD_MAX {
                child.kill()?;
                child.wait()?;
                break Err(format!("given up after {} s", CHILD_MAX.as_secs()));
            }
            std::thread::sleep(LOOK);
        };
        let said = std::fs::read_to_string(&err).unwrap_or_default();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(BenchError::Child(format!("{status}: {}", short(&said)))),
            Err(why) => return Err(BenchError::Child(why)),
        }
        let text = std::fs::read_to_string(&out)?;
        let decode = |line| serde_json::from_str(line);
        // UmaDB's server talks on standard output, too.
        let objects = text.lines().filter(|line| line.starts_with('{'));
        let lines: Result<Vec<T>, serde_json::Error> = objects.map(decode).collect();
        lines.map_err(|error| BenchError::Child(format!("it printed no JSON line: {error}")))
    }
}

fn short(said: &str) -> String {
    let flat = said.trim().replace('\n', " ");
    flat.chars().take(ERROR_CHARS).collect()
}
