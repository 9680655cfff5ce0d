//! `daicho simulate`: simulates three years of a shop in a new book, from a seed.

use std::collections::BTreeMap;

use clap::Args;
use daicho_app::{BookName, ClockAndEntropy, Ledger};
use daicho_simulator::{Options, Summary, clock_and_entropy, simulate};
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Output, number, text};
use crate::progress::watch;

/// The fewest events that show something.
const EVENTS_MIN: u64 = 200;

/// How much, and from which seed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Life {
    /// Number of events in the book
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20_000,
        value_parser = clap::value_parser!(u64).range(EVENTS_MIN..)
    )]
    pub(crate) events: u64,
    /// Seed of the random numbers: the same seed and end give the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The simulation ends the day before this instant; left out: now
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: Option<daicho_app::Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    life: Life,
}

pub(crate) async fn run(
    global: &Global,
    output: Output,
    args: SimulateArgs,
) -> Result<Exit, CliError> {
    let Some(name) = &global.book else {
        let text = "a life needs a new book: name it with `--book NAME`";
        return Err(CliError::Usage(text.to_owned()));
    };
    let (ledger, summary) = live(global, output, name, args.life).await?;
    ledger.close().await;
    show(output, &summary)?;
    Ok(Exit::Done)
}

/// Creates the book `name` and simulates a shop in it; the book stays open.
pub(crate) async fn live(
    global: &Global,
    output: Output,
    name: &BookName,
    life: Life,
) -> Result<(Ledger, Summary), CliError> {
    let simulated = clock_and_entropy(life.seed);
    let ledger = book::books(global)?.create(name, simulated.clock_and_entropy.clone()).await?;
    let until = life.until.unwrap_or_else(|| ClockAndEntropy::system().now());
    let options = Options { events: life.events, seed: life.seed, until };
    match simulate(&ledger, &simulated, &options, watch(output).as_ref()).await {
        Ok(summary) => Ok((ledger, summary)),
        Err(error) => {
            ledger.close().await;
            Err(error.into())
        }
    }
}

/// Shows what the simulation recorded.
pub(crate) fn show(output: Output, summary: &Summary) -> Result<(), CliError> {
    let counts = [
        ("events", summary.events),
        ("organisations", summary.organisations),
        ("members", summary.members),
        ("quotes", summary.quotes),
        ("orders", summary.orders),
        ("contracts", summary.contracts),
        ("invoices", summary.invoices),
        ("credits", summary.credits),
        ("payments", summary.payments),
    ];
    let value = json!({
        "from": summary.from, "to": summary.to, "counts": BTreeMap::from(counts),
        "rejections": summary.rejections,
    });
    let rows: Vec<Vec<String>> =
        counts.iter().map(|(what, count)| vec![(*what).to_owned(), count.to_string()]).collect();
    output.show(&value, &[text("what"), number("count")], &rows)?;
    output.note(&format!("The shop lived from {} to {}.", summary.from, summary.to))
}
