//! The binary: reads what was asked, has the ledger do it, shows the answer. It holds no rules of
//! its own: what it can do, `daicho_app::Ledger` can do.

mod args;
mod book;
mod collector;
mod commands;
mod error;
mod global;
mod lines;
mod output;
mod progress;
mod shell;
mod size;
mod stop;
mod tracing_output;

use std::process::ExitCode;

use error::{CliError, Exit};
use output::{Format, Output};
use tokio::task::JoinError;

/// Folding and binding make many small texts, which another thread frees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match args::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let output = Output::new(cli.global.output);
    finish(run(cli, output), output).into()
}

fn run(cli: args::Cli, output: Output) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::Runtime)?;
    let collector = tracing_output::start(&cli.global, &cli.command, runtime.handle())?;
    // As a task: as the future of `block_on`, every append would cost a change of thread.
    let task = runtime.spawn(commands::run(cli.global, cli.command, output, args::command));
    let result = match runtime.block_on(task).map_err(JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(cancelled)) => Err(CliError::Runtime(std::io::Error::other(cancelled))),
    };
    if let Some(collector) = collector {
        collector.end();
    }
    // What still reads must not hold back the end of the process.
    runtime.shutdown_background();
    result
}

fn finish(result: Result<Exit, CliError>, output: Output) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(error) if error.is_closed_pipe() => Exit::Done,
        Err(error) => {
            output.error(&error);
            error.exit()
        }
    }
}

/// Shows what the arguments are missing, or the help that they ask for.
fn refused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && args::asks_for_json(std::env::args()) {
        let text = error.render().to_string();
        let message = text.trim().trim_start_matches("error: ").to_owned();
        Output::new(Format::Json).error(&CliError::Usage(message));
        return Exit::Usage.into();
    }
    // A reader who went away needs no help.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}
