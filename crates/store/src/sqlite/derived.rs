//! The derived state in `derived.db`. SQLite's own waiting is unfair and may hold a process up for
//! seconds, so writers ask again themselves (see `busy.rs`).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Sqlite, SqlitePool, Transaction};

use crate::StorageError;
use crate::book::{
    BlockColumns, BlockRow, Derived, DerivedDb, DerivedTx, FORMAT, HeldRuns, Identity, Meta,
    MetaColumns, NewRun, PageColumns, PageRow, Pauses, RecordProbe, RunColumns, RunRow,
};

use super::busy::{code, patiently, primary_code};
use super::pool::clean_pool;

/// Readers of one process.
const READERS_MAX: u32 = 4;
/// How long a reader waits for SQLite: only while the file is being opened or recovered.
const READER_PATIENCE: Duration = Duration::from_secs(5);
/// How long a task waits for a connection of its own process; a merge takes half a second.
const ACQUIRE_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes to which the write-ahead log shrinks again after a large merge.
pub(super) const WAL_BYTES_KEPT: &str = "16777216";

/// `derived.db` of one book: one writing connection, some that read.
#[derive(Debug)]
struct SqliteDerived {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteDerived {
    /// Opens the file, which is made when it is missing.
    async fn open(path: &Path) -> Result<Self, StorageError> {
        let writing = options(path).create_if_missing(true).busy_timeout(Duration::ZERO);
        let writer = patiently("open derived.db", || pool(1).connect_with(writing.clone())).await?;
        let reading = options(path).pragma("query_only", "1").busy_timeout(READER_PATIENCE);
        Ok(Self { writer, readers: pool(READERS_MAX).connect_lazy_with(reading) })
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(false)
        .page_size(4_096)
        .pragma("journal_size_limit", WAL_BYTES_KEPT)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    clean_pool(connections)
        .acquire_timeout(ACQUIRE_PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// The file itself cannot be read as a database.
fn is_unreadable(error: &StorageError) -> bool {
    let StorageError::Sqlx { source, .. } = error else { return false };
    matches!(primary_code(source), Some(code::CORRUPT | code::NOT_A_DATABASE))
}

/// Opens the derived state in the file, which is made when it is missing. A file that SQLite cannot
/// read is deleted first.
pub(crate) async fn open_derived(
    path: &Path,
    identity: &Identity,
    probe: &dyn RecordProbe,
    pauses: Pauses,
) -> Result<Derived, StorageError> {
    match try_to_open(path, identity, probe, pauses.clone()).await {
        Err(error) if is_unreadable(&error) => {
            tracing::warn!(%error, "derived.db cannot be read and is made anew");
            delete(path).await?;
            try_to_open(path, identity, probe, pauses).await
        }
        opened => opened,
    }
}

async fn try_to_open(
    path: &Path,
    identity: &Identity,
    probe: &dyn RecordProbe,
    pauses: Pauses,
) -> Result<Derived, StorageError> {
    let database = Arc::new(SqliteDerived::open(path).await?);
    let opened = Derived::open(Arc::clone(&database) as _, identity, probe, pauses).await;
    if opened.is_err() {
        database.close().await;
    }
    opened
}

/// Deletes the database with the files SQLite keeps beside it.
async fn delete(path: &Path) -> Result<(), StorageError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        match tokio::fs::remove_file(&path).await {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(StorageError::io("delete", path)(source));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

#[async_trait]
impl DerivedDb for SqliteDerived {
    async fn read(&self) -> Result<Box<dyn DerivedTx>, StorageError> {
        let begun = self.readers.begin().await;
        Ok(Box::new(Tx(begun.map_err(StorageError::sqlx("begin to read derived.db"))?)))
    }

    async fn write(&self, context: &'static str) -> Result<Box<dyn DerivedTx>, StorageError> {
        let begin = || self.writer.begin_with("BEGIN IMMEDIATE");
        Ok(Box::new(Tx(patiently(context, begin).await?)))
    }

    async fn pages(&self, ids: &[i64], held: HeldRuns<'_>) -> Result<Vec<PageRow>, StorageError> {
        let rows: Vec<PageColumns> = sqlx::query_as(include_str!("sql/derived/read_pages.sql"))
            .bind(serde_json::Value::from(ids).to_string())
            .bind(held.incarnation)
            .bind(held.generation)
            .fetch_all(&self.readers)
            .await
            .map_err(StorageError::sqlx("read pages of the key index"))?;
        Ok(rows.into_iter().map(PageRow::from).collect())
    }

    async fn type_column(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError> {
        sqlx::query_as(include_str!("sql/derived/read_type_column.sql"))
            .bind(block)
            .bind(incarnation)
            .fetch_one(&self.readers)
            .await
            .map_err(StorageError::sqlx("read the types of a block"))
    }

    async fn packed(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError> {
        sqlx::query_as(include_str!("sql/derived/read_packed.sql"))
            .bind(block)
            .bind(incarnation)
            .fetch_one(&self.readers)
            .await
            .map_err(StorageError::sqlx("read a replay block"))
    }

    async fn tile(&self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_tile.sql"))
            .bind(level)
            .bind(index)
            .fetch_optional(&self.readers)
            .await
            .map_err(StorageError::sqlx("read a tile"))
    }

    fn is_unusable(&self, error: &StorageError) -> bool {
        match error {
            StorageError::Corrupt(_) => true,
            StorageError::Sqlx { source, .. } => {
                let shape = error.is_of_another_shape();
                shape || primary_code(source) == Some(code::ERROR)
            }
            StorageError::Io { .. }
            | StorageError::Closed
            | StorageError::Busy { .. }
            | StorageError::Remade
            | StorageError::OutOfOrder { .. } => false,
        }
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A transaction that holds its connection.
struct Tx(Transaction<'static, Sqlite>);

#[async_trait]
impl DerivedTx for Tx {
    async fn meta(&mut self) -> Result<Meta, StorageError> {
        let row: MetaColumns = sqlx::query_as(include_str!("sql/derived/read_meta.sql"))
            .fetch_one(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("read derived.db's meta row"))?;
        Ok(Meta::from(row))
    }

    async fn runs(&mut self) -> Result<Vec<RunRow>, StorageError> {
        let rows: Vec<RunColumns> = sqlx::query_as(include_str!("sql/derived/list_runs.sql"))
            .fetch_all(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("list the runs"))?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    async fn runs_of_level(&mut self, level: i64, count: i64) -> Result<Vec<RunRow>, StorageError> {
        let rows: Vec<RunColumns> =
            sqlx::query_as(include_str!("sql/derived/list_runs_of_level.sql"))
                .bind(level)
                .bind(count)
                .fetch_all(&mut *self.0)
                .await
                .map_err(StorageError::sqlx("list the runs of a level"))?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    async fn run(&mut self, id: i64) -> Result<(Vec<u8>, Vec<u8>), StorageError> {
        sqlx::query_as(include_str!("sql/derived/read_run.sql"))
            .bind(id)
            .fetch_one(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("read a run"))
    }

    async fn pages(&mut self, first: i64, last: i64) -> Result<Vec<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_page_range.sql"))
            .bind(first)
            .bind(last)
            .fetch_all(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("read the pages of a run"))
    }

    async fn type_codes(&mut self, first: i64, end: i64) -> Result<Vec<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_type_codes.sql"))
            .bind(first)
            .bind(end)
            .fetch_all(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("read the types of blocks"))
    }

    async fn tile(&mut self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_tile.sql"))
            .bind(level)
            .bind(index)
            .fetch_optional(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("read a tile"))
    }

    async fn block(&mut self, block: i64) -> Result<Option<BlockRow>, StorageError> {
        let row: Option<BlockColumns> = sqlx::query_as(include_str!("sql/derived/read_block.sql"))
            .bind(block)
            .fetch_optional(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("read a block"))?;
        Ok(row.map(BlockRow::from))
    }

    async fn put_pages(&mut self, first_id: i64, pages: &[Vec<u8>]) -> Result<(), StorageError> {
        let mut spans = Vec::with_capacity(pages.len());
        let mut start = 1;
        for page in pages {
            spans.push(serde_json::Value::from(vec![start, page.len()]));
            start += page.len();
        }
        sqlx::query(include_str!("sql/derived/insert_pages.sql"))
            .bind(first_id)
            .bind(pages.concat())
            .bind(serde_json::Value::from(spans).to_string())
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("write pages of the key index"))?;
        Ok(())
    }

    async fn put_run(&mut self, run: &NewRun) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/insert_run.sql"))
            .bind(run.place.id)
            .bind(run.place.level)
            .bind(run.place.first_block)
            .bind(run.place.blocks)
            .bind(run.keys)
            .bind(run.place.pages)
            .bind(run.filter.as_slice())
            .bind(run.directory.as_slice())
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("write a run"))?;
        Ok(())
    }

    async fn put_block(&mut self, block: i64, row: &BlockRow) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/insert_block.sql"))
            .bind(block)
            .bind(row.type_codes.as_slice())
            .bind(row.type_column.as_slice())
            .bind(row.packed.as_slice())
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("write a replay block"))?;
        Ok(())
    }

    async fn put_tiles(&mut self, tiles: &[(i64, i64, Vec<u8>)]) -> Result<(), StorageError> {
        for (level, index, hashes) in tiles {
            sqlx::query(include_str!("sql/derived/put_tile.sql"))
                .bind(level)
                .bind(index)
                .bind(hashes.as_slice())
                .execute(&mut *self.0)
                .await
                .map_err(StorageError::sqlx("write a tile"))?;
        }
        Ok(())
    }

    async fn delete_run(&mut self, id: i64, first: i64, last: i64) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/delete_pages.sql"))
            .bind(first)
            .bind(last)
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("delete the pages of a merged run"))?;
        sqlx::query(include_str!("sql/derived/delete_run.sql"))
            .bind(id)
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("delete a merged run"))?;
        Ok(())
    }

    async fn move_seal(&mut self, sealed_to: i64) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/seal_meta.sql"))
            .bind(sealed_to)
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("move the seal"))?;
        Ok(())
    }

    async fn move_generation(&mut self) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/merge_meta.sql"))
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx("move the generation"))?;
        Ok(())
    }

    async fn begin_anew(&mut self, identity: &Identity) -> Result<(), StorageError> {
        const CREATING: &str = "create derived.db's tables";
        let objects: Vec<(String, String)> =
            sqlx::query_as(include_str!("sql/derived/list_objects.sql"))
                .fetch_all(&mut *self.0)
                .await
                .map_err(StorageError::sqlx("list derived.db's tables"))?;
        for (kind, name) in objects {
            let name = name.replace('"', "\"\"");
            let statement = format!("DROP {kind} \"{name}\""); // kind is SQLite's own word
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *self.0)
                .await
                .map_err(StorageError::sqlx("drop a table of derived.db"))?;
        }
        sqlx::raw_sql(include_str!("sql/derived/schema.sql"))
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx(CREATING))?;
        sqlx::query(include_str!("sql/derived/insert_meta.sql"))
            .bind(FORMAT)
            .bind(identity.book_id.as_slice())
            .bind(identity.packer_fingerprint.as_str())
            .bind(i64::from(identity.block_events))
            .execute(&mut *self.0)
            .await
            .map_err(StorageError::sqlx(CREATING))?;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.0.commit().await.map_err(StorageError::sqlx("commit the derived state"))
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        self.0.rollback().await.map_err(StorageError::sqlx("end reading derived.db"))
    }
}
