//! `daicho consumer`: the consumers of a book, whose workers take events over HTTP.

use clap::{Args, Subcommand};
use daicho_app::{ConsumerRequest, ConsumerState, Position};

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Heading, Output, number, text};

const HEADINGS: [Heading; 6] = [
    text("consumer"),
    text("ordered by"),
    number("position"),
    number("behind by"),
    number("done ahead"),
    number("batches out"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum ConsumerCommand {
    /// Create a consumer; repeating it changes nothing
    Create(CreateArgs),
    /// Every consumer, and how far it has come
    List,
    /// One consumer, and the batches that are out
    Show(NameArgs),
    /// Move its position: moving back repeats events, moving forward skips some
    Seek(SeekArgs),
    /// Delete it
    Delete(NameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Its name
    pub(super) name: String,
}

/// Which events are meant.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Any of these types of event; may be repeated; left out: all
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) types: Vec<String>,
    /// All of these tags; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name
    name: String,
    /// The kind of tag within which events keep their order, `order`; left out: all keep it, and
    /// one worker works at a time
    #[arg(long, value_name = "KIND")]
    ordered_by: Option<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Begin after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
}

#[derive(Debug, Args)]
pub(crate) struct SeekArgs {
    /// Its name
    name: String,
    /// Behind this position
    position: u64,
}

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: ConsumerCommand,
) -> Result<Exit, CliError> {
    book::with(global, async |ledger| match command {
        ConsumerCommand::Create(args) => {
            let CreateArgs { name, ordered_by, filter: FilterArgs { types, tags }, after } = args;
            let after = Position(after);
            let request = ConsumerRequest { name, ordered_by, types, tags, after };
            show(output, &ledger.consumers().create(&request).await?)
        }
        ConsumerCommand::List => list(output, &ledger.consumers().all().await?),
        ConsumerCommand::Show(NameArgs { name }) => {
            show(output, &ledger.consumers().find(&name).await?)
        }
        ConsumerCommand::Seek(SeekArgs { name, position }) => {
            ledger.consumers().seek(&name, Position(position)).await?;
            show(output, &ledger.consumers().find(&name).await?)
        }
        ConsumerCommand::Delete(NameArgs { name }) => {
            let consumer = ledger.consumers().find(&name).await?;
            ledger.consumers().delete(&name).await?;
            show(output, &consumer)?;
            output.note("It is deleted.")
        }
    })
    .await?;
    Ok(Exit::Done)
}

fn list(output: Output, consumers: &[ConsumerState]) -> Result<(), CliError> {
    let rows: Vec<Vec<String>> = consumers.iter().map(cells).collect();
    output.show(&consumers, &HEADINGS, &rows)?;
    if consumers.is_empty() {
        output.note("There is no consumer: `daicho consumer create NAME` makes one.")?;
    }
    Ok(())
}

fn show(output: Output, consumer: &ConsumerState) -> Result<(), CliError> {
    output.show(consumer, &HEADINGS, &[cells(consumer)])?;
    for batch in &consumer.batches {
        let (worker, events) = (&batch.worker, batch.events);
        let (first, until) = (batch.first, batch.expires_at);
        output.note(&format!("{worker} has {events} events from {first} on until {until}."))?;
    }
    Ok(())
}

fn cells(consumer: &ConsumerState) -> Vec<String> {
    vec![
        consumer.name.clone(),
        consumer.settings.ordered_by.clone().unwrap_or_default(),
        consumer.position.to_string(),
        consumer.behind_by.to_string(),
        consumer.done_ahead.to_string(),
        consumer.batches.len().to_string(),
    ]
}
