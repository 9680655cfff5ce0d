//! Documents in `state.db`. Changes are made in one transaction that writes from its beginning, so
//! that what they expect is compared with what they change.

use std::collections::BTreeSet;

use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::error::StorageError;
use crate::state::document::{check_changes, check_page, too_many_documents};
use crate::state::{DOCUMENTS_MAX, Document, DocumentChange, StateError, StateName, from_sql};

const READING: &str = "read a document";
const LISTING: &str = "list documents";
const CHANGING: &str = "change documents";

pub(super) async fn find(
    pool: &SqlitePool,
    kind: &StateName,
    name: &StateName,
) -> Result<Option<Document>, StateError> {
    let found: Option<(i64, String)> =
        sqlx::query_as("SELECT version, body FROM document WHERE kind = ?1 AND name = ?2")
            .bind(kind.as_str())
            .bind(name.as_str())
            .fetch_optional(pool)
            .await
            .map_err(StorageError::sqlx(READING))?;
    let Some((version, body)) = found else { return Ok(None) };
    Ok(Some(Document { name: name.to_string(), version: from_sql(version)?, body }))
}

pub(super) async fn list(
    pool: &SqlitePool,
    kind: &StateName,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Document>, StateError> {
    check_page(limit)?;
    let rows: Vec<(String, i64, String)> =
        sqlx::query_as(include_str!("../sql/state/list_documents.sql"))
            .bind(kind.as_str())
            .bind(after.unwrap_or_default())
            .bind(limit)
            .fetch_all(pool)
            .await
            .map_err(StorageError::sqlx(LISTING))?;
    rows.into_iter()
        .map(|(name, version, body)| Ok(Document { name, version: from_sql(version)?, body }))
        .collect()
}

pub(super) async fn kinds(pool: &SqlitePool) -> Result<Vec<StateName>, StateError> {
    let kinds: Vec<String> = sqlx::query_scalar("SELECT DISTINCT kind FROM document ORDER BY kind")
        .fetch_all(pool)
        .await
        .map_err(StorageError::sqlx(LISTING))?;
    kinds.iter().map(|kind| StateName::new(kind)).collect()
}

pub(super) async fn change(
    pool: &SqlitePool,
    changes: &[DocumentChange],
) -> Result<Option<u64>, StateError> {
    check_changes(changes)?;
    let begun = pool.begin_with("BEGIN IMMEDIATE").await;
    let mut tx = begun.map_err(StorageError::sqlx(CHANGING))?;
    let version: i64 =
        sqlx::query_scalar("UPDATE document_version SET last = last + 1 RETURNING last")
            .fetch_one(&mut *tx)
            .await
            .map_err(StorageError::sqlx(CHANGING))?;
    let made = make(&mut tx, changes, version).await;
    match made {
        Ok(true) => {
            tx.commit().await.map_err(StorageError::sqlx(CHANGING))?;
            Ok(Some(from_sql(version)?))
        }
        Ok(false) | Err(_) => {
            tx.rollback().await.map_err(StorageError::sqlx(CHANGING))?;
            made.map(|_| None)
        }
    }
}

/// Whether every document was as expected. If one was not, the caller takes back what was changed
/// before it.
async fn make(
    connection: &mut SqliteConnection,
    changes: &[DocumentChange],
    version: i64,
) -> Result<bool, StateError> {
    let mut grown = BTreeSet::new();
    for change in changes {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT version FROM document WHERE kind = ?1 AND name = ?2")
                .bind(change.kind.as_str())
                .bind(change.name.as_str())
                .fetch_optional(&mut *connection)
                .await
                .map_err(StorageError::sqlx(CHANGING))?;
        let found = found.map(from_sql).transpose()?;
        if !change.expected.fits(found) {
            return Ok(false);
        }
        if found.is_none() && change.body.is_some() {
            grown.insert(change.kind.as_str());
        }
        put_or_delete(connection, change, version).await?;
    }
    for kind in grown {
        let documents: i64 = sqlx::query_scalar("SELECT count(*) FROM document WHERE kind = ?1")
            .bind(kind)
            .fetch_one(&mut *connection)
            .await
            .map_err(StorageError::sqlx(CHANGING))?;
        if documents > i64::from(DOCUMENTS_MAX) {
            return Err(too_many_documents(kind));
        }
    }
    Ok(true)
}

async fn put_or_delete(
    connection: &mut SqliteConnection,
    change: &DocumentChange,
    version: i64,
) -> Result<(), StorageError> {
    let DocumentChange { kind, name, body, .. } = change;
    let query = match body {
        Some(body) => sqlx::query(include_str!("../sql/state/put_document.sql"))
            .bind(kind.as_str())
            .bind(name.as_str())
            .bind(version)
            .bind(body),
        None => sqlx::query("DELETE FROM document WHERE kind = ?1 AND name = ?2")
            .bind(kind.as_str())
            .bind(name.as_str()),
    };
    query.execute(connection).await.map_err(StorageError::sqlx(CHANGING))?;
    Ok(())
}
