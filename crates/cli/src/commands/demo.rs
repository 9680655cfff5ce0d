//! `daicho demo`: a shop's three years in an embedded book, and a walk through what a ledger shows.

use clap::Args;
use daicho_app::{
    BookName, ClockAndEntropy, KnownAt, Ledger, List, ListRequest, RebuildOptions, all,
    list_by_name,
};
use daicho_simulator::Summary;

use super::simulate::{Life, live, show as show_life};
use super::{history, lists, projections, verify};
use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::Output;
use crate::progress::watch;
use crate::shell::quoted;

/// The book of the demo.
const BOOK: &str = "demo";
/// Rows of each list that is shown.
const ROWS: u32 = 10;

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    life: Life,
}

pub(crate) async fn run(global: &Global, output: Output, args: DemoArgs) -> Result<Exit, CliError> {
    let name: BookName = match &global.book {
        Some(name) => name.clone(),
        None => BOOK.parse()?,
    };
    let books = book::books(global)?;
    if books.exists(&name).await? {
        return Err(CliError::Usage(format!(
            "there is already a book `{name}`: remove {}, or make another book with \
             `--book NAME`",
            books.describe_book(&name)
        )));
    }
    output.heading(&format!("A shop lives for three years: {} events", args.life.events))?;
    let (ledger, summary) = live(global, output, &name, args.life).await?;
    ledger.close().await;
    show_life(output, &summary)?;
    // From here on the clock is the machine's: the book is shown as it stands today.
    let ledger = books.open(&name, ClockAndEntropy::system()).await?;
    let shown = walk(&ledger, output, &summary).await;
    ledger.close().await;
    shown?;
    output.heading("What to try next")?;
    output.note(&next_steps(global, &name))?;
    Ok(Exit::Done)
}

async fn walk(ledger: &Ledger, output: Output, summary: &Summary) -> Result<(), CliError> {
    for (name, column) in
        [("orders", "placed_on"), ("contracts", "starts_on"), ("invoices", "issued_on")]
    {
        output.heading(&format!("The list of {name}, the latest first"))?;
        page(ledger, output, list_by_name(name)?, latest_by(column)).await?;
    }
    let (tag, day) = (an_order(ledger).await?, middle(summary));
    output.heading(&format!("The history of {tag}"))?;
    history::show(output, &tag, &ledger.history().about(&tag).await?)?;
    output.heading(&format!("The overdue invoices, as known on and effective on {day}"))?;
    let mut request = latest_by("issued_on");
    request.filters.push("status=overdue".parse().map_err(CliError::Usage)?);
    request.known_at = Some(KnownAt::Day(day));
    request.effective_on = Some(day);
    page(ledger, output, list_by_name("invoices")?, request).await?;
    output.heading("Every list rebuilt from position 1, beside the live ones")?;
    projections::rebuild(ledger, output, all(), &RebuildOptions::default()).await?;
    output.heading("Proof")?;
    let verified = ledger.proof().verify(None, watch(output).as_ref()).await?;
    verify::show(output, &verified, None)
}

fn latest_by(column: &str) -> ListRequest {
    ListRequest { sort: format!("-{column}").parse().ok(), limit: ROWS, ..ListRequest::default() }
}

async fn page(
    ledger: &Ledger,
    output: Output,
    list: &'static dyn List,
    request: ListRequest,
) -> Result<(), CliError> {
    lists::show_page(output, list, &ledger.lists().page(list, &request).await?)
}

/// The tag of an order that was delivered and invoiced, or else of any.
async fn an_order(ledger: &Ledger) -> Result<String, CliError> {
    let list = list_by_name("orders")?;
    for filter in ["status=fulfilled", "status=confirmed", "status!=cancelled"] {
        let filters = vec![filter.parse().map_err(CliError::Usage)?];
        let request = ListRequest { filters, limit: 1, ..ListRequest::default() };
        let page = ledger.lists().page(list, &request).await?;
        let key = page.rows.first().and_then(|row| row.get(list.key_name())?.as_str());
        if let Some(key) = key {
            return Ok(format!("order:{key}"));
        }
    }
    Ok("shop".to_owned())
}

/// A day in the middle of the simulation.
fn middle(summary: &Summary) -> daicho_app::Date {
    summary.from.after_months(18).min(summary.to)
}

fn next_steps(global: &Global, name: &BookName) -> String {
    let place = match (&global.database, &global.database_file) {
        // The URL may hold a password.
        (Some(_), _) => "--database URL".to_owned(),
        (None, Some(file)) => format!("--database-file {}", quoted(&file.to_string_lossy())),
        (None, None) => format!("--data {}", quoted(&book::folder(global).to_string_lossy())),
    };
    let book = format!("{place} --book {name}");
    format!(
        "daicho {book} orders list --status placed\n\
         daicho {book} contracts list --effective-on 2025-04-01 --sort -licences\n\
         daicho {book} members list --limit 5\n\
         daicho {book} events read --type billing.invoice_issued --limit 1\n\
         daicho {book} projections compare\n\
         daicho {book} verify\n\
         daicho {book} backup demo-backup\n\
         daicho run --schema order.place\n\
         daicho import orders FILE --book retail"
    )
}
