//! Writes a block into the derived state: its run of keys, its types, its tiles, its replay block.
//!
//! All in one transaction; if another process has sealed the block meanwhile, nothing is written.

use crate::StorageError;

use super::Derived;
use super::aside::aside;
use super::block::{SealBlock, entries_of, type_codes};
use super::checksum::with_sum;
use super::database::{BlockRow, DerivedTx, NewRun, RunRow, from_sql, to_sql};
use super::run::{LEVEL_TOP, RunIndex, RunWriter, page_id};
use super::tiles::{self, Hash, Tile};
use super::types::{TypeColumn, encode_codes};

/// A block, ready to be written.
#[derive(Debug)]
struct Prepared {
    first: u64,
    last: u64,
    index: u64,
    pages: Vec<Vec<u8>>,
    keys: RunIndex,
    row: BlockRow,
    leaves: Vec<Hash>,
}

fn prepare(block: SealBlock, last: u64, index: u64) -> Prepared {
    let type_codes = type_codes(&block);
    let mut writer = RunWriter::default();
    for entry in entries_of(&block) {
        writer.push(entry);
    }
    let (pages, keys) = writer.finish();
    let types = TypeColumn::new(&type_codes);
    let leaves: Vec<Hash> = block.events.iter().map(|event| event.leaf).collect();
    assert_eq!(leaves.len() as u64, last + 1 - block.first, "each position has its leaf");
    let row = BlockRow {
        type_codes: with_sum(encode_codes(&types.codes)),
        type_column: with_sum(types.indexes),
        packed: block.packed,
    };
    Prepared { first: block.first, last, index, pages, keys, row, leaves }
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
        let prepared = aside("seal a block", move || prepare(block, last, index)).await?;
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
        let mut tx = self.database.write("seal a block").await?;
        let meta = tx.meta().await?;
        self.check_incarnation(&meta)?;
        let sealed_to = from_sql(meta.sealed_to)?;
        if sealed_to >= block.last {
            return Ok(Sealed::Before); // dropping the transaction rolls it back
        }
        if block.first != sealed_to + 1 {
            return Err(StorageError::OutOfOrder { first: block.first, sealed_to });
        }
        assert_eq!(block.last, sealed_to + self.block_events, "the seal moves by one block");
        put_block(tx.as_mut(), block, meta.next_run).await?;
        self.pauses.at("seal:rows").await;
        tx.move_seal(to_sql(block.last)?).await?;
        self.pauses.at("seal:commit").await;
        tx.commit().await?;
        Ok(Sealed::Now)
    }
}

async fn put_block(tx: &mut dyn DerivedTx, block: &Prepared, run: i64) -> Result<(), StorageError> {
    let pages = block.keys.directory.len();
    assert_eq!(block.pages.len(), pages, "every page of a run is in its directory");
    tx.put_pages(page_id(run, 0), &block.pages).await?;
    let run = RunPlace { id: run, level: 0, first_block: block.index, blocks: 1 };
    put_run(tx, &run, &block.keys).await?;
    tx.put_block(to_sql(block.index)?, &block.row).await?;
    put_tiles(tx, block.first - 1, &block.leaves).await
}

async fn put_tiles(
    tx: &mut dyn DerivedTx,
    count: u64,
    leaves: &[Hash],
) -> Result<(), StorageError> {
    let mut partial = Vec::new();
    for (level, index, width) in tiles::partial_tiles(count) {
        let hashes = tx.tile(i64::from(level), to_sql(index)?).await?;
        let hashes = hashes.as_deref().and_then(tiles::decode);
        let corrupt = || StorageError::Corrupt(format!("tile {index} of level {level}"));
        let hashes = hashes.filter(|hashes| hashes.len() == width).ok_or_else(corrupt)?;
        partial.push(Tile { level, index, hashes });
    }
    let grown = tiles::grow(count, &partial, leaves);
    assert!(!grown.is_empty(), "leaves fill a tile or make one");
    let stored = |tile: Tile| Ok((i64::from(tile.level), to_sql(tile.index)?, tile.encode()));
    let grown = grown.into_iter().map(stored).collect::<Result<Vec<_>, StorageError>>()?;
    tx.put_tiles(&grown).await
}

/// The place of a run that is being written.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunPlace {
    pub(super) id: i64,
    pub(super) level: u8,
    pub(super) first_block: u64,
    pub(super) blocks: u64,
}

/// Writes the row of a run.
pub(super) async fn put_run(
    tx: &mut dyn DerivedTx,
    run: &RunPlace,
    index: &RunIndex,
) -> Result<(), StorageError> {
    assert!(run.blocks > 0 && run.level <= LEVEL_TOP, "a run covers blocks, on a level there is");
    tx.put_run(&NewRun {
        place: RunRow {
            id: run.id,
            level: i64::from(run.level),
            first_block: to_sql(run.first_block)?,
            blocks: to_sql(run.blocks)?,
            pages: to_sql(index.directory.len() as u64)?,
        },
        keys: to_sql(index.keys as u64)?,
        filter: with_sum(index.filter.encode()),
        directory: with_sum(index.directory.encode()),
    })
    .await
}
