//! The derived state in the schema `<book>_derived`. Whoever writes it holds the row of its turn,
//! in the schema `<book>_state`, until its transaction ends.

use async_trait::async_trait;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use crate::StorageError;
use crate::book::{
    BlockColumns, BlockRow, DerivedDb, DerivedTx, FORMAT, HeldRuns, Identity, Meta, MetaColumns,
    NewRun, PageColumns, PageRow, RunColumns, RunRow,
};
use crate::views::sql;

use super::database::{Database, Patience, pool};
use super::error::{is_unusable, retried};
use super::schema::SchemaName;

/// Connections of one process: its sealer, and some that read.
const CONNECTIONS_MAX: u32 = 5;
/// The sealer waits for the turn of another process as long as a large merge may take it.
const PATIENCE: Patience = Patience { lock_ms: 60_000, statement_ms: 600_000 };
/// The point of a writing transaction at which it has its turn.
const TURN_TAKEN: &str = "turn_taken";

/// The derived state of one book.
#[derive(Debug)]
pub(crate) struct PgDerived {
    pool: PgPool,
    schema: SchemaName,
    take_turn: String,
}

impl PgDerived {
    /// Its connections are made when they are needed.
    pub(crate) fn new(database: &Database, schema: SchemaName, state: &SchemaName) -> Self {
        let state = state.quoted();
        Self {
            pool: pool(database.connect_options(&schema, PATIENCE), CONNECTIONS_MAX),
            schema,
            take_turn: format!(
                "SELECT what FROM {state}.turn WHERE what = 'derived' FOR UPDATE; \
                 SAVEPOINT {TURN_TAKEN}"
            ),
        }
    }

    /// Begins in a task of its own: a caller that goes away in the midst of `BEGIN` would leave its
    /// transaction open in the pool (sqlx 0.9.0).
    async fn begin(&self, begin: &'static str) -> Result<Tx, StorageError> {
        const CONTEXT: &str = "begin to use the derived state";
        let pool = self.pool.clone();
        let beginning = tokio::spawn(async move { pool.begin_with(begin).await });
        let begun = beginning.await.map_err(|_| StorageError::Closed)?;
        let tx = begun.map_err(StorageError::sqlx(CONTEXT))?;
        Ok(Tx { tx, schema: self.schema.clone() })
    }
}

#[async_trait]
impl DerivedDb for PgDerived {
    async fn read(&self) -> Result<Box<dyn DerivedTx>, StorageError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Box::new(retried(move || self.begin(BEGIN)).await?))
    }

    async fn write(&self, context: &'static str) -> Result<Box<dyn DerivedTx>, StorageError> {
        let mut begun = retried(move || self.begin("BEGIN")).await?;
        sqlx::raw_sql(AssertSqlSafe(self.take_turn.clone()))
            .execute(&mut *begun.tx)
            .await
            .map_err(StorageError::sqlx(context))?;
        Ok(Box::new(begun))
    }

    async fn pages(&self, ids: &[i64], held: HeldRuns<'_>) -> Result<Vec<PageRow>, StorageError> {
        let rows: Vec<PageColumns> = retried(move || async move {
            sqlx::query_as(include_str!("sql/derived/read_pages.sql"))
                .bind(ids)
                .bind(held.incarnation)
                .bind(held.generation)
                .fetch_all(&self.pool)
                .await
                .map_err(StorageError::sqlx("read pages of the key index"))
        })
        .await?;
        Ok(rows.into_iter().map(PageRow::from).collect())
    }

    async fn type_column(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError> {
        retried(move || async move {
            sqlx::query_as(include_str!("sql/derived/read_type_column.sql"))
                .bind(block)
                .bind(incarnation)
                .fetch_one(&self.pool)
                .await
                .map_err(StorageError::sqlx("read the types of a block"))
        })
        .await
    }

    async fn packed(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError> {
        retried(move || async move {
            sqlx::query_as(include_str!("sql/derived/read_packed.sql"))
                .bind(block)
                .bind(incarnation)
                .fetch_one(&self.pool)
                .await
                .map_err(StorageError::sqlx("read a replay block"))
        })
        .await
    }

    async fn tile(&self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError> {
        retried(move || async move {
            sqlx::query_scalar(include_str!("sql/derived/read_tile.sql"))
                .bind(level)
                .bind(index)
                .fetch_optional(&self.pool)
                .await
                .map_err(StorageError::sqlx("read a tile"))
        })
        .await
    }

    fn is_unusable(&self, error: &StorageError) -> bool {
        is_unusable(error)
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction that holds its connection.
struct Tx {
    tx: Transaction<'static, Postgres>,
    schema: SchemaName,
}

impl Tx {
    async fn drop_everything(&mut self) -> Result<(), StorageError> {
        let objects: Vec<(String, String)> =
            sqlx::query_as(include_str!("sql/derived/list_objects.sql"))
                .bind(self.schema.quoted())
                .fetch_all(&mut *self.tx)
                .await
                .map_err(StorageError::sqlx("list the tables of the derived state"))?;
        for (kind, name) in objects {
            let place = format!("{}.{}", self.schema.quoted(), sql::quoted(&name));
            // The kind is our own word.
            let statement = format!("DROP {kind} IF EXISTS {place} CASCADE");
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *self.tx)
                .await
                .map_err(StorageError::sqlx("drop a table of the derived state"))?;
        }
        Ok(())
    }
}

#[async_trait]
impl DerivedTx for Tx {
    async fn meta(&mut self) -> Result<Meta, StorageError> {
        let row: MetaColumns = sqlx::query_as(include_str!("sql/derived/read_meta.sql"))
            .fetch_one(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("read the derived state's meta row"))?;
        Ok(Meta::from(row))
    }

    async fn runs(&mut self) -> Result<Vec<RunRow>, StorageError> {
        let rows: Vec<RunColumns> = sqlx::query_as(include_str!("sql/derived/list_runs.sql"))
            .fetch_all(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("list the runs"))?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    async fn runs_of_level(&mut self, level: i64, count: i64) -> Result<Vec<RunRow>, StorageError> {
        let rows: Vec<RunColumns> =
            sqlx::query_as(include_str!("sql/derived/list_runs_of_level.sql"))
                .bind(level)
                .bind(count)
                .fetch_all(&mut *self.tx)
                .await
                .map_err(StorageError::sqlx("list the runs of a level"))?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    async fn run(&mut self, id: i64) -> Result<(Vec<u8>, Vec<u8>), StorageError> {
        sqlx::query_as(include_str!("sql/derived/read_run.sql"))
            .bind(id)
            .fetch_one(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("read a run"))
    }

    async fn pages(&mut self, first: i64, last: i64) -> Result<Vec<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_page_range.sql"))
            .bind(first)
            .bind(last)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("read the pages of a run"))
    }

    async fn type_codes(&mut self, first: i64, end: i64) -> Result<Vec<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_type_codes.sql"))
            .bind(first)
            .bind(end)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("read the types of blocks"))
    }

    async fn tile(&mut self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_tile.sql"))
            .bind(level)
            .bind(index)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("read a tile"))
    }

    async fn block(&mut self, block: i64) -> Result<Option<BlockRow>, StorageError> {
        let row: Option<BlockColumns> = sqlx::query_as(include_str!("sql/derived/read_block.sql"))
            .bind(block)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("read a block"))?;
        Ok(row.map(BlockRow::from))
    }

    async fn put_pages(&mut self, first_id: i64, pages: &[Vec<u8>]) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/insert_pages.sql"))
            .bind(first_id)
            .bind(pages)
            .execute(&mut *self.tx)
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
            .execute(&mut *self.tx)
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
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("write a replay block"))?;
        Ok(())
    }

    async fn put_tiles(&mut self, tiles: &[(i64, i64, Vec<u8>)]) -> Result<(), StorageError> {
        let levels: Vec<i64> = tiles.iter().map(|(level, ..)| *level).collect();
        let indexes: Vec<i64> = tiles.iter().map(|(_, index, _)| *index).collect();
        let hashes: Vec<&[u8]> = tiles.iter().map(|(.., hashes)| hashes.as_slice()).collect();
        sqlx::query(include_str!("sql/derived/put_tiles.sql"))
            .bind(levels)
            .bind(indexes)
            .bind(hashes)
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("write tiles"))?;
        Ok(())
    }

    async fn delete_run(&mut self, id: i64, first: i64, last: i64) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/delete_run.sql"))
            .bind(id)
            .bind(first)
            .bind(last)
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("delete a merged run"))?;
        Ok(())
    }

    async fn move_seal(&mut self, sealed_to: i64) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/seal_meta.sql"))
            .bind(sealed_to)
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("move the seal"))?;
        Ok(())
    }

    async fn move_generation(&mut self) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/merge_meta.sql"))
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx("move the generation"))?;
        Ok(())
    }

    /// What was tried before it may have failed, and with it the transaction: it begins again
    /// behind the turn.
    async fn begin_anew(&mut self, identity: &Identity) -> Result<(), StorageError> {
        const CREATING: &str = "create the tables of the derived state";
        sqlx::raw_sql(AssertSqlSafe(format!("ROLLBACK TO {TURN_TAKEN}")))
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx(CREATING))?;
        let there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
            .bind(self.schema.quoted())
            .fetch_one(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx(CREATING))?;
        if there {
            self.drop_everything().await?;
        } else {
            let statement = format!("CREATE SCHEMA {}", self.schema.quoted());
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *self.tx)
                .await
                .map_err(StorageError::sqlx(CREATING))?;
        }
        sqlx::raw_sql(include_str!("sql/derived/schema.sql"))
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx(CREATING))?;
        sqlx::query(include_str!("sql/derived/insert_meta.sql"))
            .bind(FORMAT)
            .bind(identity.book_id.as_slice())
            .bind(identity.packer_fingerprint.as_str())
            .bind(i64::from(identity.block_events))
            .execute(&mut *self.tx)
            .await
            .map_err(StorageError::sqlx(CREATING))?;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.tx.commit().await.map_err(StorageError::sqlx("commit the derived state"))
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        self.tx.rollback().await.map_err(StorageError::sqlx("end reading the derived state"))
    }
}
