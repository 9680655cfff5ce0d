//! What the ledger tells of its own work, on standard error. Off unless asked for; a service
//! tells of each request.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::args::Cli;
use crate::error::CliError;

/// The variable that holds a filter, `daicho_store=debug,info`.
const FILTER_VARIABLE: &str = "DAICHO_LOG";

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    // For people.
    Text,
    // One JSON object a line.
    Json,
}

/// Starts telling, as `-v` or `DAICHO_LOG` ask.
pub(crate) fn start(cli: &Cli) -> Result<(), CliError> {
    let verbosity = match cli.global.verbose {
        0 => cli.command.tells(),
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let asked = std::env::var(FILTER_VARIABLE).ok().filter(|filter| !filter.is_empty());
    let filter = asked.unwrap_or_else(|| verbosity.to_owned());
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        CliError::Usage(format!("{FILTER_VARIABLE} is no filter (`{filter}`): {error}"))
    })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let subscriber = subscriber.with_ansi(std::io::stderr().is_terminal());
    match cli.global.log_format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}
