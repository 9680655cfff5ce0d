//! `daicho events`: the record as it stands, the two exact texts of each event on a line, read or
//! followed; and the cursors of those who follow.

use clap::{Args, Subcommand};
use daicho_app::{Ledger, Position};

use super::event_lines::{Which, write_lines};
use super::{cursors, follow};
use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::Output;

/// Events of one read: they are written before the next are read.
const PAGE_EVENTS: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Print events as they are stored: {"envelope":…,"data":…}, one a line, whatever `--output`
    Read(ReadArgs),
    /// Print events as `read` does, and then each event as it is recorded
    Follow(follow::FollowArgs),
    /// How far the followers with a name have come
    Cursors,
    /// Show, set or delete one cursor
    Cursor(cursors::CursorArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// Begin after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    which: Which,
    /// Stop after so many events; left out: at the end of the book
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: EventsCommand,
) -> Result<Exit, CliError> {
    book::with(global, async |ledger| match &command {
        EventsCommand::Read(args) => read(ledger, args).await,
        EventsCommand::Follow(args) => follow::follow(ledger, args).await,
        EventsCommand::Cursors => cursors::list(ledger, output).await,
        EventsCommand::Cursor(args) => cursors::one(ledger, output, args).await,
    })
    .await?;
    Ok(Exit::Done)
}

/// Reads up to the head that the book had at the start: the head of a busy book keeps moving.
async fn read(ledger: &Ledger, args: &ReadArgs) -> Result<(), CliError> {
    let head = ledger.proof().checkpoint().await?.position.0;
    let Which { types, tags } = &args.which;
    let (mut after, mut left) = (args.after, args.limit.unwrap_or(u64::MAX));
    while after < head && left > 0 {
        let limit = usize::try_from(left.min(PAGE_EVENTS)).unwrap_or(usize::MAX);
        let page = ledger.history().events(types, tags, Position(after), limit).await?;
        write_lines(&page.events)?;
        left = left.saturating_sub(u64::try_from(page.events.len()).unwrap_or(u64::MAX));
        assert!(page.scanned_to.0 > after, "a read below the head comes further");
        after = page.scanned_to.0;
    }
    Ok(())
}
