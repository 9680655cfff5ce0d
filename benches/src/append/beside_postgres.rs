//! The row limit on PostgreSQL: a book's very rows, 1,000 a statement, into a table without index.

use std::time::Instant;

use daicho_store::{NewEvent, Stored, leaf_hash};
use sqlx::{Connection as _, PgConnection};

use crate::digest::RecordDigest;
use crate::error::BenchError;

use super::beside::{Beside, LIMIT_ROWS, position, rate};
use super::place::connect;

/// The rows in batches, one statement each, bound beforehand.
pub(crate) async fn limit(url: &str, rows: &[Stored]) -> Result<Beside, BenchError> {
    let mut connection = connect(url).await?;
    for statements in [DROP, include_str!("sql/limit_postgres.sql")] {
        sqlx::raw_sql(statements).execute(&mut connection).await?;
    }
    let mut latencies = Vec::with_capacity(rows.len().div_ceil(LIMIT_ROWS));
    for batch in rows.chunks(LIMIT_ROWS) {
        let first = batch.first().map_or(Ok(1), position)?;
        let leaf = |row: &Stored| leaf_hash(row.envelope.as_bytes()).to_vec();
        let leaves: Vec<Vec<u8>> = batch.iter().map(leaf).collect();
        let envelopes: Vec<&str> = batch.iter().map(|row| &*row.envelope).collect();
        let data: Vec<&str> = batch.iter().map(|row| &*row.data).collect();
        let started = Instant::now();
        sqlx::query(include_str!("sql/limit_postgres_insert.sql"))
            .bind(first)
            .bind(leaves)
            .bind(envelopes)
            .bind(data)
            .execute(&mut connection)
            .await?;
        latencies.push(started.elapsed());
    }
    let digest = read_back(&mut connection).await?;
    sqlx::raw_sql(DROP).execute(&mut connection).await?;
    connection.close().await?;
    Ok(Beside { rate: rate(rows, &latencies), latencies: latencies.into(), digest })
}

const DROP: &str = include_str!("sql/limit_postgres_drop.sql");

async fn read_back(connection: &mut PgConnection) -> Result<RecordDigest, BenchError> {
    let asked = sqlx::query_scalar(include_str!("sql/limit_postgres_read.sql"));
    let data: Vec<String> = asked.fetch_all(connection).await?;
    Ok(RecordDigest::of(data.iter().map(|data| NewEvent::hash_data(data)).collect()))
}
