//! Upkeep of the stored lists: each is brought to the head and to today when it is read.

use std::sync::Arc;

use daicho_projections::List;
use daicho_store::State;
use daicho_store::views::{ViewError, ViewPoint, ViewState, ViewWriteError, Views};
use daicho_values::Date;

use super::rebuild::{RebuildOptions, Rebuilds};
use super::rows::{
    CATCH_UP_EVENTS, DUE_ROWS, changes, changes_of_day, fold_over, schema_of, touched,
};
use super::work_lease::{Looks, WorkLease};
use crate::error::Failure;
use crate::progress::Unwatched;
use crate::record::Record;
use crate::storage::Storage;

/// The wait for another process has no limit: it lasts until that process is done or has died.
pub(crate) const WAIT_MS_ANY: u64 = u64::MAX;
/// An empty list that is behind by more than this many events is rebuilt instead of caught up with.
const REBUILD_EVENTS_MIN: u64 = 4 * CATCH_UP_EVENTS;

/// Keeps the stored lists up to date.
pub(crate) struct Upkeep {
    views: Arc<dyn Views>,
    state: Arc<dyn State>,
    record: Arc<Record>,
    rebuilds: Rebuilds,
}

impl Upkeep {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            views: Arc::clone(&storage.views),
            state: Arc::clone(&storage.state),
            record: Arc::clone(record),
            rebuilds: Rebuilds::of(storage, record),
        }
    }

    /// Brings the stored form of a list to the head of the log and to today.
    pub(crate) async fn keep_up(&self, list: &'static dyn List) -> Result<ViewState, Failure> {
        let head = self.record.head().await?;
        self.keep_up_to(list, head, WAIT_MS_ANY).await
    }

    /// Brings the stored form of a list to a recorded position and to today.
    ///
    /// Long work is done by one process: the one that has the work lease, or takes it over when it
    /// ends. Short work is done at once, since it costs less than a lease; if two processes do it,
    /// the write of one of them is refused.
    ///
    /// # Errors
    /// Another process had the lease for `wait_ms`. The work of this process itself has no time
    /// limit: if it were stopped, the next process would have to begin again.
    pub(crate) async fn keep_up_to(
        &self,
        list: &'static dyn List,
        target: u64,
        wait_ms: u64,
    ) -> Result<ViewState, Failure> {
        let today = self.record.today().await?;
        let mut state = self.views.ensure(&schema_of(list), &today.to_string()).await?;
        let (mut looks, mut left_ms) = (Looks::start(), wait_ms);
        loop {
            // The head is read after the state: derived state is never ahead of a head that was
            // read later.
            let head = self.record.head().await?.max(target);
            let as_of = state.point.as_of.parse::<Date>().unwrap_or(today);
            let stands = state.point.cursor >= target && as_of >= today;
            if stands && state.point.cursor <= head {
                return Ok(state);
            }
            if !is_long(&state.point, head) {
                self.step_to(list, head, today).await?;
            } else if let Some(lease) = WorkLease::take(&self.state, list.name()).await? {
                let worked = self.work(list, today).await;
                lease.end().await;
                match worked {
                    // Somebody works without a lease, or our lease was lost: look at the list's
                    // position again.
                    Ok(()) | Err(Failure::View(ViewError::Superseded { .. })) => {}
                    Err(error) => return Err(error),
                }
            } else if left_ms > 0 {
                left_ms -= looks.pause(left_ms).await;
            } else {
                let (list, at) = (list.name(), state.point.cursor);
                return Err(Failure::NotReached { list, position: target, at, wait_ms });
            }
            state = self.views.state(list.name()).await?;
        }
    }

    /// Rebuilds a list if that is due, then brings it to the head. It checks again what is due,
    /// reading the list first and the head after it: others may have worked while it waited for its
    /// lease.
    async fn work(&self, list: &'static dyn List, today: Date) -> Result<(), Failure> {
        let cursor = self.views.state(list.name()).await?.point.cursor;
        let head = self.record.head().await?;
        // Derived state is never ahead of its record: a list that is ahead belongs to another
        // record.
        if cursor > head || (cursor == 0 && head > REBUILD_EVENTS_MIN) {
            let options = RebuildOptions::default();
            let rebuilt = self.rebuilds.run_leased(&[list], &options, &Unwatched).await;
            rebuilt.map_err(|error| unless_memory(error, list))?;
        }
        self.step_to(list, head, today).await
    }

    /// Folds and recomputes step by step, until the list has reached `head` and `today`.
    async fn step_to(
        &self,
        list: &'static dyn List,
        head: u64,
        today: Date,
    ) -> Result<(), Failure> {
        loop {
            let point = self.views.state(list.name()).await?.point;
            let as_of = point.as_of.parse::<Date>().unwrap_or(today);
            let step = match (point.cursor < head, as_of < today) {
                (true, _) => self.fold_step(list, &point, as_of, head).await,
                (false, true) => self.day_step(list, &point, today).await,
                (false, false) => return Ok(()),
            };
            match step {
                // Another process updates the same list: look at its position again.
                Ok(()) | Err(Failure::ViewWrite(ViewWriteError::Moved { .. })) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Folds the next events into the stored rows that they touch.
    async fn fold_step(
        &self,
        list: &'static dyn List,
        from: &ViewPoint,
        as_of: Date,
        head: u64,
    ) -> Result<(), Failure> {
        let until = head.min(from.cursor + CATCH_UP_EVENTS);
        let events = self.record.events_between(from.cursor, until).await?;
        let keys = touched(list, &events);
        let rows = self.views.rows(list.name(), &keys).await?;
        let changes = changes(list, fold_over(list, rows.iter(), &events)?.finish_on(as_of)?);
        let to = ViewPoint { cursor: until, as_of: from.as_of.clone() };
        Ok(self.views.write(list.name(), from, changes, &to).await?)
    }

    /// Recomputes the columns of rows that change because a day has come; the last step moves the
    /// list's day.
    async fn day_step(
        &self,
        list: &'static dyn List,
        from: &ViewPoint,
        today: Date,
    ) -> Result<(), Failure> {
        let due = self.views.due(list.name(), &today.to_string(), DUE_ROWS).await?;
        let is_last = due.len() < DUE_ROWS as usize;
        let changes = changes_of_day(list, due, today)?;
        let as_of = if is_last { today.to_string() } else { from.as_of.clone() };
        let to = ViewPoint { cursor: from.cursor, as_of };
        Ok(self.views.write(list.name(), from, changes, &to).await?)
    }
}

/// Whether the list must be rebuilt, or needs more than one step to be up to date, so that a lease
/// is worth its cost.
fn is_long(point: &ViewPoint, head: u64) -> bool {
    point.cursor > head || head - point.cursor > CATCH_UP_EVENTS
}

/// Whoever reads a list has not chosen how much memory its rebuild may use.
fn unless_memory(error: Failure, list: &'static dyn List) -> Failure {
    if let Failure::MemoryTooSmall { bytes_max, .. } = error {
        return Failure::ListTooLarge { list: list.name(), bytes_max };
    }
    error
}
