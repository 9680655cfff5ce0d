//! The derived state in the schema `<book>_derived`. Whoever writes it locks a row of the table
//! `turn` in the schema `<book>_state` until the transaction ends.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;

use crate::StorageError;
use crate::book::{
    BlockColumns, BlockRow, DerivedDb, DerivedTx, FORMAT, HeldRuns, Identity, Meta, MetaColumns,
    NewRun, PageColumns, PageRow, RunColumns, RunRow,
};
use crate::views::sql;

use super::connect::Patience;
use super::database::Database;
use super::error::is_unusable;
use super::lender::{Lender, Lent, Within as _};
use super::schema::SchemaName;

/// Connections of one process: its sealer, and some that read.
const CONNECTIONS_MAX: u32 = 5;
/// The sealer waits for another process to end its turn, as long as a large merge may take.
const PATIENCE: Patience = Patience { lock_ms: 60_000, statement_ms: 90_000, idle_ms: 90_000 };
/// How many times as long a writing transaction waits for an answer: for its turn, and for a large
/// merge.
const WRITING_TIMES: u32 = 3;
/// The savepoint of a writing transaction at which it has its turn.
const TURN_TAKEN: &str = "turn_taken";

/// The derived state of one book.
#[derive(Debug)]
pub(crate) struct PgDerived {
    lender: Lender,
    answer: Duration,
    schema: SchemaName,
    take_turn: String,
}

impl PgDerived {
    /// Its connections are made when they are needed.
    pub(crate) fn new(database: &Database, schema: SchemaName, state: &SchemaName) -> Self {
        let state = state.quoted();
        let access = database.access(&schema, PATIENCE);
        Self {
            lender: access.lender(CONNECTIONS_MAX),
            answer: access.answer,
            schema,
            take_turn: format!(
                "SELECT what FROM {state}.turn WHERE what = 'derived' FOR UPDATE; \
                 SAVEPOINT {TURN_TAKEN}"
            ),
        }
    }

    /// A transaction whose statements may each take `limit`.
    async fn begin(&self, begin: &'static str, limit: Duration) -> Result<Tx, StorageError> {
        let lent = self.lender.begin("begin to use the derived state", begin).await?;
        Ok(Tx { lent, limit, schema: self.schema.clone() })
    }

    /// A column of a block, and whether the incarnation is still the one that is asked about.
    async fn of_block(
        &self,
        context: &'static str,
        sql: &'static str,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError> {
        self.lender
            .ask(context, |mut lent| async move {
                let query = sqlx::query_as(sql).bind(block).bind(incarnation);
                let answer = query.fetch_one(&mut *lent).await;
                (lent, answer)
            })
            .await
    }
}

#[async_trait]
impl DerivedDb for PgDerived {
    async fn read(&self) -> Result<Box<dyn DerivedTx>, StorageError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Box::new(self.begin(BEGIN, self.answer).await?))
    }

    async fn write(&self, context: &'static str) -> Result<Box<dyn DerivedTx>, StorageError> {
        let limit = self.answer * WRITING_TIMES;
        let mut begun = self.begin("BEGIN", limit).await?;
        sqlx::raw_sql(AssertSqlSafe(self.take_turn.clone()))
            .execute(&mut *begun.lent)
            .within(limit, context)
            .await?;
        Ok(Box::new(begun))
    }

    async fn pages(&self, ids: &[i64], held: HeldRuns<'_>) -> Result<Vec<PageRow>, StorageError> {
        let rows: Vec<PageColumns> = self
            .lender
            .ask("read pages of the key index", |mut lent| async move {
                let answer = sqlx::query_as(include_str!("sql/derived/read_pages.sql"))
                    .bind(ids)
                    .bind(held.incarnation)
                    .bind(held.generation)
                    .fetch_all(&mut *lent)
                    .await;
                (lent, answer)
            })
            .await?;
        Ok(rows.into_iter().map(PageRow::from).collect())
    }

    async fn type_column(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError> {
        let sql = include_str!("sql/derived/read_type_column.sql");
        self.of_block("read the types of a block", sql, block, incarnation).await
    }

    async fn packed(
        &self,
        block: i64,
        incarnation: &[u8],
    ) -> Result<(bool, Option<Vec<u8>>), StorageError> {
        let sql = include_str!("sql/derived/read_packed.sql");
        self.of_block("read a replay block", sql, block, incarnation).await
    }

    async fn tile(&self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError> {
        self.lender
            .ask("read a tile", |mut lent| async move {
                let answer = sqlx::query_scalar(include_str!("sql/derived/read_tile.sql"))
                    .bind(level)
                    .bind(index)
                    .fetch_optional(&mut *lent)
                    .await;
                (lent, answer)
            })
            .await
    }

    fn is_unusable(&self, error: &StorageError) -> bool {
        is_unusable(error)
    }

    async fn close(&self) {
        self.lender.close().await;
    }
}

/// A transaction that holds its connection.
struct Tx {
    lent: Lent,
    /// How long an answer may take.
    limit: Duration,
    schema: SchemaName,
}

impl Tx {
    async fn end(
        mut self,
        statement: &'static str,
        context: &'static str,
    ) -> Result<(), StorageError> {
        let ending = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *self.lent);
        ending.within(self.limit, context).await?;
        self.lent.settle();
        Ok(())
    }

    async fn drop_everything(&mut self) -> Result<(), StorageError> {
        let objects: Vec<(String, String)> =
            sqlx::query_as(include_str!("sql/derived/list_objects.sql"))
                .bind(self.schema.quoted())
                .fetch_all(&mut *self.lent)
                .within(self.limit, "list the tables of the derived state")
                .await?;
        for (kind, name) in objects {
            let place = format!("{}.{}", self.schema.quoted(), sql::quoted(&name));
            // The kind is a word of our own.
            let statement = format!("DROP {kind} IF EXISTS {place} CASCADE");
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *self.lent)
                .within(self.limit, "drop a table of the derived state")
                .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl DerivedTx for Tx {
    async fn meta(&mut self) -> Result<Meta, StorageError> {
        let row: MetaColumns = sqlx::query_as(include_str!("sql/derived/read_meta.sql"))
            .fetch_one(&mut *self.lent)
            .within(self.limit, "read the derived state's meta row")
            .await?;
        Ok(Meta::from(row))
    }

    async fn runs(&mut self) -> Result<Vec<RunRow>, StorageError> {
        let rows: Vec<RunColumns> = sqlx::query_as(include_str!("sql/derived/list_runs.sql"))
            .fetch_all(&mut *self.lent)
            .within(self.limit, "list the runs")
            .await?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    async fn runs_of_level(&mut self, level: i64, count: i64) -> Result<Vec<RunRow>, StorageError> {
        let rows: Vec<RunColumns> =
            sqlx::query_as(include_str!("sql/derived/list_runs_of_level.sql"))
                .bind(level)
                .bind(count)
                .fetch_all(&mut *self.lent)
                .within(self.limit, "list the runs of a level")
                .await?;
        Ok(rows.into_iter().map(RunRow::from).collect())
    }

    async fn run(&mut self, id: i64) -> Result<(Vec<u8>, Vec<u8>), StorageError> {
        sqlx::query_as(include_str!("sql/derived/read_run.sql"))
            .bind(id)
            .fetch_one(&mut *self.lent)
            .within(self.limit, "read a run")
            .await
    }

    async fn pages(&mut self, first: i64, last: i64) -> Result<Vec<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_page_range.sql"))
            .bind(first)
            .bind(last)
            .fetch_all(&mut *self.lent)
            .within(self.limit, "read the pages of a run")
            .await
    }

    async fn type_codes(&mut self, first: i64, end: i64) -> Result<Vec<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_type_codes.sql"))
            .bind(first)
            .bind(end)
            .fetch_all(&mut *self.lent)
            .within(self.limit, "read the types of blocks")
            .await
    }

    async fn tile(&mut self, level: i64, index: i64) -> Result<Option<Vec<u8>>, StorageError> {
        sqlx::query_scalar(include_str!("sql/derived/read_tile.sql"))
            .bind(level)
            .bind(index)
            .fetch_optional(&mut *self.lent)
            .within(self.limit, "read a tile")
            .await
    }

    async fn block(&mut self, block: i64) -> Result<Option<BlockRow>, StorageError> {
        let row: Option<BlockColumns> = sqlx::query_as(include_str!("sql/derived/read_block.sql"))
            .bind(block)
            .fetch_optional(&mut *self.lent)
            .within(self.limit, "read a block")
            .await?;
        Ok(row.map(BlockRow::from))
    }

    async fn put_pages(&mut self, first_id: i64, pages: &[Vec<u8>]) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/insert_pages.sql"))
            .bind(first_id)
            .bind(pages)
            .execute(&mut *self.lent)
            .within(self.limit, "write pages of the key index")
            .await?;
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
            .execute(&mut *self.lent)
            .within(self.limit, "write a run")
            .await?;
        Ok(())
    }

    async fn put_block(&mut self, block: i64, row: &BlockRow) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/insert_block.sql"))
            .bind(block)
            .bind(row.type_codes.as_slice())
            .bind(row.type_column.as_slice())
            .bind(row.packed.as_slice())
            .execute(&mut *self.lent)
            .within(self.limit, "write a replay block")
            .await?;
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
            .execute(&mut *self.lent)
            .within(self.limit, "write tiles")
            .await?;
        Ok(())
    }

    async fn delete_run(&mut self, id: i64, first: i64, last: i64) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/delete_run.sql"))
            .bind(id)
            .bind(first)
            .bind(last)
            .execute(&mut *self.lent)
            .within(self.limit, "delete a merged run")
            .await?;
        Ok(())
    }

    async fn move_seal(&mut self, sealed_to: i64) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/seal_meta.sql"))
            .bind(sealed_to)
            .execute(&mut *self.lent)
            .within(self.limit, "move the seal")
            .await?;
        Ok(())
    }

    async fn move_generation(&mut self) -> Result<(), StorageError> {
        sqlx::query(include_str!("sql/derived/merge_meta.sql"))
            .execute(&mut *self.lent)
            .within(self.limit, "move the generation")
            .await?;
        Ok(())
    }

    /// What was tried before may have failed, and the transaction with it: it goes back to where it
    /// had just got its turn.
    async fn begin_anew(&mut self, identity: &Identity) -> Result<(), StorageError> {
        const CREATING: &str = "create the tables of the derived state";
        sqlx::raw_sql(AssertSqlSafe(format!("ROLLBACK TO {TURN_TAKEN}")))
            .execute(&mut *self.lent)
            .within(self.limit, CREATING)
            .await?;
        let there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
            .bind(self.schema.quoted())
            .fetch_one(&mut *self.lent)
            .within(self.limit, CREATING)
            .await?;
        if there {
            self.drop_everything().await?;
        } else {
            let statement = format!("CREATE SCHEMA {}", self.schema.quoted());
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *self.lent)
                .within(self.limit, CREATING)
                .await?;
        }
        sqlx::raw_sql(include_str!("sql/derived/schema.sql"))
            .execute(&mut *self.lent)
            .within(self.limit, CREATING)
            .await?;
        sqlx::query(include_str!("sql/derived/insert_meta.sql"))
            .bind(FORMAT)
            .bind(identity.book_id.as_slice())
            .bind(identity.packer_fingerprint.as_str())
            .bind(i64::from(identity.block_events))
            .execute(&mut *self.lent)
            .within(self.limit, CREATING)
            .await?;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.end("COMMIT", "commit the derived state").await
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        self.end("ROLLBACK", "end reading the derived state").await
    }
}
