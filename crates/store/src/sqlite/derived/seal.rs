//! Writes a block into the derived state: its run of keys, its types, its tiles, its replay block.
//!
//! All in one transaction; if another process has sealed the block meanwhile, nothing is written.

use sqlx::SqliteConnection;

use crate::StorageError;

use super::checksum::with_sum;
use super::database::{begin_write, from_sql, to_sql};
use super::hash::{key_hash, type_code};
use super::page::Entry;
use super::run::{RunIndex, RunWriter, page_id};
use super::snapshot::read_meta;
use super::tiles::{self, Hash, Tile};
use super::types::{TypeColumn, encode_codes};
use super::{Derived, SealBlock};

/// A block, ready to be written.
#[derive(Debug)]
struct Prepared {
    first: u64,
    last: u64,
    index: u64,
    pages: Vec<Vec<u8>>,
    keys: RunIndex,
    types: TypeColumn,
    leaves: Vec<Hash>,
    packed: Vec<u8>,
}

/// Type code of each event of the block.
pub(super) fn type_codes(block: &SealBlock) -> Vec<u32> {
    block.events.iter().map(|event| type_code(&event.type_name)).collect()
}

/// The entries of the block, sorted; offsets count from its first position.
pub(super) fn entries_of(block: &SealBlock, type_codes: &[u32]) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(block.events.iter().map(|event| event.keys.len()).sum());
    for ((offset, event), type_code) in (0_u64..).zip(&block.events).zip(type_codes) {
        let keys = event.keys.iter();
        entries.extend(keys.map(|key| Entry {
            hash: key_hash(key),
            offset,
            type_code: *type_code,
        }));
    }
    entries.sort_unstable();
    entries.dedup_by_key(|entry| (entry.hash, entry.offset));
    entries
}

fn prepare(block: SealBlock, last: u64, index: u64) -> Prepared {
    let type_codes = type_codes(&block);
    let mut writer = RunWriter::default();
    for entry in entries_of(&block, &type_codes) {
        writer.push(entry);
    }
    let (pages, keys) = writer.finish();
    let types = TypeColumn::new(&type_codes);
    let leaves = block.events.iter().map(|event| event.leaf).collect();
    Prepared { first: block.first, last, index, pages, keys, types, leaves, packed: block.packed }
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sealed {
    Now,
    Before,
}

impl Derived {
    /// See [`Derived::seal`]; without the merges that may be due after it.
    pub(super) async fn seal_block(&self, block: SealBlock) -> Result<(), StorageError> {
        let index = self.index_of(&block);
        let last = block.first + self.block_events - 1;
        let preparing = tokio::task::spawn_blocking(move || prepare(block, last, index));
        let prepared = match preparing.await {
            Ok(prepared) => prepared,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Err(StorageError::Busy { context: "seal: the process ends" }),
            },
        };
        self.pauses.at("seal:begin").await;
        let sealed = self.write_block(&prepared).await?;
        if sealed == Sealed::Now {
            self.pauses.at("seal:committed").await;
        }
        let sealed_to = self.refresh().await?;
        assert!(sealed_to >= last, "what was sealed is known as sealed");
        if sealed == Sealed::Now {
            self.pauses.at("seal:published").await;
        }
        Ok(())
    }

    async fn write_block(&self, block: &Prepared) -> Result<Sealed, StorageError> {
        let mut tx = begin_write(&self.writer, "seal a block").await?;
        let meta = read_meta(&mut tx).await?;
        self.check_incarnation(&meta)?;
        let sealed_to = from_sql(meta.sealed_to)?;
        if sealed_to >= block.last {
            return Ok(Sealed::Before); // dropping the transaction rolls it back
        }
        if block.first != sealed_to + 1 {
            return Err(StorageError::OutOfOrder { first: block.first, sealed_to });
        }
        write_rows(&mut tx, block, meta.next_run).await?;
        self.pauses.at("seal:rows").await;
        sqlx::query(include_str!("sql/seal_meta.sql"))
            .bind(to_sql(block.last)?)
            .execute(&mut *tx)
            .await
            .map_err(StorageError::sqlx("move the seal"))?;
        self.pauses.at("seal:commit").await;
        tx.commit().await.map_err(StorageError::sqlx("commit a sealed block"))?;
        Ok(Sealed::Now)
    }
}

async fn write_rows(
    connection: &mut SqliteConnection,
    block: &Prepared,
    run: i64,
) -> Result<(), StorageError> {
    insert_pages(connection, page_id(run, 0), &block.pages).await?;
    let run = NewRunRow { id: run, level: 0, first_block: block.index, blocks: 1 };
    insert_run(connection, &run, &block.keys).await?;
    sqlx::query(include_str!("sql/insert_block.sql"))
        .bind(to_sql(block.index)?)
        .bind(with_sum(encode_codes(&block.types.codes)))
        .bind(with_sum(block.types.indexes.clone()))
        .bind(block.packed.as_slice())
        .execute(&mut *connection)
        .await
        .map_err(StorageError::sqlx("write a replay block"))?;
    write_tiles(connection, block.first - 1, &block.leaves).await
}

async fn write_tiles(
    connection: &mut SqliteConnection,
    count: u64,
    leaves: &[Hash],
) -> Result<(), StorageError> {
    let mut partial = Vec::new();
    for (level, index, width) in tiles::partial_tiles(count) {
        let hashes = read_tile(connection, level, index).await?;
        let hashes = hashes.as_deref().and_then(tiles::decode);
        let corrupt = || StorageError::Corrupt(format!("tile {index} of level {level}"));
        let hashes = hashes.filter(|hashes| hashes.len() == width).ok_or_else(corrupt)?;
        partial.push(Tile { level, index, hashes });
    }
    for tile in tiles::grow(count, &partial, leaves) {
        sqlx::query(include_str!("sql/put_tile.sql"))
            .bind(i64::from(tile.level))
            .bind(to_sql(tile.index)?)
            .bind(tile.encode())
            .execute(&mut *connection)
            .await
            .map_err(StorageError::sqlx("write a tile"))?;
    }
    Ok(())
}

/// The stored tile, if there is one.
pub(super) async fn read_tile(
    connection: &mut SqliteConnection,
    level: u8,
    index: u64,
) -> Result<Option<Vec<u8>>, StorageError> {
    sqlx::query_scalar(include_str!("sql/read_tile.sql"))
        .bind(i64::from(level))
        .bind(to_sql(index)?)
        .fetch_optional(connection)
        .await
        .map_err(StorageError::sqlx("read a tile"))
}

/// The place of a run that is being written.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRunRow {
    pub(super) id: i64,
    pub(super) level: u8,
    pub(super) first_block: u64,
    pub(super) blocks: u64,
}

/// Writes the row of a run.
pub(super) async fn insert_run(
    connection: &mut SqliteConnection,
    run: &NewRunRow,
    index: &RunIndex,
) -> Result<(), StorageError> {
    sqlx::query(include_str!("sql/insert_run.sql"))
        .bind(run.id)
        .bind(i64::from(run.level))
        .bind(to_sql(run.first_block)?)
        .bind(to_sql(run.blocks)?)
        .bind(to_sql(index.keys as u64)?)
        .bind(to_sql(index.directory.len() as u64)?)
        .bind(with_sum(index.filter.encode()))
        .bind(with_sum(index.directory.encode()))
        .execute(connection)
        .await
        .map_err(StorageError::sqlx("write a run"))?;
    Ok(())
}

/// Writes consecutive pages in one statement.
pub(super) async fn insert_pages(
    connection: &mut SqliteConnection,
    first_id: i64,
    pages: &[Vec<u8>],
) -> Result<(), StorageError> {
    let mut spans = Vec::with_capacity(pages.len());
    let mut start = 1;
    for page in pages {
        spans.push(serde_json::Value::from(vec![start, page.len()]));
        start += page.len();
    }
    sqlx::query(include_str!("sql/insert_pages.sql"))
        .bind(first_id)
        .bind(pages.concat())
        .bind(serde_json::Value::from(spans).to_string())
        .execute(connection)
        .await
        .map_err(StorageError::sqlx("write pages of the key index"))?;
    Ok(())
}
