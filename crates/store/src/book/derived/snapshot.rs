//! What a process knows of the derived state: one consistent list of runs, and up to where it goes.
//!
//! A snapshot never changes. It stays right for the positions it covers; only its pages may be gone
//! after a merge, and then the reader takes a newer one.

use std::sync::Arc;

use crate::StorageError;

use super::checksum::verified;
use super::database::{DerivedTx, Meta, RunRow, from_sql, to_count, to_sql};
use super::filter::Filter;
use super::run::{Directory, Run};
use super::types::decode_codes;

/// The runs at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) incarnation: Vec<u8>,
    pub(super) generation: i64,
    pub(super) sealed_to: u64,
    pub(super) block_events: u64,
    /// In order of position, without a gap, from position 1 to `sealed_to`.
    pub(super) runs: Vec<Arc<Run>>,
}

impl Snapshot {
    /// Reads the runs; those that `held` knows are taken from it. Call it within one transaction.
    pub(super) async fn load(
        tx: &mut dyn DerivedTx,
        meta: Meta,
        held: Option<&Self>,
    ) -> Result<Self, StorageError> {
        let mut incarnations = held.into_iter().map(|held| &held.incarnation);
        assert!(incarnations.all(|held| *held == meta.incarnation), "ids name the same runs");
        let rows = tx.runs().await?;
        let block_events = from_sql(meta.block_events)?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            let known = held.and_then(|held| held.runs.iter().find(|run| run.id == row.id));
            runs.push(match known {
                Some(run) => Arc::clone(run),
                None => Arc::new(load_run(tx, &row, block_events).await?),
            });
        }
        let sealed_to = from_sql(meta.sealed_to)?;
        let Meta { incarnation, generation, .. } = meta;
        let snapshot = Self { incarnation, generation, sealed_to, block_events, runs };
        snapshot.check_coverage()?;
        Ok(snapshot)
    }

    /// The runs must cover the sealed positions without a gap.
    fn check_coverage(&self) -> Result<(), StorageError> {
        let mut covered = 0;
        for run in &self.runs {
            if run.first != covered + 1 {
                return Err(StorageError::Corrupt(format!("no run covers {}", covered + 1)));
            }
            covered = run.last;
        }
        if covered != self.sealed_to {
            let sealed_to = self.sealed_to;
            let reason = format!("the runs end at {covered}, the seal at {sealed_to}");
            return Err(StorageError::Corrupt(reason));
        }
        Ok(())
    }

    /// This snapshot was taken later than `other`, of the same incarnation.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        assert_eq!(self.incarnation, other.incarnation, "only these can be compared");
        (self.generation, self.sealed_to) > (other.generation, other.sealed_to)
    }

    /// Nothing happened between `meta` and this snapshot.
    pub(super) fn is_current(&self, meta: &Meta) -> bool {
        self.generation == meta.generation && from_sql(meta.sealed_to).ok() == Some(self.sealed_to)
    }

    /// How many runs of `level` there are.
    pub(super) fn count(&self, level: u8) -> usize {
        self.runs.iter().filter(|run| run.level == level).count()
    }

    /// The run that covers block `index`.
    pub(super) fn run_of(&self, index: u64) -> Option<&Arc<Run>> {
        self.runs.iter().find(|run| {
            (run.first_block..run.first_block.saturating_add(run.blocks)).contains(&index)
        })
    }
}

async fn load_run(
    tx: &mut dyn DerivedTx,
    row: &RunRow,
    block_events: u64,
) -> Result<Run, StorageError> {
    let (filter, directory) = tx.run(row.id).await?;
    let bad = |what: &str| StorageError::Corrupt(format!("the {what} of run {}", row.id));
    let filter = Filter::decode(verified(&filter, "a filter")?).ok_or_else(|| bad("filter"))?;
    let directory =
        Directory::decode(verified(&directory, "a directory")?).ok_or_else(|| bad("directory"))?;
    if i64::try_from(directory.len()) != Ok(row.pages) {
        return Err(bad("number of pages"));
    }
    let first_block = from_sql(row.first_block)?;
    let blocks = from_sql(row.blocks)?;
    let types = load_types(tx, first_block, blocks).await?;
    let place = |block: u64| block.checked_mul(block_events).ok_or_else(|| bad("place"));
    let after = first_block.checked_add(blocks).ok_or_else(|| bad("place"))?;
    Ok(Run {
        id: row.id,
        level: u8::try_from(row.level).map_err(|_| bad("level"))?,
        first_block,
        blocks,
        first: place(first_block)? + 1,
        last: place(after)?,
        directory,
        filter,
        types,
    })
}

/// Codes of the types in each of `blocks` blocks from `first` on.
async fn load_types(
    tx: &mut dyn DerivedTx,
    first: u64,
    blocks: u64,
) -> Result<Vec<Arc<[u32]>>, StorageError> {
    let rows = tx.type_codes(to_sql(first)?, to_sql(first.saturating_add(blocks))?).await?;
    if rows.len() != to_count(blocks)? {
        return Err(StorageError::Corrupt(format!("blocks are missing from block {first} on")));
    }
    let decode = |row: &Vec<u8>| {
        let codes = decode_codes(verified(row, "a table of types")?);
        let codes = codes.ok_or_else(|| StorageError::Corrupt("a table of types".to_owned()))?;
        Ok(Arc::from(codes))
    };
    rows.iter().map(decode).collect()
}
