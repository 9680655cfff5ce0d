//! `daicho import`: records of other systems, through the decisions, each row recorded or rejected.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use daicho_app::{
    BookName, COLUMNS, ClockAndEntropy, Currency, ImportOptions, ImportReport, Ledger, Name,
    Preset, Rejected,
};

use super::book::create_open;
use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Heading, Output, number, text};
use crate::progress::watch;

/// The book that an import makes where none is named.
const BOOK_DEFAULT: &str = "imported";

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Order lines of a wholesaler, as CSV
    ///
    /// An invoice number becomes an order with its invoice, a number that begins with C a return
    /// with its credit. Rows need not be sorted. A second import of the same file records nothing
    /// new, and an interrupted import continues where it stopped. A book that does not exist
    /// yet is made with the settings of a wholesaler.
    Orders(OrdersArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OrdersArgs {
    /// The file, with the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate,
    /// UnitPrice, CustomerID and Country
    file: PathBuf,
    /// Record rows without a customer for a customer of this name, instead of rejecting them
    #[arg(long, value_name = "NAME")]
    unknown_customer: Option<Name>,
    /// Write the rejected rows to this CSV file, each with its number and the rule it broke
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// The currency of the prices, for a book that is made by this import
    #[arg(long, default_value = "GBP")]
    currency: Currency,
}

const HEADINGS: [Heading; 8] = [
    number("rows"),
    number("recorded"),
    number("already recorded"),
    number("rejected"),
    number("orders"),
    number("returns"),
    text("recorded amount"),
    text("rejected amount"),
];

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: ImportCommand,
) -> Result<Exit, CliError> {
    let ImportCommand::Orders(args) = command;
    let ledger = open_or_make(global, output, args.currency).await?;
    let imported = import(&ledger, output, &args).await;
    ledger.close().await;
    let report = imported?;
    output.show(&report, &HEADINGS, &[cells(&report)])?;
    if report.rejected == 0 {
        return Ok(Exit::Done);
    }
    if let Some(first) = report.rejects.first() {
        output
            .note(&format!("First rejected, row {}: {} ({})", first.row, first.text, first.rule))?;
    }
    if args.rejects.is_none() {
        output.note("`--rejects FILE` writes every rejected row with the rule it broke.")?;
    }
    Ok(Exit::Rejected)
}

async fn import(
    ledger: &Ledger,
    output: Output,
    args: &OrdersArgs,
) -> Result<ImportReport, CliError> {
    let options = ImportOptions { unknown_customer: args.unknown_customer.clone() };
    // The file of rejects is made before anything is recorded, so that it cannot fail afterwards.
    let rejects = args.rejects.as_deref().map(|path| (path, create(path)));
    let rejects = rejects.map(|(path, file)| file.map(|file| (path, file))).transpose()?;
    let report = ledger.imports().orders(&args.file, &options, watch(output).as_ref()).await?;
    if let Some((path, file)) = rejects {
        write_rejects(&report.rejects, file).map_err(|source| unwritable(path, source.into()))?;
    }
    Ok(report)
}

/// Opens the book, or makes it with the settings of a wholesaler.
async fn open_or_make(
    global: &Global,
    output: Output,
    currency: Currency,
) -> Result<Ledger, CliError> {
    let books = book::books(global)?;
    let name = match &global.book {
        Some(name) => name.clone(),
        None if books.list().await?.is_empty() => BOOK_DEFAULT.parse::<BookName>()?,
        None => book::chosen(global).await?,
    };
    if books.exists(&name).await? {
        return Ok(books.open(&name, ClockAndEntropy::system()).await?);
    }
    let ledger = create_open(global, &name, &Preset::Wholesale.to_string(), currency).await?;
    output
        .aside(&format!("made the book `{name}` with the settings of a wholesaler in {currency}"));
    Ok(ledger)
}

fn create(path: &Path) -> Result<File, CliError> {
    File::create(path).map_err(|source| unwritable(path, source))
}

fn unwritable(path: &Path, source: std::io::Error) -> CliError {
    CliError::Unwritable { path: path.display().to_string(), source }
}

fn write_rejects(rejects: &[Rejected], file: File) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(["row", "rule", "text"].into_iter().chain(COLUMNS))?;
    for rejected in rejects {
        let row = rejected.row.to_string();
        let said = [row.as_str(), &rejected.rule, &rejected.text];
        writer.write_record(said.into_iter().chain(rejected.fields.iter().map(String::as_str)))?;
    }
    Ok(writer.flush()?)
}

fn cells(report: &ImportReport) -> Vec<String> {
    vec![
        report.rows.to_string(),
        report.recorded.to_string(),
        report.already_recorded.to_string(),
        report.rejected.to_string(),
        report.orders.to_string(),
        report.returns.to_string(),
        report.recorded_amount.to_string(),
        report.rejected_amount.to_string(),
    ]
}
