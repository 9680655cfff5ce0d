//! `daicho serve`: the service over HTTP, and `daicho config`: what it would run with.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use daicho_app::{Books, ClockAndEntropy};
use daicho_http::Settings;
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Format, Output};
use crate::stop::asked_to_stop;

pub(super) const SERVE_HELP: &str = "\
Each setting is taken from its flag, else from its variable, else from the file, else its default:
`daicho config check` prints the result. Create keys with `daicho key create`.

The service is described at /openapi.json and /docs. SIGTERM or Ctrl-C stop it cleanly: no new
connection is accepted, requests in progress finish, exit code 0.";

/// Where settings come from.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// TOML file of settings
    #[arg(long, value_name = "FILE", env = "DAICHO_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Address and port to listen on; port 0: a free one [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS:PORT", env = "DAICHO_LISTEN", hide_env_values = true)]
    listen: Option<SocketAddr>,
    /// How callers reach the service; left out: where it listens
    #[arg(long, value_name = "URL", env = "DAICHO_PUBLIC_URL", hide_env_values = true)]
    public_url: Option<String>,
    /// OpenTelemetry collector that a span of each request goes to, over OTLP/HTTP:
    /// http://host:4318; left out: none
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide_env_values = true)]
    pub(super) otlp_endpoint: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the settings of a service, and print them as a TOML file has them
    Check(ServeArgs),
}

pub(crate) async fn serve(
    global: &Global,
    output: Output,
    args: ServeArgs,
) -> Result<Exit, CliError> {
    let settings = settings(global, args)?;
    let books = books(global, &settings)?;
    let place = books.describe();
    let ready = |address: SocketAddr| {
        let told = match output.format() {
            Format::Json => output.line(&json!({ "listening": address }).to_string()),
            Format::Table | Format::Csv => {
                output.line(&format!("Serving the books in {place} at http://{address}"))
            }
        };
        // Where standard output is closed, the log says it.
        let _ = told;
    };
    let stop = async {
        if let Err(error) = asked_to_stop().await {
            output.aside(&format!("no signal can be waited for: {error}"));
            std::future::pending::<()>().await;
        }
    };
    daicho_http::serve(settings, books, ClockAndEntropy::system(), ready, stop).await?;
    Ok(Exit::Done)
}

pub(crate) fn config(
    global: &Global,
    output: Output,
    command: ConfigCommand,
) -> Result<Exit, CliError> {
    let ConfigCommand::Check(args) = command;
    let settings = settings(global, args)?;
    books(global, &settings)?;
    match output.format() {
        Format::Json => output.line(&json!(settings).to_string())?,
        Format::Table | Format::Csv => output.line(settings.to_toml().trim_end())?,
    }
    Ok(Exit::Done)
}

/// The settings of the file, and above them what was said beside it.
fn settings(global: &Global, args: ServeArgs) -> Result<Settings, CliError> {
    let file = args.config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
    let said = global.data.is_some() || global.database.is_some() || global.database_file.is_some();
    let settings = Settings {
        listen: args.listen.unwrap_or(file.listen),
        public_url: args.public_url.or(file.public_url),
        data: if said { global.data.clone() } else { file.data },
        database_file: if said { global.database_file.clone() } else { file.database_file },
        ..file
    };
    settings.check()?;
    Ok(settings)
}

/// The books that the settings name.
fn books(global: &Global, settings: &Settings) -> Result<Books, CliError> {
    let (data, database_file) = (settings.data.clone(), settings.database_file.clone());
    book::books(&Global { data, database_file, ..global.clone() })
}
