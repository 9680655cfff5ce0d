//! `daicho events cursors` and `cursor`: how far each consumer has come, and a way to move one,
//! which says what that means for its events.

use clap::Args;
use daicho_app::{CursorState, Ledger, Position};

use crate::error::CliError;
use crate::output::{Heading, Output, number, text};

const HEADINGS: [Heading; 3] = [text("cursor"), number("position"), number("behind by")];

#[derive(Debug, Args)]
pub(crate) struct CursorArgs {
    /// Its name
    name: String,
    /// Move it after this position: moving back repeats events, moving forward skips some. A
    /// consumer that follows under it ends with an error
    #[arg(long, value_name = "POSITION")]
    set: Option<u64>,
    /// Delete it: the next follower of this name starts from the beginning
    #[arg(long, conflicts_with = "set")]
    delete: bool,
}

pub(super) async fn list(ledger: &Ledger, output: Output) -> Result<(), CliError> {
    let cursors = ledger.following().cursors().await?;
    let rows: Vec<Vec<String>> = cursors.iter().map(cells).collect();
    output.show(&cursors, &HEADINGS, &rows)?;
    if cursors.is_empty() {
        output.note("Nobody follows under a name: `daicho events follow --name NAME` does.")?;
    }
    Ok(())
}

pub(super) async fn one(
    ledger: &Ledger,
    output: Output,
    args: &CursorArgs,
) -> Result<(), CliError> {
    let before = ledger.following().cursor(&args.name).await?;
    if let Some(position) = args.set {
        ledger.following().set_cursor(&args.name, Position(position)).await?;
        show(ledger, output, &args.name).await?;
        let from = before.map_or(0, |before| before.position.0);
        return output.note(&consequence(from, position));
    }
    let Some(before) = before else { return Err(unknown(ledger, &args.name).await?) };
    if !args.delete {
        return show(ledger, output, &args.name).await;
    }
    ledger.following().delete_cursor(&args.name).await?;
    output.show(&before, &HEADINGS, &[cells(&before)])?;
    output.note(&format!(
        "It is deleted. Who follows as `{}` next begins at the first event, or where `--after` \
         says.",
        args.name
    ))
}

async fn show(ledger: &Ledger, output: Output, name: &str) -> Result<(), CliError> {
    let Some(cursor) = ledger.following().cursor(name).await? else {
        return Err(unknown(ledger, name).await?);
    };
    output.show(&cursor, &HEADINGS, &[cells(&cursor)])
}

/// What a consumer gets again, or never.
fn consequence(from: u64, to: u64) -> String {
    let events = |after: u64, until: u64| match until - after {
        1 => format!("event {until}"),
        _ => format!("events {} to {until}", after + 1),
    };
    if to < from {
        return format!("Its consumer gets {} again.", events(to, from));
    }
    if to > from {
        return format!("Its consumer never gets {}, unless it is set back.", events(from, to));
    }
    "It stood there before.".to_owned()
}

async fn unknown(ledger: &Ledger, name: &str) -> Result<CliError, CliError> {
    let known: Vec<String> =
        ledger.following().cursors().await?.into_iter().map(|one| one.cursor).collect();
    let known = match known.as_slice() {
        [] => "there is none".to_owned(),
        known => format!("there are {}", known.join(", ")),
    };
    Ok(CliError::Usage(format!("there is no cursor `{name}`: {known}")))
}

fn cells(cursor: &CursorState) -> Vec<String> {
    vec![cursor.cursor.clone(), cursor.position.to_string(), cursor.behind_by.to_string()]
}

#[cfg(test)]
mod tests {
    use super::consequence;

    #[test]
    fn setting_a_cursor_says_what_is_repeated_or_passed_over() {
        assert_eq!(consequence(9, 4), "Its consumer gets events 5 to 9 again.");
        assert_eq!(consequence(5, 4), "Its consumer gets event 5 again.");
        let never = "Its consumer never gets events 5 to 9, unless it is set back.";
        assert_eq!(consequence(4, 9), never);
        assert_eq!(consequence(4, 4), "It stood there before.");
    }
}
