//! The book that a command is about: found by `--book`, opened, and closed whatever happens.

use std::path::Path;

use daicho_app::{BookName, Books, ClockAndEntropy, Ledger};

use crate::error::CliError;
use crate::global::Global;

/// Where books stand, unless it is said otherwise.
const DATA_FOLDER: &str = "daicho-data";

/// The books of the database, or those below the data folder.
pub(crate) fn books(global: &Global) -> Result<Books, CliError> {
    match (&global.database, &global.database_file) {
        (Some(url), _) => in_database(global, url),
        (None, Some(file)) => in_database(global, url_in(file)?.trim()),
        (None, None) => Ok(Books::in_folder(folder(global))),
    }
}

/// The folder of the books, where they are not in a database.
pub(crate) fn folder(global: &Global) -> &Path {
    global.data.as_deref().unwrap_or(Path::new(DATA_FOLDER))
}

fn url_in(file: &Path) -> Result<String, CliError> {
    let path = || file.display().to_string();
    std::fs::read_to_string(file).map_err(|source| CliError::Input { path: path(), source })
}

/// The books of a database, on a server that keeps what it confirms unless told otherwise.
pub(crate) fn in_database(global: &Global, url: &str) -> Result<Books, CliError> {
    let books = Books::in_database(url)?;
    Ok(if global.allow_unsafe_server { books.allowing_unsafe_server() } else { books })
}

/// The book that was named, or the only one there is.
pub(crate) async fn chosen(global: &Global) -> Result<BookName, CliError> {
    if let Some(name) = &global.book {
        return Ok(name.clone());
    }
    let books = books(global)?;
    let place = books.describe();
    match books.list().await?.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(CliError::Usage(format!(
            "there is no book in {place}: `daicho book create NAME` makes one, `--data DIR` names \
             another folder, `--database URL` a database"
        ))),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            let names = names.join(", ");
            Err(CliError::Usage(format!(
                "there are several books in {place}: choose one of {names} with `--book NAME`"
            )))
        }
    }
}

/// Opens the chosen book.
pub(crate) async fn open(global: &Global) -> Result<Ledger, CliError> {
    Ok(books(global)?.open(&chosen(global).await?, ClockAndEntropy::system()).await?)
}

/// Does `work` with the chosen book and closes the book, whether or not the work succeeded.
pub(crate) async fn with<T>(
    global: &Global,
    work: impl AsyncFnOnce(&Ledger) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let ledger = open(global).await?;
    let result = work(&ledger).await;
    ledger.close().await;
    result
}
