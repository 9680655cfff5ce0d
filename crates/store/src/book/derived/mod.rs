//! The sealed, derived form of the log. It can be dropped and is made again.
//!
//! Three things are made of each block of committed events: a sorted run of the index by key, the
//! tiles of the Merkle tree, and the replay block. Runs are merged sixteen to one, twice.
//!
//! Invariants: it never leads the record; what a process knows of it is one consistent list of
//! runs, and a page taken away by a merge makes a lookup choose its runs again, never miss one; ids
//! of runs and pages are never used twice.

mod aside;
mod block;
mod cache;
mod check;
mod checksum;
mod database;
mod digests;
mod filter;
mod lookup;
mod merge;
mod open;
mod page;
mod pauses;
mod reader;
mod run;
mod seal;
mod snapshot;
#[cfg(test)]
mod tests;
mod tiles;
mod types;

use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock};

use crate::StorageError;
use crate::keys::HashedItem;

use database::to_sql;
use digests::RunDigests;
use lookup::{Direction, Wanted};
use reader::{Miss, Reader};
use snapshot::Snapshot;

pub(crate) use block::{SealBlock, SealEvent};
pub(crate) use database::*;
pub(crate) use open::RecordProbe;
pub use pauses::{Pause, Pauses};

/// Events a block may have: two bytes number them.
const BLOCK_EVENTS_MAX: u32 = 65_536;
/// How often a lookup chooses its runs again before it gives up: each time a merge came in between.
const LOOKUP_TRIES_MAX: u32 = 100;

/// The derived state of one book, as this process knows it.
#[derive(Debug)]
pub(crate) struct Derived {
    database: Arc<dyn DerivedDb>,
    reader: Reader,
    snapshot: RwLock<Arc<Snapshot>>,
    block_events: u64,
    pauses: Pauses,
    checked: tokio::sync::Mutex<Option<RunDigests>>,
}

impl Derived {
    /// Takes the derived state as it is, and begins it anew when it is missing, made for something
    /// else, ahead of the record or not of this record.
    pub(crate) async fn open(
        database: Arc<dyn DerivedDb>,
        identity: &Identity,
        probe: &dyn RecordProbe,
        pauses: Pauses,
    ) -> Result<Self, StorageError> {
        let events = 1..=BLOCK_EVENTS_MAX;
        assert!(events.contains(&identity.block_events), "a block has 1 to 65,536 events");
        let snapshot = open::open(database.as_ref(), identity, probe).await?;
        Ok(Self {
            reader: Reader::new(Arc::clone(&database)),
            database,
            snapshot: RwLock::new(Arc::new(snapshot)),
            block_events: u64::from(identity.block_events),
            pauses,
            checked: tokio::sync::Mutex::default(),
        })
    }

    /// Lets go of the database; waits until it has been let go of.
    pub(crate) async fn close(&self) {
        self.database.close().await;
    }

    /// Position up to which this process has read everything as sealed, 0: nothing. It never goes
    /// back.
    pub(crate) fn sealed_to(&self) -> u64 {
        self.snapshot().sealed_to
    }

    /// Takes in what other processes have sealed and merged; answers [`Derived::sealed_to`].
    ///
    /// # Errors
    /// [`StorageError::Remade`] when another process began the derived state anew: open it again.
    pub(crate) async fn refresh(&self) -> Result<u64, StorageError> {
        let held = self.snapshot();
        let mut tx = self.database.read().await?;
        let meta = tx.meta().await?;
        self.check_incarnation(&meta)?;
        if !held.is_current(&meta) {
            let loaded = Snapshot::load(tx.as_mut(), meta, Some(&held)).await?;
            self.publish(Arc::new(loaded));
        }
        tx.rollback().await?;
        let sealed_to = self.sealed_to();
        assert!(sealed_to >= held.sealed_to, "what was read as sealed stays sealed");
        Ok(sealed_to)
    }

    /// Seals `block`, which follows the last sealed one, and merges runs when that is due.
    /// When another process has sealed it meanwhile, this is learnt and nothing is written.
    pub(crate) async fn seal(&self, block: SealBlock) -> Result<(), StorageError> {
        self.seal_block(block).await?;
        self.merge_due().await
    }

    /// Sealed positions in `(after, until]` that may match `item`, ascending; the first `limit`.
    /// None that matches is left out; a few may not match.
    pub(crate) async fn candidates(
        &self,
        item: &HashedItem,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<u64>, StorageError> {
        let positions = after.saturating_add(1)..=until;
        self.find(&Wanted::new(item, positions, limit, Direction::Ascending)).await
    }

    /// Sealed positions up to `until` that may match `item`, descending; the last `limit`.
    pub(crate) async fn last_candidates(
        &self,
        item: &HashedItem,
        until: u64,
        limit: usize,
    ) -> Result<Vec<u64>, StorageError> {
        let positions: RangeInclusive<u64> = 1..=until;
        self.find(&Wanted::new(item, positions, limit, Direction::Descending)).await
    }

    /// Replay block number `index` (from 0), none when it is not sealed.
    ///
    /// # Errors
    /// [`StorageError::Remade`] when another process began anew: it may have packed otherwise.
    pub(crate) async fn block(&self, index: u64) -> Result<Option<Vec<u8>>, StorageError> {
        let held = self.snapshot();
        let (current, packed) = self.database.packed(to_sql(index)?, &held.incarnation).await?;
        if !current {
            return Err(StorageError::Remade);
        }
        if packed.is_none() && index < held.sealed_to / self.block_events {
            return Err(StorageError::Corrupt(format!("block {index} is missing")));
        }
        Ok(packed)
    }

    /// Tile `index` of `level` as C2SP tlog-tiles has it: up to 256 hashes, the last one partial.
    pub(crate) async fn tile(
        &self,
        level: u8,
        index: u64,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        self.database.tile(i64::from(level), to_sql(index)?).await
    }

    /// Looks in one consistent list of runs; after a merge in a newer one, from the start.
    async fn find(&self, wanted: &Wanted) -> Result<Vec<u64>, StorageError> {
        for _ in 0..LOOKUP_TRIES_MAX {
            let snapshot = self.snapshot();
            self.pauses.at(Pauses::LOOKUP).await;
            match lookup::find(&self.reader, &snapshot, wanted).await {
                Ok(found) => return Ok(found),
                Err(Miss::Stale) => self.refresh().await?,
                Err(Miss::Storage(error)) => return Err(error),
            };
        }
        Err(StorageError::Busy { context: "look up a key between merges" })
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes `loaded` known unless something newer is.
    fn publish(&self, loaded: Arc<Snapshot>) {
        let mut held = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if loaded.is_newer_than(&held) {
            assert!(loaded.sealed_to >= held.sealed_to, "the seal never goes back");
            *held = loaded;
        }
    }

    fn check_incarnation(&self, meta: &Meta) -> Result<(), StorageError> {
        if meta.incarnation == self.snapshot().incarnation {
            Ok(())
        } else {
            Err(StorageError::Remade)
        }
    }

    /// Number of the block; its place and size are the caller's duty.
    fn index_of(&self, block: &SealBlock) -> u64 {
        let aligned = block.first % self.block_events == 1 % self.block_events;
        assert!(block.first > 0 && aligned, "a block starts where one can start");
        assert_eq!(block.events.len() as u64, self.block_events, "a block is full");
        (block.first - 1) / self.block_events
    }
}
