//! `daicho book`: make an empty book, list the books there are.

use clap::Subcommand;
use daicho_app::{BookName, Checkpoint, Edge};
use serde::Serialize;

use crate::args::Global;
use crate::book::books;
use crate::error::{CliError, Exit};
use crate::output::{Heading, Output, number, text};

#[derive(Debug, Subcommand)]
pub(crate) enum BookCommand {
    /// Make an empty book; the command `shop.open_book` then gives it its settings
    Create {
        /// Its name: lower-case letters, digits and hyphens
        name: BookName,
    },
    /// List the books
    List,
}

/// A book in the list.
#[derive(Debug, Serialize)]
struct BookRow {
    book: String,
    events: u64,
    root: String,
    folder: String,
}

const HEADINGS: [Heading; 4] = [text("book"), number("events"), text("root"), text("folder")];

pub(crate) async fn run(
    global: &Global,
    output: Output,
    command: BookCommand,
) -> Result<Exit, CliError> {
    match command {
        BookCommand::Create { name } => create(global, output, &name).await,
        BookCommand::List => list(global, output).await,
    }
}

async fn create(global: &Global, output: Output, name: &BookName) -> Result<Exit, CliError> {
    let ledger = books(global).create(name, Edge::system()).await?;
    let checkpoint = ledger.checkpoint().await;
    ledger.close().await;
    let row = row(global, name, checkpoint?);
    output.show(&row, &HEADINGS, &[cells(&row)])?;
    output.note(
        "The book is empty: the command `shop.open_book` gives it its settings. \
         `daicho run --schema shop.open_book` prints its form.",
    )?;
    Ok(Exit::Done)
}

async fn list(global: &Global, output: Output) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    for name in books(global).list()? {
        let ledger = books(global).open(&name, Edge::system()).await?;
        let checkpoint = ledger.checkpoint().await;
        ledger.close().await;
        rows.push(row(global, &name, checkpoint?));
    }
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    output.show(&rows, &HEADINGS, &cells)?;
    if rows.is_empty() {
        output.note("There is no book yet: `daicho book create NAME` makes one.")?;
    }
    Ok(Exit::Done)
}

fn row(global: &Global, name: &BookName, checkpoint: Checkpoint) -> BookRow {
    BookRow {
        book: name.to_string(),
        events: checkpoint.position.0,
        root: root_of(checkpoint),
        folder: books(global).folder_of(name).display().to_string(),
    }
}

/// The root alone: `N:ROOT` without `N:`.
fn root_of(checkpoint: Checkpoint) -> String {
    let text = checkpoint.to_string();
    text.split_once(':').map(|(_, root)| root.to_owned()).unwrap_or(text)
}

fn cells(row: &BookRow) -> Vec<String> {
    vec![row.book.clone(), row.events.to_string(), row.root.clone(), row.folder.clone()]
}
