//! The options for every command.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use daicho_app::BookName;

use crate::output::Format;

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Global {
    /// Folder of the books [default: daicho-data]
    #[arg(long, global = true, value_name = "DIR", env = "DAICHO_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
    /// Database of the books instead of a folder: postgres://user:password@host:port/database
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "DAICHO_DATABASE",
        hide_env_values = true
    )]
    pub(crate) database: Option<String>,
    /// File that holds the URL of `--database`, so that no password stands in a command line
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "DAICHO_DATABASE_FILE",
        hide_env_values = true
    )]
    pub(crate) database_file: Option<PathBuf>,
    /// Accept a database server with fsync or full_page_writes off, which can lose confirmed
    /// events in a crash: for tests only
    #[arg(long, global = true, env = "DAICHO_ALLOW_UNSAFE_SERVER", hide_env_values = true)]
    pub(crate) allow_unsafe_server: bool,
    /// The book; may be left out where there is only one
    #[arg(long, global = true, value_name = "NAME", env = "DAICHO_BOOK", hide_env_values = true)]
    pub(crate) book: Option<BookName>,
    /// Form of the answer
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// Log to standard error; -vv logs more, DAICHO_LOG holds a finer filter
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Form of the log
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    // For people.
    Text,
    // One JSON object a line.
    Json,
}
