//! Rebuild: lists made anew beside the live ones and swapped in. One pass over the log serves all
//! of them; where memory would not hold their rows, several passes take a range of the keys' slices
//! each. A rebuild that was stopped goes on behind the slices that it had loaded.

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

/// What the rows of a rebuild may hold in memory if nobody says otherwise.
const MEMORY_BYTES: usize = 1_024 * 1_024 * 1_024;
/// A stopped rebuild goes on if at most one event was recorded since for so many that it has: what
/// it has not is caught up with row by row.
const RESUMED_EVENTS_PER_MISSED: u64 = 4;

/// How often a list that others keep up meanwhile is caught up with before it is swapped in all
/// the same: what it lacks then is folded into it by its next reader.
const SWAP_TRIES_MAX: u32 = 1_000;

/// How lists are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildOptions {
    /// Bytes that the folded rows may hold at once, as reckoned from their number and the encoded
    /// size of samples; what is read ahead and the database's own memory come on top.
    pub memory_bytes: usize,
    /// What becomes of a rebuild that was stopped.
    pub stopped: Stopped,
}

/// What becomes of a rebuild that was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It goes on, if it was begun by the same program on the same record.
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
    /// Its rows.
    pub rows: u64,
    /// Of its [`SLICES`] slices, those that a stopped rebuild had loaded.
    pub resumed_slices: u32,
}

/// What rebuilt one or more lists.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Rebuild {
    /// Events of the record when it began.
    pub events: u64,
    /// How often they were folded: more than once where memory was short.
    pub passes: u32,
    /// How long it took, from the first read to the last swap.
    #[serde(skip)]
    pub took: Duration,
    /// The lists.
    pub lists: Vec<Rebuilt>,
}

/// A list on the way.
struct Making {
    list: &'static dyn List,
    shadow: Shadow,
    /// Slices that were loaded when it began.
    resumed: u32,
    /// Slices that are loaded.
    loaded: u32,
    /// Position folded into it.
    cursor: u64,
}

impl Making {
    fn is_loaded(&self) -> bool {
        self.loaded >= SLICES
    }
}

/// Makes lists anew.
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

    /// Makes lists anew beside the live ones and swaps them in. Waits for other processes that
    /// rebuild one of them or bring it up from far behind.
    ///
    /// # Errors
    /// An event that cannot be read, or storage that fails; the live lists stay as they were.
    pub async fn run(
        &self,
        lists: &[&'static dyn List],
        progress: &dyn Progress,
    ) -> Result<Rebuild, Failure> {
        self.run_with(lists, &RebuildOptions::default(), progress).await
    }

    /// The same with options.
    ///
    /// # Errors
    /// As [`Rebuilds::run`]; and rows of a single slice that memory does not hold.
    pub async fn run_with(
        &self,
        lists: &[&'static dyn List],
        options: &RebuildOptions,
        progress: &dyn Progress,
    ) -> Result<Rebuild, Failure> {
        let mut leases = Vec::new();
        // In one order for everybody: of two that need the same leases one goes on.
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

    /// The same for who has the work leases of the lists.
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

    /// Begins to make lists, or goes on where that was stopped: all from the same point.
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

    /// The stopped rebuild of a list, if it may go on.
    async fn resumed(&self, list: &'static dyn List) -> Result<Option<Resumed>, Failure> {
        let Some(found) = self.views.resume_rebuild(&schema_of(list)).await? else {
            return Ok(None);
        };
        let (target, head) = (found.from.point.cursor, self.record.head().await?);
        let is_near = target <= head && (head - target) * RESUMED_EVENTS_PER_MISSED <= target;
        // What it has folded in behind the target may be of a tail that was lost.
        let is_of_target = is_near && found.cursor == target;
        let is_sound = is_of_target && found.from.origin == self.origin(target).await?;
        Ok(is_sound.then_some(found))
    }

    /// The end of the record and today.
    async fn beginning(&self) -> Result<RebuildFrom, Failure> {
        let cursor = self.record.head().await?;
        let point = ViewPoint { cursor, as_of: self.record.today().await?.to_string() };
        Ok(RebuildFrom { point, origin: self.origin(cursor).await? })
    }

    /// Which program makes rows of which record: its last envelope holds what binds it.
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

    /// Writes the rows of a pass. The indexes of a list that is complete are built while the next
    /// list is written, where the database allows it.
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

    /// Swaps a list in when it stands no less far than the live one, on no earlier day: whoever has
    /// brought that to a position and a day finds them there.
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
                break; // the live list is of another record, or of a clock that is ahead
            }
        }
        let point = ViewPoint { cursor: making.cursor, as_of: day.to_string() };
        Ok(self.views.swap(making.shadow, &point).await?)
    }

    /// Folds into a shadow what was recorded since; answers the head, where it then stands.
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

    /// Recomputes the rows of a shadow that changed because days came.
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

/// The first slice that a list has not loaded; none when all are complete.
fn first_missing(makings: &[Making]) -> Option<u32> {
    makings.iter().map(|making| making.loaded).min().filter(|first| *first < SLICES)
}
