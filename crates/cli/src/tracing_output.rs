//! Logs of the ledger's own work, on standard error. They are off unless asked for; a service logs
//! each request.

use std::io::IsTerminal as _;

use tokio::runtime::Handle;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::collector::Collector;
use crate::commands::Command;
use crate::error::CliError;
use crate::global::{Global, LogFormat};

/// The variable that holds a filter, `daicho_store=debug,info`.
const FILTER_VARIABLE: &str = "DAICHO_LOG";

/// Starts logging as `-v` or `DAICHO_LOG` ask; answers the collector that spans go to, if one is
/// named.
pub(crate) fn start(
    global: &Global,
    command: &Command,
    runtime: &Handle,
) -> Result<Option<Collector>, CliError> {
    let verbosity = match global.verbose {
        0 => command.tells(),
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let asked = std::env::var(FILTER_VARIABLE).ok().filter(|filter| !filter.is_empty());
    let filter = asked.unwrap_or_else(|| verbosity.to_owned());
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        CliError::Usage(format!("{FILTER_VARIABLE} is no filter (`{filter}`): {error}"))
    })?;
    let collector = command.otlp_endpoint().map(|url| Collector::at(url, runtime)).transpose()?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = lines.with_ansi(std::io::stderr().is_terminal());
    let lines = match global.log_format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_span_list(false).with_filter(filter).boxed(),
    };
    let spans = collector.as_ref().map(|collector| {
        let layer = tracing_opentelemetry::layer().with_tracer(collector.tracer());
        layer.with_filter(LevelFilter::INFO)
    });
    tracing_subscriber::registry().with(lines).with(spans).init();
    Ok(collector)
}
