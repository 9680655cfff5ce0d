//! Reads pages and type columns for lookups, through the cache.
//!
//! A page is read together with the generation: if a merge took runs away since the reader chose
//! its list, it learns so and chooses again. Ids are never reused, so a cached page stays right.

use std::collections::HashMap;
use std::sync::Arc;

use crate::StorageError;

use super::cache::{Blob, Cache};
use super::checksum::verified;
use super::database::{DerivedDb, HeldRuns, PageRow, to_sql};
use super::run::{Run, page_id};
use super::snapshot::Snapshot;

/// Why a lookup did not get its page.
#[derive(Debug)]
pub(super) enum Miss {
    /// The list of runs is not the present one: take it again.
    Stale,
    /// Something failed.
    Storage(StorageError),
}

impl From<StorageError> for Miss {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// The reading connections and what they have read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) database: Arc<dyn DerivedDb>,
    cache: Cache,
}

impl Reader {
    pub(super) fn new(database: Arc<dyn DerivedDb>) -> Self {
        Self { database, cache: Cache::default() }
    }

    /// These pages of `run`, in the order of `numbers`.
    pub(super) async fn pages(
        &self,
        snapshot: &Snapshot,
        run: &Run,
        numbers: impl Iterator<Item = usize>,
    ) -> Result<Vec<Arc<[u8]>>, Miss> {
        let ids: Vec<i64> = numbers.map(|number| page_id(run.id, number)).collect();
        let mut known: Vec<Option<Arc<[u8]>>> =
            ids.iter().map(|id| self.cache.get(Blob::Page(*id))).collect();
        let pairs = ids.iter().zip(&known);
        let missing: Vec<i64> =
            pairs.filter(|(_, page)| page.is_none()).map(|(id, _)| *id).collect();
        if !missing.is_empty() {
            let mut read = self.read_pages(snapshot, &missing).await?;
            for (id, page) in ids.iter().zip(&mut known) {
                if let Some(bytes) = read.remove(id) {
                    self.cache.put(Blob::Page(*id), Arc::clone(&bytes));
                    *page = Some(bytes);
                }
            }
        }
        let pages: Vec<Arc<[u8]>> = known.into_iter().flatten().collect();
        assert_eq!(pages.len(), ids.len(), "every page was known or read");
        Ok(pages)
    }

    /// Reads pages past the cache; each is checked.
    pub(super) async fn read_pages(
        &self,
        snapshot: &Snapshot,
        ids: &[i64],
    ) -> Result<HashMap<i64, Arc<[u8]>>, Miss> {
        assert!(!ids.is_empty(), "only missing pages are read");
        let held = HeldRuns { incarnation: &snapshot.incarnation, generation: snapshot.generation };
        let rows = self.database.pages(ids, held).await?;
        let mut pages = HashMap::with_capacity(rows.len());
        for PageRow { current, id, data } in rows {
            if !current {
                return Err(Miss::Stale);
            }
            let missing =
                || StorageError::Corrupt(format!("page {id} of the key index is missing"));
            let data = data.ok_or_else(missing)?;
            pages.insert(id, Arc::from(verified(&data, "a page of the key index")?));
        }
        match ids.iter().find(|id| !pages.contains_key(id)) {
            Some(id) => Err(StorageError::Corrupt(format!("page {id} was not answered")).into()),
            None => Ok(pages),
        }
    }

    /// The type column of block `index`, as it is stored.
    pub(super) async fn type_column(
        &self,
        snapshot: &Snapshot,
        index: u64,
    ) -> Result<Arc<[u8]>, Miss> {
        let id = to_sql(index)?;
        if let Some(column) = self.cache.get(Blob::Types(id)) {
            return Ok(column);
        }
        let (current, data) = self.database.type_column(id, &snapshot.incarnation).await?;
        if !current {
            return Err(Miss::Stale);
        }
        let missing = || StorageError::Corrupt(format!("block {index} is missing"));
        let data = data.ok_or_else(missing)?;
        let column: Arc<[u8]> = Arc::from(verified(&data, "a column of types")?);
        self.cache.put(Blob::Types(id), Arc::clone(&column));
        Ok(column)
    }
}
