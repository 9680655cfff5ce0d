//! The state of a book in `state.db`, a WAL with `synchronous = FULL`: a cursor that was
//! acknowledged stays acknowledged. The file is made when it is first needed.

mod document;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use tokio::sync::OnceCell;

use crate::error::StorageError;
use crate::state::{
    CURSORS_MAX, Document, DocumentChange, Holder, Lease, NamedCursor, STATE_VERSION, State,
    StateError, StateName, Step, check_lease_ms, check_step, from_sql, named, not_moved,
    not_opened, to_sql, too_many,
};

use super::busy::patiently;
use super::pool::clean_pool;

/// How long a statement waits for another process, milliseconds.
const BUSY_WAIT_MS: u64 = 10_000;

const MOVING: &str = "move a cursor";
const LEASING: &str = "take or give back a lease";
const OPENING: &str = "open the state of the book";

/// The state of one book in a SQLite file. Any number of processes may use one.
#[derive(Debug)]
pub struct SqliteState {
    path: PathBuf,
    book_id: [u8; 16],
    opened: OnceCell<SqlitePool>,
}

impl SqliteState {
    /// The state of book `book_id` in the file at `path`; neither is looked at yet.
    #[must_use]
    pub fn new(path: &Path, book_id: [u8; 16]) -> Self {
        Self { path: path.to_owned(), book_id, opened: OnceCell::new() }
    }

    async fn pool(&self) -> Result<&SqlitePool, StateError> {
        self.opened.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<SqlitePool, StateError> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_millis(BUSY_WAIT_MS));
        let connect = || clean_pool(1).connect_with(options.clone());
        let pool = patiently(OPENING, connect).await?;
        match self.adopt(&pool).await {
            Ok(()) => Ok(pool),
            Err(error) => {
                pool.close().await;
                Err(error)
            }
        }
    }

    /// Makes the tables of a new file, and refuses one that is not this book's.
    async fn adopt(&self, pool: &SqlitePool) -> Result<(), StateError> {
        let begun = pool.begin_with("BEGIN IMMEDIATE").await;
        let mut tx = begun.map_err(StorageError::sqlx(OPENING))?;
        sqlx::raw_sql(include_str!("sql/state/schema.sql"))
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(OPENING))?;
        sqlx::query(include_str!("sql/state/insert_meta.sql"))
            .bind(self.book_id.as_slice())
            .bind(STATE_VERSION)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx(OPENING))?;
        let (book, found): (Vec<u8>, i64) = sqlx::query_as("SELECT book, schema_version FROM meta")
            .fetch_one(&mut *tx)
            .await
            .map_err(StorageError::sqlx(OPENING))?;
        if found > STATE_VERSION {
            return Err(StateError::NewerSchema { found });
        }
        if book != self.book_id {
            return Err(StateError::OfAnotherBook { place: self.path.display().to_string() });
        }
        Ok(tx.commit().await.map_err(StorageError::sqlx(OPENING))?)
    }

    async fn position(&self, name: &StateName) -> Result<Option<u64>, StateError> {
        let position: Option<i64> =
            sqlx::query_scalar("SELECT position FROM cursor WHERE name = ?1")
                .bind(name.as_str())
                .fetch_optional(self.pool().await?)
                .await
                .map_err(StorageError::sqlx("read a cursor"))?;
        Ok(position.map(from_sql).transpose()?)
    }
}

#[async_trait]
impl State for SqliteState {
    async fn open_cursor(&self, name: &StateName, start: u64) -> Result<u64, StateError> {
        let made = sqlx::query(include_str!("sql/state/open_cursor.sql"))
            .bind(name.as_str())
            .bind(to_sql(start))
            .bind(CURSORS_MAX)
            .execute(self.pool().await?)
            .await
            .map_err(StorageError::sqlx(MOVING))?;
        let position = self.position(name).await?;
        position.ok_or_else(|| not_opened(name, made.rows_affected()))
    }

    async fn advance(
        &self,
        name: &StateName,
        holder: &Holder,
        step: Step,
    ) -> Result<(), StateError> {
        check_step(step)?;
        let moved = sqlx::query(include_str!("sql/state/advance.sql"))
            .bind(name.as_str())
            .bind(holder.as_str())
            .bind(to_sql(step.from))
            .bind(to_sql(step.to))
            .execute(self.pool().await?)
            .await
            .map_err(StorageError::sqlx(MOVING))?;
        if moved.rows_affected() == 1 {
            return Ok(());
        }
        Err(not_moved(name, step, self.position(name).await?))
    }

    async fn cursors(&self) -> Result<Vec<NamedCursor>, StateError> {
        let rows = sqlx::query_as("SELECT name, position FROM cursor ORDER BY name")
            .fetch_all(self.pool().await?)
            .await
            .map_err(StorageError::sqlx("read the cursors"))?;
        named(rows)
    }

    async fn set_cursor(&self, name: &StateName, position: u64) -> Result<(), StateError> {
        let set = sqlx::query(include_str!("sql/state/set_cursor.sql"))
            .bind(name.as_str())
            .bind(to_sql(position))
            .bind(CURSORS_MAX)
            .execute(self.pool().await?)
            .await
            .map_err(StorageError::sqlx(MOVING))?;
        if set.rows_affected() == 0 { Err(too_many(name)) } else { Ok(()) }
    }

    async fn delete_cursor(&self, name: &StateName) -> Result<bool, StateError> {
        let deleted = sqlx::query("DELETE FROM cursor WHERE name = ?1")
            .bind(name.as_str())
            .execute(self.pool().await?)
            .await
            .map_err(StorageError::sqlx("delete a cursor"))?;
        Ok(deleted.rows_affected() > 0)
    }

    async fn take(
        &self,
        name: &StateName,
        holder: &Holder,
        ms: u64,
    ) -> Result<Option<Lease>, StateError> {
        let fence: Option<i64> = sqlx::query_scalar(include_str!("sql/state/take.sql"))
            .bind(name.as_str())
            .bind(holder.as_str())
            .bind(check_lease_ms(ms)?)
            .fetch_optional(self.pool().await?)
            .await
            .map_err(StorageError::sqlx(LEASING))?;
        let fence = fence.map(from_sql).transpose()?;
        Ok(fence.map(|fence| Lease { name: name.clone(), fence, holder: holder.clone() }))
    }

    async fn renew(&self, lease: &Lease, ms: u64) -> Result<bool, StateError> {
        let renewed = sqlx::query(include_str!("sql/state/renew.sql"))
            .bind(lease.name.as_str())
            .bind(lease.holder.as_str())
            .bind(to_sql(lease.fence))
            .bind(check_lease_ms(ms)?)
            .execute(self.pool().await?)
            .await
            .map_err(StorageError::sqlx(LEASING))?;
        Ok(renewed.rows_affected() == 1)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StateError> {
        sqlx::query(include_str!("sql/state/release.sql"))
            .bind(lease.name.as_str())
            .bind(lease.holder.as_str())
            .bind(to_sql(lease.fence))
            .execute(self.pool().await?)
            .await
            .map_err(StorageError::sqlx(LEASING))?;
        Ok(())
    }

    async fn document(
        &self,
        kind: &StateName,
        name: &StateName,
    ) -> Result<Option<Document>, StateError> {
        document::find(self.pool().await?, kind, name).await
    }

    async fn documents(
        &self,
        kind: &StateName,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Document>, StateError> {
        document::list(self.pool().await?, kind, after, limit).await
    }

    async fn document_kinds(&self) -> Result<Vec<StateName>, StateError> {
        document::kinds(self.pool().await?).await
    }

    async fn change_documents(
        &self,
        changes: &[DocumentChange],
    ) -> Result<Option<u64>, StateError> {
        document::change(self.pool().await?, changes).await
    }

    async fn close(&self) {
        if let Some(pool) = self.opened.get() {
            pool.close().await;
        }
    }
}
