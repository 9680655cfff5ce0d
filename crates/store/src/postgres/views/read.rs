//! Reads of a view, each one statement.

use std::collections::HashMap;

use sqlx::postgres::{PgPool, PgRow};
use sqlx::{AssertSqlSafe, Row};

use super::{faults, rows, statements};
use crate::StorageError;
use crate::views::{Value, ViewError, ViewPoint, ViewRow, ViewSchema, sql};

/// Parameters that every read takes: which view in which form.
pub(super) fn form_values(schema: &ViewSchema) -> [Value; 3] {
    [
        Value::Text(schema.name.to_owned()),
        Value::Integer(i64::from(schema.version)),
        Value::Text(sql::form(schema)),
    ]
}

/// A read of `schema`'s view: `found` has its own parameters from 4 on.
pub(super) fn query(schema: &ViewSchema, found: &str) -> rows::Query {
    let query = sqlx::query(AssertSqlSafe(statements::read(found)));
    form_values(schema).into_iter().fold(query, rows::bind_value)
}

/// The rows of such a read, the first column of each (from place 1 on) not null.
pub(super) async fn fetch(
    pool: &PgPool,
    schema: &ViewSchema,
    query: rows::Query,
    failed: &'static str,
) -> Result<Vec<PgRow>, ViewError> {
    Ok(asked(pool, schema, query, failed).await?.1)
}

/// The same for a statement of [`statements::read_at`], and the point at which the view stands.
pub(super) async fn fetch_at(
    pool: &PgPool,
    schema: &ViewSchema,
    query: rows::Query,
    failed: &'static str,
) -> Result<(Vec<PgRow>, ViewPoint), ViewError> {
    let (first, found) = asked(pool, schema, query, failed).await?;
    let decode = || -> Result<(i64, String), sqlx::Error> {
        let first = first.as_ref().or(found.first()).ok_or(sqlx::Error::RowNotFound)?;
        Ok((first.try_get("at_cursor")?, first.try_get("at_as_of")?))
    };
    let (cursor, as_of) = decode().map_err(StorageError::sqlx(failed))?;
    Ok((found, ViewPoint { cursor: crate::state::from_sql(cursor)?, as_of }))
}

/// The rows of a read of a known view. If it found none, the one row that only says how the view
/// stands is returned apart.
async fn asked(
    pool: &PgPool,
    schema: &ViewSchema,
    query: rows::Query,
    failed: &'static str,
) -> Result<(Option<PgRow>, Vec<PgRow>), ViewError> {
    let view = schema.name;
    let found = query.fetch_all(pool).await.map_err(StorageError::sqlx(failed));
    let mut found = found.map_err(ViewError::from).map_err(faults::or_remade(view))?;
    let decode = |row: &PgRow| -> Result<(bool, bool), sqlx::Error> {
        let is_row = row.try_get::<Option<String>, _>(1)?.is_some();
        Ok((row.try_get("is_known")?, is_row))
    };
    match found.first().map(decode).transpose().map_err(StorageError::sqlx(failed))? {
        Some((true, true)) => Ok((None, found)),
        Some((true, false)) => Ok((found.pop(), Vec::new())),
        Some((false, _)) | None => Err(ViewError::Remade { view: view.to_owned() }),
    }
}

pub(super) async fn rows(
    pool: &PgPool,
    schema: &ViewSchema,
    keys: &[String],
) -> Result<HashMap<String, Vec<u8>>, ViewError> {
    let failed = "read rows of a view";
    let table = sql::table(schema);
    let found = format!("SELECT key, row FROM {table} WHERE key = ANY($4)");
    let keys: Vec<String> = rows::storable(keys).into_iter().map(str::to_owned).collect();
    let found = fetch(pool, schema, query(schema, &found).bind(keys), failed).await?;
    let pairs: Result<_, sqlx::Error> =
        found.iter().map(|row| Ok((row.try_get(1)?, row.try_get(2)?))).collect();
    Ok(pairs.map_err(StorageError::sqlx(failed))?)
}

pub(super) async fn get(
    pool: &PgPool,
    schema: &ViewSchema,
    key: &str,
) -> Result<Option<Vec<u8>>, ViewError> {
    Ok(rows(pool, schema, &[key.to_owned()]).await?.remove(key))
}

pub(super) async fn due(
    pool: &PgPool,
    schema: &ViewSchema,
    on: &str,
    limit: u32,
) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
    let failed = "read the rows due";
    let found = format!(
        "SELECT key, row, next_change FROM {} WHERE next_change <= $4 \
         ORDER BY next_change, key LIMIT $5",
        sql::table(schema)
    );
    let query = query(schema, &found).bind(on.to_owned()).bind(i64::from(limit));
    let found = fetch(pool, schema, query, failed).await?;
    let decode = |row: &PgRow| Ok((row.try_get(3)?, row.try_get(1)?, row.try_get(2)?));
    let due: Result<Vec<(String, String, Vec<u8>)>, sqlx::Error> =
        found.iter().map(decode).collect();
    let mut due = due.map_err(StorageError::sqlx(failed))?;
    // They come in order: a join does not promise it.
    due.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    Ok(due.into_iter().map(|(_, key, row)| (key, row)).collect())
}

pub(super) async fn scan(
    pool: &PgPool,
    schema: &ViewSchema,
    after_key: Option<&str>,
    limit: u32,
) -> Result<Vec<ViewRow>, ViewError> {
    let failed = "scan a view";
    let found = format!(
        "SELECT {} FROM {} WHERE key > $4 ORDER BY key LIMIT $5",
        statements::typed_columns(schema),
        sql::table(schema)
    );
    // No key is empty: all come after it. None has a zero byte: what comes after the text before it
    // comes after all of it, too.
    let after = after_key.unwrap_or_default().split('\0').next().unwrap_or_default();
    let query = query(schema, &found).bind(after.to_owned()).bind(i64::from(limit));
    let found = fetch(pool, schema, query, failed).await?;
    let mut rows = decode(&found, schema, failed)?;
    // They come in order: a join does not promise it.
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(rows)
}

/// Whole rows of a read.
pub(super) fn decode(
    found: &[PgRow],
    schema: &ViewSchema,
    failed: &'static str,
) -> Result<Vec<ViewRow>, StorageError> {
    let rows: Result<_, _> = found.iter().map(|row| rows::decode(row, schema, 1)).collect();
    rows.map_err(StorageError::sqlx(failed))
}
