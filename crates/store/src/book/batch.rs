//! A batch while it is put together: which appends stand, at which positions, with which texts.
//! Pure: it is decided against a snapshot of the tail and against itself, and can be thrown away.

use std::sync::Arc;

use crate::clock;
use crate::limits;
use crate::log::{AppendError, Appended};
use crate::memory::repeated;
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::prepared::{HashedCondition, Prepared, RequestRecord};

use super::index::KeyIndex;
use super::rows::Checked;
use super::tail::{Snapshot, TailEvent};

/// Where the record ends, as the writer holds it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) frontier: Frontier,
    pub(crate) recorded_at_us: i64,
}

/// One row of the log as it is to be written.
pub(crate) struct Row<'a> {
    pub(crate) leaf: &'a Hash,
    pub(crate) envelope: &'a str,
    pub(crate) data: &'a str,
}

/// What is written at once.
pub(crate) struct Batch {
    before: u64,
    pub(crate) held: Held,
    recorded_at: String,
    pub(crate) events: Vec<TailEvent>,
    index: KeyIndex,
}

impl Batch {
    /// An empty batch behind `held`, recorded at `now_us` or, if the clock is behind, with the
    /// last; room for `events`.
    pub(crate) fn new(held: &Held, now_us: i64, events: usize) -> Self {
        let held = Held {
            frontier: held.frontier.clone(),
            recorded_at_us: held.recorded_at_us.max(now_us),
        };
        Self {
            before: held.frontier.size(),
            recorded_at: clock::format_us(held.recorded_at_us),
            held,
            events: Vec::with_capacity(events),
            index: KeyIndex::with_capacity(events),
        }
    }

    /// An empty batch for rows of another record of the same book, behind `held`.
    pub(crate) fn of_another(held: Held) -> Self {
        Self {
            before: held.frontier.size(),
            recorded_at: String::new(),
            held,
            events: Vec::new(),
            index: KeyIndex::default(),
        }
    }

    /// Adds a row as it stands in the other record.
    pub(crate) fn add_copy(&mut self, row: &Checked<'_>) {
        assert_eq!(row.position, self.end() + 1, "rows are copied in order");
        self.held.recorded_at_us = row.envelope.recorded_at_us;
        self.held.frontier.push(row.leaf);
        self.events.push(TailEvent::of(row));
    }

    /// The head before the batch.
    pub(crate) fn before(&self) -> u64 {
        self.before
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What is to be written, in order of position.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        let events = u64::try_from(self.events.len());
        assert_eq!(events, Ok(self.end() - self.before), "each row of a batch has its position");
        self.events.iter().map(|event| Row {
            leaf: &event.leaf,
            envelope: &event.envelope,
            data: event.data.as_deref().unwrap_or_default(),
        })
    }

    fn end(&self) -> u64 {
        self.held.frontier.size()
    }

    fn position(&self, place: usize) -> u64 {
        self.before + 1 + u64::try_from(place).unwrap_or(u64::MAX)
    }

    /// Decides one append and, if it stands, adds it. `checked_to` is how far its caller has
    /// looked.
    pub(crate) fn add(
        &mut self,
        prepared: &Prepared,
        checked_to: u64,
        tail: &Snapshot,
    ) -> Result<Appended, AppendError> {
        assert!(checked_to + 1 >= tail.start, "what is below the tail was looked at before");
        if let Some(request) = &prepared.request
            && let Some(answer) = self.recorded(request, checked_to, tail)?
        {
            return Ok(answer);
        }
        if let Some(condition) = &prepared.condition {
            self.check_condition(condition, checked_to, tail)?;
        }
        let first = self.end() + 1;
        let mut causes = prepared.events.iter().map(|event| event.cause);
        causes
            .try_for_each(|cause| limits::check_cause(cause, first))
            .map_err(AppendError::Refused)?;
        self.write(prepared);
        Ok(Appended { first, last: self.end(), recorded_at_us: Some(self.held.recorded_at_us) })
    }

    fn recorded(
        &self,
        request: &RequestRecord,
        checked_to: u64,
        tail: &Snapshot,
    ) -> Result<Option<Appended>, AppendError> {
        if let Some((first, found)) = tail.request(request, checked_to) {
            return repeated(request, &found, first).map(Some);
        }
        let Some((place, found)) = self.index.request(request, usize::MAX) else {
            return Ok(None);
        };
        assert!(place < self.events.len(), "a request found in the batch stands in it");
        repeated(request, found, self.position(place)).map(Some)
    }

    fn check_condition(
        &self,
        condition: &HashedCondition,
        checked_to: u64,
        tail: &Snapshot,
    ) -> Result<(), AppendError> {
        limits::check_known(condition.after, self.end().max(tail.end))
            .map_err(AppendError::Refused)?;
        let query = &condition.query;
        let here = query
            .items
            .iter()
            .filter_map(|item| self.index.newest_first(item, usize::MAX).next())
            .map(|place| self.position(place))
            .filter(|position| *position > condition.after)
            .max();
        let since = condition.after.max(checked_to);
        match here.or_else(|| tail.newest(query, since, u64::MAX)) {
            Some(position) => {
                assert!(position > condition.after, "a conflict is newer than what was known");
                Err(AppendError::Conflict { position })
            }
            None => Ok(()),
        }
    }

    fn write(&mut self, prepared: &Prepared) {
        for event in &prepared.events {
            let mut envelope = String::with_capacity(event.envelope.bytes_max());
            event.envelope.place(self.end() + 1, &self.recorded_at, &mut envelope);
            let leaf = leaf_hash(envelope.as_bytes());
            let tail_event = TailEvent {
                facets: Arc::clone(&event.facets),
                envelope: Arc::from(envelope),
                data: Some(Arc::clone(&event.data)),
                leaf,
            };
            self.held.frontier.push(leaf);
            self.index.push(Arc::clone(&event.facets));
            self.events.push(tail_event);
        }
        assert_eq!(self.index.len(), self.events.len(), "every event of a batch is indexed");
        assert_eq!(self.position(self.events.len()), self.end() + 1, "positions have no gap");
    }
}
