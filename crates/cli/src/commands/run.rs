//! `daicho run`: commands as JSON Lines, one answer a line. A line that breaks a rule is rejected
//! and the run goes on; a failure of ours ends it.

use clap::Args;
use daicho_app::{
    Blame, COMMANDS, CommandEntry, CommandRequest, ExecuteError, Executed, Ledger, Position, causes,
};
use serde::Serialize;
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::lines::{LINE_BYTES_MAX, Line, read};
use crate::output::{Output, text};

/// The code of a line that is no command.
const MALFORMED: &str = "malformed";
/// The code of a command that breaks a limit of the log.
const REFUSED: &str = "refused";

const LINE_HELP: &str = "\
Each line of the input is one JSON object, empty lines are skipped:
  request  names the request, so that it has one effect for ever (may be left out)
  actor    who acts: member:<id>, staff:<log-in> or system:<name>
  cause    position of the event that caused it (may be left out)
  command  the command's name: `daicho run --schema` lists them
  data     its fields: `daicho run --schema COMMAND` prints their JSON Schema

Each line is answered with one line on standard output, whatever `--output`:
  {\"line\":1,\"request\":…,\"command\":…,\"positions\":[5],\"events\":[…],\"repeated\":false}
  {\"line\":2,\"request\":…,\"command\":…,\"rejected\":{\"code\":…,\"message\":…}}
  {\"line\":3,\"request\":…,\"command\":…,\"failed\":{\"code\":…,\"message\":…,\"causes\":[…]}}
A rejected line has no effect and the run goes on; it then ends with exit code 3. A failed line
ends the run with exit code 1: with request ids, the same input can be run again.";

#[derive(Debug, Args)]
#[command(after_help = LINE_HELP)]
pub(crate) struct RunArgs {
    /// File of commands, `-` for standard input
    #[arg(required_unless_present = "schema", conflicts_with = "schema")]
    file: Option<String>,
    /// List the commands, or print the JSON Schema of one
    #[arg(long, value_name = "COMMAND", num_args = 0..=1)]
    schema: Option<Option<String>>,
}

pub(crate) async fn run(global: &Global, output: Output, args: RunArgs) -> Result<Exit, CliError> {
    match (args.schema, args.file) {
        (Some(Some(name)), _) => print_schema(output, &name),
        (Some(None), _) | (None, None) => list_commands(output),
        (None, Some(file)) => {
            book::with(global, async |ledger| run_lines(ledger, output, &file).await).await
        }
    }
}

fn print_schema(output: Output, name: &str) -> Result<Exit, CliError> {
    let entry = CommandEntry::by_name(name).map_err(|error| CliError::Usage(error.to_string()))?;
    output.line(&format!("{:#}", entry.schema()))?;
    Ok(Exit::Done)
}

fn list_commands(output: Output) -> Result<Exit, CliError> {
    let commands: Vec<(&str, String)> = COMMANDS
        .iter()
        .map(|entry| {
            let schema = entry.schema();
            let about = schema.get("description").and_then(serde_json::Value::as_str);
            (entry.name, about.unwrap_or_default().replace('\n', " "))
        })
        .collect();
    let value: Vec<serde_json::Value> = commands
        .iter()
        .map(|(name, about)| json!({ "command": name, "description": about }))
        .collect();
    let rows: Vec<Vec<String>> =
        commands.into_iter().map(|(name, about)| vec![name.to_owned(), about]).collect();
    output.show(&value, &[text("command"), text("what it does")], &rows)?;
    Ok(Exit::Done)
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The answer to a line.
#[derive(Debug, Serialize)]
struct Answer {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Done {
        positions: Vec<Position>,
        events: Vec<EventLine>,
        repeated: bool,
        /// Of a key that was made: shown here and never again.
        #[serde(skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    Rejected {
        rejected: Reason,
    },
    Failed {
        failed: Reason,
    },
}

/// An event that a command led to.
#[derive(Debug, Serialize)]
struct EventLine {
    position: Position,
    #[serde(rename = "type")]
    type_name: &'static str,
    /// What it is about, so that the caller learns the ids that were made.
    tags: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Reason {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
}

async fn run_lines(ledger: &Ledger, output: Output, file: &str) -> Result<Exit, CliError> {
    let mut lines = read(file)?;
    let (mut number, mut exit) = (0, Exit::Done);
    loop {
        // A command that was begun is finished: only the wait for the next line is given up.
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = tokio::signal::ctrl_c() => return Err(CliError::Stopped(format!(
                "interrupted after line {number}: what was answered is recorded"
            ))),
        };
        let Some(line) = line else { return Ok(exit) };
        let line = line.map_err(|source| CliError::Input { path: file.to_owned(), source })?;
        number += 1;
        let Some(answer) = answer(ledger, number, line).await else { continue };
        tell(output, &answer)?;
        match answer.outcome {
            Outcome::Done { .. } => {}
            Outcome::Rejected { .. } => exit = Exit::Rejected,
            Outcome::Failed { failed } => {
                return Err(CliError::Stopped(format!(
                    "line {number} failed ({}): the lines after it were not run",
                    failed.message
                )));
            }
        }
    }
}

/// Writes an answer. When nobody reads any more, the lines that follow are not run, and that is an
/// error, unlike `| head` of a list.
fn tell(output: Output, answer: &Answer) -> Result<(), CliError> {
    let json = serde_json::to_string(answer).map_err(|error| CliError::Output(error.into()))?;
    let Err(error) = output.line(&json) else { return Ok(()) };
    if !error.is_closed_pipe() {
        return Err(error);
    }
    let line = answer.line;
    Err(CliError::Stopped(format!(
        "nobody reads the answers any more: line {line} was the last that was run"
    )))
}

/// Does what a line asks for; `None`: it is empty.
async fn answer(ledger: &Ledger, line: u64, text: Line) -> Option<Answer> {
    let malformed = |message| Answer {
        line,
        request: None,
        command: None,
        outcome: Outcome::Rejected { rejected: reason(MALFORMED, message) },
    };
    let request = match parse(line, text) {
        Ok(Some(request)) => request,
        Ok(None) => return None,
        Err(message) => return Some(malformed(message)),
    };
    let (id, command) = (request.request.clone(), Some(request.command.clone()));
    let outcome = match ledger.commands().run(request).await {
        Ok(executed) => done(&executed),
        Err(error) => not_done(line, error),
    };
    Some(Answer { line, request: id, command, outcome })
}

fn parse(line: u64, text: Line) -> Result<Option<CommandRequest>, String> {
    let Line::Bytes(bytes) = text else {
        let limit = LINE_BYTES_MAX;
        return Err(format!("line {line} has more than {limit} bytes: split what it asks for"));
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        format!("line {line} is not UTF-8 from its byte {} on", error.valid_up_to() + 1)
    })?;
    // Some programs begin a file with a byte-order mark, which is no part of its first line.
    let text = if line == 1 { text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text) } else { text };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let request = serde_json::from_str(text);
    request.map(Some).map_err(|error| format!("line {line} is no command: {}", in_line(&error)))
}

/// What JSON says, with the column alone: its line is always 1.
fn in_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} (column {})", error.column()),
        None => text,
    }
}

fn done(executed: &Executed) -> Outcome {
    let events = executed.events.iter().map(|recorded| EventLine {
        position: recorded.header.position,
        type_name: recorded.event.event_type().name,
        tags: recorded.event.tags().iter().map(|tag| tag.as_str().to_owned()).collect(),
    });
    let positions = executed.events.iter().map(|recorded| recorded.header.position);
    Outcome::Done {
        positions: positions.collect(),
        events: events.collect(),
        repeated: executed.repeated,
        secret: executed.secret.as_ref().map(ToString::to_string),
    }
}

fn not_done(line: u64, error: ExecuteError) -> Outcome {
    let code = error.code();
    match error {
        ExecuteError::Malformed(message) => {
            Outcome::Rejected { rejected: reason(code, format!("line {line}: {message}")) }
        }
        ExecuteError::Rejected(_)
        | ExecuteError::Changed { .. }
        | ExecuteError::RequestReused { .. } => {
            Outcome::Rejected { rejected: reason(code, error.to_string()) }
        }
        ExecuteError::Failure(failure) if failure.blame() == Blame::Caller => {
            Outcome::Rejected { rejected: reason(REFUSED, failure.rule()) }
        }
        ExecuteError::Conflict(_) | ExecuteError::Failure(_) => {
            let failed = Reason { code, message: error.to_string(), causes: causes(&error) };
            Outcome::Failed { failed }
        }
    }
}

fn reason(code: &'static str, message: String) -> Reason {
    Reason { code, message, causes: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &[u8]) -> Line {
        Line::Bytes(text.to_vec())
    }

    #[test]
    fn an_empty_line_is_passed_over() {
        assert_eq!(parse(1, bytes(b" \t\r")), Ok(None));
    }

    #[test]
    fn what_is_no_command_is_refused_with_its_line_and_column() {
        let message = parse(7, bytes(b"{\"actor\":")).unwrap_err();
        assert!(message.starts_with("line 7 is no command: EOF"), "{message}");
        assert!(message.ends_with("(column 9)"), "{message}");
        let message = parse(7, bytes(b"{\"actor\":\"staff:a\",\"commnd\":1}")).unwrap_err();
        assert!(message.contains("unknown field `commnd`"), "{message}");
        assert_eq!(
            parse(7, bytes(b"ab\xff")),
            Err("line 7 is not UTF-8 from its byte 3 on".to_owned())
        );
        assert!(parse(7, Line::TooLong).unwrap_err().contains("2097152 bytes"));
    }
}
