//! A view made anew beside the live one: a shadow table filled without indexes, indexed at the end,
//! and put in the live one's place in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, Row, Transaction};

use super::{SqliteViews, catalogue, rows, statements};
use crate::StorageError;
use crate::views::{
    Shadow, Stage, ViewChanges, ViewError, ViewPoint, ViewRow, ViewSchema, ViewState, check_count,
    check_day, sql,
};

type Tx = Transaction<'static, Sqlite>;

impl SqliteViews {
    pub(super) async fn begin_shadow(&self, schema: &ViewSchema) -> Result<Shadow, ViewError> {
        schema.assert_well_formed();
        let mut tx = self.write_transaction().await?;
        let failed = "begin a rebuild";
        let abandoned: Option<i64> =
            sqlx::query_scalar("SELECT generation FROM views_shadow WHERE view = ?1")
                .bind(schema.name)
                .fetch_optional(&mut *tx)
                .await
                .map_err(StorageError::sqlx(failed))?;
        if let Some(generation) = abandoned {
            catalogue::drop_table(&mut tx, &statements::shadow_table(schema, generation)).await?;
        }
        let generation = catalogue::next_generation(&mut tx).await?;
        let table = statements::shadow_table(schema, generation);
        catalogue::run(&mut tx, statements::create_table(&table, schema), failed).await?;
        sqlx::query(include_str!("put_shadow.sql"))
            .bind(schema.name)
            .bind(generation)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(Shadow { schema: Arc::new(schema.clone()), generation })
    }

    pub(super) async fn load_shadow(
        &self,
        shadow: &Shadow,
        rows: Vec<ViewRow>,
    ) -> Result<(), ViewError> {
        check_count(rows.len())?;
        rows.iter().try_for_each(|row| shadow.schema.check_row(row))?;
        let mut tx = self.write_transaction().await?;
        require(&mut tx, shadow, Stage::Loading).await?;
        rows::put(&mut tx, &table(shadow), &shadow.schema, rows, statements::insert).await?;
        tx.commit().await.map_err(StorageError::sqlx("load a rebuild"))?;
        Ok(())
    }

    /// Each index in a transaction of its own: the sealer writes to the same file between them.
    pub(super) async fn build_indexes(&self, shadow: &Shadow) -> Result<(), ViewError> {
        let failed = "index a rebuild";
        let indexes = statements::create_indexes(&table(shadow), &shadow.schema, shadow.generation);
        for index in indexes {
            let mut tx = self.write_transaction().await?;
            if stage(&mut tx, shadow).await? == Stage::Indexed {
                return Ok(());
            }
            catalogue::run(&mut tx, index, failed).await?;
            tx.commit().await.map_err(StorageError::sqlx(failed))?;
        }
        let mut tx = self.write_transaction().await?;
        stage(&mut tx, shadow).await?;
        sqlx::query("UPDATE views_shadow SET indexed = 1 WHERE view = ?1")
            .bind(shadow.schema.name)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(())
    }

    pub(super) async fn find_in_shadow(
        &self,
        shadow: &Shadow,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError> {
        check_count(keys.len())?;
        let mut tx = self.readers.begin().await.map_err(StorageError::sqlx("read a rebuild"))?;
        require(&mut tx, shadow, Stage::Indexed).await?;
        Ok(rows::find(&mut tx, &table(shadow), keys).await?)
    }

    pub(super) async fn change_shadow(
        &self,
        shadow: &Shadow,
        changes: ViewChanges,
    ) -> Result<(), ViewError> {
        shadow.schema.check_changes(&changes)?;
        let mut tx = self.write_transaction().await?;
        require(&mut tx, shadow, Stage::Indexed).await?;
        rows::apply(&mut tx, &table(shadow), &shadow.schema, changes).await?;
        tx.commit().await.map_err(StorageError::sqlx("change a rebuild"))?;
        Ok(())
    }

    pub(super) async fn swap_shadow(
        &self,
        shadow: Shadow,
        point: &ViewPoint,
    ) -> Result<ViewState, ViewError> {
        check_day(&point.as_of)?;
        self.build_indexes(&shadow).await?;
        let failed = "swap a rebuild in";
        let (live, made) = (sql::table(&shadow.schema), table(&shadow));
        let mut tx = self.write_transaction().await?;
        require(&mut tx, &shadow, Stage::Indexed).await?;
        let rows: u64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {made}")))
            .fetch_one(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        let state = ViewState { point: point.clone(), rows };
        catalogue::drop_table(&mut tx, &live).await?;
        catalogue::run(&mut tx, format!("ALTER TABLE {made} RENAME TO {live}"), failed).await?;
        catalogue::put(&mut tx, &shadow.schema, &state).await?;
        sqlx::query("DELETE FROM views_shadow WHERE view = ?1")
            .bind(shadow.schema.name)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        self.known.remember(shadow.schema);
        Ok(state)
    }
}

fn table(shadow: &Shadow) -> String {
    statements::shadow_table(&shadow.schema, shadow.generation)
}

/// How far a shadow has come, unless a later one took its place.
async fn stage(tx: &mut Tx, shadow: &Shadow) -> Result<Stage, ViewError> {
    let failed = "find a rebuild";
    let view = shadow.schema.name;
    let found = sqlx::query("SELECT generation, indexed FROM views_shadow WHERE view = ?1")
        .bind(view)
        .fetch_optional(&mut **tx)
        .await
        .map_err(StorageError::sqlx(failed))?;
    let superseded = || ViewError::Superseded { view: view.to_owned() };
    let found = found.ok_or_else(superseded)?;
    let generation: i64 = found.try_get("generation").map_err(StorageError::sqlx(failed))?;
    let indexed: i64 = found.try_get("indexed").map_err(StorageError::sqlx(failed))?;
    if generation != shadow.generation {
        return Err(superseded());
    }
    Ok(if indexed == 0 { Stage::Loading } else { Stage::Indexed })
}

async fn require(tx: &mut Tx, shadow: &Shadow, wanted: Stage) -> Result<(), ViewError> {
    stage(tx, shadow).await?.require(wanted)
}
