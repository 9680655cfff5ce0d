//! What the database's errors mean for a view, and work that no caller can break off.

use std::future::Future;

use crate::StorageError;
use crate::views::ViewError;

/// A table, column, schema or type is not what a statement expects.
const GONE: [&str; 5] = ["42P01", "42703", "3F000", "42883", "42804"];
/// A row, table or schema that was not there a moment ago.
const RACES: [&str; 4] = ["23505", "42P06", "42P07", "42710"];
const LOCK_TIMEOUT: &str = "55P03";
const OTHER_COLUMNS: &str = "42P16";

/// Whether the tables of the views were dropped, or are of another form.
pub(super) fn is_gone(error: &StorageError) -> bool {
    has_code(error, &GONE)
}

/// Whether another process made the same thing at the same time.
pub(super) fn is_race(error: &StorageError) -> bool {
    has_code(error, &RACES)
}

/// Whether another transaction held something for longer than this one wanted to wait.
pub(super) fn is_lock_timeout(error: &StorageError) -> bool {
    has_code(error, &[LOCK_TIMEOUT])
}

/// Whether an SQL view cannot be replaced by one with other columns.
pub(super) fn has_other_columns(error: &StorageError) -> bool {
    has_code(error, &[OTHER_COLUMNS])
}

fn has_code(error: &StorageError, codes: &[&str]) -> bool {
    let StorageError::Sqlx { source, .. } = error else { return false };
    let code = source.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| codes.contains(&code.as_ref()))
}

/// Says that a view was made anew when its tables are gone; for `map_err`.
pub(super) fn or_remade(view: &str) -> impl FnOnce(ViewError) -> ViewError {
    or(ViewError::Remade { view: view.to_owned() })
}

/// Says that a rebuild was dropped when its tables are gone; for `map_err`.
pub(super) fn or_superseded(view: &str) -> impl FnOnce(ViewError) -> ViewError {
    or(ViewError::Superseded { view: view.to_owned() })
}

fn or(gone: ViewError) -> impl FnOnce(ViewError) -> ViewError {
    move |error| {
        let is_gone = matches!(&error, ViewError::Storage(error) if is_gone(error));
        if is_gone { gone } else { error }
    }
}

/// Runs `work` to its end though its caller may go away: sqlx leaves a transaction open when the
/// future that begins it is dropped.
pub(super) async fn to_the_end<T, E>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(broken) => match broken.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StorageError::sqlx("write a view")(sqlx::Error::WorkerCrashed).into()),
        },
    }
}
