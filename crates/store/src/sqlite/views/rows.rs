//! Rows into a table and out of it, many with each statement.

use std::collections::HashMap;

use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Row, Transaction};

use super::statements;
use crate::StorageError;
use crate::views::{ColumnKind, Value, ViewChanges, ViewRow, ViewSchema, difference};

/// Parameters of one statement: more make it no faster.
const PARAMETERS_MAX: usize = 4_096;

type Tx = Transaction<'static, Sqlite>;
type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;
/// Writes the text of a statement for so many rows.
type Statement = fn(&str, &ViewSchema, usize) -> String;

/// The packed rows under `keys`.
pub(super) async fn find(
    tx: &mut Tx,
    table: &str,
    keys: &[String],
) -> Result<HashMap<String, Vec<u8>>, StorageError> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(AssertSqlSafe(statements::find(table)))
        .bind(json_array(keys))
        .fetch_all(&mut **tx)
        .await
        .map_err(StorageError::sqlx("read rows of a view"))?;
    Ok(rows.into_iter().collect())
}

/// Keys and packed rows whose columns change by themselves on or before the day `on`.
pub(super) async fn due(
    tx: &mut Tx,
    table: &str,
    on: &str,
    limit: u32,
) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
    let due = sqlx::query_as(AssertSqlSafe(statements::due(table))).bind(on).bind(limit);
    due.fetch_all(&mut **tx).await.map_err(StorageError::sqlx("read the rows due"))
}

/// Writes `changes` (checked, no key twice) and answers by how many rows the table has grown.
pub(super) async fn apply(
    tx: &mut Tx,
    table: &str,
    schema: &ViewSchema,
    changes: ViewChanges,
) -> Result<i64, StorageError> {
    let failed = "change rows of a view";
    let ViewChanges { upserts, deletes } = changes;
    let mut added = 0;
    if !upserts.is_empty() {
        let keys: Vec<&str> = upserts.iter().map(|row| row.key.as_str()).collect();
        let before: u64 = sqlx::query_scalar(AssertSqlSafe(statements::count(table)))
            .bind(json_array(&keys))
            .fetch_one(&mut **tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        added = difference(upserts.len() as u64, before);
        put(tx, table, schema, upserts, statements::upsert).await?;
    }
    if !deletes.is_empty() {
        let done = sqlx::query(AssertSqlSafe(statements::delete(table)))
            .bind(json_array(&deletes))
            .execute(&mut **tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        added += difference(0, done.rows_affected());
    }
    Ok(added)
}

/// Writes `rows` by as few statements as is reasonable. Their sizes are powers of two, so that few
/// texts are prepared and each is met again. While the database runs one, the next one's parameters
/// are bound.
pub(super) async fn put(
    tx: &mut Tx,
    table: &str,
    schema: &ViewSchema,
    rows: Vec<ViewRow>,
    statement: Statement,
) -> Result<(), StorageError> {
    let rows_max = (PARAMETERS_MAX / statements::parameters(schema)).max(1);
    let mut rows = rows.into_iter();
    let mut bound = || {
        let count = 1 << rows.len().min(rows_max).checked_ilog2()?;
        let query: Query = sqlx::query(AssertSqlSafe(statement(table, schema, count)));
        Some(rows.by_ref().take(count).fold(query, bind))
    };
    let mut next = bound();
    while let Some(query) = next {
        let written = query.execute(&mut **tx);
        // In this order: the statement is on its way when the next one is bound.
        let (written, following) = tokio::join!(biased; written, async { bound() });
        written.map_err(StorageError::sqlx("write rows of a view"))?;
        next = following;
    }
    Ok(())
}

/// Whole rows, read in the order of [`crate::views::sql::columns`].
pub(super) fn decode(
    rows: &[SqliteRow],
    schema: &ViewSchema,
) -> Result<Vec<ViewRow>, StorageError> {
    let rows: Result<_, _> = rows.iter().map(|row| decode_row(row, schema)).collect();
    rows.map_err(StorageError::sqlx("decode rows of a view"))
}

fn decode_row(row: &SqliteRow, schema: &ViewSchema) -> Result<ViewRow, sqlx::Error> {
    let cells = schema.columns.iter().zip(3..);
    let columns: Result<_, _> =
        cells.map(|(column, place)| decode_cell(row, column.kind, place)).collect();
    Ok(ViewRow {
        key: row.try_get(0)?,
        row: row.try_get(1)?,
        next_change: row.try_get(2)?,
        columns: columns?,
    })
}

fn decode_cell(row: &SqliteRow, kind: ColumnKind, place: usize) -> Result<Value, sqlx::Error> {
    let cell = match kind {
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => {
            row.try_get::<Option<String>, _>(place)?.map(Value::Text)
        }
        ColumnKind::Integer | ColumnKind::Money => {
            row.try_get::<Option<i64>, _>(place)?.map(Value::Integer)
        }
    };
    Ok(cell.unwrap_or(Value::Null))
}

fn bind(query: Query, row: ViewRow) -> Query {
    let query = query.bind(row.key).bind(row.row).bind(row.next_change);
    row.columns.into_iter().fold(query, bind_value)
}

/// Binds one cell or value.
pub(super) fn bind_value(query: Query, value: Value) -> Query {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Integer(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
    }
}

fn json_array(keys: &[impl AsRef<str>]) -> String {
    let keys: Vec<serde_json::Value> = keys.iter().map(|key| key.as_ref().into()).collect();
    serde_json::Value::Array(keys).to_string()
}
