//! The peers, the limit and ourselves in turn, in one run on the same events with the same
//! durability, each in a process of its own; and what the ratios say of the goals.

mod facts;
mod goals;
mod plan;
mod rebuilt;
mod server;
mod shim;
mod tables;

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child::Child;
use crate::error::BenchError;
use crate::measurement::Measurement;

pub use goals::Goal;
pub use rebuilt::rebuilt;
pub(crate) use server::Server;
pub use server::serve;

use goals::Measured;
use plan::{Job, Who};

/// A lone writer appends this part of the events: it is the slowest.
const LONE_WRITER_DIVISOR: u64 = 5;

/// What to compare.
#[derive(Debug, Clone)]
pub struct Options {
    /// Events of our workloads; a lone caller appends a fifth of them.
    pub events: u64,
    /// Events of the peers' workloads, the first of the same; a lone writer appends a fifth.
    pub peer_events: u64,
    /// Same seed, same events.
    pub seed: u64,
    /// How often all of it is measured.
    pub rounds: u32,
    /// Where everything is made and removed again: on the disk that is to be measured.
    pub folder: PathBuf,
    /// A server that runs already; none: one is started.
    pub database: Option<String>,
    /// Milliseconds by which each sync is slowed.
    pub sync_ms: u32,
    /// Only jobs whose label has one of these in it.
    pub only: Vec<String>,
    /// The program of the benches: a process of it measures each workload of ours.
    pub program: PathBuf,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Report {
    rounds: Vec<Vec<Measured>>,
    /// Jobs that failed, and why.
    pub failed: Vec<(String, String)>,
    slowed: bool,
}

/// Builds the peers and measures everything. Says on standard error what is under way.
///
/// # Errors
/// The peers do not build, a server does not start, or a process of ours fails. A peer that fails
/// is in the report.
pub async fn run(options: &Options) -> Result<Report, BenchError> {
    let jobs = chosen(options)?;
    let peers = peers_program(&jobs)?;
    let events = options.events.max(options.peer_events);
    facts::write(&options.folder.join(FACTS), options.seed, events)?;
    let shim = shim::compile(&options.folder, options.sync_ms)?;
    let mut server = match &options.database {
        Some(url) => Some(Server::at(url)),
        None if jobs.iter().any(|job| job.on_postgres) => {
            let server = Server::start(&options.program, &options.folder, shim.as_deref())?;
            server.check_below(&options.folder).await?;
            Some(server)
        }
        None => None,
    };
    let mut report = Report { rounds: Vec::new(), failed: Vec::new(), slowed: options.sync_ms > 0 };
    for round in 1..=options.rounds.max(1) {
        let mut measured = Vec::new();
        for (number, job) in (1..).zip(&jobs) {
            let label = job.label();
            let of = jobs.len();
            writeln!(std::io::stderr(), "round {round}, {number} of {of}: {label}")?;
            let database = match &mut server {
                Some(server) if job.on_postgres => server.fresh_database().await?,
                _ => String::new(),
            };
            let lines = Run { options, peers: &peers, shim: shim.as_deref() }.job(job, &database);
            match (lines, job.who) {
                (Ok(lines), _) => {
                    measured.extend(lines.into_iter().map(|line| Measured { job: *job, line }));
                }
                (Err(error), Who::Peer(_)) => report.failed.push((label, error.to_string())),
                (Err(error), Who::Ours(_) | Who::Rebuild) => return Err(error),
            }
        }
        report.rounds.push(measured);
    }
    Ok(report)
}

const FACTS: &str = "facts.jsonl";

fn chosen(options: &Options) -> Result<Vec<Job>, BenchError> {
    let mut jobs = plan::jobs(options.sync_ms > 0);
    let only = &options.only;
    jobs.retain(|job| only.is_empty() || only.iter().any(|part| job.label().contains(part)));
    if jobs.is_empty() {
        return Err(BenchError::Child(format!("no job has one of {only:?} in its label")));
    }
    Ok(jobs)
}

/// Builds the peers where a job asks for them; answers with their program.
fn peers_program(jobs: &[Job]) -> Result<PathBuf, BenchError> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let target = package.join("target");
    if jobs.iter().any(|job| matches!(job.who, Who::Peer(_))) {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--release", "--locked", "--manifest-path"]);
        cargo.arg(package.join("Cargo.toml")).arg("--target-dir").arg(&target);
        let built = cargo.status()?;
        if !built.success() {
            return Err(BenchError::Child(
                "the peers do not build (UmaDB needs `protoc`, Debian: protobuf-compiler)".into(),
            ));
        }
    }
    Ok(target.join("release/daicho-bench-peers"))
}

/// One job on its way into a process.
struct Run<'a> {
    options: &'a Options,
    peers: &'a Path,
    shim: Option<&'a Path>,
}

impl Run<'_> {
    /// Measures in a folder of its own, which is gone afterwards.
    fn job(&self, job: &Job, database: &str) -> Result<Vec<Measurement>, BenchError> {
        let folder = self.options.folder.join("job");
        fs::create_dir_all(&folder)?;
        let arguments = match job.who {
            Who::Peer(name) => self.of_peer(name, job, &folder, database),
            Who::Ours(work) => self.of_ours(work, job, &folder, database),
            Who::Rebuild => self.of_rebuild(&folder),
        };
        let program = match job.who {
            Who::Peer(_) => self.peers.to_owned(),
            Who::Ours(_) | Who::Rebuild => self.options.program.clone(),
        };
        let preload = self.shim.map(Path::to_owned);
        let lines = Child { program, arguments, preload }.lines(&folder);
        fs::remove_dir_all(&folder)?;
        lines
    }

    fn of_peer(&self, name: &str, job: &Job, folder: &Path, database: &str) -> Vec<OsString> {
        let events = share(self.options.peer_events, job);
        let mut arguments: Vec<OsString> = vec![name.into(), "--facts".into()];
        arguments.push(self.options.folder.join(FACTS).into());
        arguments.extend(["--folder".into(), folder.join("peer").into()]);
        arguments.extend(named(&[
            ("events", &events.to_string()),
            ("writers", &job.writers.to_string()),
            ("batch", &job.batch.to_string()),
            ("database", database),
        ]));
        arguments.extend(job.checked.then(|| "--checked".into()));
        arguments
    }

    fn of_ours(&self, work: &str, job: &Job, folder: &Path, database: &str) -> Vec<OsString> {
        let events = share(self.options.events, job);
        let mut arguments: Vec<OsString> = vec!["one".into(), work.into()];
        arguments.extend(["--folder".into(), folder.join("ours").into()]);
        arguments.extend(named(&[
            ("events", &events.to_string()),
            ("callers", &job.writers.to_string()),
            ("batch", &job.batch.to_string()),
            ("seed", &self.options.seed.to_string()),
        ]));
        if !database.is_empty() {
            arguments.extend(named(&[("database", database)]));
        }
        arguments
    }

    fn of_rebuild(&self, folder: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["one-rebuild".into()];
        arguments.extend(["--folder".into(), folder.join("ours").into()]);
        let Options { events, seed, .. } = self.options;
        arguments.extend(named(&[("events", &events.to_string()), ("seed", &seed.to_string())]));
        arguments
    }
}

fn named(pairs: &[(&str, &str)]) -> Vec<OsString> {
    let pair = |(name, value): &(&str, &str)| [format!("--{name}").into(), (*value).into()];
    pairs.iter().flat_map(pair).collect()
}

/// Events of a job: a lone writer that appends one at a time gets fewer.
fn share(events: u64, job: &Job) -> u64 {
    let lone = job.writers == 1 && job.batch == 1;
    if lone { (events / LONE_WRITER_DIVISOR).max(1) } else { events.max(1) }
}
