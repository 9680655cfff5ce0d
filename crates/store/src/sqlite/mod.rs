//! A book on SQLite: a folder with one file for each kind of state.
//! `record.db` is the ledger; `derived.db` can be dropped and is made anew.

pub mod backup;
mod busy;
mod derived;
mod gate;
mod inspect;
mod pool;
mod record;
mod state;
mod vault;
mod views;
mod write_back;

use std::path::Path;
use std::sync::Arc;

use sqlx::{ConnectOptions as _, Connection as _};

use crate::book::{
    Book, CopyError, Found, OpenError, Options, Progress, Record, RecordDb as _, SCHEMA_VERSION,
    check_record, copy, new_id,
};
use crate::error::StorageError;
use crate::log::Head;
use crate::merkle::Frontier;

pub use inspect::inspect;
pub use state::SqliteState;
pub use vault::SqliteVault;
pub use views::SqliteViews;

pub(crate) use derived::open_derived;

use busy::patiently;
use record::SqliteRecord;
use write_back::write_back;

/// The record of a book.
const RECORD_FILE: &str = "record.db";
/// What is made from it.
const DERIVED_FILE: &str = "derived.db";

/// Creates a book in `folder`, which is made if need be, and opens it.
///
/// # Errors
/// A folder that holds a book, or whatever [`open_book`] refuses.
pub async fn create_book(folder: &Path, options: Options) -> Result<Book, OpenError> {
    options.check()?;
    std::fs::create_dir_all(folder).map_err(StorageError::io("create", folder))?;
    create_record(folder, new_id(), &options.software).await?;
    open_book(folder, options).await
}

/// Opens the book in `folder`. Returns when everything but the last, unfinished block is sealed: a
/// missing or foreign derived state is made anew first.
///
/// # Errors
/// Whatever makes it unsafe to open the book: see [`OpenError`].
pub async fn open_book(folder: &Path, options: Options) -> Result<Book, OpenError> {
    options.check()?;
    gate::check_writable(folder, &folder.join(RECORD_FILE))?;
    let (record, book_id) = find_record(folder).await?;
    gate::check_durability(&record.pool, &folder.join(RECORD_FILE)).await?;
    write_back(&record, &folder.join(RECORD_FILE)).await?;
    let head = check_record(&record, &options).await?;
    let identity = options.identity(book_id);
    let path = folder.join(DERIVED_FILE);
    let derived = open_derived(&path, &identity, &record, options.pauses.clone()).await?;
    let found = Found { book_id, record: Arc::new(record), derived, head, notifier: None };
    Book::open(found, options).await
}

/// The record in `folder`, without asking whether it is whole: for looking into a book that
/// [`open_book`] refuses. Nothing is written.
///
/// # Errors
/// A folder without a book, or one of a later release.
pub async fn open_record(folder: &Path) -> Result<Record, OpenError> {
    let (record, book_id) = find_record(folder).await?;
    Ok(Record::of(Arc::new(record), book_id))
}

/// Copies a record into `folder`, byte for byte, and goes on where an earlier copy of the same book
/// stopped. The copy is the same book: append to only one of the two.
///
/// # Errors
/// A folder that holds another book, or one that went on by itself.
pub async fn copy_record(
    source: &Record,
    folder: &Path,
    software: &str,
    progress: impl FnMut(Progress) + Send,
) -> Result<Head, CopyError> {
    std::fs::create_dir_all(folder).map_err(StorageError::io("create", folder))?;
    match create_record(folder, source.book_id(), software).await {
        Ok(()) | Err(OpenError::AlreadyABook { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    gate::check_writable(folder, &folder.join(RECORD_FILE))?;
    let (record, book_id) = find_record(folder).await?;
    if book_id != source.book_id() {
        return Err(OpenError::AlreadyABook { place: folder.display().to_string() }.into());
    }
    gate::check_durability(&record.pool, &folder.join(RECORD_FILE)).await?;
    let copied = copy(source, &record, progress).await;
    record.close().await;
    copied
}

async fn find_record(folder: &Path) -> Result<(SqliteRecord, [u8; 16]), OpenError> {
    let path = folder.join(RECORD_FILE);
    if !path.is_file() {
        return Err(OpenError::NotABook { place: folder.display().to_string() });
    }
    let record = SqliteRecord::new(path);
    gate::check_sqlite(&record.pool).await?;
    let book_id = gate::check_schema(&record.pool, folder).await?;
    Ok((record, book_id))
}

/// Makes the tables in one transaction, so that a book is there whole or not at all.
async fn create_record(folder: &Path, book_id: [u8; 16], software: &str) -> Result<(), OpenError> {
    const CREATING: &str = "create the record";
    let options = record::connect_options(&folder.join(RECORD_FILE)).create_if_missing(true);
    let mut connection = patiently(CREATING, || options.connect()).await?;
    let mut tx =
        connection.begin_with("BEGIN IMMEDIATE").await.map_err(StorageError::sqlx(CREATING))?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *tx)
        .await
        .map_err(StorageError::sqlx(CREATING))?;
    if tables > 0 {
        return Err(OpenError::AlreadyABook { place: folder.display().to_string() });
    }
    sqlx::query(include_str!("sql/schema.sql"))
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(CREATING))?;
    sqlx::query(include_str!("sql/insert_meta.sql"))
        .bind(book_id.as_slice())
        .bind(SCHEMA_VERSION)
        .bind(software)
        .bind(Frontier::default().encode())
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(CREATING))?;
    tx.commit().await.map_err(StorageError::sqlx(CREATING))?;
    connection.close().await.map_err(StorageError::sqlx(CREATING))?;
    Ok(())
}
