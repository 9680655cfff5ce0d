//! The service under load: commands in and pages of events out by `wrk` over many connections,
//! beside the same work in process; then more at once than it takes.

mod in_process;
mod served;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::compare::Server;
use crate::error::BenchError;
use crate::measure::Rate;
use crate::report::{Table, duration, ratio};

use in_process::{Done, Inside};
use served::{Daicho, Load, Loaded, Serving};

/// Requests at once where the service is to take all that come.
const REQUESTS_MAX: usize = 4_096;
/// Milliseconds for which others wait for their turn there: the service's own default.
const QUEUE_MS: u64 = 1_000;
/// Requests at once, that time, and connections, where it is asked for more than it takes.
const FEW_REQUESTS: usize = 32;
const SHORT_QUEUE_MS: u64 = 50;
const TOO_MANY_CONNECTIONS: usize = 1_024;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections, and callers in process.
    pub connections: usize,
    /// How long each workload runs.
    pub seconds: u64,
    /// On the disk to measure.
    pub folder: PathBuf,
    /// The binary that serves.
    pub daicho: PathBuf,
    /// The tool that calls.
    pub wrk: PathBuf,
    /// Our own binary, which holds the PostgreSQL server.
    pub program: PathBuf,
}

/// Callers of one kind on one database.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The database.
    pub storage: &'static str,
    /// `commands` or `pages`.
    pub work: &'static str,
    /// In process.
    pub inside: Rate,
    /// In process, 99 of 100.
    pub inside_p99: Duration,
    /// Over HTTP.
    pub served: Rate,
    /// Over HTTP: the one in the middle, 99 of 100, the longest.
    pub latencies: [Duration; 3],
}

/// More at once than the service takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Overload {
    /// The database.
    pub storage: &'static str,
    /// Commands answered with 201; the record grew by no fewer events.
    pub made: Rate,
    /// 429 or 503.
    pub told_later: u64,
    /// The longest answer.
    pub longest: Duration,
    /// MiB of the service before, and at most until its end.
    pub memory_mib: Option<[u64; 2]>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The database, the events of the book there, and how long a service takes to its first
    /// answer, for which it opens the book.
    pub first_answers: Vec<(&'static str, u64, Duration)>,
    /// Loads that are taken.
    pub lines: Vec<Line>,
    /// Loads that are not.
    pub overloads: Vec<Overload>,
}

/// Measures on both databases.
///
/// # Errors
/// Anything that fails, an answer that is no good one, or a record that grew by less than was
/// acknowledged.
pub async fn run(options: &Options) -> Result<Report, BenchError> {
    let mut report = Report { first_answers: Vec::new(), lines: Vec::new(), overloads: Vec::new() };
    measure("SQLite", None, options, &mut report).await?;
    let mut server = Server::start(&options.program, &options.folder, None)?;
    let url = server.fresh_database().await?;
    measure("PostgreSQL", Some(url), options, &mut report).await?;
    Ok(report)
}

async fn measure(
    storage: &'static str,
    database: Option<String>,
    options: &Options,
    report: &mut Report,
) -> Result<(), BenchError> {
    let folder = options.folder.join(storage);
    std::fs::create_dir_all(&folder)?;
    let daicho = Daicho { program: options.daicho.clone(), folder, database };
    let key = daicho.open_book()?;
    let (callers, seconds) = (options.connections, options.seconds);

    let Inside { commands, pages } = in_process::run(&daicho, callers, seconds).await?;
    let head = in_process::head(&daicho).await?;

    let serving = daicho.serve(REQUESTS_MAX, QUEUE_MS)?;
    report.first_answers.push((storage, head, serving.first_answer(&key)?));
    let load = |what, counts| Load {
        what,
        key: &key,
        run: if counts { "counted" } else { "served" },
        head,
        connections: if counts { TOO_MANY_CONNECTIONS } else { callers },
        seconds,
        counts,
    };
    let served = serving.load(&options.wrk, &load("commands", false))?;
    report.lines.push(line(storage, "commands", &commands, served));
    let served = serving.load(&options.wrk, &load("pages", false))?;
    report.lines.push(line(storage, "pages of 100 events", &pages, served));
    serving.end()?;

    let serving = daicho.serve(FEW_REQUESTS, SHORT_QUEUE_MS)?;
    serving.first_answer(&key)?;
    let load = load("commands", true);
    let overload = overload(storage, &daicho, serving, &options.wrk, &load).await?;
    report.overloads.push(overload);
    Ok(())
}

fn line(storage: &'static str, work: &'static str, inside: &Done, served: Loaded) -> Line {
    let Loaded { requests, seconds, p50_us, p99_us, longest_us, .. } = served;
    let us = |us: f64| Duration::from_secs_f64(us / 1e6);
    Line {
        storage,
        work,
        inside: inside.rate,
        inside_p99: inside.latencies.percentile(99),
        served: Rate { events: requests, took: Duration::from_secs_f64(seconds) },
        latencies: [us(p50_us), us(p99_us), us(longest_us)],
    }
}

/// Calls with more connections than the service takes requests: each is answered, by 201 or by
/// when to come again, and the record grows by no less than was acknowledged.
async fn overload(
    storage: &'static str,
    daicho: &Daicho,
    serving: Serving,
    wrk: &Path,
    load: &Load<'_>,
) -> Result<Overload, BenchError> {
    let before = in_process::head(daicho).await?;
    let at_first = serving.memory_mib();
    let loaded = serving.load(wrk, load)?;
    let memory_mib = at_first.zip(serving.memory_mib()).map(|([now, _], [_, most])| [now, most]);
    serving.end()?;
    let recorded = in_process::head(daicho).await? - before;
    let Loaded { made, told_later, others, longest_us, seconds, .. } = loaded;
    if others > 0 || made == 0 || recorded < made {
        return Err(BenchError::Wrong(format!("{recorded} recorded after {loaded:?}")));
    }
    let longest = Duration::from_secs_f64(longest_us / 1e6);
    let made = Rate { events: made, took: Duration::from_secs_f64(seconds) };
    Ok(Overload { storage, made, told_later, longest, memory_mib })
}

impl Report {
    /// What opening costs whoever asks first.
    #[must_use]
    pub fn openings(&self) -> Table {
        let mut table = Table::new(&["database", "events of the book", "first answer"]);
        for (storage, events, took) in &self.first_answers {
            table.line([(*storage).to_owned(), events.to_string(), duration(*took)]);
        }
        table
    }

    /// The loads that are taken.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            "database",
            "work",
            "in process/s",
            "p99",
            "over HTTP/s",
            "p50",
            "p99",
            "longest",
            "× in process",
        ]);
        for line in &self.lines {
            let [p50, p99, longest] = line.latencies.map(duration);
            table.line([
                line.storage.to_owned(),
                line.work.to_owned(),
                line.inside.to_string(),
                duration(line.inside_p99),
                line.served.to_string(),
                p50,
                p99,
                longest,
                ratio(Some(line.served.against(line.inside))),
            ]);
        }
        table
    }

    /// The loads that are not.
    #[must_use]
    pub fn overloads(&self) -> Table {
        let mut table = Table::new(&[
            "database",
            "acknowledged",
            "a second",
            "told to come again",
            "longest answer",
            "memory before",
            "at most",
        ]);
        for Overload { storage, made, told_later, longest, memory_mib } in &self.overloads {
            let memory = memory_mib.map_or(["unknown".into(), "unknown".into()], |mib| {
                mib.map(|mib| format!("{mib} MiB"))
            });
            let [before, most] = memory;
            table.line([
                (*storage).to_owned(),
                made.events.to_string(),
                made.to_string(),
                told_later.to_string(),
                duration(*longest),
                before,
                most,
            ]);
        }
        table
    }
}
