//! Every command, one group a file. Each opens the book, asks the ledger and shows its answer.

mod archive;
mod book;
mod completions;
mod consumers;
mod cursors;
mod demo;
mod event_lines;
mod events;
mod follow;
mod history;
mod import;
mod keys;
pub(crate) mod lists;
mod projections;
mod run;
mod serve;
mod simulate;
mod verify;
mod webhooks;

use clap::Subcommand;

use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::Output;

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate three years of a shop in a new book, and walk through what a ledger shows
    Demo(demo::DemoArgs),
    /// Create and list books
    #[command(subcommand)]
    Book(book::BookCommand),
    /// Run commands, one JSON object per line
    Run(run::RunArgs),
    /// Serve the books over HTTP: commands in, lists and events out
    #[command(after_help = serve::SERVE_HELP)]
    Serve(serve::ServeArgs),
    /// Keys with which programs authenticate over HTTP
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Consumers: events in batches, for several workers at once
    #[command(subcommand)]
    Consumer(consumers::ConsumerCommand),
    /// Webhooks: addresses to which a service sends events
    #[command(subcommand)]
    Webhook(webhooks::WebhookCommand),
    /// The settings of `serve`
    #[command(subcommand)]
    Config(serve::ConfigCommand),
    /// Import records from other systems
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Simulate three years of a shop in a new book
    Simulate(simulate::SimulateArgs),
    #[command(flatten)]
    List(lists::NamedList),
    /// What happened to one thing, oldest first
    History(history::HistoryArgs),
    /// The record itself
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// The stored lists: status, rebuild, comparison
    #[command(subcommand)]
    Projections(projections::ProjectionsCommand),
    /// Prove that the record is whole and the lists agree with it
    Verify(verify::VerifyArgs),
    /// Copy a book, while others write
    Backup(archive::BackupArgs),
    /// Restore a backup as the book `--book`, and verify it
    Restore(archive::RestoreArgs),
    /// Print the completions of a shell
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// What is logged to standard error unless somebody asks for more or less.
    pub(crate) fn tells(&self) -> &'static str {
        if matches!(self, Self::Serve(_)) { "info" } else { "off" }
    }

    /// The collector that spans go to.
    pub(crate) fn otlp_endpoint(&self) -> Option<&str> {
        let Self::Serve(args) = self else { return None };
        args.otlp_endpoint.as_deref().filter(|url| !url.is_empty())
    }
}

/// Does what was asked; `tree` is the command line as a whole, of which completions are made.
pub(crate) async fn run(
    global: Global,
    command: Command,
    output: Output,
    tree: fn() -> clap::Command,
) -> Result<Exit, CliError> {
    let global = &global;
    match command {
        Command::Demo(args) => demo::run(global, output, args).await,
        Command::Import(command) => import::run(global, output, command).await,
        Command::Simulate(args) => simulate::run(global, output, args).await,
        Command::Book(command) => book::run(global, output, command).await,
        Command::Run(args) => run::run(global, output, args).await,
        Command::Serve(args) => serve::serve(global, output, args).await,
        Command::Key(command) => keys::run(global, output, command).await,
        Command::Consumer(command) => consumers::run(global, output, command).await,
        Command::Webhook(command) => webhooks::run(global, output, command).await,
        Command::Config(command) => serve::config(global, output, command),
        Command::List(named) => lists::run(global, output, named).await,
        Command::History(args) => history::run(global, output, args).await,
        Command::Events(command) => events::run(global, output, command).await,
        Command::Projections(command) => projections::run(global, output, command).await,
        Command::Verify(args) => verify::run(global, output, args).await,
        Command::Backup(args) => archive::backup(global, output, args).await,
        Command::Restore(args) => archive::restore(global, output, args).await,
        Command::Completions(args) => completions::run(output, args, tree()),
    }
}
