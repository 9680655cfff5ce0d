//! Which views there are, how each stands, and what form its table has.

use std::sync::Arc;

use sqlx::postgres::{PgConnection, PgPool, PgRow, Postgres};
use sqlx::{AssertSqlSafe, PgExecutor, Row, Transaction};

use super::faults;
use crate::StorageError;
use crate::views::{ViewInfo, ViewPoint, ViewSchema, ViewState, sql, stored_number};

/// How often the catalogue is made while other processes make the same schema.
const ADOPT_TRIES_MAX: usize = 8;

pub(super) type Tx = Transaction<'static, Postgres>;

/// Where the views of a book stand.
#[derive(Clone)]
pub(super) struct Home {
    /// Connections that write.
    pub(super) pool: PgPool,
    pub(super) schema: Arc<str>,
    pub(super) book_id: [u8; 16],
}

/// A view as it is stored.
pub(super) struct Entry {
    pub(super) info: ViewInfo,
    /// Number of the table that holds its rows.
    pub(super) generation: i64,
    form: String,
}

impl Entry {
    /// Whether the stored table has the form that `schema` asks for.
    pub(super) fn is_of(&self, schema: &ViewSchema) -> bool {
        self.info.version == schema.version && self.form == sql::form(schema)
    }
}

/// Begins a transaction, only in work that runs to its end even if its caller goes away.
pub(super) async fn begin(pool: &PgPool) -> Result<Tx, StorageError> {
    pool.begin().await.map_err(StorageError::sqlx("begin to write a view"))
}

/// Makes the schema and its catalogue, and drops every view if they belong to another book.
pub(super) async fn adopt(home: &Home) -> Result<(), StorageError> {
    let mut tries = 1;
    loop {
        match try_adopt(home).await {
            // Others make the schema, too: for their own tables.
            Err(error) if faults::is_race(&error) && tries < ADOPT_TRIES_MAX => tries += 1,
            adopted => return adopted,
        }
    }
}

async fn try_adopt(home: &Home) -> Result<(), StorageError> {
    let failed = "make the catalogue of views";
    let schema = &*home.schema;
    let mut tx = begin(&home.pool).await?;
    sqlx::query(include_str!("../sql/views/lock_schema.sql"))
        .bind(schema)
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    let is_there: bool = sqlx::query_scalar(include_str!("../sql/views/find_schema.sql"))
        .bind(schema)
        .fetch_one(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    // Looked for first: a role that may not create schemas may use one that is there.
    if !is_there {
        let create = format!("CREATE SCHEMA IF NOT EXISTS {}", sql::quoted(schema));
        run(&mut tx, create, failed).await?;
    }
    run(&mut tx, include_str!("../sql/views/schema.sql").into(), failed).await?;
    let book: Option<Vec<u8>> = sqlx::query_scalar(include_str!("../sql/views/lock_catalogue.sql"))
        .fetch_optional(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    if book.as_deref() != Some(home.book_id.as_slice()) {
        drop_all(&mut tx, schema).await?;
        sqlx::query(include_str!("../sql/views/put_book.sql"))
            .bind(home.book_id.as_slice())
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
    }
    tx.commit().await.map_err(StorageError::sqlx(failed))
}

async fn drop_all(tx: &mut PgConnection, schema: &str) -> Result<(), StorageError> {
    let failed = "drop the views of another book";
    let tables: Vec<String> = sqlx::query_scalar(include_str!("../sql/views/list_tables.sql"))
        .bind(schema)
        .fetch_all(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    for table in tables {
        drop_table(tx, &table).await?;
    }
    run(tx, "DELETE FROM views; DELETE FROM views_rebuild".into(), failed).await
}

/// Drops one of our own tables, if it is there, and what stands on it.
pub(super) async fn drop_table(tx: &mut PgConnection, table: &str) -> Result<(), StorageError> {
    let drop = format!("DROP TABLE IF EXISTS {} CASCADE", sql::quoted(table));
    run(tx, drop, "drop a view").await
}

/// Runs statements that answer nothing.
pub(super) async fn run(
    tx: &mut PgConnection,
    text: String,
    failed: &'static str,
) -> Result<(), StorageError> {
    let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(tx).await;
    done.map(drop).map_err(StorageError::sqlx(failed))
}

/// Makes this transaction the only one that makes tables.
pub(super) async fn lock(tx: &mut PgConnection) -> Result<(), StorageError> {
    let locked = sqlx::query(include_str!("../sql/views/lock_catalogue.sql")).execute(tx).await;
    locked.map(drop).map_err(StorageError::sqlx("lock the catalogue of views"))
}

/// The view as it is stored, if there is one.
pub(super) async fn find(
    executor: impl PgExecutor<'_>,
    view: &str,
) -> Result<Option<Entry>, StorageError> {
    let row = sqlx::query(include_str!("../sql/views/find_state.sql"))
        .bind(view)
        .fetch_optional(executor)
        .await
        .map_err(StorageError::sqlx("read how a view stands"))?;
    row.as_ref().map(entry).transpose()
}

/// The same, and nobody moves the view before this transaction ends.
pub(super) async fn find_locked(
    tx: &mut PgConnection,
    view: &str,
) -> Result<Option<Entry>, StorageError> {
    let row = sqlx::query(include_str!("../sql/views/lock_state.sql"))
        .bind(view)
        .fetch_optional(tx)
        .await
        .map_err(StorageError::sqlx("lock a view"))?;
    row.as_ref().map(entry).transpose()
}

/// All stored views, by name.
pub(super) async fn list(pool: &PgPool) -> Result<Vec<ViewInfo>, StorageError> {
    let rows = sqlx::query(include_str!("../sql/views/list_states.sql"))
        .fetch_all(pool)
        .await
        .map_err(StorageError::sqlx("list the views"))?;
    rows.iter().map(|row| Ok(entry(row)?.info)).collect()
}

/// Says how a view stands from now on, in which form and table.
pub(super) async fn put(
    tx: &mut PgConnection,
    schema: &ViewSchema,
    generation: i64,
    state: &ViewState,
) -> Result<(), StorageError> {
    sqlx::query(include_str!("../sql/views/put_state.sql"))
        .bind(schema.name)
        .bind(i64::from(schema.version))
        .bind(sql::form(schema))
        .bind(generation)
        .bind(stored_number(state.point.cursor)?)
        .bind(state.point.as_of.as_str())
        .bind(stored_number(state.rows)?)
        .execute(tx)
        .await
        .map(drop)
        .map_err(StorageError::sqlx("write how a view stands"))
}

/// Says how a view stands from now on, in the same form and table.
pub(super) async fn move_to(
    tx: &mut PgConnection,
    schema: &ViewSchema,
    state: &ViewState,
) -> Result<(), StorageError> {
    sqlx::query(include_str!("../sql/views/move_state.sql"))
        .bind(schema.name)
        .bind(stored_number(state.point.cursor)?)
        .bind(state.point.as_of.as_str())
        .bind(stored_number(state.rows)?)
        .execute(tx)
        .await
        .map(drop)
        .map_err(StorageError::sqlx("write how a view stands"))
}

/// A number that no table had before.
pub(super) async fn next_generation(tx: &mut PgConnection) -> Result<i64, StorageError> {
    sqlx::query_scalar(include_str!("../sql/views/next_generation.sql"))
        .fetch_one(tx)
        .await
        .map_err(StorageError::sqlx("number a view's table"))
}

fn entry(row: &PgRow) -> Result<Entry, StorageError> {
    let failed = "decode how a view stands";
    let number = |name| row.try_get::<i64, _>(name).map_err(StorageError::sqlx(failed));
    let text = |name| row.try_get::<String, _>(name).map_err(StorageError::sqlx(failed));
    let point = ViewPoint { cursor: count(number("cursor")?)?, as_of: text("as_of")? };
    let state = ViewState { point, rows: count(number("rows")?)? };
    let version = u32::try_from(number("version")?).map_err(|_| {
        StorageError::Corrupt("the stored version of a view is out of range".into())
    })?;
    let info = ViewInfo { name: text("name")?, version, state };
    Ok(Entry { info, generation: number("generation")?, form: text("fingerprint")? })
}

/// A stored number as a count or position.
pub(super) fn count(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|_| {
        StorageError::Corrupt(format!("{number} cannot be a view's count or position"))
    })
}
