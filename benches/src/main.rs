//! `cargo run --release -p daicho-benches -- append|rebuild|all [--events N] [--seed S]`: measures,
//! and prints tables in Markdown.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use daicho_benches::{BenchError, Machine, append, rebuild};

/// Bursts of each kind.
const BURSTS: u64 = 5;
/// Rounds of a rebuild.
const ROUNDS: u32 = 3;
/// Events that the simulator lives; what is beyond them is copied.
const LIVED: u64 = 20_000;

/// Measures the ledger beside the limits of this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum)]
    work: Work,
    /// Events of a workload.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Same seed, same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where books are made and removed again: on the disk that is to be measured.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    /// Conditional appends.
    Append,
    /// The lists made anew.
    Rebuild,
    /// All of it.
    All,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause = std::error::Error::source(&error);
            let mut text = format!("error: {error}");
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<(), BenchError> {
    let above = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(&above)?;
    let machine = Machine::describe(folder.path()).await?;
    writeln!(stdout(), "{machine}\nseed {}", arguments.seed)?;
    if cfg!(debug_assertions) {
        writeln!(stdout(), "A build without optimisation: these figures mean nothing.")?;
    }
    match arguments.work {
        Work::Append => append(arguments, folder.path()).await,
        Work::Rebuild => rebuild(arguments, folder.path()).await,
        Work::All => {
            rebuild(arguments, folder.path()).await?;
            append(arguments, folder.path()).await
        }
    }
}

async fn append(arguments: &Arguments, folder: &Path) -> Result<(), BenchError> {
    let report = append::run(&append::Options {
        events: arguments.events,
        burst_events: append::BURST_EVENTS,
        bursts: BURSTS,
        seed: arguments.seed,
        folder: folder.join("append"),
    })
    .await?;
    let append::Report { data_bytes, tags, .. } = &report;
    writeln!(
        stdout(),
        "\nEvents of {data_bytes:.0} B of data with {tags:.1} tags on average, each with a \
         condition and a request id.\n\n{}",
        report.table()
    )?;
    Ok(())
}

async fn rebuild(arguments: &Arguments, folder: &Path) -> Result<(), BenchError> {
    let report = rebuild::run(&rebuild::Options {
        events: arguments.events,
        lived: LIVED,
        seed: arguments.seed,
        rounds: ROUNDS,
        folder: folder.join("rebuild"),
    })
    .await?;
    let rebuild::Report { checkpoint, lived, event_bytes, peak_memory_mib, ratios, .. } = &report;
    let ratios: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    let memory = peak_memory_mib.map_or_else(|| "unknown".into(), |mib| format!("{mib} MiB"));
    writeln!(
        stdout(),
        "\nBook {checkpoint}; {lived} events lived, the others copies; {event_bytes:.0} B an event \
         in the replay blocks; peak memory to the end of the first rebuild: {memory}; median of \
         {ROUNDS} rounds, in which the rebuild came to {} × decode-and-fold.\n\n{}\n{}\n{}",
        ratios.join(", "),
        report.table(),
        report.phases(),
        report.digests()
    )?;
    Ok(())
}
