//! A view made anew beside the live one: a shadow table filled without indexes, indexed at the end,
//! and put in the live one's place in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Row, Transaction};

use super::{SqliteViews, catalogue, rows, statements};
use crate::StorageError;
use crate::views::{
    RebuildFrom, Replaces, Resumed, Shadow, ShadowEntry, Stage, ViewChanges, ViewError, ViewPoint,
    ViewRow, ViewSchema, ViewState, check_count, check_day, check_limit, sql, stored_number,
};

/// Memory of the connection while it builds indexes, KiB: what sorts in memory takes a tenth less
/// time, and the table is read once for all of them. The second is SQLite's own measure, for other
/// times.
const SORTING_KIB: u32 = 65_536;
const CACHE_KIB: u32 = 2_000;

type Tx = Transaction<'static, Sqlite>;

impl SqliteViews {
    pub(super) async fn begin_shadow(
        &self,
        schema: &ViewSchema,
        from: &RebuildFrom,
    ) -> Result<Shadow, ViewError> {
        schema.assert_well_formed();
        check_day(&from.point.as_of)?;
        let mut tx = self.write_transaction().await?;
        let failed = "begin a rebuild";
        if let Some(abandoned) = find(&mut tx, schema.name).await? {
            let table = statements::shadow_table(schema, abandoned.generation);
            catalogue::drop_table(&mut tx, &table).await?;
        }
        let generation = catalogue::next_generation(&mut tx).await?;
        let table = statements::shadow_table(schema, generation);
        catalogue::run(&mut tx, statements::create_table(&table, schema), failed).await?;
        sqlx::query(include_str!("put_shadow.sql"))
            .bind(schema.name)
            .bind(generation)
            .bind(schema.version)
            .bind(sql::form(schema))
            .bind(from.origin.as_str())
            .bind(stored_number(from.point.cursor)?)
            .bind(from.point.as_of.as_str())
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(Shadow { schema: Arc::new(schema.clone()), generation, work_lease: generation })
    }

    pub(super) async fn resume_shadow(
        &self,
        schema: &ViewSchema,
    ) -> Result<Option<Resumed>, ViewError> {
        let failed = "resume a rebuild";
        let mut tx = self.write_transaction().await?;
        let found = find(&mut tx, schema.name).await?.filter(|entry| entry.is_of(schema));
        let Some(entry) = found else { return Ok(None) };
        let work_lease = catalogue::next_generation(&mut tx).await?;
        sqlx::query("UPDATE views_rebuild SET turn = ?2 WHERE view = ?1")
            .bind(schema.name)
            .bind(work_lease)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(Some(entry.resumed(Arc::new(schema.clone()), work_lease)))
    }

    pub(super) async fn load_shadow(
        &self,
        shadow: &Shadow,
        rows: Vec<ViewRow>,
        loaded: u32,
    ) -> Result<(), ViewError> {
        check_count(rows.len())?;
        rows.iter().try_for_each(|row| shadow.schema.check_row(row))?;
        let failed = "load a rebuild";
        let added = stored_number(rows.len() as u64)?;
        let mut tx = self.write_transaction().await?;
        require(&mut tx, shadow, Stage::Loading).await?;
        rows::put(&mut tx, &table(shadow), &shadow.schema, rows, statements::insert).await?;
        sqlx::query("UPDATE views_rebuild SET loaded = ?2, rows = rows + ?3 WHERE view = ?1")
            .bind(shadow.schema.name)
            .bind(loaded)
            .bind(added)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(())
    }

    /// Each index in a transaction of its own: the sealer writes to the same file between them.
    pub(super) async fn build_indexes(&self, shadow: &Shadow) -> Result<(), ViewError> {
        let failed = "index a rebuild";
        let indexes = statements::create_indexes(&table(shadow), &shadow.schema, shadow.generation);
        for index in indexes {
            let mut tx = self.write_transaction().await?;
            if entry(&mut tx, shadow).await?.stage == Stage::Indexed {
                return Ok(());
            }
            let sorting = format!("PRAGMA cache_size = -{SORTING_KIB}; {index}");
            catalogue::run(&mut tx, sorting, failed).await?;
            tx.commit().await.map_err(StorageError::sqlx(failed))?;
        }
        let mut tx = self.write_transaction().await?;
        entry(&mut tx, shadow).await?;
        let cache = format!("PRAGMA cache_size = -{CACHE_KIB}");
        catalogue::run(&mut tx, cache, failed).await?;
        sqlx::query("UPDATE views_rebuild SET indexed = 1 WHERE view = ?1")
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

    pub(super) async fn due_in_shadow(
        &self,
        shadow: &Shadow,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
        check_day(on)?;
        check_limit(limit)?;
        let mut tx = self.readers.begin().await.map_err(StorageError::sqlx("read a rebuild"))?;
        require(&mut tx, shadow, Stage::Indexed).await?;
        Ok(rows::due(&mut tx, &table(shadow), on, limit).await?)
    }

    pub(super) async fn change_shadow(
        &self,
        shadow: &Shadow,
        changes: ViewChanges,
        cursor: u64,
    ) -> Result<(), ViewError> {
        shadow.schema.check_changes(&changes)?;
        let failed = "change a rebuild";
        let mut tx = self.write_transaction().await?;
        require(&mut tx, shadow, Stage::Indexed).await?;
        let added = rows::apply(&mut tx, &table(shadow), &shadow.schema, changes).await?;
        sqlx::query("UPDATE views_rebuild SET cursor = ?2, rows = rows + ?3 WHERE view = ?1")
            .bind(shadow.schema.name)
            .bind(stored_number(cursor)?)
            .bind(added)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        Ok(())
    }

    pub(super) async fn swap_shadow(
        &self,
        shadow: &Shadow,
        point: &ViewPoint,
        replaces: Replaces,
    ) -> Result<Option<ViewState>, ViewError> {
        check_day(&point.as_of)?;
        self.build_indexes(shadow).await?;
        let failed = "swap a rebuild in";
        let (live, made) = (sql::table(&shadow.schema), table(shadow));
        let mut tx = self.write_transaction().await?;
        let rows = require(&mut tx, shadow, Stage::Indexed).await?.rows;
        let stands = catalogue::find(&mut *tx, shadow.schema.name).await?;
        let stands = stands.filter(|entry| entry.is_of(&shadow.schema));
        if stands.is_some_and(|entry| replaces.spares(&entry.info.state.point, point)) {
            return Ok(None); // dropping the transaction rolls it back
        }
        let state = ViewState { point: point.clone(), rows };
        catalogue::drop_table(&mut tx, &live).await?;
        catalogue::run(&mut tx, format!("ALTER TABLE {made} RENAME TO {live}"), failed).await?;
        catalogue::put(&mut tx, &shadow.schema, &state).await?;
        sqlx::query("DELETE FROM views_rebuild WHERE view = ?1")
            .bind(shadow.schema.name)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(failed))?;
        tx.commit().await.map_err(StorageError::sqlx(failed))?;
        self.known.remember(Arc::clone(&shadow.schema));
        Ok(Some(state))
    }
}

fn table(shadow: &Shadow) -> String {
    statements::shadow_table(&shadow.schema, shadow.generation)
}

/// How a shadow stands, unless somebody else took its place or works on it.
async fn entry(tx: &mut Tx, shadow: &Shadow) -> Result<ShadowEntry, ViewError> {
    let found = find(tx, shadow.schema.name).await?;
    found.filter(|entry| entry.work_lease == shadow.work_lease).ok_or_else(|| shadow.superseded())
}

async fn require(tx: &mut Tx, shadow: &Shadow, wanted: Stage) -> Result<ShadowEntry, ViewError> {
    let entry = entry(tx, shadow).await?;
    entry.stage.require(wanted)?;
    Ok(entry)
}

/// The shadow of a view, if there is one.
async fn find(tx: &mut Tx, view: &str) -> Result<Option<ShadowEntry>, StorageError> {
    let found = sqlx::query(include_str!("find_shadow.sql")).bind(view).fetch_optional(&mut **tx);
    let found = found.await.map_err(StorageError::sqlx("find a rebuild"))?;
    found.map(|row| decode(&row).map_err(StorageError::sqlx("decode a rebuild"))).transpose()
}

fn decode(row: &SqliteRow) -> Result<ShadowEntry, sqlx::Error> {
    let point = ViewPoint { cursor: row.try_get("target")?, as_of: row.try_get("as_of")? };
    let is_indexed: bool = row.try_get("indexed")?;
    Ok(ShadowEntry {
        generation: row.try_get("generation")?,
        work_lease: row.try_get("turn")?,
        version: row.try_get("version")?,
        form: row.try_get("fingerprint")?,
        from: RebuildFrom { point, origin: row.try_get("origin")? },
        loaded: row.try_get("loaded")?,
        rows: row.try_get("rows")?,
        cursor: row.try_get("cursor")?,
        stage: if is_indexed { Stage::Indexed } else { Stage::Loading },
    })
}
