//! Which table a view shows. The SQL view that people read stays the same object while the tables
//! behind it come and go: their rights, and their own SQL views on it, stay too.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use super::{catalogue, faults, statements};
use crate::StorageError;
use crate::views::{Replaces, ViewError, ViewPoint, ViewSchema, ViewState, sql};

/// How long one try waits for the readers of a view, milliseconds: new readers queue behind it.
const TRY_MS_MAX: u64 = 100;
/// How long readers have the view to themselves between two tries.
const PAUSE: Duration = Duration::from_millis(400);
/// How often it is tried: somebody's long query is waited for.
const TRIES_MAX: usize = 240;

const FAILED: &str = "put a table in the place of a view's";

/// A table that a view is to show.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) schema: &'a ViewSchema,
    pub(super) generation: i64,
    /// How the view then stands.
    pub(super) state: &'a ViewState,
}

/// Lets a view show the table that was made and drops the tables that it no longer needs. Answers
/// `false` if the live view is to stay: then nothing was done.
pub(super) async fn show(
    tx: &mut PgConnection,
    made: Made<'_>,
    replaces: Replaces,
) -> Result<bool, StorageError> {
    for _ in 0..TRIES_MAX {
        let mut step = tx.begin().await.map_err(StorageError::sqlx(FAILED))?;
        match try_show(&mut step, made, replaces).await {
            Ok(shown) => {
                step.commit().await.map_err(StorageError::sqlx(FAILED))?;
                return Ok(shown);
            }
            Err(error) if faults::is_lock_timeout(&error) => {
                step.rollback().await.map_err(StorageError::sqlx(FAILED))?;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StorageError::Busy { context: FAILED })
}

/// Locks in the order in which upkeep does: how the view stands, the view, its rows.
async fn try_show(
    step: &mut PgConnection,
    made: Made<'_>,
    replaces: Replaces,
) -> Result<bool, StorageError> {
    let Made { schema, generation, state } = made;
    let wait = format!("SET LOCAL lock_timeout = {TRY_MS_MAX}");
    catalogue::run(step, wait, FAILED).await?;
    let live = catalogue::find_locked(step, schema.name).await?;
    let live = live.filter(|entry| entry.is_of(schema));
    if live.is_some_and(|entry| replaces.spares(&entry.info.state.point, &state.point)) {
        return Ok(false);
    }
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(sql::table(schema))
        .fetch_one(&mut *step)
        .await
        .map_err(StorageError::sqlx(FAILED))?;
    if is_there {
        // The rows behind it are locked with it.
        let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", sql::table(schema));
        catalogue::run(step, lock, FAILED).await?;
    }
    replace(step, schema, generation).await?;
    let stale: Vec<String> = sqlx::query_scalar(include_str!("../sql/views/list_stale.sql"))
        .bind(schema.name)
        .bind(generation)
        .fetch_all(&mut *step)
        .await
        .map_err(StorageError::sqlx(FAILED))?;
    for table in stale {
        catalogue::drop_table(step, &table).await?;
    }
    catalogue::put(step, schema, generation, state).await?;
    Ok(true)
}

/// Replaces the SQL view. One with other columns is dropped first, with what others built on it,
/// and its rights are given again; rights on single columns and SQL views of others were for
/// columns that may no longer be.
async fn replace(
    step: &mut PgConnection,
    schema: &ViewSchema,
    generation: i64,
) -> Result<(), StorageError> {
    let create = statements::create_view(schema, generation);
    let mut attempt = step.begin().await.map_err(StorageError::sqlx(FAILED))?;
    match catalogue::run(&mut attempt, create.clone(), FAILED).await {
        Ok(()) => attempt.commit().await.map_err(StorageError::sqlx(FAILED)),
        Err(error) if faults::has_other_columns(&error) => {
            attempt.rollback().await.map_err(StorageError::sqlx(FAILED))?;
            tracing::warn!(view = schema.name, "a view has other columns: it was dropped and made");
            let grants: Vec<String> =
                sqlx::query_scalar(include_str!("../sql/views/list_grants.sql"))
                    .bind(sql::table(schema))
                    .fetch_all(&mut *step)
                    .await
                    .map_err(StorageError::sqlx(FAILED))?;
            let drop = format!("DROP VIEW {} CASCADE", sql::table(schema));
            for statement in [drop, create].into_iter().chain(grants) {
                catalogue::run(step, statement, FAILED).await?;
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Makes an empty view in the place of whatever stands there.
pub(super) async fn make_empty(
    tx: &mut PgConnection,
    schema: &ViewSchema,
    as_of: &str,
) -> Result<ViewState, ViewError> {
    let generation = catalogue::next_generation(tx).await?;
    let table = statements::rows_table(schema, generation);
    catalogue::run(tx, statements::create_table(&table, schema), "make a view").await?;
    for index in statements::create_indexes(&table, schema, generation) {
        catalogue::run(tx, index, "index a view").await?;
    }
    let point = ViewPoint { cursor: 0, as_of: as_of.to_owned() };
    let state = ViewState { point, rows: 0 };
    let made = Made { schema, generation, state: &state };
    show(tx, made, Replaces::Any).await?;
    Ok(state)
}
