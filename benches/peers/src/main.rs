//! One measurement of one peer: the facts of a file appended by so many writers, then read back
//! and decoded. Prints a JSON line for each. Started by `daicho-benches compare`; see the README.

mod arguments;
mod connections;
mod cqrs;
mod dcb;
mod error;
mod evento_stores;
mod facts;
mod measure;
mod stream;
mod tag_table;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Peer};
use error::PeerError;
use facts::Fact;

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
