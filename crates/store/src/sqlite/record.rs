//! The record in `record.db`: its connections, its head, and its rows read in bulk.
//! Every row that is read is checked: it is what was written, or the read says which one is not.

use std::path::Path;
use std::str;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Row as _};

use crate::envelope::Envelope;
use crate::error::StorageError;
use crate::log::{NewEvent, ReadError, Stored};
use crate::merkle::{Frontier, Hash, leaf_hash};

/// Rows that come as one value. With the largest data they stay below SQLite's limit for a value.
pub(crate) const CHUNK_ROWS_MAX: u64 = 512;
/// Connections for reading.
const READERS_MAX: u32 = 4;
/// Milliseconds that opening and reading wait for a lock (recovery, a checkpoint at closing).
const READ_BUSY_MS_MAX: u64 = 5_000;
/// Milliseconds that a read waits for one of the connections.
const READER_WAIT_MS_MAX: u64 = 30_000;

pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .busy_timeout(Duration::from_millis(READ_BUSY_MS_MAX))
        .disable_statement_logging()
}

/// The connections that read the record. They are made when they are needed.
pub(crate) fn readers(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(Duration::from_millis(READER_WAIT_MS_MAX))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(connect_options(path))
}

/// The head as it stands in the record.
#[derive(Debug, Clone)]
pub(crate) struct HeadRow {
    pub(crate) frontier: Frontier,
    pub(crate) recorded_at_us: i64,
    /// The last position in the log itself.
    pub(crate) last: u64,
}

impl HeadRow {
    pub(crate) fn position(&self) -> u64 {
        self.frontier.size()
    }
}

/// Reads the head and the end of the log in one statement, so that they are of one moment.
pub(crate) async fn read_head<'e>(
    executor: impl sqlx::SqliteExecutor<'e>,
) -> Result<HeadRow, StorageError> {
    let row: (i64, Vec<u8>, i64, Option<i64>) = sqlx::query_as(include_str!("sql/read_head.sql"))
        .fetch_one(executor)
        .await
        .map_err(StorageError::sqlx("read the head of the book"))?;
    let (position, frontier, recorded_at_us, last) = row;
    let corrupt = || {
        StorageError::Corrupt(format!(
            "the head row says position {position}, and its tree is of another size: \
             verify the book and restore what is lost from a backup"
        ))
    };
    let frontier = Frontier::decode(&frontier).ok_or_else(corrupt)?;
    if Ok(frontier.size()) != u64::try_from(position) {
        return Err(corrupt());
    }
    let last = u64::try_from(last.unwrap_or(0)).map_err(|_| corrupt())?;
    Ok(HeadRow { frontier, recorded_at_us, last })
}

/// One row whose texts, hashes and position were found to agree.
pub(crate) struct Checked<'a> {
    pub(crate) position: u64,
    pub(crate) leaf: Hash,
    pub(crate) envelope_text: &'a str,
    pub(crate) envelope: Envelope<'a>,
    pub(crate) data: &'a str,
}

impl Checked<'_> {
    pub(crate) fn stored(&self) -> Stored {
        Stored {
            position: self.position,
            envelope: Arc::from(self.envelope_text),
            data: Arc::from(self.data),
        }
    }
}

/// Checks one row against itself.
fn check<'a>(
    position: u64,
    leaf: &[u8],
    envelope: &'a [u8],
    data: &'a [u8],
) -> Result<Checked<'a>, String> {
    let envelope_text =
        str::from_utf8(envelope).map_err(|_| "its envelope is not UTF-8".to_owned())?;
    let data = str::from_utf8(data).map_err(|_| "its data is not UTF-8".to_owned())?;
    let hash = leaf_hash(envelope);
    if leaf != hash {
        return Err("its envelope does not hash to its leaf".into());
    }
    let envelope = Envelope::parse(envelope_text).map_err(|error| error.to_string())?;
    if envelope.position != position {
        return Err(format!("its envelope says position {}", envelope.position));
    }
    if NewEvent::hash_data(data) != envelope.data_sha256 {
        return Err("its data does not hash to what its envelope says".into());
    }
    Ok(Checked { position, leaf: hash, envelope_text, envelope, data })
}

/// Rows as they came from the database, not checked yet.
#[derive(Default)]
pub(crate) struct Chunk {
    positions: Vec<u64>,
    leaf_bytes: Vec<usize>,
    envelope_bytes: Vec<usize>,
    data_bytes: Vec<usize>,
    leaves: Vec<u8>,
    envelopes: Vec<u8>,
    datas: Vec<u8>,
}

impl Chunk {
    fn from_row(row: &SqliteRow) -> Result<Self, StorageError> {
        Ok(Self {
            positions: numbers(row, "positions")?,
            leaf_bytes: numbers(row, "leaf_bytes")?,
            envelope_bytes: numbers(row, "envelope_bytes")?,
            data_bytes: numbers(row, "data_bytes")?,
            leaves: blob(row, "leaves")?,
            envelopes: blob(row, "envelopes")?,
            datas: blob(row, "datas")?,
        })
    }

    /// The rows in their order, each checked; `wanted` are the positions that must be there.
    /// Ends at the first bad one.
    pub(crate) fn rows(
        &self,
        wanted: impl IntoIterator<Item = u64>,
    ) -> impl Iterator<Item = Result<Checked<'_>, ReadError>> {
        let mut leaves = Pieces { bytes: &self.leaves };
        let mut envelopes = Pieces { bytes: &self.envelopes };
        let mut datas = Pieces { bytes: &self.datas };
        let lengths = self.leaf_bytes.iter().zip(&self.envelope_bytes).zip(&self.data_bytes);
        let mut found = self.positions.iter().zip(lengths);
        wanted.into_iter().map(move |position| {
            let corrupt = |reason| ReadError::Corrupt { position, reason };
            let Some((at, ((leaf, envelope), data))) = found.next() else {
                return Err(corrupt("it is missing".into()));
            };
            if *at != position {
                return Err(corrupt("it is missing".into()));
            }
            check(position, leaves.next(*leaf), envelopes.next(*envelope), datas.next(*data))
                .map_err(corrupt)
        })
    }
}

/// Cuts one value into the texts that were joined in it.
struct Pieces<'a> {
    bytes: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// What is missing comes back shorter, and then does not hash to what it must.
    fn next(&mut self, length: usize) -> &'a [u8] {
        let (piece, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        piece
    }
}

fn numbers<T: serde::de::DeserializeOwned>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Vec<T>, StorageError> {
    let text: &str = row.try_get(column).map_err(StorageError::sqlx("read rows of the log"))?;
    serde_json::from_str(text)
        .map_err(|_| StorageError::Corrupt("a row of the log has no position or length".into()))
}

fn blob(row: &SqliteRow, column: &'static str) -> Result<Vec<u8>, StorageError> {
    row.try_get(column).map_err(StorageError::sqlx("read rows of the log"))
}

/// A position as SQLite keeps it. A book ends long before they differ.
pub(crate) fn to_sql(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Rows from `after` on, up to `until`, at most `rows` and at most [`CHUNK_ROWS_MAX`] of them.
pub(crate) async fn read_range(
    pool: &SqlitePool,
    after: u64,
    until: u64,
    rows: u64,
) -> Result<Chunk, StorageError> {
    let row = sqlx::query(include_str!("sql/read_range.sql"))
        .bind(to_sql(after))
        .bind(to_sql(until))
        .bind(to_sql(rows.min(CHUNK_ROWS_MAX)))
        .fetch_one(pool)
        .await
        .map_err(StorageError::sqlx("read rows of the log"))?;
    Chunk::from_row(&row)
}

/// Rows at these positions, ascending, at most [`CHUNK_ROWS_MAX`] of them.
pub(crate) async fn read_positions(
    pool: &SqlitePool,
    positions: &[u64],
) -> Result<Chunk, StorageError> {
    assert!(positions.is_sorted(), "rows are asked for in order");
    if positions.is_empty() {
        return Ok(Chunk::default());
    }
    let wanted = positions.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let row = sqlx::query(include_str!("sql/read_positions.sql"))
        .bind(format!("[{wanted}]"))
        .fetch_one(pool)
        .await
        .map_err(StorageError::sqlx("read rows of the log"))?;
    Chunk::from_row(&row)
}

/// Calls `each` with every row in (after, until], which must all be there.
pub(crate) async fn for_each_row(
    pool: &SqlitePool,
    after: u64,
    until: u64,
    mut each: impl FnMut(Checked<'_>) -> Result<(), ReadError> + Send,
) -> Result<(), ReadError> {
    let mut done = after;
    while done < until {
        let end = until.min(done + CHUNK_ROWS_MAX);
        let chunk = read_range(pool, done, end, CHUNK_ROWS_MAX).await?;
        for row in chunk.rows(done + 1..=end) {
            each(row?)?;
        }
        done = end;
    }
    Ok(())
}

/// The stored leaf hash at a position, if there is such a row.
pub(crate) async fn leaf_at(
    pool: &SqlitePool,
    position: u64,
) -> Result<Option<Hash>, StorageError> {
    let leaf: Option<Vec<u8>> = sqlx::query_scalar("SELECT leaf FROM log WHERE position = ?1")
        .bind(to_sql(position))
        .fetch_optional(pool)
        .await
        .map_err(StorageError::sqlx("read a leaf of the log"))?;
    Ok(leaf.and_then(|leaf| Hash::try_from(leaf).ok()))
}
