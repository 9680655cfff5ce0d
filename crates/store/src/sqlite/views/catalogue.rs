//! Which views there are, how each stands, and what form its table has.

use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row, SqliteExecutor, Transaction};

use super::statements;
use crate::StorageError;
use crate::views::{ViewError, ViewInfo, ViewPoint, ViewSchema, ViewState, sql, stored_number};

/// A view as it is stored.
pub(super) struct Entry {
    pub(super) info: ViewInfo,
    form: String,
}

impl Entry {
    /// Whether the stored table has the form that `schema` asks for.
    pub(super) fn is_of(&self, schema: &ViewSchema) -> bool {
        self.info.version == schema.version && self.form == sql::form(schema)
    }
}

/// Makes the catalogue, and drops every view if they belong to another book, or if it cannot be
/// told any more to which.
pub(super) async fn adopt(pool: &SqlitePool, book_id: [u8; 16]) -> Result<(), StorageError> {
    let failed = "make the catalogue of views";
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(StorageError::sqlx(failed))?;
    sqlx::raw_sql(include_str!("schema.sql"))
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    let book: Option<Vec<u8>> = sqlx::query_scalar(include_str!("find_book.sql"))
        .fetch_optional(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    if book.as_deref() != Some(book_id.as_slice()) {
        drop_all(&mut tx).await?;
        sqlx::query(include_str!("put_book.sql"))
            .bind(book_id.as_slice())
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
    }
    tx.commit().await.map_err(StorageError::sqlx(failed))
}

async fn drop_all(tx: &mut Transaction<'static, Sqlite>) -> Result<(), StorageError> {
    let failed = "drop the views of another book";
    let tables: Vec<String> = sqlx::query_scalar(include_str!("list_tables.sql"))
        .fetch_all(&mut **tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    for table in tables {
        drop_table(tx, &table).await?;
    }
    sqlx::raw_sql("DELETE FROM views; DELETE FROM views_rebuild")
        .execute(&mut **tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    Ok(())
}

/// Drops one of our own tables, if it is there.
pub(super) async fn drop_table(
    tx: &mut Transaction<'static, Sqlite>,
    table: &str,
) -> Result<(), StorageError> {
    run(tx, format!("DROP TABLE IF EXISTS {table}"), "drop a view").await
}

/// Runs a statement that answers nothing.
pub(super) async fn run(
    tx: &mut Transaction<'static, Sqlite>,
    sql: String,
    failed: &'static str,
) -> Result<(), StorageError> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **tx).await;
    done.map(drop).map_err(StorageError::sqlx(failed))
}

/// The view as it is stored, if there is one.
pub(super) async fn find(
    executor: impl SqliteExecutor<'_>,
    view: &str,
) -> Result<Option<Entry>, StorageError> {
    let row = sqlx::query(include_str!("find_state.sql"))
        .bind(view)
        .fetch_optional(executor)
        .await
        .map_err(StorageError::sqlx("read how a view stands"))?;
    row.as_ref().map(entry).transpose()
}

/// All stored views, by name.
pub(super) async fn list(pool: &SqlitePool) -> Result<Vec<ViewInfo>, StorageError> {
    let rows = sqlx::query(include_str!("list_states.sql"))
        .fetch_all(pool)
        .await
        .map_err(StorageError::sqlx("list the views"))?;
    rows.iter().map(|row| Ok(entry(row)?.info)).collect()
}

/// Says how a view stands from now on.
pub(super) async fn put(
    tx: &mut Transaction<'static, Sqlite>,
    schema: &ViewSchema,
    state: &ViewState,
) -> Result<(), StorageError> {
    sqlx::query(include_str!("put_state.sql"))
        .bind(schema.name)
        .bind(schema.version)
        .bind(sql::form(schema))
        .bind(stored_number(state.point.cursor)?)
        .bind(state.point.as_of.as_str())
        .bind(stored_number(state.rows)?)
        .execute(&mut **tx)
        .await
        .map(drop)
        .map_err(StorageError::sqlx("write how a view stands"))
}

/// Makes an empty view in the place of whatever stands there.
pub(super) async fn make_empty(
    tx: &mut Transaction<'static, Sqlite>,
    schema: &ViewSchema,
    as_of: &str,
) -> Result<ViewState, ViewError> {
    let table = sql::table(schema);
    let generation = next_generation(tx).await?;
    drop_table(tx, &table).await?;
    run(tx, statements::create_table(&table, schema), "make a view").await?;
    for index in statements::create_indexes(&table, schema, generation) {
        run(tx, index, "index a view").await?;
    }
    let point = ViewPoint { cursor: 0, as_of: as_of.to_owned() };
    let state = ViewState { point, rows: 0 };
    put(tx, schema, &state).await?;
    Ok(state)
}

/// A number that no table had before.
pub(super) async fn next_generation(
    tx: &mut Transaction<'static, Sqlite>,
) -> Result<i64, StorageError> {
    sqlx::query_scalar("UPDATE views_meta SET generation = generation + 1 RETURNING generation")
        .fetch_one(&mut **tx)
        .await
        .map_err(StorageError::sqlx("number a view's table"))
}

fn entry(row: &SqliteRow) -> Result<Entry, StorageError> {
    let decode = || -> Result<Entry, sqlx::Error> {
        let point = ViewPoint { cursor: row.try_get("cursor")?, as_of: row.try_get("as_of")? };
        let state = ViewState { point, rows: row.try_get("rows")? };
        let info = ViewInfo { name: row.try_get("name")?, version: row.try_get("version")?, state };
        Ok(Entry { info, form: row.try_get("fingerprint")? })
    };
    decode().map_err(StorageError::sqlx("decode how a view stands"))
}
