//! The record in `record.db`: its connections, its head, its rows read in bulk, its batches.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use crate::book::{
    Batch, CHUNK_ROWS_MAX, Chunk, HeadRow, RecordDb, RecordProbe, RecordWriter, Written,
};
use crate::error::StorageError;
use crate::merkle::Hash;

/// Connections for reading.
const READERS_MAX: u32 = 4;
/// Milliseconds that opening and reading wait for a lock (recovery, a checkpoint at closing).
const READ_BUSY_MS_MAX: u64 = 5_000;
/// Milliseconds that a read waits for one of the connections.
const READER_WAIT_MS_MAX: u64 = 30_000;
/// Milliseconds that the writer tries to get the lock from other processes.
const BUSY_WAIT_MS_MAX: u64 = 10_000;
/// Microseconds until the lock is tried again: at first, and at most.
const BUSY_RETRY_US_MIN: u64 = 100;
const BUSY_RETRY_US_MAX: u64 = 1_000;
/// Bits of an entry of the order that hold the bytes of the data (see `batch.sql`).
const DATA_BITS: u32 = 21;
/// Bits that hold the bytes of the envelope.
const ENVELOPE_BITS: u32 = 13;
/// What `batch.sql` says when another process has moved the head.
const HEAD_MOVED: &str = "head moved";

const READING: &str = "read rows of the log";
const WRITING: &str = "write a batch to the log";
const OPENING: &str = "open the writer's connection";

pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false)
        .busy_timeout(Duration::from_millis(READ_BUSY_MS_MAX))
        .disable_statement_logging()
}

/// The record of one book.
#[derive(Debug)]
pub(crate) struct SqliteRecord {
    path: PathBuf,
    pub(crate) pool: SqlitePool,
}

impl SqliteRecord {
    /// Its connections are made when they are needed.
    pub(crate) fn new(path: PathBuf) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(Duration::from_millis(READER_WAIT_MS_MAX))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(connect_options(&path));
        Self { path, pool }
    }

    /// A record that nobody writes, read as it is.
    pub(crate) fn read_only(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
        Self { path: path.into(), pool }
    }
}

#[async_trait]
impl RecordDb for SqliteRecord {
    async fn head(&self) -> Result<HeadRow, StorageError> {
        read_head(&self.pool).await
    }

    async fn range(&self, after: u64, until: u64, rows: u64) -> Result<Chunk, StorageError> {
        let row = sqlx::query(include_str!("sql/read_range.sql"))
            .bind(to_sql(after))
            .bind(to_sql(until))
            .bind(to_sql(rows.min(CHUNK_ROWS_MAX)))
            .fetch_one(&self.pool)
            .await
            .map_err(StorageError::sqlx(READING))?;
        chunk(&row)
    }

    async fn positions(&self, positions: &[u64]) -> Result<Chunk, StorageError> {
        assert!(positions.is_sorted(), "rows are asked for in order");
        if positions.is_empty() {
            return Ok(Chunk::default());
        }
        let wanted = positions.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let row = sqlx::query(include_str!("sql/read_positions.sql"))
            .bind(format!("[{wanted}]"))
            .fetch_one(&self.pool)
            .await
            .map_err(StorageError::sqlx(READING))?;
        chunk(&row)
    }

    async fn writer(&self) -> Result<Box<dyn RecordWriter>, StorageError> {
        let options = connect_options(&self.path);
        let mut connection = options.connect().await.map_err(StorageError::sqlx(OPENING))?;
        // SQLite's own waiting is unfair to other processes; see `SqliteWriter::write`.
        sqlx::query("PRAGMA busy_timeout = 0")
            .execute(&mut connection)
            .await
            .map_err(StorageError::sqlx(OPENING))?;
        sqlx::raw_sql(include_str!("sql/batch.sql"))
            .execute(&mut connection)
            .await
            .map_err(StorageError::sqlx(OPENING))?;
        Ok(Box::new(SqliteWriter { connection }))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl RecordProbe for SqliteRecord {
    async fn leaf(&self, position: u64) -> Result<Option<Hash>, StorageError> {
        let leaf: Option<Vec<u8>> = sqlx::query_scalar("SELECT leaf FROM log WHERE position = ?1")
            .bind(to_sql(position))
            .fetch_optional(&self.pool)
            .await
            .map_err(StorageError::sqlx("read a leaf of the log"))?;
        Ok(leaf.and_then(|leaf| Hash::try_from(leaf).ok()))
    }
}

async fn read_head<'e>(executor: impl sqlx::SqliteExecutor<'e>) -> Result<HeadRow, StorageError> {
    let row: (i64, Vec<u8>, i64, Option<i64>) = sqlx::query_as(include_str!("sql/read_head.sql"))
        .fetch_one(executor)
        .await
        .map_err(StorageError::sqlx("read the head of the book"))?;
    let (position, frontier, recorded_at_us, last) = row;
    HeadRow::new(position, &frontier, recorded_at_us, last)
}

fn chunk(row: &SqliteRow) -> Result<Chunk, StorageError> {
    Ok(Chunk {
        positions: numbers(row, "positions")?,
        leaf_bytes: numbers(row, "leaf_bytes")?,
        envelope_bytes: numbers(row, "envelope_bytes")?,
        data_bytes: numbers(row, "data_bytes")?,
        leaves: blob(row, "leaves")?,
        envelopes: blob(row, "envelopes")?,
        datas: blob(row, "datas")?,
    })
}

fn numbers<T: serde::de::DeserializeOwned>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Vec<T>, StorageError> {
    let text: &str = row.try_get(column).map_err(StorageError::sqlx(READING))?;
    serde_json::from_str(text)
        .map_err(|_| StorageError::Corrupt("a row of the log has no position or length".into()))
}

fn blob(row: &SqliteRow, column: &'static str) -> Result<Vec<u8>, StorageError> {
    row.try_get(column).map_err(StorageError::sqlx(READING))
}

/// A position as SQLite keeps it. A book ends long before they differ.
fn to_sql(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Appends through `batch.sql`.
struct SqliteWriter {
    connection: SqliteConnection,
}

#[async_trait]
impl RecordWriter for SqliteWriter {
    async fn head(&mut self) -> Result<HeadRow, StorageError> {
        read_head(&mut self.connection).await
    }

    /// Tries until no other process holds the lock.
    async fn write(&mut self, batch: &Batch) -> Result<Written, StorageError> {
        let rows = Rows::of(batch);
        let started = Instant::now();
        let mut retry_us = BUSY_RETRY_US_MIN;
        loop {
            match self.write_once(batch, &rows).await {
                Err(error) if error.is_busy() => {}
                written_or_failed => return written_or_failed,
            }
            if started.elapsed() > Duration::from_millis(BUSY_WAIT_MS_MAX) {
                return Err(StorageError::Busy { context: WRITING });
            }
            pause(Duration::from_micros(retry_us)).await;
            retry_us = (retry_us * 2).min(BUSY_RETRY_US_MAX);
        }
    }

    async fn close(self: Box<Self>) -> Result<(), StorageError> {
        self.connection.close().await.map_err(StorageError::sqlx("close the writer's connection"))
    }
}

impl SqliteWriter {
    async fn write_once(&mut self, batch: &Batch, rows: &Rows) -> Result<Written, StorageError> {
        let held = &batch.held;
        let written = sqlx::query(include_str!("sql/append.sql"))
            .bind(to_sql(batch.before()))
            .bind(to_sql(held.frontier.size()))
            .bind(held.frontier.encode())
            .bind(held.recorded_at_us)
            .bind(rows.order.as_str())
            .bind(rows.leaves.as_slice())
            .bind(rows.texts.as_bytes())
            .execute(&mut self.connection)
            .await;
        match written {
            Ok(_) => Ok(Written::Committed),
            Err(error) if is_head_moved(&error) => Ok(Written::HeadMoved),
            Err(error) => Err(StorageError::sqlx(WRITING)(error)),
        }
    }
}

fn is_head_moved(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message() == HEAD_MOVED)
}

/// The runtime's timer counts in milliseconds, and another process holds the lock for less than
/// one.
async fn pause(duration: Duration) {
    let slept = tokio::task::spawn_blocking(move || std::thread::sleep(duration)).await;
    if slept.is_err() {
        tokio::task::yield_now().await;
    }
}

/// The rows of a batch as `append.sql` takes them: three values, however many rows.
struct Rows {
    /// JSON array: where in `texts` each event stands.
    order: String,
    leaves: Vec<u8>,
    /// All envelopes and data, one after the other.
    texts: String,
}

impl Rows {
    fn of(batch: &Batch) -> Self {
        let mut rows = Self { order: String::from("["), leaves: Vec::new(), texts: String::new() };
        for row in batch.rows() {
            let entry = order_entry(rows.texts.len(), row.envelope.len(), row.data.len());
            if rows.order.len() > 1 {
                rows.order.push(',');
            }
            rows.order.push_str(&entry.to_string());
            rows.leaves.extend_from_slice(row.leaf);
            rows.texts.push_str(row.envelope);
            rows.texts.push_str(row.data);
        }
        rows.order.push(']');
        rows
    }
}

/// See `batch.sql`. The limits of an append and of a batch keep each part within its bits.
fn order_entry(offset: usize, envelope_bytes: usize, data_bytes: usize) -> u64 {
    assert!(envelope_bytes < 1 << ENVELOPE_BITS, "an envelope is within its limit");
    assert!(data_bytes < 1 << DATA_BITS, "an event's data is within its limit");
    assert!(offset < 1 << (63 - ENVELOPE_BITS - DATA_BITS), "a batch is within its limit");
    let [offset, envelope_bytes, data_bytes] =
        [offset, envelope_bytes, data_bytes].map(|size| u64::try_from(size).unwrap_or(u64::MAX));
    offset << (ENVELOPE_BITS + DATA_BITS) | envelope_bytes << DATA_BITS | data_bytes
}
