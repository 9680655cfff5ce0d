//! The record in the schema `<book>`: its head, its rows, its batches.

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgRow};
use sqlx::{Connection as _, Row as _};

use crate::book::{
    Batch, CHUNK_ROWS_MAX, Chunk, HeadRow, RecordDb, RecordProbe, RecordWriter, Written,
};
use crate::error::StorageError;
use crate::merkle::Hash;

use super::database::{connect, pool};
use super::error::{is_busy, retried};

/// Connections for reading.
const READERS_MAX: u32 = 4;

const READING: &str = "read rows of the log";
const WRITING: &str = "write a batch to the log";

/// The record of one book.
#[derive(Debug)]
pub(crate) struct PgRecord {
    options: PgConnectOptions,
    pub(crate) pool: PgPool,
}

impl PgRecord {
    /// Its connections are made when they are needed.
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self { pool: pool(options.clone(), READERS_MAX), options }
    }
}

#[async_trait]
impl RecordDb for PgRecord {
    async fn head(&self) -> Result<HeadRow, StorageError> {
        retried(move || read_head(&self.pool)).await
    }

    async fn range(&self, after: u64, until: u64, rows: u64) -> Result<Chunk, StorageError> {
        let rows = retried(move || async move {
            sqlx::query(include_str!("sql/read_range.sql"))
                .bind(to_sql(after))
                .bind(to_sql(until))
                .bind(to_sql(rows.min(CHUNK_ROWS_MAX)))
                .fetch_all(&self.pool)
                .await
                .map_err(StorageError::sqlx(READING))
        });
        chunk(&rows.await?)
    }

    async fn positions(&self, positions: &[u64]) -> Result<Chunk, StorageError> {
        assert!(positions.is_sorted(), "rows are asked for in order");
        if positions.is_empty() {
            return Ok(Chunk::default());
        }
        let wanted: Vec<i64> = positions.iter().map(|position| to_sql(*position)).collect();
        let wanted = wanted.as_slice();
        let rows = retried(move || async move {
            sqlx::query(include_str!("sql/read_positions.sql"))
                .bind(wanted)
                .fetch_all(&self.pool)
                .await
                .map_err(StorageError::sqlx(READING))
        });
        chunk(&rows.await?)
    }

    async fn writer(&self) -> Result<Box<dyn RecordWriter>, StorageError> {
        let connection = connect(&self.options, "open the writer's connection").await?;
        Ok(Box::new(PgWriter { connection }))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl RecordProbe for PgRecord {
    async fn leaf(&self, position: u64) -> Result<Option<Hash>, StorageError> {
        let leaf: Option<Vec<u8>> = retried(move || async move {
            sqlx::query_scalar("SELECT leaf FROM log WHERE position = $1")
                .bind(to_sql(position))
                .fetch_optional(&self.pool)
                .await
                .map_err(StorageError::sqlx("read a leaf of the log"))
        })
        .await?;
        Ok(leaf.and_then(|leaf| Hash::try_from(leaf).ok()))
    }
}

async fn read_head<'e>(executor: impl sqlx::PgExecutor<'e>) -> Result<HeadRow, StorageError> {
    let row: (i64, Vec<u8>, i64, Option<i64>) = sqlx::query_as(include_str!("sql/read_head.sql"))
        .fetch_one(executor)
        .await
        .map_err(StorageError::sqlx("read the head of the book"))?;
    let (position, frontier, recorded_at_us, last) = row;
    HeadRow::new(position, &frontier, recorded_at_us, last)
}

fn chunk(rows: &[PgRow]) -> Result<Chunk, StorageError> {
    let mut chunk = Chunk::default();
    for row in rows {
        add(&mut chunk, row).map_err(StorageError::sqlx(READING))?;
    }
    Ok(chunk)
}

fn add(chunk: &mut Chunk, row: &PgRow) -> Result<(), sqlx::Error> {
    let position: i64 = row.try_get(0)?;
    let leaf: &[u8] = row.try_get(1)?;
    let envelope: &str = row.try_get(2)?;
    let data: &str = row.try_get(3)?;
    let position = u64::try_from(position).unwrap_or(0);
    chunk.push(position, leaf, envelope.as_bytes(), data.as_bytes());
    Ok(())
}

/// A position as PostgreSQL keeps it. A book ends long before they differ.
fn to_sql(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

struct PgWriter {
    connection: PgConnection,
}

#[async_trait]
impl RecordWriter for PgWriter {
    async fn head(&mut self) -> Result<HeadRow, StorageError> {
        read_head(&mut self.connection).await
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, StorageError> {
        let held = &batch.held;
        let mut leaves: Vec<&[u8]> = Vec::with_capacity(batch.rows().len());
        let mut envelopes = Vec::with_capacity(batch.rows().len());
        let mut datas = Vec::with_capacity(batch.rows().len());
        for row in batch.rows() {
            leaves.push(row.leaf);
            envelopes.push(row.envelope);
            datas.push(row.data);
        }
        let written = sqlx::query(include_str!("sql/append.sql"))
            .bind(to_sql(batch.before()))
            .bind(to_sql(held.frontier.size()))
            .bind(held.frontier.encode())
            .bind(held.recorded_at_us)
            .bind(leaves)
            .bind(envelopes)
            .bind(datas)
            .execute(&mut self.connection)
            .await;
        match written {
            Ok(done) if done.rows_affected() == 0 => Ok(Written::HeadMoved),
            Ok(_) => Ok(Written::Committed),
            Err(error) if is_busy(&error) => Err(StorageError::Busy { context: WRITING }),
            Err(error) => Err(StorageError::sqlx(WRITING)(error)),
        }
    }

    async fn close(self: Box<Self>) -> Result<(), StorageError> {
        self.connection.close().await.map_err(StorageError::sqlx("close the writer's connection"))
    }
}
