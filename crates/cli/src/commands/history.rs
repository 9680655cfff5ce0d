//! `daicho history`: who did what to one thing, when it was recorded, from when it counts, and why.

use clap::Args;
use daicho_app::HistoryLine;
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Heading, Output, number, text};

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// What it is about: `order:<id>`, `quote:<id>`, `member:<id>`, `product:<code>`, `shop` …
    tag: String,
}

const HEADINGS: [Heading; 6] = [
    number("position"),
    text("what"),
    text("who"),
    text("recorded at"),
    text("counts from"),
    text("caused by"),
];

pub(crate) async fn run(
    global: &Global,
    output: Output,
    args: HistoryArgs,
) -> Result<Exit, CliError> {
    let tag = args.tag.as_str();
    book::with(global, async |ledger| show(output, tag, &ledger.history().about(tag).await?))
        .await?;
    Ok(Exit::Done)
}

/// Shows a history; one without events says how tags are written.
pub(crate) fn show(output: Output, tag: &str, lines: &[HistoryLine]) -> Result<(), CliError> {
    if lines.is_empty() && output.format() == crate::output::Format::Table {
        return output.line(&format!(
            "Nothing is recorded about `{tag}`. A tag is a kind and an id, as `order:<id>`: \
             `daicho events read --limit 10` shows the tags of events."
        ));
    }
    let rows: Vec<Vec<String>> = lines.iter().map(cells).collect();
    output.show(&json!({ "tag": tag, "events": lines }), &HEADINGS, &rows)
}

fn cells(line: &HistoryLine) -> Vec<String> {
    vec![
        line.position.to_string(),
        line.type_name.to_owned(),
        line.actor.to_string(),
        line.recorded_at.to_string(),
        line.effective_on.to_string(),
        line.cause.map(|cause| cause.to_string()).unwrap_or_default(),
    ]
}
