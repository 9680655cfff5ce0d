//! `daicho verify`: proof that nothing was altered, and that every list agrees with the record.

use clap::Args;
use daicho_app::{Checkpoint, ClockAndEntropy, Verified};

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Format, Heading, Output, number, text};
use crate::progress::watch;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A checkpoint that somebody stored: the book must still begin with it
    #[arg(long, value_name = "N:ROOT")]
    expect: Option<Checkpoint>,
}

const HEADINGS: [Heading; 4] =
    [text("checked"), number("position"), number("rows"), text("digest")];

pub(crate) async fn run(
    global: &Global,
    output: Output,
    args: VerifyArgs,
) -> Result<Exit, CliError> {
    let (books, name) = (book::books(global)?, book::chosen(global).await?);
    let verified =
        books.verify(&name, ClockAndEntropy::system(), args.expect, watch(output).as_ref()).await?;
    show(output, &verified, args.expect)?;
    Ok(Exit::Done)
}

/// Shows what was verified; the last line of a table is the checkpoint, for storing elsewhere.
pub(crate) fn show(
    output: Output,
    verified: &Verified,
    expected: Option<Checkpoint>,
) -> Result<(), CliError> {
    let mut rows = record_rows(verified, expected);
    for list in &verified.lists {
        rows.push(vec![
            format!("{}: equal to a fresh rebuild", list.list),
            list.position.to_string(),
            list.rows.to_string(),
            list.live.clone(),
        ]);
    }
    output.show(verified, &HEADINGS, &rows)?;
    if output.format() == Format::Table {
        output.line(&verified.checkpoint.to_string())?;
    }
    Ok(())
}

fn record_rows(verified: &Verified, expected: Option<Checkpoint>) -> Vec<Vec<String>> {
    let row = |what: &str, checkpoint: Checkpoint| {
        let text = checkpoint.to_string();
        let root = text.split_once(':').map(|(_, root)| root.to_owned()).unwrap_or_default();
        vec![what.to_owned(), checkpoint.position.to_string(), String::new(), root]
    };
    let end = verified.checkpoint;
    let derived = vec![
        "derived: index and blocks say what the record says".to_owned(),
        end.position.to_string(),
        String::new(),
        String::new(),
    ];
    let mut rows = vec![row("record: every position, hash and the tree", end)];
    rows.extend(expected.map(|expected| row("the checkpoint that was kept", expected)));
    rows.push(derived);
    rows
}
