//! Rows into a table and out of it, many with each statement: a column goes over as one array.

use std::collections::HashMap;

use sqlx::postgres::{PgArguments, PgConnection, PgRow, Postgres};
use sqlx::{AssertSqlSafe, Row};

use super::statements;
use crate::StorageError;
use crate::views::{ColumnKind, Value, ViewChanges, ViewRow, ViewSchema, difference};

/// Rows of one statement: more make it no faster.
const STATEMENT_ROWS_MAX: usize = 8_192;
/// Bytes of cells and packed rows of one statement, if a single row does not have more.
const STATEMENT_BYTES_MAX: usize = 16 * 1_024 * 1_024;

pub(super) type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// The packed rows under `keys`.
pub(super) async fn find(
    tx: &mut PgConnection,
    table: &str,
    keys: &[String],
) -> Result<HashMap<String, Vec<u8>>, StorageError> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(AssertSqlSafe(statements::find(table)))
        .bind(storable(keys))
        .fetch_all(tx)
        .await
        .map_err(StorageError::sqlx("read rows of a view"))?;
    Ok(rows.into_iter().collect())
}

/// Keys and packed rows whose columns change by themselves on or before the day `on`.
pub(super) async fn due(
    tx: &mut PgConnection,
    table: &str,
    on: &str,
    limit: u32,
) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
    let due = sqlx::query_as(AssertSqlSafe(statements::due(table))).bind(on).bind(i64::from(limit));
    due.fetch_all(tx).await.map_err(StorageError::sqlx("read the rows due"))
}

/// Keys that a row can have: no row has one with a zero byte, and the database does not take it.
pub(super) fn storable(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).filter(|key| !key.contains('\0')).collect()
}

/// Writes `changes` (checked, no key twice) and answers by how many rows the table has grown.
pub(super) async fn apply(
    tx: &mut PgConnection,
    table: &str,
    schema: &ViewSchema,
    changes: ViewChanges,
) -> Result<i64, StorageError> {
    let failed = "change rows of a view";
    let ViewChanges { upserts, deletes } = changes;
    let mut added = 0;
    if !upserts.is_empty() {
        let keys: Vec<&str> = upserts.iter().map(|row| row.key.as_str()).collect();
        let before: i64 = sqlx::query_scalar(AssertSqlSafe(statements::count(table)))
            .bind(keys)
            .fetch_one(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        added = difference(upserts.len() as u64, before.unsigned_abs());
        put(tx, schema, upserts, &statements::upsert(table, schema)).await?;
    }
    if !deletes.is_empty() {
        let done = sqlx::query(AssertSqlSafe(statements::delete(table)))
            .bind(storable(&deletes))
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        added += difference(0, done.rows_affected());
    }
    Ok(added)
}

/// Writes `rows` (checked) by as few statements as is reasonable.
pub(super) async fn put(
    tx: &mut PgConnection,
    schema: &ViewSchema,
    rows: Vec<ViewRow>,
    statement: &str,
) -> Result<(), StorageError> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut batch = Arrays::new(schema);
        while let Some(row) = rows.next_if(|row| batch.has_room_for(row)) {
            batch.push(row);
        }
        batch
            .bind(sqlx::query(AssertSqlSafe(statement.to_owned())))
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx("write rows of a view"))?;
    }
    Ok(())
}

/// Rows turned into columns.
struct Arrays {
    keys: Vec<String>,
    rows: Vec<Vec<u8>>,
    next_changes: Vec<Option<String>>,
    columns: Vec<Array>,
    bytes: usize,
}

/// The cells of one column.
enum Array {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<i64>>),
}

impl Arrays {
    fn new(schema: &ViewSchema) -> Self {
        let array = |kind| match kind {
            ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => Array::Texts(Vec::new()),
            ColumnKind::Integer | ColumnKind::Money => Array::Numbers(Vec::new()),
        };
        Self {
            keys: Vec::new(),
            rows: Vec::new(),
            next_changes: Vec::new(),
            columns: schema.columns.iter().map(|column| array(column.kind)).collect(),
            bytes: 0,
        }
    }

    /// An empty batch has room for every row.
    fn has_room_for(&self, row: &ViewRow) -> bool {
        let is_within_bytes = self.bytes + bytes(row) <= STATEMENT_BYTES_MAX;
        self.keys.is_empty() || (self.keys.len() < STATEMENT_ROWS_MAX && is_within_bytes)
    }

    fn push(&mut self, row: ViewRow) {
        self.bytes += bytes(&row);
        self.keys.push(row.key);
        self.rows.push(row.row);
        self.next_changes.push(row.next_change);
        for (column, value) in self.columns.iter_mut().zip(row.columns) {
            column.push(value);
        }
    }

    /// In the order of [`crate::views::sql::columns`].
    fn bind(self, query: Query) -> Query {
        let query = query.bind(self.keys).bind(self.rows).bind(self.next_changes);
        self.columns.into_iter().fold(query, |query, column| match column {
            Array::Texts(texts) => query.bind(texts),
            Array::Numbers(numbers) => query.bind(numbers),
        })
    }
}

impl Array {
    /// # Panics
    /// When the value is not of the column's kind: rows are checked before they come here.
    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Texts(texts), Value::Text(text)) => texts.push(Some(text)),
            (Self::Texts(texts), Value::Null) => texts.push(None),
            (Self::Numbers(numbers), Value::Integer(number)) => numbers.push(Some(number)),
            (Self::Numbers(numbers), Value::Null) => numbers.push(None),
            (Self::Texts(_), Value::Integer(_)) | (Self::Numbers(_), Value::Text(_)) => {
                panic!("a cell of another kind than its column came through the check of its row")
            }
        }
    }
}

fn bytes(row: &ViewRow) -> usize {
    let cells = row.columns.iter().map(|value| match value {
        Value::Null => 0,
        Value::Integer(_) => 8,
        Value::Text(text) => text.len(),
    });
    row.key.len() + row.row.len() + cells.sum::<usize>()
}

/// A whole row, read from place `first` on in the order of [`crate::views::sql::columns`].
pub(super) fn decode(
    row: &PgRow,
    schema: &ViewSchema,
    first: usize,
) -> Result<ViewRow, sqlx::Error> {
    let cells = schema.columns.iter().zip(first + 3..);
    let columns: Result<_, _> =
        cells.map(|(column, place)| decode_cell(row, column.kind, place)).collect();
    Ok(ViewRow {
        key: row.try_get(first)?,
        row: row.try_get(first + 1)?,
        next_change: row.try_get(first + 2)?,
        columns: columns?,
    })
}

fn decode_cell(row: &PgRow, kind: ColumnKind, place: usize) -> Result<Value, sqlx::Error> {
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

/// Binds one value.
pub(super) fn bind_value(query: Query, value: Value) -> Query {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Integer(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
    }
}
