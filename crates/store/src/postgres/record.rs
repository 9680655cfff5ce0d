//! The record in the schema `<book>`: its head, its rows, its batches.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection as _, Row as _};

use crate::book::{
    Batch, CHUNK_ROWS_MAX, Chunk, HeadRow, RecordDb, RecordProbe, RecordWriter, Written,
};
use crate::error::StorageError;
use crate::merkle::Hash;

use super::connect::Access;
use super::error::is_busy;
use super::lender::{Lender, Within as _};

/// Connections for reading.
const READERS_MAX: u32 = 4;

const READING: &str = "read rows of the log";
const READ_HEAD: &str = include_str!("sql/read_head.sql");
const READING_HEAD: &str = "read the head of the book";
const WRITING: &str = "write a batch to the log";

/// The record of one book.
#[derive(Debug)]
pub(crate) struct PgRecord {
    access: Access,
    readers: Lender,
}

impl PgRecord {
    /// Its connections are made when they are needed.
    pub(crate) fn new(access: Access) -> Self {
        Self { readers: access.lender(READERS_MAX), access }
    }
}

#[async_trait]
impl RecordDb for PgRecord {
    async fn head(&self) -> Result<HeadRow, StorageError> {
        let head = self.readers.ask(READING_HEAD, |mut lent| async move {
            let head = sqlx::query_as(READ_HEAD).fetch_one(&mut *lent).await;
            (lent, head)
        });
        head_row(head.await?)
    }

    async fn range(&self, after: u64, until: u64, rows: u64) -> Result<Chunk, StorageError> {
        let rows = self.readers.ask(READING, |mut lent| async move {
            let rows = sqlx::query(include_str!("sql/read_range.sql"))
                .bind(to_sql(after))
                .bind(to_sql(until))
                .bind(to_sql(rows.min(CHUNK_ROWS_MAX)))
                .fetch_all(&mut *lent)
                .await;
            (lent, rows)
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
        let rows = self.readers.ask(READING, |mut lent| async move {
            let rows = sqlx::query(include_str!("sql/read_positions.sql"))
                .bind(wanted)
                .fetch_all(&mut *lent)
                .await;
            (lent, rows)
        });
        chunk(&rows.await?)
    }

    async fn writer(&self) -> Result<Box<dyn RecordWriter>, StorageError> {
        let connection = self.access.connect("open the writer's connection").await?;
        Ok(Box::new(PgWriter { connection, answer: self.access.answer }))
    }

    async fn close(&self) {
        self.readers.close().await;
    }
}

#[async_trait]
impl RecordProbe for PgRecord {
    async fn leaf(&self, position: u64) -> Result<Option<Hash>, StorageError> {
        let leaf = self.readers.ask("read a leaf of the log", |mut lent| async move {
            let leaf = sqlx::query_scalar("SELECT leaf FROM log WHERE position = $1")
                .bind(to_sql(position))
                .fetch_optional(&mut *lent)
                .await;
            (lent, leaf)
        });
        let leaf: Option<Vec<u8>> = leaf.await?;
        Ok(leaf.and_then(|leaf| Hash::try_from(leaf).ok()))
    }
}

fn head_row(row: (i64, Vec<u8>, i64, Option<i64>)) -> Result<HeadRow, StorageError> {
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
    /// How long an answer may take; after it, only the record knows whether a batch stands.
    answer: Duration,
}

#[async_trait]
impl RecordWriter for PgWriter {
    async fn head(&mut self) -> Result<HeadRow, StorageError> {
        let head = sqlx::query_as(READ_HEAD).fetch_one(&mut self.connection);
        head_row(head.within(self.answer, READING_HEAD).await?)
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
            .within(self.answer, WRITING)
            .await;
        match written {
            Ok(done) if done.rows_affected() == 0 => Ok(Written::HeadMoved),
            Ok(_) => Ok(Written::Committed),
            Err(error) if is_busy(&error) => Err(StorageError::Busy { context: WRITING }),
            Err(error) => Err(error),
        }
    }

    async fn close(self: Box<Self>) -> Result<(), StorageError> {
        self.connection.close().within(self.answer, "close the writer's connection").await
    }
}
