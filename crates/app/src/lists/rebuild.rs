//! Rebuild: lists are built beside the live ones and swapped in. One pass over the log serves all
//! of them; if memory cannot hold their rows, each of several passes takes a range of the keys'
//! slices. A stopped rebuild continues after the slices that it had loaded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daicho_projections::{List, Partition, SLICES, all};
use daicho_store::views::{RebuildFrom, Resumed, Shadow, ViewPoint, ViewState, Views};
use daicho_store::{Book, Log, State};
use daicho_values::Date;
use sha2::{Digest, Sha256};

use super::folds::Folds;
use super::loading::{self, Batches};
use super::replay::{Replay, Replayer};
use super::rows::{
    CATCH_UP_EVENTS, DUE_ROWS, changes, changes_of_day, fold_over, schema_of, touched,
};
use super::work_lease::WorkLease;
use crate::error::Failure;
use crate::progress::Progress;
use crate::record::{Record, SOFTWARE};
use crate::storage::Storage;

/// The bytes that the rows of a rebuild may hold in memory by default.
const MEMORY_BYTES: usize = 1_024 * 1_024 * 1_024;
/// A stopped rebuild continues only if it has at least this many events for each one recorded
/// since: the missing ones are caught up with row by row.
const RESUMED_EVENTS_PER_MISSED: u64 = 4;

/// How often a rebuild catches up with a live list that others keep updating before it is swapped
/// in all the same: what it then lacks is folded into it by its next reader.
const SWAP_TRIES_MAX: u32 = 1_000;

/// How lists are rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildOptions {
    /// Bytes that the folded rows may hold at once, estimated from their number and the encoded
    /// size of samples; what is read ahead and the database's own memory come on top.
    pub memory_bytes: usize,
    /// What becomes of a rebuild that was stopped.
    pub stopped: Stopped,
}

/// What becomes of a rebuild that was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It continues, if it was begun by the same program on the same record.
    GoesOn,
    /// It is dropped.
    IsDropped,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self { memory_bytes: MEMORY_BYTES, stopped: Stopped::GoesOn }
    }
}

/// A list that was rebuilt.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rebuilt {
    /// Its name.
    pub list: &'static str,
    /// The number of its rows.
    pub rows: u64,
    /// How many of its [`SLICES`] slices a stopped rebuild had already loaded.
    pub resumed_slices: u32,
}

/// The result of rebuilding one or more lists.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rebuild {
    /// The number of events in the record when it began.
    pub events: u64,
    /// How often they were folded: more than once if memory was short.
    pub passes: u32,
    /// How long it took, from the first read to the last swap.
    #[serde(skip)]
    pub took: Duration,
    /// The lists.
    pub lists: Vec<Rebuilt>,
}

/// A list that is being rebuilt.
struct Making {
    list: &'static dyn List,
    shadow: Shadow,
    /// The number of slices that were loaded when it began.
    resumed: u32,
    /// The number of slices that are loaded.
    loaded: u32,
    /// The last position folded into it.
    cursor: u64,
}

impl Making {
    fn is_loaded(&self) -> bool {
        self.loaded >= SLICES
    }
}

/// Rebuilds lists.
pub struct Rebuilds {
    log: Arc<Book>,
    views: Arc<dyn Views>,
    state: Arc<dyn State>,
    record: Arc<Record>,
    replayer: Replayer,
}

impl Rebuilds {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            log: Arc::clone(&storage.log),
            views: Arc::clone(&storage.views),
            state: Arc::clone(&storage.state),
            record: Arc::clone(record),
            replayer: Replayer::of(storage, record),
        }
    }

    /// Rebuilds lists beside the live ones and swaps them in. Waits for other processes that
    /// rebuild one of them or bring it up to date from far behind.
    ///
    /// # Errors
    /// An event cannot be read, or storage fails; the live lists stay as they were.
    pub async fn run(
        &self,
        lists: &[&'static dyn List],
        progress: &dyn Progress,
    ) -> Result<Rebuild, Failure> {
        self.run_with(lists, &RebuildOptions::default(), progress).await
    }

    /// Rebuilds lists as [`Rebuilds::run`] does, with options.
    ///
    /// # Errors
    /// As [`Rebuilds::run`], or memory cannot hold the rows of a single slice.
    pub async fn run_with(
        &self,
        lists: &[&'static dyn List],
        options: &RebuildOptions,
        progress: &dyn Progress,
    ) -> Result<Rebuild, Failure> {
        let mut leases = Vec::new();
        // Everybody takes the leases in one order: of two that need the same ones, one can always
        // proceed.
        for known in all() {
            if lists.iter().any(|list| list.name() == known.name()) {
                leases.push(WorkLease::wait(&self.state, known.name()).await?);
            }
        }
        let rebuilt = self.run_leased(lists, options, progress).await;
        for lease in leases {
            lease.end().await;
        }
        rebuilt
    }

    /// The same, for a caller that has the work leases of the lists.
    pub(crate) async fn run_leased(
        &self,
        lists: &[&'static dyn List],
        options: &RebuildOptions,
        progress: &dyn Progress,
    ) -> Result<Rebuild, Failure> {
        let started = Instant::now();
        let (point, mut makings) = self.begin(lists, options.stopped).await?;
        let day = self.day_of(&point).await?;
        let (mut passes, mut width) = (0, SLICES);
        while let Some(first) = first_missing(&makings) {
            passes += 1;
            let range = first..SLICES.min(first + width);
            let what = match (passes, range.end - range.start) {
                (1, SLICES) => "events folded".to_owned(),
                (pass, _) => format!("events folded, pass {pass}"),
            };
            let slices = |making: &Making| {
                (making.list, Partition::slices(making.loaded.max(first), range.end))
            };
            let slices: Vec<_> = makings.iter().map(slices).collect();
            let memory_bytes = options.memory_bytes;
            let replay = Replay { until: point.cursor, memory_bytes, what: &what };
            let folds = self.replayer.replay(Folds::over(&slices, range), replay, progress).await?;
            width = folds.end - first;
            self.load(&mut makings, folds, day, progress).await?;
        }
        let events = point.cursor;
        let lists = self.put_in_place(makings, day, progress).await?;
        Ok(Rebuild { events, passes, took: started.elapsed(), lists })
    }

    /// Begins to rebuild lists, or continues a stopped rebuild: all lists from the same point.
    async fn begin(
        &self,
        lists: &[&'static dyn List],
        stopped: Stopped,
    ) -> Result<(ViewPoint, Vec<Making>), Failure> {
        let mut resumed = Vec::new();
        for list in lists {
            resumed.push(match stopped {
                Stopped::GoesOn => self.resumed(*list).await?,
                Stopped::IsDropped => None,
            });
        }
        let from = resumed.iter().flatten().map(|resumed| resumed.from.clone()).next();
        let from = match from {
            Some(from) => from,
            None => self.beginning().await?,
        };
        let mut makings = Vec::new();
        for (list, resumed) in lists.iter().zip(resumed) {
            let resumed = resumed.filter(|resumed| resumed.from == from);
            makings.push(match resumed {
                Some(Resumed { shadow, loaded, cursor, .. }) => {
                    Making { list: *list, shadow, resumed: loaded, loaded, cursor }
                }
                None => {
                    let shadow = self.views.begin_rebuild(&schema_of(*list), &from).await?;
                    let cursor = from.point.cursor;
                    Making { list: *list, shadow, resumed: 0, loaded: 0, cursor }
                }
            });
        }
        Ok((from.point, makings))
    }

    /// The stopped rebuild of a list, if it may continue.
    async fn resumed(&self, list: &'static dyn List) -> Result<Option<Resumed>, Failure> {
        let Some(found) = self.views.resume_rebuild(&schema_of(list)).await? else {
            return Ok(None);
        };
        let (target, head) = (found.from.point.cursor, self.record.head().await?);
        let is_near = target <= head && (head - target) * RESUMED_EVENTS_PER_MISSED <= target;
        // What it has folded in beyond the target may be of a tail of the record that was lost.
        let is_of_target = is_near && found.cursor == target;
        let is_sound = is_of_target && found.from.origin == self.origin(target).await?;
        Ok(is_sound.then_some(found))
    }

    /// The end of the record, and today.
    async fn beginning(&self) -> Result<RebuildFrom, Failure> {
        let cursor = self.record.head().await?;
        let point = ViewPoint { cursor, as_of: self.record.today().await?.to_string() };
        Ok(RebuildFrom { point, origin: self.origin(cursor).await? })
    }

    /// Identifies the program that makes the rows and the record that it makes them from: the
    /// record's last envelope binds everything before it.
    async fn origin(&self, target: u64) -> Result<String, Failure> {
        let everything = daicho_store::Query::everything();
        let page = self.log.read(&everything, target.saturating_sub(1), target, 1).await?;
        let envelope = page.events.last().map(|event| Sha256::digest(event.envelope.as_bytes()));
        Ok(format!("{SOFTWARE}, {SLICES} slices, {}", hex::encode(envelope.unwrap_or_default())))
    }

    /// The day of a point.
    async fn day_of(&self, point: &ViewPoint) -> Result<Date, Failure> {
        match point.as_of.parse() {
            Ok(day) => Ok(day),
            Err(_) => self.record.today().await,
        }
    }

    /// Writes the rows of a pass. The indexes of a complete list are built while the next list is
    /// written, if the database allows it.
    async fn load(
        &self,
        makings: &mut [Making],
        folds: Folds,
        day: Date,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        progress.begin("rows written", folds.len() as u64);
        let lists = makings.iter().map(|making| (making.list, making.loaded)).collect();
        let batches = loading::encode(lists, folds, day);
        let (mut written, mut complete) = (0, None);
        for (making, batches) in makings.iter_mut().zip(batches) {
            let index = self.index(complete.take());
            let load = self.load_list(making, batches, &mut written, progress);
            tokio::try_join!(index, load)?;
            complete = making.is_loaded().then_some(&making.shadow);
        }
        self.index(complete).await?;
        progress.end();
        Ok(())
    }

    async fn load_list(
        &self,
        making: &mut Making,
        mut batches: Batches,
        written: &mut u64,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        while let Some(batch) = batches.next().await? {
            *written += batch.rows.len() as u64;
            self.views.load(&making.shadow, batch.rows, batch.loaded).await?;
            making.loaded = batch.loaded;
            progress.at(*written);
        }
        Ok(())
    }

    async fn index(&self, shadow: Option<&Shadow>) -> Result<(), Failure> {
        match shadow {
            Some(shadow) => Ok(self.views.index_shadow(shadow).await?),
            None => Ok(()),
        }
    }

    /// Brings every list to the head and swaps it in.
    async fn put_in_place(
        &self,
        makings: Vec<Making>,
        day: Date,
        progress: &dyn Progress,
    ) -> Result<Vec<Rebuilt>, Failure> {
        progress.begin("lists put in place", makings.len() as u64);
        let mut rebuilt = Vec::new();
        for making in makings {
            let (list, resumed_slices) = (making.list.name(), making.resumed);
            self.views.index_shadow(&making.shadow).await?;
            let rows = self.swap(making, day).await?.rows;
            rebuilt.push(Rebuilt { list, rows, resumed_slices });
            progress.at(rebuilt.len() as u64);
        }
        progress.end();
        Ok(rebuilt)
    }

    /// Swaps a list in once neither its position nor its day is behind the live list's: whoever has
    /// brought the live list to a position and a day still finds them.
    async fn swap(&self, mut making: Making, mut day: Date) -> Result<ViewState, Failure> {
        for _ in 0..SWAP_TRIES_MAX {
            let today = self.record.today().await?;
            let head = self.catch_up_shadow(&mut making, day).await?;
            if day < today {
                self.bring_shadow_to(&making, today).await?;
                day = today;
            }
            let point = ViewPoint { cursor: making.cursor, as_of: day.to_string() };
            if let Some(state) = self.views.swap_forward(&making.shadow, &point).await? {
                return Ok(state);
            }
            if self.record.head().await? == head && self.record.today().await? == today {
                break; // the live list is of another record, or was made by a clock that is ahead
            }
        }
        let point = ViewPoint { cursor: making.cursor, as_of: day.to_string() };
        Ok(self.views.swap(making.shadow, &point).await?)
    }

    /// Folds into a shadow table what was recorded since; returns the head that it has then
    /// reached.
    async fn catch_up_shadow(&self, making: &mut Making, day: Date) -> Result<u64, Failure> {
        let Making { list, shadow, cursor, .. } = making;
        let head = self.record.head().await?;
        while *cursor < head {
            let until = head.min(*cursor + CATCH_UP_EVENTS);
            let events = self.record.events_between(*cursor, until).await?;
            let rows = self.views.shadow_rows(shadow, &touched(*list, &events)).await?;
            let changes = changes(*list, fold_over(*list, rows.iter(), &events)?.finish_on(day)?);
            self.views.shadow_write(shadow, changes, until).await?;
            *cursor = until;
        }
        Ok(head)
    }

    /// Recomputes the rows of a shadow table that change because days have passed.
    async fn bring_shadow_to(&self, making: &Making, today: Date) -> Result<(), Failure> {
        let Making { list, shadow, cursor, .. } = making;
        loop {
            let due = self.views.shadow_due(shadow, &today.to_string(), DUE_ROWS).await?;
            let is_last = due.len() < DUE_ROWS as usize;
            let changes = changes_of_day(*list, due, today)?;
            self.views.shadow_write(shadow, changes, *cursor).await?;
            if is_last {
                return Ok(());
            }
        }
    }
}

/// The first slice that a list has not loaded; `None` if all lists are complete.
fn first_missing(makings: &[Making]) -> Option<u32> {
    makings.iter().map(|making| making.loaded).min().filter(|first| *first < SLICES)
}
