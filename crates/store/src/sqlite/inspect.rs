//! A look at a record that nobody writes: which book it is and where it ends.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::log::Head;

use super::{OpenError, gate, record};

/// The id and the end of the book in the file `record`, which is opened read-only and left exactly
/// as it is: for copies in a backup.
///
/// # Errors
/// A file that is not the record of a book, or one that cannot be read.
pub async fn inspect(record: &Path) -> Result<([u8; 16], Head), OpenError> {
    let options = SqliteConnectOptions::new().filename(record).read_only(true).immutable(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
    let book_id = gate::check_schema(&pool, record).await?;
    let head = record::read_head(&pool).await?;
    pool.close().await;
    let position = head.position();
    let root = head.frontier.root();
    Ok((book_id, Head { position, root, recorded_at_us: head.recorded_at_us }))
}
