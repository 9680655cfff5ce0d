//! Comparison: every stored list is compared with a fresh rebuild of it.

use std::sync::Arc;

use daicho_projections::{List, all};
use daicho_store::views::{ViewRow, Views};
use daicho_values::Date;
use sha2::{Digest, Sha256};

use super::folds::{Folds, ListFolds};
use super::replay::{Replay, Replayer};
use super::rows::{LOAD_ROWS, changes_blocking};
use super::upkeep::Upkeep;
use crate::error::Failure;
use crate::progress::Progress;
use crate::record::Record;
use crate::storage::Storage;

/// The result of comparing a stored list with a fresh rebuild of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Compared {
    /// Its name.
    pub list: &'static str,
    /// The position of both.
    pub position: u64,
    /// The number of rows of the rebuilt list.
    pub rows: u64,
    /// SHA-256 over keys, rows and columns of the stored list.
    pub live: String,
    /// The same over the rebuilt list.
    pub rebuilt: String,
    /// The first key at which they differ.
    pub first_difference: Option<String>,
}

impl Compared {
    /// Whether both are the same, byte for byte.
    pub fn is_same(&self) -> bool {
        self.live == self.rebuilt
    }
}

/// Compares stored lists with the record.
pub struct Comparison {
    views: Arc<dyn Views>,
    record: Arc<Record>,
    upkeep: Upkeep,
    replayer: Replayer,
}

impl Comparison {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            views: Arc::clone(&storage.views),
            record: Arc::clone(record),
            upkeep: Upkeep::of(storage, record),
            replayer: Replayer::of(storage, record),
        }
    }

    /// Compares every stored list with a fresh rebuild of it at the same position.
    ///
    /// # Errors
    /// An event cannot be read, or storage fails. A difference is an answer, not an error.
    pub async fn run(&self, progress: &dyn Progress) -> Result<Vec<Compared>, Failure> {
        let mut compared = Vec::new();
        for list in all() {
            compared.push(self.compare_list(*list, progress).await?);
        }
        Ok(compared)
    }

    async fn compare_list(
        &self,
        list: &'static dyn List,
        progress: &dyn Progress,
    ) -> Result<Compared, Failure> {
        let point = self.upkeep.keep_up(list).await?.point;
        let on = point.as_of.parse::<Date>().unwrap_or(self.record.today().await?);
        let folds = Folds::start(&[list]);
        let folds = self.replayer.replay(folds, Replay::whole(point.cursor), progress).await?;
        let mut anew = Vec::new();
        for part in folds.by_list().into_iter().flat_map(ListFolds::parts) {
            anew.extend(changes_blocking(list, part, on).await?.upserts);
        }
        anew.sort_by(|left, right| left.key.cmp(&right.key));
        let (mut live_digest, mut first_difference) = (Sha256::new(), None);
        let (mut after, mut expected) = (None, anew.iter());
        loop {
            let limit = u32::try_from(LOAD_ROWS).unwrap_or(u32::MAX);
            let rows = self.views.scan(list.name(), after.as_deref(), limit).await?;
            for row in &rows {
                digest(&mut live_digest, row);
                let anew = expected.next();
                if first_difference.is_none() && anew != Some(row) {
                    let key = anew.map_or(&row.key, |anew| (&anew.key).min(&row.key));
                    first_difference = Some(key.clone());
                }
            }
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
        }
        let missing = expected.next().map(|row| row.key.clone());
        let mut rebuilt_digest = Sha256::new();
        anew.iter().for_each(|row| digest(&mut rebuilt_digest, row));
        Ok(Compared {
            list: list.name(),
            position: point.cursor,
            rows: anew.len() as u64,
            live: hex::encode(live_digest.finalize()),
            rebuilt: hex::encode(rebuilt_digest.finalize()),
            first_difference: first_difference.or(missing),
        })
    }
}

fn digest(digest: &mut Sha256, row: &ViewRow) {
    let cells = format!("{:?}{:?}", row.columns, row.next_change);
    for part in [row.key.as_bytes(), &row.row, cells.as_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
}
