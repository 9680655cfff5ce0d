//! A view made anew beside the live one: a table filled without indexes, indexed at the end, and
//! shown in the live one's place in one transaction. Each function here is work that runs to its
//! end, whether or not its caller waits for it.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Row;
use sqlx::postgres::{PgConnection, PgPool, PgRow};

use super::faults::{or_remade, or_superseded};
use super::{catalogue, rows, show, statements};
use crate::StorageError;
use crate::views::{
    RebuildFrom, Replaces, Resumed, Shadow, ShadowEntry, Stage, ViewChanges, ViewError, ViewPoint,
    ViewRow, ViewSchema, ViewState, sql, stored_number,
};

/// Who else may work on a shadow before this transaction ends.
#[derive(Clone, Copy)]
enum Access {
    /// Others that read it.
    Shared,
    /// Nobody.
    Alone,
}

pub(super) async fn begin(
    pool: PgPool,
    schema: Arc<ViewSchema>,
    from: RebuildFrom,
) -> Result<Shadow, ViewError> {
    let view = schema.name;
    try_begin(&pool, schema, &from).await.map_err(or_remade(view))
}

async fn try_begin(
    pool: &PgPool,
    schema: Arc<ViewSchema>,
    from: &RebuildFrom,
) -> Result<Shadow, ViewError> {
    let failed = "begin a rebuild";
    let mut tx = catalogue::begin(pool).await?;
    catalogue::lock(&mut tx).await?;
    if let Some(abandoned) = find_entry(&mut tx, schema.name, Access::Alone).await? {
        let table = statements::rows_table(&schema, abandoned.generation);
        catalogue::drop_table(&mut tx, &table).await?;
    }
    let generation = catalogue::next_generation(&mut tx).await?;
    let table = statements::rows_table(&schema, generation);
    catalogue::run(&mut tx, statements::create_table(&table, &schema), failed).await?;
    sqlx::query(include_str!("../sql/views/put_shadow.sql"))
        .bind(schema.name)
        .bind(generation)
        .bind(i64::from(schema.version))
        .bind(sql::form(&schema))
        .bind(from.origin.as_str())
        .bind(stored_number(from.point.cursor)?)
        .bind(from.point.as_of.as_str())
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    tx.commit().await.map_err(StorageError::sqlx(failed))?;
    Ok(Shadow { schema, generation, work_lease: generation })
}

pub(super) async fn resume(
    pool: PgPool,
    schema: Arc<ViewSchema>,
) -> Result<Option<Resumed>, ViewError> {
    let view = schema.name;
    try_resume(&pool, schema).await.map_err(or_remade(view))
}

async fn try_resume(pool: &PgPool, schema: Arc<ViewSchema>) -> Result<Option<Resumed>, ViewError> {
    let failed = "resume a rebuild";
    let mut tx = catalogue::begin(pool).await?;
    catalogue::lock(&mut tx).await?;
    let found = find_entry(&mut tx, schema.name, Access::Alone).await?;
    let resumed = match found.filter(|entry| entry.is_of(&schema)) {
        Some(entry) => {
            let work_lease = catalogue::next_generation(&mut tx).await?;
            sqlx::query(include_str!("../sql/views/take_shadow.sql"))
                .bind(schema.name)
                .bind(work_lease)
                .execute(&mut *tx)
                .await
                .map_err(StorageError::sqlx(failed))?;
            Some(entry.resumed(schema, work_lease))
        }
        None => None,
    };
    tx.commit().await.map_err(StorageError::sqlx(failed))?;
    Ok(resumed)
}

pub(super) async fn load(
    pool: PgPool,
    shadow: Shadow,
    rows: Vec<ViewRow>,
    loaded: u32,
) -> Result<(), ViewError> {
    let failed = "load a rebuild";
    let work = async {
        let added = stored_number(rows.len() as u64)?;
        let mut tx = catalogue::begin(&pool).await?;
        entry(&mut tx, &shadow, Access::Alone).await?.stage.require(Stage::Loading)?;
        let insert = statements::insert(&table(&shadow), &shadow.schema);
        rows::put(&mut tx, &shadow.schema, rows, &insert).await?;
        sqlx::query(include_str!("../sql/views/load_shadow.sql"))
            .bind(shadow.schema.name)
            .bind(i64::from(loaded))
            .bind(added)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(())
    };
    work.await.map_err(or_superseded(shadow.schema.name))
}

pub(super) async fn build_indexes(pool: PgPool, shadow: Shadow) -> Result<(), ViewError> {
    try_build_indexes(&pool, &shadow).await.map_err(or_superseded(shadow.schema.name))
}

/// Each index in a transaction of its own: a later rebuild need not wait for all of them.
async fn try_build_indexes(pool: &PgPool, shadow: &Shadow) -> Result<(), ViewError> {
    let failed = "index a rebuild";
    let table = table(shadow);
    let mut steps = statements::create_indexes(&table, &shadow.schema, shadow.generation);
    // The first page that is read after the swap must not be planned for an empty table.
    steps.push(format!("ANALYZE {table}"));
    for step in steps {
        let mut tx = catalogue::begin(pool).await?;
        if entry(&mut tx, shadow, Access::Alone).await?.stage == Stage::Indexed {
            return Ok(());
        }
        catalogue::run(&mut tx, step, failed).await?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
    }
    let mut tx = catalogue::begin(pool).await?;
    entry(&mut tx, shadow, Access::Alone).await?;
    sqlx::query(include_str!("../sql/views/mark_indexed.sql"))
        .bind(shadow.schema.name)
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    tx.commit().await.map_err(StorageError::sqlx(failed))?;
    Ok(())
}

pub(super) async fn find(
    pool: PgPool,
    shadow: Shadow,
    keys: Vec<String>,
) -> Result<HashMap<String, Vec<u8>>, ViewError> {
    let work = async {
        let mut tx = catalogue::begin(&pool).await?;
        entry(&mut tx, &shadow, Access::Shared).await?.stage.require(Stage::Indexed)?;
        let found = rows::find(&mut tx, &table(&shadow), &keys).await?;
        tx.commit().await.map_err(StorageError::sqlx("read a rebuild"))?;
        Ok(found)
    };
    work.await.map_err(or_superseded(shadow.schema.name))
}

pub(super) async fn due(
    pool: PgPool,
    shadow: Shadow,
    on: String,
    limit: u32,
) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
    let work = async {
        let mut tx = catalogue::begin(&pool).await?;
        entry(&mut tx, &shadow, Access::Shared).await?.stage.require(Stage::Indexed)?;
        let due = rows::due(&mut tx, &table(&shadow), &on, limit).await?;
        tx.commit().await.map_err(StorageError::sqlx("read a rebuild"))?;
        Ok(due)
    };
    work.await.map_err(or_superseded(shadow.schema.name))
}

pub(super) async fn change(
    pool: PgPool,
    shadow: Shadow,
    changes: ViewChanges,
    cursor: u64,
) -> Result<(), ViewError> {
    let failed = "change a rebuild";
    let work = async {
        let mut tx = catalogue::begin(&pool).await?;
        entry(&mut tx, &shadow, Access::Alone).await?.stage.require(Stage::Indexed)?;
        let added = rows::apply(&mut tx, &table(&shadow), &shadow.schema, changes).await?;
        sqlx::query(include_str!("../sql/views/move_shadow.sql"))
            .bind(shadow.schema.name)
            .bind(stored_number(cursor)?)
            .bind(added)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(())
    };
    work.await.map_err(or_superseded(shadow.schema.name))
}

pub(super) async fn swap(
    pool: PgPool,
    shadow: Shadow,
    point: ViewPoint,
    replaces: Replaces,
) -> Result<Option<ViewState>, ViewError> {
    try_swap(&pool, &shadow, point, replaces).await.map_err(or_superseded(shadow.schema.name))
}

async fn try_swap(
    pool: &PgPool,
    shadow: &Shadow,
    point: ViewPoint,
    replaces: Replaces,
) -> Result<Option<ViewState>, ViewError> {
    try_build_indexes(pool, shadow).await?;
    let failed = "swap a rebuild in";
    let mut tx = catalogue::begin(pool).await?;
    let entry = entry(&mut tx, shadow, Access::Alone).await?;
    entry.stage.require(Stage::Indexed)?;
    let state = ViewState { point, rows: entry.rows };
    let made = show::Made { schema: &shadow.schema, generation: shadow.generation, state: &state };
    if !show::show(&mut tx, made, replaces).await? {
        return Ok(None); // dropping the transaction rolls it back
    }
    sqlx::query(include_str!("../sql/views/end_shadow.sql"))
        .bind(shadow.schema.name)
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    tx.commit().await.map_err(StorageError::sqlx(failed))?;
    Ok(Some(state))
}

fn table(shadow: &Shadow) -> String {
    statements::rows_table(&shadow.schema, shadow.generation)
}

/// How a shadow stands, unless somebody else took its place or works on it.
async fn entry(
    tx: &mut PgConnection,
    shadow: &Shadow,
    access: Access,
) -> Result<ShadowEntry, ViewError> {
    let found = find_entry(tx, shadow.schema.name, access).await?;
    found.filter(|entry| entry.work_lease == shadow.work_lease).ok_or_else(|| shadow.superseded())
}

/// The shadow of a view, if there is one.
async fn find_entry(
    tx: &mut PgConnection,
    view: &str,
    access: Access,
) -> Result<Option<ShadowEntry>, StorageError> {
    let text = match access {
        Access::Shared => include_str!("../sql/views/find_shadow.sql"),
        Access::Alone => include_str!("../sql/views/lock_shadow.sql"),
    };
    let found = sqlx::query(text).bind(view).fetch_optional(tx).await;
    let Some(row) = found.map_err(StorageError::sqlx("find a rebuild"))? else { return Ok(None) };
    decode(&row).map(Some).map_err(StorageError::sqlx("decode a rebuild"))
}

fn decode(row: &PgRow) -> Result<ShadowEntry, sqlx::Error> {
    let number = |name| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    let point = ViewPoint { cursor: number("target")?, as_of: row.try_get("as_of")? };
    let is_indexed: bool = row.try_get("indexed")?;
    Ok(ShadowEntry {
        generation: row.try_get("generation")?,
        work_lease: row.try_get("turn")?,
        version: row.try_get("version")?,
        form: row.try_get("fingerprint")?,
        from: RebuildFrom { point, origin: row.try_get("origin")? },
        loaded: u32::try_from(number("loaded")?).unwrap_or(0),
        rows: number("rows")?,
        cursor: number("cursor")?,
        stage: if is_indexed { Stage::Indexed } else { Stage::Loading },
    })
}
