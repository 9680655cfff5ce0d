//! `daicho events read`: the record as it stands, the two exact texts of each event on a line.

use std::io::{self, BufWriter, Write};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use daicho_app::{Ledger, PUBLISHED, Position};

use crate::args::Global;
use crate::book;
use crate::error::{CliError, Exit};
use crate::output::Output;

/// Events of one read: they are written before the next are read.
const PAGE_EVENTS: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Print events as they are stored: {"envelope":…,"data":…}, one a line, whatever `--output`
    Read(ReadArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// Begin after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// Only events of this type, as `order.placed`; more than once: of any of these
    #[arg(
        long = "type",
        value_name = "TYPE",
        value_parser = PossibleValuesParser::new(type_names()),
        hide_possible_values = true
    )]
    types: Vec<String>,
    /// Only events about this, as `order:<id>`; more than once: about all of these
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Stop after so many events; left out: at the end of the book
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

fn type_names() -> Vec<&'static str> {
    let current = PUBLISHED.iter().flat_map(|family| family.iter()).filter(|known| known.current);
    current.map(|known| known.event_type.name).collect()
}

pub(crate) async fn run(
    global: &Global,
    _: Output,
    command: EventsCommand,
) -> Result<Exit, CliError> {
    let EventsCommand::Read(args) = command;
    book::with(global, async |ledger| read(ledger, &args).await).await?;
    Ok(Exit::Done)
}

/// Reads up to the end that the book had when this began: a busy book would have no end.
async fn read(ledger: &Ledger, args: &ReadArgs) -> Result<(), CliError> {
    let head = ledger.checkpoint().await?.position.0;
    let (mut after, mut left) = (args.after, args.limit.unwrap_or(u64::MAX));
    while after < head && left > 0 {
        let limit = usize::try_from(left.min(PAGE_EVENTS)).unwrap_or(usize::MAX);
        let page = ledger.events(&args.types, &args.tags, Position(after), limit).await?;
        let mut out = BufWriter::new(io::stdout().lock());
        for event in &page.events {
            serde_json::to_writer(&mut out, event)
                .map_err(|error| CliError::Output(error.into()))?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        left = left.saturating_sub(u64::try_from(page.events.len()).unwrap_or(u64::MAX));
        assert!(page.scanned_to.0 > after, "a read below the head comes further");
        after = page.scanned_to.0;
    }
    Ok(())
}
