//! `cargo run --release -p daicho-benches -- <what>`: measures, and prints tables in Markdown.

use std::ffi::OsString;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use daicho_benches::{
    BenchError, Machine, Measurement, append, compare, growth, hot, rebuild, service,
};
use daicho_store::with_causes;
use serde::Serialize;

/// Bursts of each kind.
const BURSTS: u64 = 5;
/// Rounds of a rebuild.
const ROUNDS: u32 = 3;
/// Events that the simulator lives; what is beyond them is copied.
const LIVED: u64 = 20_000;
/// A peer appends this part of our events unless told otherwise: it is slower.
const PEER_DIVISOR: u64 = 10;

/// Measures the ledger beside the limits of this machine and beside what others use.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Conditional appends, beside the row limit.
    Append {
        #[command(flatten)]
        common: Common,
        /// An empty PostgreSQL database to append to; left out: SQLite.
        #[arg(long)]
        database: Option<String>,
    },
    /// The lists made anew, beside decode-and-fold alone.
    Rebuild(Common),
    /// The lists made anew while others append and read.
    RebuildLive(RebuildLiveArguments),
    /// Appends and rebuild.
    All(Common),
    /// The peers, the limit and ourselves in turn: ratios and goals G1 to G6.
    Compare(CompareArguments),
    /// A big book beside a small one: goals G7 to G11.
    Growth(GrowthArguments),
    /// `daicho serve` under load, beside the same work in process. Needs `wrk`.
    Service(ServiceArguments),
    /// One workload of ours; prints JSON lines.
    #[command(hide = true)]
    One(OneArguments),
    /// One rebuild of ours; prints JSON lines.
    #[command(hide = true)]
    OneRebuild(Common),
    /// One measurement on a grown book; prints JSON lines.
    #[command(hide = true)]
    Step(StepArguments),
    /// Holds a PostgreSQL server until standard input ends; prints its URL.
    #[command(hide = true)]
    Serve,
    /// One hot path, for counting its instructions.
    #[command(hide = true)]
    Hot {
        #[arg(value_enum)]
        path: hot::HotPath,
        #[arg(long)]
        folder: PathBuf,
        /// Only makes what the path reads.
        #[arg(long)]
        prepare: bool,
    },
}

#[derive(Debug, Args)]
struct Common {
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

#[derive(Debug, Args)]
struct CompareArguments {
    #[command(flatten)]
    common: Common,
    /// Events of the peers' workloads; left out: a tenth of ours.
    #[arg(long)]
    peer_events: Option<u64>,
    /// How often all of it is measured; the round in the middle is shown.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: u32,
    /// A database of a PostgreSQL server whose role may make databases; left out: a server of our
    /// own on the measured disk.
    #[arg(long)]
    database: Option<String>,
    /// Milliseconds by which every sync is slowed: of ours, of the peers and of the server.
    #[arg(long, default_value_t = 0, conflicts_with = "database")]
    sync_ms: u32,
    /// Only jobs with one of these in their label, as standard error names them.
    #[arg(long)]
    only: Vec<String>,
}

#[derive(Debug, Args)]
struct RebuildLiveArguments {
    #[command(flatten)]
    common: Common,
    /// An empty PostgreSQL database; left out: a folder.
    #[arg(long)]
    database: Option<String>,
    /// MiB that the rows may hold.
    #[arg(long, default_value_t = 1_024)]
    memory_mib: usize,
}

#[derive(Debug, Args)]
struct GrowthArguments {
    #[command(flatten)]
    common: Common,
    /// Events of the small book.
    #[arg(long, default_value_t = 100_000)]
    small_events: u64,
    /// Events appended to each book in a round.
    #[arg(long, default_value_t = 50_000)]
    append_events: u64,
    /// How often both books are compared.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: u32,
    /// Leaves the books where they are.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Args)]
struct ServiceArguments {
    /// Connections, and callers in process.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each workload.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where books are made and removed again: on the disk that is to be measured.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The binary that serves; left out: the one beside this.
    #[arg(long)]
    daicho: Option<PathBuf>,
    /// The tool that calls.
    #[arg(long, default_value = "wrk")]
    wrk: PathBuf,
}

#[derive(Debug, Args)]
struct OneArguments {
    #[arg(value_enum)]
    work: append::OneWork,
    #[arg(long)]
    events: u64,
    #[arg(long)]
    callers: usize,
    #[arg(long)]
    batch: usize,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    database: Option<String>,
}

#[derive(Debug, Args)]
struct StepArguments {
    #[arg(value_enum)]
    step: growth::Step,
    #[arg(long)]
    events: u64,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    append_seed: u64,
    #[arg(long)]
    folder: PathBuf,
}

/// That of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = measure(Arguments::parse().work);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

fn measure(work: Work) -> Result<(), BenchError> {
    match work {
        Work::Append { common, database } => wait_for(async {
            let folder = begin(&common).await?;
            append(&common, folder.path(), database).await
        }),
        Work::Rebuild(common) => wait_for(async {
            let folder = begin(&common).await?;
            rebuild(&common, folder.path()).await
        }),
        Work::RebuildLive(arguments) => wait_for(rebuild_live(arguments)),
        Work::All(common) => wait_for(async {
            let folder = begin(&common).await?;
            rebuild(&common, folder.path()).await?;
            append(&common, folder.path(), None).await
        }),
        Work::Compare(arguments) => wait_for(compare(arguments)),
        Work::Growth(arguments) => wait_for(growth(arguments)),
        Work::Service(arguments) => wait_for(serve_under_load(arguments)),
        Work::One(arguments) => lines(&wait_for(append::one(&arguments.into()))?),
        Work::OneRebuild(common) => wait_for(one_rebuild(common)),
        Work::Step(StepArguments { step, events, seed, append_seed, folder }) => {
            lines(&wait_for(growth::step(step, &folder, events, [seed, append_seed]))?)
        }
        Work::Serve => compare::serve(),
        // On this thread alone: its instructions are counted.
        Work::Hot { path, folder, prepare: true } => hot::prepare(path, &folder),
        Work::Hot { path, folder, prepare: false } => {
            Ok(writeln!(stdout(), "{}", hot::run(path, &folder)?)?)
        }
    }
}

/// Runs to the end on all cores.
fn wait_for<T>(work: impl Future<Output = Result<T, BenchError>>) -> Result<T, BenchError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Describes the machine and the seed; a folder on the measured disk that is gone in the end.
async fn begin(common: &Common) -> Result<tempfile::TempDir, BenchError> {
    let folder = folder_below(common.folder.clone()).await?;
    writeln!(stdout(), "seed {}", common.seed)?;
    Ok(folder)
}

/// Describes the machine; a folder on the measured disk that is gone in the end.
async fn folder_below(above: Option<PathBuf>) -> Result<tempfile::TempDir, BenchError> {
    let folder = tempfile::tempdir_in(above.unwrap_or_else(std::env::temp_dir))?;
    let machine = Machine::describe(folder.path()).await?;
    writeln!(stdout(), "{machine}")?;
    if cfg!(debug_assertions) {
        writeln!(stdout(), "A build without optimisation: these figures mean nothing.")?;
    }
    Ok(folder)
}

fn lines<T: Serialize>(measured: &[T]) -> Result<(), BenchError> {
    for line in measured {
        writeln!(stdout(), "{}", serde_json::to_string(line)?)?;
    }
    Ok(())
}

async fn append(
    common: &Common,
    folder: &Path,
    database: Option<String>,
) -> Result<(), BenchError> {
    let folder = append::Ground::Folder(folder.join("append"));
    let report = append::run(&append::Options {
        events: common.events,
        burst_events: append::BURST_EVENTS,
        bursts: BURSTS,
        seed: common.seed,
        ground: database.map_or(folder, append::Ground::Database),
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

fn rebuild_options(common: &Common, folder: PathBuf, rounds: u32) -> rebuild::Options {
    let Common { events, seed, .. } = *common;
    rebuild::Options { events, lived: LIVED, seed, rounds, folder }
}

async fn rebuild(common: &Common, folder: &Path) -> Result<(), BenchError> {
    let options = rebuild_options(common, folder.join("rebuild"), ROUNDS);
    let report = rebuild::run(&options).await?;
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

async fn rebuild_live(arguments: RebuildLiveArguments) -> Result<(), BenchError> {
    let RebuildLiveArguments { common, database, memory_mib } = arguments;
    let folder = begin(&common).await?;
    let options = rebuild::live::Options {
        book: rebuild_options(&common, folder.path().join("rebuild-live"), 1),
        memory_bytes: memory_mib * 1_048_576,
        database,
    };
    let report = rebuild::live::run(&options).await?;
    let (what, table, digests) = (report.describe(&options), report.table(), report.digests());
    Ok(writeln!(stdout(), "\n{what}.\n\n{table}\n{digests}")?)
}

async fn one_rebuild(common: Common) -> Result<(), BenchError> {
    let folder = common.folder.clone().unwrap_or_else(std::env::temp_dir);
    let measured: Vec<Measurement> = compare::rebuilt(&rebuild_options(&common, folder, 1)).await?;
    lines(&measured)
}

impl From<OneArguments> for append::OneOptions {
    fn from(arguments: OneArguments) -> Self {
        let OneArguments { work, events, callers, batch, seed, folder, database } = arguments;
        let folder = append::Ground::Folder(folder);
        let ground = database.map_or(folder, append::Ground::Database);
        Self { work, events, callers, batch, seed, ground }
    }
}

async fn compare(arguments: CompareArguments) -> Result<(), BenchError> {
    let CompareArguments { common, peer_events, rounds, database, sync_ms, only } = arguments;
    let folder = begin(&common).await?;
    let Common { events, seed, .. } = common;
    let peer_events = peer_events.unwrap_or(events / PEER_DIVISOR).max(1);
    let report = compare::run(&compare::Options {
        events,
        peer_events,
        seed,
        rounds,
        folder: folder.path().to_owned(),
        database,
        sync_ms,
        only,
        program: std::env::current_exe()?,
    })
    .await?;
    writeln!(
        stdout(),
        "\n{events} events for us and {peer_events} for each peer, a fifth of them with one \
         writer; the round in the middle of {rounds}; {sync_ms} ms added to each sync.\n\n{}\n{}",
        report.table(),
        report.goals_table()
    )?;
    for (job, why) in &report.failed {
        writeln!(stdout(), "\nNo figure of {job}: {why}")?;
    }
    Ok(())
}

async fn growth(arguments: GrowthArguments) -> Result<(), BenchError> {
    let GrowthArguments { common, small_events, append_events, rounds, keep } = arguments;
    let mut folder = begin(&common).await?;
    folder.disable_cleanup(keep);
    let options = growth::Options {
        events: common.events,
        small_events,
        lived: LIVED,
        append_events,
        seed: common.seed,
        rounds,
        folder: folder.path().to_owned(),
        program: (std::env::current_exe()?, vec![OsString::from("step")]),
    };
    let report = growth::run(&options).await?;
    writeln!(stdout(), "\n{}\n{}", report.table(), report.goals())?;
    if keep {
        writeln!(stdout(), "\nThe books are in {}.", folder.path().display())?;
    }
    Ok(())
}

async fn serve_under_load(arguments: ServiceArguments) -> Result<(), BenchError> {
    let ServiceArguments { connections, seconds, folder, daicho, wrk } = arguments;
    let below = folder_below(folder).await?;
    let program = std::env::current_exe()?;
    let daicho = daicho.unwrap_or_else(|| program.with_file_name("daicho"));
    let folder = below.path().to_owned();
    let options = service::Options { connections, seconds, folder, daicho, wrk, program };
    let report = service::run(&options).await?;
    Ok(writeln!(
        stdout(),
        "\n{connections} connections of wrk, and as many callers in process, {seconds} s each.\n\n\
         {}\nMore at once than the service takes:\n\n{}\nA service that has just begun opens the \
         book for who asks first:\n\n{}",
        report.table(),
        report.overloads(),
        report.openings()
    )?)
}
