//! A batch while it is put together: which appends stand, at which positions, with which texts.
//! Pure: it is decided against a snapshot of the tail and against itself, and can be thrown away.

use std::sync::Arc;

use crate::clock;
use crate::limits;
use crate::log::{AppendError, Appended, Condition};
use crate::memory::repeated;
use crate::merkle::{Frontier, leaf_hash};
use crate::prepared::{Prepared, RequestRecord};

use super::index::KeyIndex;
use super::tail::{Snapshot, TailEvent};

/// Bits of an entry of the order that hold the bytes of the data (see `append.sql`).
const DATA_BITS: u32 = 21;
/// Bits that hold the bytes of the envelope.
const ENVELOPE_BITS: u32 = 13;

/// Where the record ends, as the writer holds it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) frontier: Frontier,
    pub(crate) recorded_at_us: i64,
}

/// What is written at once.
pub(crate) struct Batch {
    before: u64,
    pub(crate) held: Held,
    recorded_at: String,
    /// All envelopes and data, one after the other.
    pub(crate) texts: String,
    /// JSON array: where in `texts` each event stands.
    pub(crate) order: String,
    pub(crate) leaves: Vec<u8>,
    pub(crate) events: Vec<TailEvent>,
    index: KeyIndex,
}

impl Batch {
    /// An empty batch behind `held`, recorded at `now_us` or, if the clock is behind, with the
    /// last.
    pub(crate) fn new(held: &Held, now_us: i64) -> Self {
        let held = Held {
            frontier: held.frontier.clone(),
            recorded_at_us: held.recorded_at_us.max(now_us),
        };
        Self {
            before: held.frontier.size(),
            recorded_at: clock::format_us(held.recorded_at_us),
            held,
            texts: String::new(),
            order: String::from("["),
            leaves: Vec::new(),
            events: Vec::new(),
            index: KeyIndex::with_capacity(1),
        }
    }

    /// The head before the batch.
    pub(crate) fn before(&self) -> u64 {
        self.before
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Ends the order of the texts; nothing is added after it.
    pub(crate) fn close(&mut self) {
        self.order.push(']');
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
        if let Some((first, found)) = tail.request(&request.id, checked_to) {
            return repeated(request, &found, first).map(Some);
        }
        let Some((place, found)) = self.index.request(&request.id, usize::MAX) else {
            return Ok(None);
        };
        repeated(request, found, self.position(place)).map(Some)
    }

    fn check_condition(
        &self,
        condition: &Condition,
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
            Some(position) => Err(AppendError::Conflict { position }),
            None => Ok(()),
        }
    }

    fn write(&mut self, prepared: &Prepared) {
        for event in &prepared.events {
            let start = self.texts.len();
            event.envelope.place(self.end() + 1, &self.recorded_at, &mut self.texts);
            let envelope = self.texts.get(start..).unwrap_or_default();
            let leaf = leaf_hash(envelope.as_bytes());
            let tail_event = TailEvent {
                facets: Arc::clone(&event.facets),
                envelope: Arc::from(envelope),
                data: Some(Arc::clone(&event.data)),
                leaf,
            };
            let entry = order_entry(start, envelope.len(), event.data.len());
            if self.order.len() > 1 {
                self.order.push(',');
            }
            self.order.push_str(&entry.to_string());
            self.texts.push_str(&event.data);
            self.leaves.extend_from_slice(&leaf);
            self.held.frontier.push(leaf);
            self.index.push(Arc::clone(&event.facets));
            self.events.push(tail_event);
        }
        assert_eq!(self.index.len(), self.events.len(), "every event of a batch is indexed");
        assert_eq!(self.position(self.events.len()), self.end() + 1, "positions have no gap");
    }
}

/// See `append.sql`. The limits of an append and of a batch keep each part within its bits.
fn order_entry(offset: usize, envelope_bytes: usize, data_bytes: usize) -> u64 {
    assert!(envelope_bytes < 1 << ENVELOPE_BITS, "an envelope is within its limit");
    assert!(data_bytes < 1 << DATA_BITS, "an event's data is within its limit");
    assert!(offset < 1 << (63 - ENVELOPE_BITS - DATA_BITS), "a batch is within its limit");
    let [offset, envelope_bytes, data_bytes] =
        [offset, envelope_bytes, data_bytes].map(|size| u64::try_from(size).unwrap_or(u64::MAX));
    offset << (ENVELOPE_BITS + DATA_BITS) | envelope_bytes << DATA_BITS | data_bytes
}
