//! The derived state: a thin stand-in that keeps (key hash, position) rows in a plain table.
//! It has the signatures of the sorted runs that take its place.

mod pauses;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};

pub use pauses::{Pause, Pauses};

use crate::error::StorageError;
use crate::log::QueryItem;

pub(crate) struct SealEvent {
    pub(crate) type_name: String,
    pub(crate) keys: Vec<String>,
    pub(crate) leaf: [u8; 32],
}

pub(crate) struct SealBlock {
    pub(crate) first: u64,
    pub(crate) events: Vec<SealEvent>,
    pub(crate) packed: Vec<u8>,
}

#[async_trait]
pub(crate) trait RecordProbe: Send + Sync {
    async fn leaf(&self, position: u64) -> Result<Option<[u8; 32]>, StorageError>;
}

pub(crate) struct Derived {
    pool: SqlitePool,
    block_events: u64,
    sealed_to: AtomicU64,
    pauses: Pauses,
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS owner (book BLOB, packer TEXT, block INTEGER);
CREATE TABLE IF NOT EXISTS key (hash INTEGER, position INTEGER, type TEXT,
  PRIMARY KEY (hash, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (first INTEGER PRIMARY KEY, packed BLOB, last_leaf BLOB);";

fn sql(context: &'static str) -> impl FnOnce(sqlx::Error) -> StorageError {
    StorageError::sqlx(context)
}

fn hash(key: &str) -> i64 {
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(digest.first_chunk::<8>().unwrap_or(&[0; 8]));
    i64::from_le_bytes(bytes)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Derived {
    pub(crate) async fn open(
        path: &Path,
        book_id: [u8; 16],
        packer_fingerprint: &str,
        block_events: u32,
        probe: &dyn RecordProbe,
        pauses: Pauses,
    ) -> Result<Self, StorageError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePool::connect_with(options).await.map_err(sql("open derived.db"))?;
        sqlx::query(SCHEMA).execute(&pool).await.map_err(sql("make derived.db"))?;
        let owner: Option<(Vec<u8>, String, i64)> = sqlx::query_as("SELECT * FROM owner LIMIT 1")
            .fetch_optional(&pool)
            .await
            .map_err(sql("read derived.db"))?;
        let wanted = (book_id.to_vec(), packer_fingerprint.to_owned(), i64::from(block_events));
        let derived = Self {
            pool,
            block_events: u64::from(block_events),
            sealed_to: AtomicU64::new(0),
            pauses,
        };
        let last: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT first, last_leaf FROM block ORDER BY first DESC LIMIT 1")
                .fetch_optional(&derived.pool)
                .await
                .map_err(sql("read derived.db"))?;
        let fits = match last {
            None => true,
            Some((first, leaf)) => {
                let last = u64::try_from(first).unwrap_or(0) + derived.block_events - 1;
                probe.leaf(last).await?.is_some_and(|found| found.as_slice() == leaf)
            }
        };
        if owner.as_ref() != Some(&wanted) || !fits {
            sqlx::query("DELETE FROM owner; DELETE FROM key; DELETE FROM block; INSERT INTO owner VALUES (?1, ?2, ?3)")
                .bind(wanted.0).bind(wanted.1).bind(wanted.2)
                .execute(&derived.pool).await.map_err(sql("wipe derived.db"))?;
        }
        derived.refresh().await?;
        Ok(derived)
    }

    pub(crate) fn sealed_to(&self) -> u64 {
        self.sealed_to.load(Ordering::Acquire)
    }

    pub(crate) async fn refresh(&self) -> Result<u64, StorageError> {
        let first: Option<i64> = sqlx::query_scalar("SELECT max(first) FROM block")
            .fetch_one(&self.pool)
            .await
            .map_err(sql("read derived.db"))?;
        let last =
            first.map_or(0, |first| u64::try_from(first).unwrap_or(0) + self.block_events - 1);
        self.sealed_to.fetch_max(last, Ordering::AcqRel);
        Ok(last)
    }

    pub(crate) async fn seal(&self, block: SealBlock) -> Result<(), StorageError> {
        self.pauses.at("seal:begin").await;
        self.refresh().await?;
        let sealed_to = self.sealed_to();
        if block.first <= sealed_to {
            return Ok(());
        }
        if block.first != sealed_to + 1 {
            return Err(StorageError::OutOfOrder { first: block.first, sealed_to });
        }
        let mut tx = self.pool.begin().await.map_err(sql("seal"))?;
        let mut last_leaf = [0; 32];
        for (position, event) in (block.first..).zip(&block.events) {
            let keys: HashSet<i64> = event.keys.iter().map(|key| hash(key)).chain([0]).collect();
            for key in keys {
                sqlx::query("INSERT OR IGNORE INTO key VALUES (?1, ?2, ?3)")
                    .bind(key)
                    .bind(number(position))
                    .bind(&event.type_name)
                    .execute(&mut *tx)
                    .await
                    .map_err(sql("seal"))?;
            }
            last_leaf = event.leaf;
        }
        sqlx::query("INSERT OR IGNORE INTO block VALUES (?1, ?2, ?3)")
            .bind(number(block.first))
            .bind(block.packed)
            .bind(last_leaf.to_vec())
            .execute(&mut *tx)
            .await
            .map_err(sql("seal"))?;
        self.pauses.at("seal:commit").await;
        tx.commit().await.map_err(sql("seal"))?;
        self.pauses.at("seal:committed").await;
        self.refresh().await?;
        self.pauses.at("seal:published").await;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn tile(
        &self,
        _level: u8,
        _index: u64,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(None)
    }

    async fn find(
        &self,
        item: &QueryItem,
        after: u64,
        until: u64,
        limit: usize,
        descending: bool,
    ) -> Result<Vec<u64>, StorageError> {
        let order = if descending { "DESC" } else { "ASC" };
        let text = format!(
            "SELECT position FROM key WHERE hash = ?1 AND position > ?2 AND position <= ?3
             AND (?4 = '[]' OR type IN (SELECT value FROM json_each(?4)))
             ORDER BY position {order} LIMIT ?5"
        );
        let types = serde_json::to_string(&item.types).unwrap_or_default();
        let found: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .bind(item.tags.first().map_or(0, |tag| hash(tag)))
            .bind(number(after))
            .bind(number(until))
            .bind(types)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(sql("look up"))?;
        Ok(found.into_iter().filter_map(|position| u64::try_from(position).ok()).collect())
    }

    pub(crate) async fn candidates(
        &self,
        item: &QueryItem,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<u64>, StorageError> {
        self.pauses.at(Pauses::LOOKUP).await;
        self.find(item, after, until, limit, false).await
    }

    pub(crate) async fn last_candidates(
        &self,
        item: &QueryItem,
        until: u64,
        limit: usize,
    ) -> Result<Vec<u64>, StorageError> {
        self.pauses.at(Pauses::LOOKUP).await;
        self.find(item, 0, until, limit, true).await
    }

    pub(crate) async fn block(&self, index: u64) -> Result<Option<Vec<u8>>, StorageError> {
        sqlx::query_scalar("SELECT packed FROM block WHERE first = ?1")
            .bind(number(index * self.block_events + 1))
            .fetch_optional(&self.pool)
            .await
            .map_err(sql("read a block"))
    }

    pub(crate) async fn check_block(
        &self,
        block: &SealBlock,
    ) -> Result<Result<(), String>, StorageError> {
        let index = block.first / self.block_events;
        if self.block(index).await?.as_ref() != Some(&block.packed) {
            return Ok(Err(format!("the replay block from position {} differs", block.first)));
        }
        for (position, event) in (block.first..).zip(&block.events) {
            for key in &event.keys {
                let item = QueryItem { types: vec![], tags: vec![key.clone()] };
                if self.find(&item, position - 1, position, 1, false).await?.is_empty() {
                    return Ok(Err(format!("the index does not find {key} at {position}")));
                }
            }
        }
        Ok(Ok(()))
    }
}
