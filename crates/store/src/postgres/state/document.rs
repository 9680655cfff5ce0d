//! Documents in the schema `<book>_state`. Changes are made by one statement, in a transaction that
//! holds the row of the last version, so that only one process at a time changes documents.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use crate::error::StorageError;
use crate::postgres::lender::{Lender, Lent, Within as _};
use crate::state::document::{check_changes, check_page, too_many_documents};
use crate::state::{
    DOCUMENTS_MAX, Document, DocumentChange, Expected, StateError, StateName, from_sql, to_sql,
};

/// What is bound for a document that must not be there; versions begin at 1.
const ABSENT: i64 = 0;
/// What is bound for a document that must be there, in whichever version.
const PRESENT: i64 = -1;

const LISTING: &str = "list documents";
const CHANGING: &str = "change documents";

pub(super) async fn find(
    lender: &Lender,
    kind: &StateName,
    name: &StateName,
) -> Result<Option<Document>, StateError> {
    let found: Option<(i64, String)> = lender
        .ask("read a document", |mut lent| async move {
            let answer =
                sqlx::query_as("SELECT version, body FROM document WHERE kind = $1 AND name = $2")
                    .bind(kind.as_str())
                    .bind(name.as_str())
                    .fetch_optional(&mut *lent)
                    .await;
            (lent, answer)
        })
        .await?;
    let Some((version, body)) = found else { return Ok(None) };
    Ok(Some(Document { name: name.to_string(), version: from_sql(version)?, body }))
}

pub(super) async fn list(
    lender: &Lender,
    kind: &StateName,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Document>, StateError> {
    check_page(limit)?;
    let rows: Vec<(String, i64, String)> = lender
        .ask(LISTING, |mut lent| async move {
            let answer = sqlx::query_as(include_str!("../sql/state/list_documents.sql"))
                .bind(kind.as_str())
                .bind(after.unwrap_or_default())
                .bind(i64::from(limit))
                .fetch_all(&mut *lent)
                .await;
            (lent, answer)
        })
        .await?;
    rows.into_iter()
        .map(|(name, version, body)| Ok(Document { name, version: from_sql(version)?, body }))
        .collect()
}

pub(super) async fn kinds(lender: &Lender) -> Result<Vec<StateName>, StateError> {
    let kinds: Vec<String> = lender
        .ask(LISTING, |mut lent| async move {
            let answer = sqlx::query_scalar("SELECT DISTINCT kind FROM document ORDER BY kind")
                .fetch_all(&mut *lent)
                .await;
            (lent, answer)
        })
        .await?;
    kinds.iter().map(|kind| StateName::new(kind)).collect()
}

/// An error before the transaction ends leaves it to the server, which rolls it back when the
/// connection is closed.
pub(super) async fn change(
    lender: &Lender,
    answer: Duration,
    changes: &[DocumentChange],
) -> Result<Option<u64>, StateError> {
    check_changes(changes)?;
    let mut lent = lender.begin(CHANGING, "BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    let version: i64 =
        sqlx::query_scalar("UPDATE document_version SET last = last + 1 RETURNING last")
            .fetch_one(&mut *lent)
            .within(answer, CHANGING)
            .await?;
    let (fits, crowded) = make(&mut lent, answer, changes, version).await?;
    let end = if fits && crowded.is_none() { "COMMIT" } else { "ROLLBACK" };
    sqlx::raw_sql(AssertSqlSafe(end)).execute(&mut *lent).within(answer, CHANGING).await?;
    lent.settle();
    match crowded {
        Some(kind) if fits => Err(too_many_documents(&kind)),
        Some(_) | None => Ok(if fits { Some(from_sql(version)?) } else { None }),
    }
}

async fn make(
    lent: &mut Lent,
    answer: Duration,
    changes: &[DocumentChange],
    version: i64,
) -> Result<(bool, Option<String>), StorageError> {
    let expected = |change: &DocumentChange| match change.expected {
        Expected::Absent => ABSENT,
        Expected::Present => PRESENT,
        Expected::Version(version) => to_sql(version),
    };
    let kinds: Vec<&str> = changes.iter().map(|change| change.kind.as_str()).collect();
    let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
    let expected: Vec<i64> = changes.iter().map(expected).collect();
    let bodies: Vec<Option<&str>> = changes.iter().map(|change| change.body.as_deref()).collect();
    sqlx::query_as(include_str!("../sql/state/change_documents.sql"))
        .bind(kinds)
        .bind(names)
        .bind(expected)
        .bind(bodies)
        .bind(version)
        .bind(i64::from(DOCUMENTS_MAX))
        .fetch_one(&mut **lent)
        .within(answer, CHANGING)
        .await
}
