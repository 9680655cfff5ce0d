//! The machine that was measured on, as it describes itself. Linux; elsewhere parts are unknown.

use std::fmt;
use std::fs;
use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};

use crate::error::BenchError;

const UNKNOWN: &str = "unknown";

/// What a figure depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Model of the processor.
    pub processor: String,
    /// Threads that run at once.
    pub cores: usize,
    /// Release of the kernel.
    pub kernel: String,
    /// Type of the file system below the measured books.
    pub file_system: String,
    /// The SQLite that is linked in.
    pub sqlite: String,
    /// Processes that wanted a core in the last minute, on average: above `cores`, others ran too.
    pub load: String,
}

impl Machine {
    /// Asks the system, and SQLite itself.
    ///
    /// # Errors
    /// SQLite did not answer.
    pub async fn describe(folder: &Path) -> Result<Self, BenchError> {
        let sqlite = sqlite().await?;
        Ok(Self {
            processor: processor().unwrap_or_else(|| UNKNOWN.into()),
            cores: cores(),
            kernel: read("/proc/sys/kernel/osrelease"),
            file_system: file_system(folder).unwrap_or_else(|| UNKNOWN.into()),
            sqlite,
            load: first_word(&read("/proc/loadavg")),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, kernel, file_system, sqlite, load } = self;
        write!(
            f,
            "{processor}, {cores} cores, Linux {kernel}, {file_system}, SQLite {sqlite}, \
             load before the run {load}"
        )
    }
}

/// The version of the SQLite that is linked in, as it says itself.
pub(crate) async fn sqlite() -> Result<String, BenchError> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
    let version = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(version)
}

/// Threads that run at once; 1 where the system does not say.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Most memory that this process has held so far, in MiB.
pub(crate) fn peak_memory_mib() -> Option<u64> {
    memory_mib("self").map(|[_, most]| most)
}

/// MiB that a process holds, and has held at most; none where the system does not say.
pub(crate) fn memory_mib(process: &str) -> Option<[u64; 2]> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes / 1_024)
    };
    Some([mib("VmRSS:")?, mib("VmHWM:")?])
}

/// Lets [`peak_memory_mib`] begin anew; where the system refuses, it goes on.
pub(crate) fn reset_peak_memory() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
}

/// The type of the mount whose path is the longest above `folder`.
fn file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let above = mounts.filter(|(path, _)| folder.starts_with(path));
    above.max_by_key(|(path, _)| path.len()).map(|(_, kind)| kind.to_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| UNKNOWN.into(), |text| text.trim().to_owned())
}

fn first_word(text: &str) -> String {
    text.split(' ').next().unwrap_or(UNKNOWN).to_owned()
}
