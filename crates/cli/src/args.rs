//! The command line as a whole: one command, and the options for every command. The help of a list
//! is made from its columns.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser};
use daicho_app::{List, all};

use crate::commands::Command;
use crate::error::EXIT_CODES;
use crate::global::Global;

/// Columns of the help.
const HELP_COLUMNS: usize = 100;

/// Daicho (台帳): the book of record behind B2B shops. What happens is recorded once and never
/// changed; lists are made from the record, for today or for any past day
#[derive(Debug, Parser)]
#[command(name = "daicho", version, after_help = EXIT_CODES, max_term_width = HELP_COLUMNS)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Reads the arguments.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(args)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    // A typed argument overrides the environment; two typed ones contradict each other.
    let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let places = ["data", "database", "database_file"];
    if places.into_iter().filter(|place| typed(place)).count() > 1 {
        let text = "books stand in a folder or in a database: name one with --data, --database or \
                    --database-file";
        return Err(command.error(ErrorKind::ArgumentConflict, text));
    }
    let Global { data, database, database_file, .. } = &mut cli.global;
    if places.into_iter().any(typed) {
        data.take_if(|_| !typed("data"));
        database.take_if(|_| !typed("database"));
        database_file.take_if(|_| !typed("database_file"));
    }
    Ok(cli)
}

/// The command line as a whole, the help of each list made from its columns.
pub(crate) fn command() -> clap::Command {
    all().iter().fold(Cli::command(), |command, list| {
        command.mut_subcommand(list.name(), |group| {
            group
                .mut_subcommand("list", |command| command.after_help(columns_help(*list)))
                .mut_subcommand("show", |command| command.mut_arg("key", |key| key_of(*list, key)))
        })
    })
}

/// Whether errors are to be JSON, asked before the arguments were understood.
pub(crate) fn asks_for_json(args: impl Iterator<Item = String>) -> bool {
    let args: Vec<String> = args.collect();
    args.iter().any(|arg| arg == "--output=json")
        || args.windows(2).any(|pair| pair == ["--output", "json"])
}

fn columns_help(list: &dyn List) -> String {
    let names = std::iter::once(list.key_name()).chain(list.columns().iter().map(|c| c.name));
    let width = names.map(str::len).max().unwrap_or_default();
    let mut help = format!("Columns:\n  {:width$}  the key", list.key_name());
    for column in list.columns() {
        // Writing to a text cannot fail.
        let _ = write!(help, "\n  {:width$}  {}", column.name, column.describe);
    }
    help.push_str("\n\nAmounts are compared in the smallest unit of the currency (yen, pence).");
    help
}

/// The argument of `show`: an id of the list's kind.
fn key_of(list: &'static dyn List, key: clap::Arg) -> clap::Arg {
    let help = format!("The {} of the row", list.key_name());
    let parser = move |text: &str| crate::commands::lists::check_key(list, text);
    key.help(help).value_parser(parser)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_contradict_each_other_nowhere() {
        command().debug_assert();
    }

    #[test]
    fn json_errors_are_asked_for_in_two_ways() {
        let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>().into_iter();
        assert!(asks_for_json(args("daicho --output json orders")));
        assert!(asks_for_json(args("daicho orders --output=json")));
        assert!(!asks_for_json(args("daicho orders json --output")));
    }
}
