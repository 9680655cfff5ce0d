//! A look at a record that nobody writes: which book it is and where it ends.

use std::path::Path;

use crate::book::{OpenError, RecordDb as _};
use crate::log::Head;

use super::gate;
use super::record::SqliteRecord;

/// The id and the end of the book in the file `record`, which is opened read-only and left exactly
/// as it is: for copies in a backup.
///
/// # Errors
/// A file that is not the record of a book, or one that cannot be read.
pub async fn inspect(record: &Path) -> Result<([u8; 16], Head), OpenError> {
    let database = SqliteRecord::read_only(record);
    let book_id = gate::check_schema(&database.pool, record).await?;
    let head = database.head().await?.head();
    database.close().await;
    Ok((book_id, head))
}
