//! Stored views as plain tables in `derived.db`, beside the key index: `view_<name>` with the key,
//! the packed row and the typed columns, for lists and for anybody's SQL.
//!
//! One connection writes, others read; every read checks in its own transaction that the view still
//! has the form this process knows, since another process may have made it anew.

mod catalogue;
mod page;
mod rebuild;
mod rows;
mod statements;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Transaction};

use crate::StorageError;
use crate::views::{
    Known, PageRequest, RebuildFrom, Replaces, Resumed, Shadow, ViewChanges, ViewError, ViewInfo,
    ViewPage, ViewPoint, ViewRow, ViewSchema, ViewState, ViewWriteError, Views, check_count,
    check_day, check_limit, check_step, grown, sql,
};

use super::busy::patiently;
use super::derived::WAL_BYTES_KEPT;
use super::pool::clean_pool;

use catalogue::Entry;

/// Connections that read at once.
const READERS_MAX: u32 = 4;
/// How long a statement waits for the sealer or another process, milliseconds.
const BUSY_WAIT_MS: u64 = 30_000;
/// How long a write waits for the one connection that writes, seconds: the next list of a rebuild
/// is loaded when the index of the one before is built, and one of a large list takes minutes.
const WRITER_WAIT_S: u64 = 3_600;
/// Statements that the writer keeps prepared: a few sizes for each view.
const WRITER_STATEMENTS_MAX: usize = 256;

/// Pages after which a write carries the WAL into the file: a rebuild waits for fewer syncs, and
/// writes fewer pages twice, than with SQLite's thousand.
const WAL_PAGES: &str = "16384";

/// The views of one book in SQLite.
pub struct SqliteViews {
    writer: SqlitePool,
    readers: SqlitePool,
    known: Known,
}

impl SqliteViews {
    /// Opens the views of book `book_id` in the file at `path`, made if missing. Views of another
    /// book are dropped: they were derived from another record.
    pub async fn open(path: &Path, book_id: [u8; 16]) -> Result<Self, ViewError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Derived: what a power loss takes is made again, rows and cursor together.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_millis(BUSY_WAIT_MS));
        let writing = options
            .clone()
            .statement_cache_capacity(WRITER_STATEMENTS_MAX)
            // A swap renames tables. Somebody's own SQL view over one must not stop it.
            .pragma("legacy_alter_table", "ON")
            .pragma("wal_autocheckpoint", WAL_PAGES)
            .pragma("journal_size_limit", WAL_BYTES_KEPT);
        let failed = "open the views";
        let pool = clean_pool(1).acquire_timeout(Duration::from_secs(WRITER_WAIT_S));
        let connect = || pool.clone().connect_with(writing.clone());
        let writer = patiently(failed, connect).await?;
        catalogue::adopt(&writer, book_id).await?;
        let readers = clean_pool(READERS_MAX).connect_with(options);
        let readers = readers.await.map_err(StorageError::sqlx(failed))?;
        Ok(Self { writer, readers, known: Known::default() })
    }

    /// One committed state of a view, in which it has the form that this process knows.
    async fn snapshot(&self, view: &str) -> Result<Snapshot, ViewError> {
        let schema = self.known.schema(view)?;
        let mut tx = self.readers.begin().await.map_err(StorageError::sqlx("read a view"))?;
        let entry = catalogue::find(&mut *tx, view).await?;
        let entry = entry.filter(|entry| entry.is_of(&schema));
        let entry = entry.ok_or_else(|| ViewError::Remade { view: view.to_owned() })?;
        Ok(Snapshot { tx, schema, entry })
    }

    async fn write_transaction(&self) -> Result<Transaction<'static, Sqlite>, ViewError> {
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        Ok(begun.map_err(StorageError::sqlx("begin to write a view"))?)
    }
}

struct Snapshot {
    tx: Transaction<'static, Sqlite>,
    schema: Arc<ViewSchema>,
    entry: Entry,
}

#[async_trait]
impl Views for SqliteViews {
    async fn ensure(&self, schema: &ViewSchema, as_of: &str) -> Result<ViewState, ViewError> {
        schema.assert_well_formed();
        check_day(as_of)?;
        let mut tx = self.write_transaction().await?;
        let found = catalogue::find(&mut *tx, schema.name).await?;
        let stored = found.filter(|entry| entry.is_of(schema));
        let state = match stored {
            Some(entry) => entry.info.state,
            None => catalogue::make_empty(&mut tx, schema, as_of).await?,
        };
        tx.commit().await.map_err(StorageError::sqlx("make a view"))?;
        self.known.remember(Arc::new(schema.clone()));
        Ok(state)
    }

    async fn state(&self, view: &str) -> Result<ViewState, ViewError> {
        Ok(self.snapshot(view).await?.entry.info.state)
    }

    async fn list(&self) -> Result<Vec<ViewInfo>, ViewError> {
        Ok(catalogue::list(&self.readers).await?)
    }

    async fn rows(
        &self,
        view: &str,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError> {
        check_count(keys.len())?;
        let Snapshot { mut tx, schema, .. } = self.snapshot(view).await?;
        Ok(rows::find(&mut tx, &sql::table(&schema), keys).await?)
    }

    async fn get(&self, view: &str, key: &str) -> Result<Option<Vec<u8>>, ViewError> {
        let Snapshot { mut tx, schema, .. } = self.snapshot(view).await?;
        let table = sql::table(&schema);
        let text = format!("SELECT row FROM {table} WHERE key = ?1");
        let found = sqlx::query_scalar(AssertSqlSafe(text)).bind(key).fetch_optional(&mut *tx);
        Ok(found.await.map_err(StorageError::sqlx("read a row of a view"))?)
    }

    async fn due(
        &self,
        view: &str,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
        check_day(on)?;
        check_limit(limit)?;
        let Snapshot { mut tx, schema, .. } = self.snapshot(view).await?;
        Ok(rows::due(&mut tx, &sql::table(&schema), on, limit).await?)
    }

    async fn write(
        &self,
        view: &str,
        from: &ViewPoint,
        changes: ViewChanges,
        to: &ViewPoint,
    ) -> Result<(), ViewWriteError> {
        let schema = self.known.schema(view)?;
        schema.check_changes(&changes)?;
        check_step(from, to)?;
        let mut tx = self.write_transaction().await?;
        let found = catalogue::find(&mut *tx, view).await?.filter(|entry| entry.is_of(&schema));
        let ViewState { point, rows } = match found {
            Some(entry) => entry.info.state,
            None => return Err(ViewError::Remade { view: view.to_owned() }.into()),
        };
        if point != *from {
            return Err(ViewWriteError::Moved { view: view.to_owned(), at: point });
        }
        let added = rows::apply(&mut tx, &sql::table(&schema), &schema, changes).await?;
        let rows = grown(view, rows, added)?;
        catalogue::put(&mut tx, &schema, &ViewState { point: to.clone(), rows }).await?;
        tx.commit().await.map_err(StorageError::sqlx("write a view"))?;
        Ok(())
    }

    async fn page_at(
        &self,
        view: &str,
        request: &PageRequest,
    ) -> Result<(ViewPage, ViewPoint), ViewError> {
        let Snapshot { mut tx, schema, entry } = self.snapshot(view).await?;
        let page = page::read(&mut tx, &schema, request).await?;
        Ok((page, entry.info.state.point))
    }

    async fn scan(
        &self,
        view: &str,
        after_key: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ViewRow>, ViewError> {
        check_limit(limit)?;
        let Snapshot { mut tx, schema, .. } = self.snapshot(view).await?;
        let text = statements::scan(&sql::table(&schema), &schema);
        let found = sqlx::query(AssertSqlSafe(text))
            // No key is empty: all come after it.
            .bind(after_key.unwrap_or_default())
            .bind(limit)
            .fetch_all(&mut *tx)
            .await
            .map_err(StorageError::sqlx("scan a view"))?;
        Ok(rows::decode(&found, &schema)?)
    }

    async fn begin_rebuild(
        &self,
        schema: &ViewSchema,
        from: &RebuildFrom,
    ) -> Result<Shadow, ViewError> {
        self.begin_shadow(schema, from).await
    }

    async fn resume_rebuild(&self, schema: &ViewSchema) -> Result<Option<Resumed>, ViewError> {
        self.resume_shadow(schema).await
    }

    async fn load(
        &self,
        shadow: &Shadow,
        rows: Vec<ViewRow>,
        loaded: u32,
    ) -> Result<(), ViewError> {
        self.load_shadow(shadow, rows, loaded).await
    }

    async fn index_shadow(&self, shadow: &Shadow) -> Result<(), ViewError> {
        self.build_indexes(shadow).await
    }

    async fn shadow_rows(
        &self,
        shadow: &Shadow,
        keys: &[String],
    ) -> Result<HashMap<String, Vec<u8>>, ViewError> {
        self.find_in_shadow(shadow, keys).await
    }

    async fn shadow_due(
        &self,
        shadow: &Shadow,
        on: &str,
        limit: u32,
    ) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
        self.due_in_shadow(shadow, on, limit).await
    }

    async fn shadow_write(
        &self,
        shadow: &Shadow,
        changes: ViewChanges,
        cursor: u64,
    ) -> Result<(), ViewError> {
        self.change_shadow(shadow, changes, cursor).await
    }

    async fn swap(&self, shadow: Shadow, point: &ViewPoint) -> Result<ViewState, ViewError> {
        let swapped = self.swap_shadow(&shadow, point, Replaces::Any).await?;
        swapped.ok_or_else(|| shadow.superseded())
    }

    async fn swap_forward(
        &self,
        shadow: &Shadow,
        point: &ViewPoint,
    ) -> Result<Option<ViewState>, ViewError> {
        self.swap_shadow(shadow, point, Replaces::NoFurther).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests;
