//! `daicho projections`: status of the stored lists, rebuild, comparison with the record.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use daicho_app::{
    Compared, Ledger, List, ListState, Rebuild, RebuildOptions, SLICES, Stopped, all,
};
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Output, number, text};
use crate::progress::watch;
use crate::size;

const MICROSECONDS_A_SECOND: u128 = 1_000_000;

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectionsCommand {
    /// Show how every stored list stands
    Status,
    /// Rebuild lists beside the live ones and swap them in; a stopped rebuild continues
    Rebuild(RebuildArgs),
    /// Compare every stored list with a fresh rebuild of it
    Compare,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    /// The lists
    #[arg(
        value_name = "NAME",
        required_unless_present = "all",
        conflicts_with = "all",
        value_parser = PossibleValuesParser::new(all().iter().map(|list| list.name()))
    )]
    names: Vec<String>,
    /// Every list
    #[arg(long)]
    all: bool,
    /// What the rows may hold in memory at once, about; less takes more passes over the record
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size::bytes)]
    memory: usize,
    /// Drop what a stopped rebuild has left, instead of continuing it
    #[arg(long)]
    anew: bool,
}

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: ProjectionsCommand,
) -> Result<Exit, CliError> {
    book::with(global, async |ledger| match &command {
        ProjectionsCommand::Status => {
            show_states(output, &ledger.lists().states().await?)?;
            Ok(Exit::Done)
        }
        ProjectionsCommand::Rebuild(args) => {
            let stopped = if args.anew { Stopped::IsDropped } else { Stopped::GoesOn };
            let options = RebuildOptions { memory_bytes: args.memory, stopped };
            rebuild(ledger, output, &chosen(args), &options).await?;
            Ok(Exit::Done)
        }
        ProjectionsCommand::Compare => {
            compare(output, &ledger.comparison().run(watch(output).as_ref()).await?)
        }
    })
    .await
}

fn chosen(args: &RebuildArgs) -> Vec<&'static dyn List> {
    let named = |list: &&'static dyn List| args.names.iter().any(|name| name == list.name());
    all().iter().copied().filter(|list| args.all || named(list)).collect()
}

fn show_states(output: Output, states: &[ListState]) -> Result<(), CliError> {
    let headings = [
        text("list"),
        number("version"),
        number("cursor"),
        text("as of"),
        number("rows"),
        number("behind by"),
    ];
    let cells = |state: &ListState| {
        vec![
            state.list.to_owned(),
            state.version.to_string(),
            state.cursor.to_string(),
            state.as_of.clone().unwrap_or_default(),
            state.rows.to_string(),
            state.behind_by.to_string(),
        ]
    };
    output.show(&states, &headings, &states.iter().map(cells).collect::<Vec<_>>())?;
    output.note("A list is brought up to date when it is read.")
}

/// Rebuilds lists and shows how fast.
pub(crate) async fn rebuild(
    ledger: &Ledger,
    output: Output,
    lists: &[&'static dyn List],
    options: &RebuildOptions,
) -> Result<(), CliError> {
    let rebuild = ledger.rebuilds().run_with(lists, options, watch(output).as_ref()).await?;
    let rate = events_per_second(&rebuild);
    let seconds = rebuild.took.as_secs_f64();
    let value = json!({
        "events": rebuild.events, "seconds": seconds, "events_per_second": rate,
        "passes": rebuild.passes, "lists": rebuild.lists,
    });
    let rows: Vec<Vec<String>> = rebuild
        .lists
        .iter()
        .map(|list| vec![list.list.to_owned(), list.rows.to_string()])
        .collect();
    output.show(&value, &[text("list"), number("rows")], &rows)?;
    for list in rebuild.lists.iter().filter(|list| list.resumed_slices > 0) {
        output.note(&format!(
            "{}: {} of {SLICES} slices were there from a rebuild that was stopped",
            list.list, list.resumed_slices
        ))?;
    }
    output.note(&format!(
        "{} events in {seconds:.3} s, passes: {}, {rate} events/s",
        rebuild.events, rebuild.passes
    ))
}

fn events_per_second(rebuild: &Rebuild) -> u64 {
    let microseconds = rebuild.took.as_micros().max(1);
    let rate = u128::from(rebuild.events) * MICROSECONDS_A_SECOND / microseconds;
    u64::try_from(rate).unwrap_or(u64::MAX)
}

fn compare(output: Output, compared: &[Compared]) -> Result<Exit, CliError> {
    let headings = [
        text("list"),
        text("result"),
        number("position"),
        number("rows"),
        text("live"),
        text("rebuilt"),
    ];
    let cells = |compared: &Compared| {
        let key = compared.first_difference.as_deref().unwrap_or_default();
        vec![
            compared.list.to_owned(),
            if compared.is_same() { "same".to_owned() } else { format!("differs at {key}") },
            compared.position.to_string(),
            compared.rows.to_string(),
            compared.live.clone(),
            compared.rebuilt.clone(),
        ]
    };
    output.show(&compared, &headings, &compared.iter().map(cells).collect::<Vec<_>>())?;
    let Some(differs) = compared.iter().find(|compared| !compared.is_same()) else {
        return Ok(Exit::Done);
    };
    output.note(&format!("`daicho projections rebuild {}` makes it anew.", differs.list))?;
    Ok(Exit::Different)
}
