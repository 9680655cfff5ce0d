//! What is measured beside a book, with its very rows and its durability: the row limit (nothing
//! but the rows) and the naive way (a statement a row, tags in a B-tree).

use std::path::Path;
use std::time::{Duration, Instant};

use daicho_store::{Envelope, Stored, leaf_hash};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::digest::RecordDigest;
use crate::error::BenchError;
use crate::measure::{Latencies, Rate};

/// Rows of a transaction of the row limit.
pub(crate) const LIMIT_ROWS: usize = 1_000;

/// What was written beside a book.
pub(crate) struct Beside {
    pub(crate) rate: Rate,
    /// One entry a transaction.
    pub(crate) latencies: Latencies,
    pub(crate) digest: RecordDigest,
}

/// The row limit: the rows in batches of [`LIMIT_ROWS`], one statement each, packed beforehand.
pub(crate) async fn limit(file: &Path, rows: &[Stored]) -> Result<Beside, BenchError> {
    let mut connection = create(file, include_str!("sql/limit.sql")).await?;
    let mut latencies = Vec::with_capacity(rows.len().div_ceil(LIMIT_ROWS));
    for batch in rows.chunks(LIMIT_ROWS) {
        let Packed { first, leaves, texts, order } = Packed::of(batch)?;
        let started = Instant::now();
        sqlx::query(include_str!("sql/limit_insert.sql"))
            .bind(first)
            .bind(leaves)
            .bind(texts.into_bytes())
            .bind(order)
            .execute(&mut connection)
            .await?;
        latencies.push(started.elapsed());
    }
    finish(connection, rows, latencies).await
}

/// The naive way: a statement a row into log and tags, `batch` events a transaction.
pub(crate) async fn naive(
    file: &Path,
    rows: &[Stored],
    batch: usize,
) -> Result<Beside, BenchError> {
    let mut connection = create(file, include_str!("sql/naive.sql")).await?;
    let mut latencies = Vec::with_capacity(rows.len().div_ceil(batch));
    for batch in rows.chunks(batch) {
        let tags: Vec<Vec<String>> = batch.iter().map(tags).collect::<Result<_, _>>()?;
        let started = Instant::now();
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        for (row, tags) in batch.iter().zip(&tags) {
            insert(&mut tx, row, tags).await?;
        }
        tx.commit().await?;
        latencies.push(started.elapsed());
    }
    finish(connection, rows, latencies).await
}

async fn insert(
    connection: &mut SqliteConnection,
    row: &Stored,
    tags: &[String],
) -> Result<(), BenchError> {
    let position = position(row)?;
    sqlx::query("INSERT INTO log (position, envelope, data) VALUES (?1, ?2, ?3)")
        .bind(position)
        .bind(&*row.envelope)
        .bind(&*row.data)
        .execute(&mut *connection)
        .await?;
    for tag in tags {
        sqlx::query("INSERT INTO tag (tag, position) VALUES (?1, ?2)")
            .bind(tag)
            .bind(position)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A batch as `sql/limit_insert.sql` takes it.
struct Packed {
    first: i64,
    leaves: Vec<u8>,
    texts: String,
    order: String,
}

impl Packed {
    fn of(batch: &[Stored]) -> Result<Self, BenchError> {
        let first = batch.first().map_or(Ok(1), position)?;
        let (mut leaves, mut texts) = (Vec::new(), String::new());
        let mut order = Vec::with_capacity(batch.len());
        for row in batch {
            let (envelope, data) = (row.envelope.len(), row.data.len());
            order.push((texts.len() << 34 | envelope << 21 | data).to_string());
            leaves.extend_from_slice(&leaf_hash(row.envelope.as_bytes()));
            texts.push_str(&row.envelope);
            texts.push_str(&row.data);
        }
        Ok(Self { first, leaves, texts, order: format!("[{}]", order.join(",")) })
    }
}

/// A new file with the durability of a book: WAL and FULL.
async fn create(file: &Path, schema: &'static str) -> Result<SqliteConnection, BenchError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    sqlx::query(schema).execute(&mut connection).await?;
    Ok(connection)
}

async fn finish(
    mut connection: SqliteConnection,
    rows: &[Stored],
    latencies: Vec<Duration>,
) -> Result<Beside, BenchError> {
    let digest = RecordDigest::of_table(&mut connection).await?;
    connection.close().await?;
    Ok(Beside { rate: rate(rows, &latencies), latencies: latencies.into(), digest })
}

/// The time of the transactions alone: what is bound is made between them.
pub(crate) fn rate(rows: &[Stored], latencies: &[Duration]) -> Rate {
    Rate { events: rows.len() as u64, took: latencies.iter().sum() }
}

pub(crate) fn position(row: &Stored) -> Result<i64, BenchError> {
    i64::try_from(row.position).map_err(|error| BenchError::Wrong(error.to_string()))
}

fn tags(row: &Stored) -> Result<Vec<String>, BenchError> {
    let envelope =
        Envelope::parse(&row.envelope).map_err(|error| BenchError::Wrong(error.to_string()))?;
    Ok(envelope.tags.into_iter().map(std::borrow::Cow::into_owned).collect())
}
