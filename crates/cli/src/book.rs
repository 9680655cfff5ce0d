//! The book that a command is about: found by `--book`, opened, and closed whatever happens.

use daicho_app::{BookName, Books, Edge, Ledger};

use crate::args::Global;
use crate::error::CliError;

/// The books below the data folder.
pub(crate) fn books(global: &Global) -> Books {
    Books::in_folder(&global.data)
}

/// The book that was named, or the only one there is.
pub(crate) fn chosen(global: &Global) -> Result<BookName, CliError> {
    if let Some(name) = &global.book {
        return Ok(name.clone());
    }
    let folder = global.data.display();
    match books(global).list()?.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(CliError::Usage(format!(
            "there is no book in {folder}: `daicho book create NAME` makes one, `--data DIR` names \
             another folder"
        ))),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            let names = names.join(", ");
            Err(CliError::Usage(format!(
                "there are several books in {folder}: choose one of {names} with `--book NAME`"
            )))
        }
    }
}

/// Opens the chosen book.
pub(crate) async fn open(global: &Global) -> Result<Ledger, CliError> {
    Ok(books(global).open(&chosen(global)?, Edge::system()).await?)
}

/// Does `work` with the chosen book and closes it, whatever came of it.
pub(crate) async fn with<T>(
    global: &Global,
    work: impl AsyncFnOnce(&Ledger) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let ledger = open(global).await?;
    let result = work(&ledger).await;
    ledger.close().await;
    result
}
