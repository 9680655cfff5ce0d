//! `daicho completions`: what a shell needs to complete commands and options.

use clap::Args;
use clap_complete::Shell;

use crate::error::{CliError, Exit};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of the command line that `tree` describes.
pub(crate) fn run(
    output: Output,
    args: CompletionsArgs,
    mut tree: clap::Command,
) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "daicho", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
