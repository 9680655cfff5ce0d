//! `daicho book`: make an empty book, list the books there are, copy one to another place.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use daicho_app::{
    Actor, BookName, Books, Checkpoint, ClockAndEntropy, Context, Currency, Ledger, Name,
    preset_or_file,
};
use serde::Serialize;
use serde_json::json;

use crate::book::{books, in_database};
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Heading, Output, number, text};
use crate::progress::watch;

#[derive(Debug, Subcommand)]
pub(crate) enum BookCommand {
    /// Make a book: with the settings of a kind of shop, or empty
    Create(CreateArgs),
    /// List the books
    List,
    /// Copy a book to another place: the same bytes, the same root. Copying again continues where
    /// the copy ends; from now on, write to only one of the two copies
    Copy(CopyArgs),
    /// Let a role of the database serve a book: it reads and appends, and can never change what is
    /// recorded. Only the book's owner can do this
    Grant(GrantArgs),
}

#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// The book
    name: BookName,
    /// An existing role
    role: String,
    /// The keys of personal data, too: without them it cannot seal or open any
    #[arg(long)]
    vault: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The book
    name: BookName,
    /// Folder of books to copy it to
    #[arg(long, value_name = "DIR", required_unless_present = "to_database")]
    to_data: Option<PathBuf>,
    /// Database to copy it to: postgres://user:password@host:port/database
    #[arg(long, value_name = "URL", conflicts_with = "to_data")]
    to_database: Option<String>,
    /// Its name there; left out, the same
    #[arg(long, value_name = "NAME")]
    to_name: Option<BookName>,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name: lower-case letters, digits and hyphens
    name: BookName,
    /// Give it the settings of telecom-shop, office-supplies, software-market or wholesale, or
    /// those of a JSON file of your own; left out, it is empty and the command `shop.open_book`
    /// gives it its settings
    #[arg(long, value_name = "NAME|FILE")]
    shop: Option<String>,
    /// The currency of its prices
    #[arg(long, value_name = "CODE", default_value = "JPY", requires = "shop")]
    currency: Currency,
}

/// A book in the list.
#[derive(Debug, Serialize)]
struct BookRow {
    book: String,
    events: u64,
    root: String,
    place: String,
}

const HEADINGS: [Heading; 4] = [text("book"), number("events"), text("root"), text("place")];

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: BookCommand,
) -> Result<Exit, CliError> {
    match command {
        BookCommand::Create(args) => create(global, output, &args).await,
        BookCommand::List => list(global, output).await,
        BookCommand::Copy(args) => copy(global, output, args).await,
        BookCommand::Grant(args) => grant(global, output, &args).await,
    }
}

async fn create(global: &Global, output: Output, args: &CreateArgs) -> Result<Exit, CliError> {
    let ledger = match &args.shop {
        Some(shop) => create_open(global, &args.name, shop, args.currency).await?,
        None => books(global)?.create(&args.name, ClockAndEntropy::system()).await?,
    };
    let checkpoint = ledger.proof().checkpoint().await;
    ledger.close().await;
    let row = row(&books(global)?, &args.name, checkpoint?);
    output.show(&row, &HEADINGS, &[cells(&row)])?;
    if args.shop.is_some() {
        return Ok(Exit::Done);
    }
    output.note(
        "The book is empty: the command `shop.open_book` gives it its settings. \
         `daicho run --schema shop.open_book` prints its form.",
    )?;
    Ok(Exit::Done)
}

/// Makes a book and gives it the settings of a preset or of a file, under the book's own name.
pub(crate) async fn create_open(
    global: &Global,
    name: &BookName,
    shop: &str,
    currency: Currency,
) -> Result<Ledger, CliError> {
    let usage = |error: &dyn std::fmt::Display| CliError::Usage(error.to_string());
    let title = Name::new(&name.to_string()).map_err(|error| usage(&error))?;
    let settings = preset_or_file(shop, title, currency).map_err(|error| usage(&error))?;
    let actor = "system:daicho".parse::<Actor>().map_err(|error| usage(&error))?;
    let ledger = books(global)?.create(name, ClockAndEntropy::system()).await?;
    if let Err(error) = ledger.decisions().execute(&settings, &Context::of(actor)).await {
        ledger.close().await;
        return Err(error.into());
    }
    Ok(ledger)
}

async fn list(global: &Global, output: Output) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    let books = books(global)?;
    for name in books.list().await? {
        let ledger = books.open(&name, ClockAndEntropy::system()).await?;
        let checkpoint = ledger.proof().checkpoint().await;
        ledger.close().await;
        rows.push(row(&books, &name, checkpoint?));
    }
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    output.show(&rows, &HEADINGS, &cells)?;
    if rows.is_empty() {
        output.note("There is no book yet: `daicho book create NAME` makes one.")?;
    }
    Ok(Exit::Done)
}

async fn copy(global: &Global, output: Output, args: CopyArgs) -> Result<Exit, CliError> {
    let target = match (args.to_database, args.to_data) {
        (Some(url), _) => in_database(global, &url)?,
        (None, folder) => Books::in_folder(folder.unwrap_or_default()),
    };
    let name = args.to_name.as_ref().unwrap_or(&args.name);
    let (source, clock_and_entropy, progress) =
        (books(global)?, ClockAndEntropy::system(), watch(output));
    let checkpoint =
        source.copy(&args.name, &target, name, &clock_and_entropy, progress.as_ref()).await?;
    let row = row(&target, name, checkpoint);
    output.show(&row, &HEADINGS, &[cells(&row)])?;
    output.note(&format!(
        "It is the same book: from now on, write to only one of the two copies. \
         checkpoint {checkpoint}"
    ))?;
    Ok(Exit::Done)
}

async fn grant(global: &Global, output: Output, args: &GrantArgs) -> Result<Exit, CliError> {
    let GrantArgs { name, role, vault } = args;
    books(global)?.grant(name, role, *vault).await?;
    let value = json!({ "book": name.to_string(), "role": role, "vault": vault });
    let cells = vec![name.to_string(), role.clone(), vault.to_string()];
    output.show(&value, &[text("book"), text("role"), text("vault")], &[cells])?;
    Ok(Exit::Done)
}

fn row(books: &Books, name: &BookName, checkpoint: Checkpoint) -> BookRow {
    BookRow {
        book: name.to_string(),
        events: checkpoint.position.0,
        root: root_of(checkpoint),
        place: books.describe_book(name),
    }
}

/// The root alone: `N:ROOT` without `N:`.
fn root_of(checkpoint: Checkpoint) -> String {
    let text = checkpoint.to_string();
    text.split_once(':').map(|(_, root)| root.to_owned()).unwrap_or(text)
}

fn cells(row: &BookRow) -> Vec<String> {
    vec![row.book.clone(), row.events.to_string(), row.root.clone(), row.place.clone()]
}
