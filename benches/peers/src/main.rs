//! One measurement of one peer: the facts of a file appended by so many writers, then read back
//! and decoded. Prints a JSON line for each. Started by `daicho-benches compare`; see the README.

mod cqrs;
mod dcb;
mod evento_stores;
mod facts;
mod measure;
mod stream;
mod tag_table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use facts::Fact;

/// Connections that a pool has at most.
const CONNECTIONS_MAX: u32 = 32;

/// Measures one peer.
#[derive(Debug, Parser)]
struct Arguments {
    /// Whom to measure.
    #[arg(value_enum)]
    peer: Peer,
    /// The facts, a JSON object a line.
    #[arg(long)]
    facts: PathBuf,
    /// Facts to append: the first of the file.
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// A new folder for what is stored in files.
    #[arg(long)]
    folder: PathBuf,
    /// An empty database for what is stored in PostgreSQL.
    #[arg(long, default_value = "")]
    database: String,
    /// Writers at once, each waiting for its answer.
    #[arg(long, default_value_t = 1)]
    writers: usize,
    /// Events of one append.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Appends that are refused where something was recorded about their subject: the peer's own
    /// way of a decision. Otherwise its fastest append.
    #[arg(long)]
    checked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Peer {
    /// cqrs-es on sqlite-es.
    CqrsSqlite,
    /// cqrs-es on postgres-es.
    CqrsPostgres,
    /// disintegrate on PostgreSQL.
    Disintegrate,
    /// evento on SQLite.
    EventoSqlite,
    /// evento on PostgreSQL.
    EventoPostgres,
    /// evento on fjall.
    EventoFjall,
    /// The server of UmaDB over gRPC on the loopback.
    Umadb,
    /// The core of UmaDB in this process.
    UmadbCore,
    /// rusqlite into a log and a table of tags: what one writes without a library.
    Rusqlite,
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    /// A file was not read.
    #[error("a file was not read")]
    Io(#[from] std::io::Error),
    /// A line or an event was not JSON of its form.
    #[error("a line of JSON was not understood")]
    Json(#[from] serde_json::Error),
    /// An event was not decoded.
    #[error("an event was not decoded")]
    Decode(#[from] daicho_events::DecodeError),
    /// SQLite said no.
    #[error("SQLite refused")]
    Rusqlite(#[from] rusqlite::Error),
    /// The peer said no.
    #[error("the peer failed: {0}")]
    Peer(String),
}

impl PeerError {
    /// What a peer says.
    pub(crate) fn of(error: impl std::fmt::Debug) -> Self {
        Self::Peer(format!("{error:?}"))
    }
}

/// That of ours: what is compared is not the allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = std::error::Error::source(&error);
            let cause = cause.map_or(String::new(), |cause| format!(": {cause}"));
            eprintln!("error: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), PeerError> {
    std::fs::create_dir_all(&arguments.folder)?;
    let facts = Fact::read(&arguments.facts, arguments.events)?;
    let of = &arguments;
    let Arguments { folder, database, writers, checked, .. } = of;
    let (writers, checked) = (*writers, *checked);
    match arguments.peer {
        Peer::CqrsSqlite => measure::run(cqrs::sqlite(folder, checked).await?, of, facts).await,
        Peer::CqrsPostgres => {
            measure::run(cqrs::postgres(database, writers, checked).await?, of, facts).await
        }
        Peer::Disintegrate => {
            measure::run(stream::open(database, writers, checked).await?, of, facts).await
        }
        Peer::EventoSqlite => measure::run(evento_stores::sqlite(folder).await?, of, facts).await,
        Peer::EventoPostgres => {
            measure::run(evento_stores::postgres(database, writers).await?, of, facts).await
        }
        Peer::EventoFjall => measure::run(evento_stores::fjall(folder)?, of, facts).await,
        Peer::Umadb => measure::run(dcb::server(folder, writers, checked).await?, of, facts).await,
        Peer::UmadbCore => measure::run(dcb::core(folder, checked)?, of, facts).await,
        Peer::Rusqlite => measure::run(tag_table::open(folder, checked)?, of, facts).await,
    }
}

/// Connections of a pool: one a writer, as many as a server of a few cores serves well.
pub(crate) fn connections(writers: usize) -> u32 {
    u32::try_from(writers).unwrap_or(u32::MAX).clamp(2, CONNECTIONS_MAX)
}
