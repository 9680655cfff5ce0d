//! The state of a book in the schema `<book>_state`. A call on cursors or leases is one statement
//! that commits by itself, and one that may be done again when the connection turns out to be
//! broken; documents are changed in a transaction.

mod document;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::book::OpenError;
use crate::error::StorageError;
use crate::state::{
    CURSORS_MAX, Document, DocumentChange, Holder, Lease, NamedCursor, State, StateError,
    StateName, Step, check_lease_ms, check_step, from_sql, named, not_moved, not_opened, to_sql,
    too_many,
};
use crate::views::sql::quoted;

use super::connect::PATIENCE;
use super::database::Database;
use super::error::is_taken;
use super::lender::Lender;
use super::schema::{Part, SchemaName, Schemas};

/// Connections of one process.
const CONNECTIONS_MAX: u32 = 2;

/// The tables that an earlier release did not make.
const LATER_TABLES: [&str; 4] = ["cursor", "lease", "document", "document_version"];

const MOVING: &str = "move a cursor";
const LEASING: &str = "take or give back a lease";
const MAKING: &str = "make the tables of the book's state";

/// The state of one book in a PostgreSQL schema. Any number of processes may use one.
#[derive(Debug)]
pub struct PostgresState {
    lender: Lender,
    /// How long an answer may take.
    answer: Duration,
}

impl Database {
    /// The state of the book `book`, which was opened or created before. Connections are made when
    /// they are needed.
    ///
    /// # Errors
    /// A name that no schema can have.
    pub fn state(&self, book: &str) -> Result<PostgresState, OpenError> {
        let schema = SchemaName::of(book, Part::State).map_err(OpenError::Options)?;
        let access = self.access(&schema, PATIENCE);
        Ok(PostgresState { lender: access.lender(CONNECTIONS_MAX), answer: access.answer })
    }
}

/// Makes the tables of a book that is older than they are, in the name of its owner.
pub(super) async fn migrate(
    connection: &mut PgConnection,
    schemas: &Schemas,
) -> Result<(), OpenError> {
    let schema = &schemas.state;
    let found: Option<(String, String, bool)> =
        sqlx::query_as(include_str!("sql/state/find_owner.sql"))
            .bind(schema.as_str())
            .bind(LATER_TABLES.as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(StorageError::sqlx(MAKING))?;
    let Some((owner, role, owns)) = found else { return Ok(()) };
    if !owns {
        let missing = format!(
            "tables in {}, which an earlier release did not make and `daicho book grant` makes",
            schema.as_str()
        );
        return Err(OpenError::NoRights { role, missing });
    }
    match make_tables(connection, schema, &owner).await {
        // Another process has just made them.
        Err(error) if is_taken(&error) => Ok(()),
        made => Ok(made.map_err(StorageError::sqlx(MAKING))?),
    }
}

async fn make_tables(
    connection: &mut PgConnection,
    schema: &SchemaName,
    owner: &str,
) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin().await?;
    let (owner, schema) = (quoted(owner), schema.quoted());
    let acting = format!("SET LOCAL ROLE {owner}; SET LOCAL search_path = {schema}");
    sqlx::raw_sql(AssertSqlSafe(acting)).execute(&mut *tx).await?;
    sqlx::raw_sql(include_str!("sql/state/schema.sql")).execute(&mut *tx).await?;
    tx.commit().await
}

impl PostgresState {
    async fn position(&self, name: &StateName) -> Result<Option<u64>, StateError> {
        let position: Option<i64> = self
            .lender
            .ask("read a cursor", |mut lent| async move {
                let answer = sqlx::query_scalar("SELECT position FROM cursor WHERE name = $1")
                    .bind(name.as_str())
                    .fetch_optional(&mut *lent)
                    .await;
                (lent, answer)
            })
            .await?;
        Ok(position.map(from_sql).transpose()?)
    }
}

#[async_trait]
impl State for PostgresState {
    async fn open_cursor(&self, name: &StateName, start: u64) -> Result<u64, StateError> {
        let made = self.lender.ask(MOVING, |mut lent| async move {
            let answer = sqlx::query(include_str!("sql/state/open_cursor.sql"))
                .bind(name.as_str())
                .bind(to_sql(start))
                .bind(i64::from(CURSORS_MAX))
                .execute(&mut *lent)
                .await;
            (lent, answer)
        });
        let made = made.await?.rows_affected();
        let position = self.position(name).await?;
        position.ok_or_else(|| not_opened(name, made))
    }

    async fn advance(
        &self,
        name: &StateName,
        holder: &Holder,
        step: Step,
    ) -> Result<(), StateError> {
        check_step(step)?;
        let moved = self.lender.ask(MOVING, |mut lent| async move {
            let answer = sqlx::query(include_str!("sql/state/advance.sql"))
                .bind(name.as_str())
                .bind(holder.as_str())
                .bind(to_sql(step.from))
                .bind(to_sql(step.to))
                .execute(&mut *lent)
                .await;
            (lent, answer)
        });
        if moved.await?.rows_affected() == 1 {
            return Ok(());
        }
        Err(not_moved(name, step, self.position(name).await?))
    }

    async fn cursors(&self) -> Result<Vec<NamedCursor>, StateError> {
        let rows = self.lender.ask("read the cursors", |mut lent| async move {
            let answer = sqlx::query_as("SELECT name, position FROM cursor ORDER BY name")
                .fetch_all(&mut *lent)
                .await;
            (lent, answer)
        });
        named(rows.await?)
    }

    async fn set_cursor(&self, name: &StateName, position: u64) -> Result<(), StateError> {
        let set = self.lender.ask(MOVING, |mut lent| async move {
            let answer = sqlx::query(include_str!("sql/state/set_cursor.sql"))
                .bind(name.as_str())
                .bind(to_sql(position))
                .bind(i64::from(CURSORS_MAX))
                .execute(&mut *lent)
                .await;
            (lent, answer)
        });
        if set.await?.rows_affected() == 0 { Err(too_many(name)) } else { Ok(()) }
    }

    async fn delete_cursor(&self, name: &StateName) -> Result<bool, StateError> {
        let deleted = self.lender.ask("delete a cursor", |mut lent| async move {
            let answer = sqlx::query("DELETE FROM cursor WHERE name = $1")
                .bind(name.as_str())
                .execute(&mut *lent)
                .await;
            (lent, answer)
        });
        let deleted = deleted.await?;
        Ok(deleted.rows_affected() > 0)
    }

    async fn take(
        &self,
        name: &StateName,
        holder: &Holder,
        ms: u64,
    ) -> Result<Option<Lease>, StateError> {
        let ms = check_lease_ms(ms)?;
        let fence: Option<i64> = self
            .lender
            .ask(LEASING, |mut lent| async move {
                let answer = sqlx::query_scalar(include_str!("sql/state/take.sql"))
                    .bind(name.as_str())
                    .bind(holder.as_str())
                    .bind(ms)
                    .fetch_optional(&mut *lent)
                    .await;
                (lent, answer)
            })
            .await?;
        let fence = fence.map(from_sql).transpose()?;
        Ok(fence.map(|fence| Lease { name: name.clone(), fence, holder: holder.clone() }))
    }

    async fn renew(&self, lease: &Lease, ms: u64) -> Result<bool, StateError> {
        let ms = check_lease_ms(ms)?;
        let renewed = self.lender.ask(LEASING, |mut lent| async move {
            let answer = sqlx::query(include_str!("sql/state/renew.sql"))
                .bind(lease.name.as_str())
                .bind(lease.holder.as_str())
                .bind(to_sql(lease.fence))
                .bind(ms)
                .execute(&mut *lent)
                .await;
            (lent, answer)
        });
        Ok(renewed.await?.rows_affected() == 1)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StateError> {
        self.lender
            .ask(LEASING, |mut lent| async move {
                let answer = sqlx::query(include_str!("sql/state/release.sql"))
                    .bind(lease.name.as_str())
                    .bind(lease.holder.as_str())
                    .bind(to_sql(lease.fence))
                    .execute(&mut *lent)
                    .await;
                (lent, answer)
            })
            .await?;
        Ok(())
    }

    async fn document(
        &self,
        kind: &StateName,
        name: &StateName,
    ) -> Result<Option<Document>, StateError> {
        document::find(&self.lender, kind, name).await
    }

    async fn documents(
        &self,
        kind: &StateName,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Document>, StateError> {
        document::list(&self.lender, kind, after, limit).await
    }

    async fn document_kinds(&self) -> Result<Vec<StateName>, StateError> {
        document::kinds(&self.lender).await
    }

    async fn change_documents(
        &self,
        changes: &[DocumentChange],
    ) -> Result<Option<u64>, StateError> {
        document::change(&self.lender, self.answer, changes).await
    }

    async fn close(&self) {
        self.lender.close().await;
    }
}
