//! A view made anew beside the live one: a table filled without indexes, indexed at the end, and
//! shown in the live one's place in one transaction. Each function here is work that runs to its
//! end, whether or not its caller waits for it.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Row};

use super::faults::{or_remade, or_superseded};
use super::{catalogue, rows, show, statements};
use crate::StorageError;
use crate::views::{
    Shadow, Stage, ViewChanges, ViewError, ViewPoint, ViewRow, ViewSchema, ViewState,
};

/// Who else may work on a shadow before this transaction ends.
#[derive(Clone, Copy)]
enum Access {
    /// Others that add to it.
    Shared,
    /// Nobody.
    Alone,
}

pub(super) async fn begin(pool: PgPool, schema: Arc<ViewSchema>) -> Result<Shadow, ViewError> {
    let view = schema.name;
    try_begin(&pool, schema).await.map_err(or_remade(view))
}

async fn try_begin(pool: &PgPool, schema: Arc<ViewSchema>) -> Result<Shadow, ViewError> {
    let failed = "begin a rebuild";
    let mut tx = catalogue::begin(pool).await?;
    catalogue::lock(&mut tx).await?;
    if let Some((abandoned, _)) = find_stage(&mut tx, schema.name, Access::Alone).await? {
        catalogue::drop_table(&mut tx, &statements::rows_table(&schema, abandoned)).await?;
    }
    let generation = catalogue::next_generation(&mut tx).await?;
    let table = statements::rows_table(&schema, generation);
    catalogue::run(&mut tx, statements::create_table(&table, &schema), failed).await?;
    sqlx::query(include_str!("../sql/views/put_shadow.sql"))
        .bind(schema.name)
        .bind(generation)
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    tx.commit().await.map_err(StorageError::sqlx(failed))?;
    Ok(Shadow { schema, generation })
}

pub(super) async fn load(
    pool: PgPool,
    shadow: Shadow,
    rows: Vec<ViewRow>,
) -> Result<(), ViewError> {
    let work = async {
        let mut tx = catalogue::begin(&pool).await?;
        stage(&mut tx, &shadow, Access::Shared).await?.require(Stage::Loading)?;
        let insert = statements::insert(&table(&shadow), &shadow.schema);
        rows::put(&mut tx, &shadow.schema, rows, &insert).await?;
        tx.commit().await.map_err(StorageError::sqlx("load a rebuild"))?;
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
        if stage(&mut tx, shadow, Access::Alone).await? == Stage::Indexed {
            return Ok(());
        }
        catalogue::run(&mut tx, step, failed).await?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
    }
    let mut tx = catalogue::begin(pool).await?;
    stage(&mut tx, shadow, Access::Alone).await?;
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
        stage(&mut tx, &shadow, Access::Shared).await?.require(Stage::Indexed)?;
        let found = rows::find(&mut tx, &table(&shadow), &keys).await?;
        tx.commit().await.map_err(StorageError::sqlx("read a rebuild"))?;
        Ok(found)
    };
    work.await.map_err(or_superseded(shadow.schema.name))
}

pub(super) async fn change(
    pool: PgPool,
    shadow: Shadow,
    changes: ViewChanges,
) -> Result<(), ViewError> {
    let work = async {
        let mut tx = catalogue::begin(&pool).await?;
        stage(&mut tx, &shadow, Access::Shared).await?.require(Stage::Indexed)?;
        rows::apply(&mut tx, &table(&shadow), &shadow.schema, changes).await?;
        tx.commit().await.map_err(StorageError::sqlx("change a rebuild"))?;
        Ok(())
    };
    work.await.map_err(or_superseded(shadow.schema.name))
}

pub(super) async fn swap(
    pool: PgPool,
    shadow: Shadow,
    point: ViewPoint,
) -> Result<ViewState, ViewError> {
    try_swap(&pool, &shadow, point).await.map_err(or_superseded(shadow.schema.name))
}

async fn try_swap(
    pool: &PgPool,
    shadow: &Shadow,
    point: ViewPoint,
) -> Result<ViewState, ViewError> {
    try_build_indexes(pool, shadow).await?;
    let failed = "swap a rebuild in";
    let mut tx = catalogue::begin(pool).await?;
    stage(&mut tx, shadow, Access::Alone).await?.require(Stage::Indexed)?;
    // Counted before anybody must wait.
    let count = format!("SELECT count(*) FROM {}", table(shadow));
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .fetch_one(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    let state = ViewState { point, rows: catalogue::count(rows)? };
    show::show(&mut tx, &shadow.schema, shadow.generation, &state).await?;
    sqlx::query(include_str!("../sql/views/end_shadow.sql"))
        .bind(shadow.schema.name)
        .execute(&mut *tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    tx.commit().await.map_err(StorageError::sqlx(failed))?;
    Ok(state)
}

fn table(shadow: &Shadow) -> String {
    statements::rows_table(&shadow.schema, shadow.generation)
}

/// How far a shadow has come, unless a later one took its place.
async fn stage(tx: &mut PgConnection, shadow: &Shadow, access: Access) -> Result<Stage, ViewError> {
    match find_stage(tx, shadow.schema.name, access).await? {
        Some((generation, stage)) if generation == shadow.generation => Ok(stage),
        Some(_) | None => Err(ViewError::Superseded { view: shadow.schema.name.to_owned() }),
    }
}

/// The generation of a view's shadow and how far it has come, if there is one.
async fn find_stage(
    tx: &mut PgConnection,
    view: &str,
    access: Access,
) -> Result<Option<(i64, Stage)>, StorageError> {
    let failed = "find a rebuild";
    let text = match access {
        Access::Shared => include_str!("../sql/views/find_shadow.sql"),
        Access::Alone => include_str!("../sql/views/lock_shadow.sql"),
    };
    let found = sqlx::query(text).bind(view).fetch_optional(tx).await;
    let Some(found) = found.map_err(StorageError::sqlx(failed))? else { return Ok(None) };
    let generation = found.try_get("generation").map_err(StorageError::sqlx(failed))?;
    let is_indexed: bool = found.try_get("indexed").map_err(StorageError::sqlx(failed))?;
    Ok(Some((generation, if is_indexed { Stage::Indexed } else { Stage::Loading })))
}
