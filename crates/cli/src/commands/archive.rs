//! `daicho backup` and `daicho restore`: a copy of a book, and the way back, which verifies.

use std::path::PathBuf;

use clap::Args;
use daicho_app::{Checkpoint, ClockAndEntropy, Manifest};
use serde_json::json;

use crate::book;
use crate::error::{CliError, Exit};
use crate::global::Global;
use crate::output::{Output, number, text};
use crate::progress::watch;

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Folder to copy to, which must not exist or be empty
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Folder of the backup
    dir: PathBuf,
}

pub(crate) async fn backup(
    global: &Global,
    output: Output,
    args: BackupArgs,
) -> Result<Exit, CliError> {
    let manifest = book::with(global, async |ledger| {
        Ok(ledger.archive().backup(&args.dir, watch(output).as_ref()).await?)
    })
    .await?;
    show_manifest(output, &manifest)?;
    output.note(&format!("checkpoint {}:{}", manifest.position, manifest.root))?;
    output.note(
        "Keep `vault/`, the keys of personal data, apart from the rest, and not for long. \
         `daicho restore DIR --book NAME` brings the backup back.",
    )?;
    Ok(Exit::Done)
}

fn show_manifest(output: Output, manifest: &Manifest) -> Result<(), CliError> {
    let headings = [text("file"), number("bytes"), text("sha256")];
    let files = manifest.files.iter();
    let rows: Vec<Vec<String>> = files
        .map(|file| vec![file.path.clone(), file.bytes.to_string(), file.sha256.clone()])
        .collect();
    output.show(manifest, &headings, &rows)
}

pub(crate) async fn restore(
    global: &Global,
    output: Output,
    args: RestoreArgs,
) -> Result<Exit, CliError> {
    let Some(name) = &global.book else {
        return Err(CliError::Usage(
            "name the book that the backup becomes: `daicho restore DIR --book NAME`".to_owned(),
        ));
    };
    let books = book::books(global)?;
    let progress = watch(output);
    let checkpoint: Checkpoint =
        books.restore(&args.dir, name, ClockAndEntropy::system(), progress.as_ref()).await?;
    let folder = books.describe_book(name);
    let value = json!({ "book": name.to_string(), "folder": folder, "checkpoint": checkpoint });
    let headings = [text("book"), text("folder"), text("checkpoint")];
    output.show(&value, &headings, &[vec![name.to_string(), folder, checkpoint.to_string()]])?;
    output.note("The book was verified: it is what was backed up.")?;
    Ok(Exit::Done)
}
