//! What one measurement is asked for.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures one peer.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Whom to measure.
    #[arg(value_enum)]
    pub(crate) peer: Peer,
    /// The facts, a JSON object a line.
    #[arg(long)]
    pub(crate) facts: PathBuf,
    /// Facts to append: the first of the file.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) events: usize,
    /// A new folder for what is stored in files.
    #[arg(long)]
    pub(crate) folder: PathBuf,
    /// An empty database for what is stored in PostgreSQL.
    #[arg(long, default_value = "")]
    pub(crate) database: String,
    /// Writers at once, each waiting for its answer.
    #[arg(long, default_value_t = 1)]
    pub(crate) writers: usize,
    /// Events of one append.
    #[arg(long, default_value_t = 1)]
    pub(crate) batch: usize,
    /// Appends that are refused where something was recorded about their subject: the peer's own
    /// way of a decision. Otherwise its fastest append.
    #[arg(long)]
    pub(crate) checked: bool,
}

/// A library, on what it stores in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
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
