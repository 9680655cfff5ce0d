//! The tail: the events that are not sealed yet, in memory, in segments of one block each.
//! A snapshot costs two pointers; it never changes, since a segment only grows beyond its end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use crate::keys::{HashedItem, HashedQuery};
use crate::log::Stored;
use crate::merkle::Hash;
use crate::prepared::{Facets, RequestRecord};

use super::index::KeyIndex;
use super::rows::Checked;

/// Whole blocks that the tail may hold before appends wait for the sealer.
pub(crate) const TAIL_BLOCKS_MAX: u64 = 16;
/// Bytes of data kept in the tail; what comes on top of them is read from the record when needed.
pub(crate) const TAIL_DATA_BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// An event of the tail.
#[derive(Clone)]
pub(crate) struct TailEvent {
    pub(crate) facets: Arc<Facets>,
    pub(crate) envelope: Arc<str>,
    /// Missing when the tail held too many bytes already.
    pub(crate) data: Option<Arc<str>>,
    pub(crate) leaf: Hash,
}

/// One block's worth of events, whole or still growing.
pub(crate) struct Segment {
    first: u64,
    content: RwLock<Content>,
}

struct Content {
    index: KeyIndex,
    bodies: Vec<Body>,
    data_bytes: usize,
}

struct Body {
    envelope: Arc<str>,
    data: Option<Arc<str>>,
    leaf: Hash,
}

/// What stands in the tail at one moment: everything from `start` to `end`.
#[derive(Clone)]
pub(crate) struct Snapshot {
    segments: Arc<VecDeque<Arc<Segment>>>,
    /// Position of the first event that the tail holds: everything below is sealed.
    pub(crate) start: u64,
    /// Position of the last event.
    pub(crate) end: u64,
}

/// The growing tail.
pub(crate) struct Tail {
    block_events: u64,
    current: RwLock<Snapshot>,
    /// Held by whoever changes the tail, with the bytes of data in it.
    change: Mutex<usize>,
    starts: watch::Sender<u64>,
}

impl Tail {
    /// An empty tail behind `sealed_to`, which ends a block.
    pub(crate) fn new(block_events: u64, sealed_to: u64) -> Self {
        assert!(block_events > 0, "a block holds events");
        assert_eq!(sealed_to % block_events, 0, "only whole blocks are sealed");
        let current = Snapshot { segments: Arc::default(), start: sealed_to + 1, end: sealed_to };
        let starts = watch::Sender::new(current.start);
        Self { block_events, current: RwLock::new(current), change: Mutex::new(0), starts }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn end(&self) -> u64 {
        self.current.read().unwrap_or_else(PoisonError::into_inner).end
    }

    /// Whole blocks that wait for the sealer.
    pub(crate) fn blocks_waiting(&self) -> u64 {
        let snapshot = self.snapshot();
        assert!(snapshot.end + 1 >= snapshot.start, "a tail is empty or holds events");
        (snapshot.end + 1 - snapshot.start) / self.block_events
    }

    /// Tells when the sealed part has grown.
    pub(crate) fn starts(&self) -> watch::Receiver<u64> {
        self.starts.subscribe()
    }

    /// Adds committed events from position `first` on. What the tail holds already is skipped,
    /// since the writer and a reader that refreshes may bring the same events.
    pub(crate) fn extend(&self, first: u64, events: Vec<TailEvent>) {
        let mut data_bytes = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = self.snapshot();
        assert!(first <= next.end + 1, "the tail has no gap");
        let known = usize::try_from(next.end + 1 - first).unwrap_or(usize::MAX);
        let mut events = events.into_iter().skip(known).peekable();
        while events.peek().is_some() {
            let segment = self.open_segment(&mut next);
            let mut content = segment.write();
            let room = self.block_events - (next.end + 1 - segment.first);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            for mut event in events.by_ref().take(room) {
                if *data_bytes >= TAIL_DATA_BYTES_MAX {
                    event.data = None;
                }
                *data_bytes += content.push(event);
                next.end += 1;
            }
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// The segment that the next event belongs to, made if the last one is full.
    fn open_segment(&self, next: &mut Snapshot) -> Arc<Segment> {
        let last = next.segments.back();
        if let Some(open) = last.filter(|last| next.end + 1 < last.first + self.block_events) {
            return Arc::clone(open);
        }
        let room = usize::try_from(self.block_events).unwrap_or(usize::MAX);
        let content = RwLock::new(Content::with_capacity(room));
        let segment = Arc::new(Segment { first: next.end + 1, content });
        assert_eq!((segment.first - 1) % self.block_events, 0, "a segment is a block");
        Arc::make_mut(&mut next.segments).push_back(Arc::clone(&segment));
        segment
    }

    /// Lets go of everything up to `sealed_to`, which this process has read as sealed. A tail that
    /// ends below it starts anew behind it.
    pub(crate) fn evict(&self, sealed_to: u64) {
        let mut data_bytes = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = self.snapshot();
        if sealed_to < next.start {
            return;
        }
        let segments = Arc::make_mut(&mut next.segments);
        while let Some(oldest) = segments.pop_front_if(|oldest| oldest.first <= sealed_to) {
            *data_bytes = data_bytes.saturating_sub(oldest.read().data_bytes);
        }
        let oldest = segments.front().map(|oldest| oldest.first);
        assert!(oldest.is_none_or(|first| first == sealed_to + 1), "the tail begins with a block");
        next.start = sealed_to + 1;
        next.end = next.end.max(sealed_to);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        drop(data_bytes);
        self.starts.send_replace(sealed_to + 1);
    }
}

impl Segment {
    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place that `position` has or would have here.
    fn place(&self, position: u64) -> usize {
        usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn position(&self, place: usize) -> u64 {
        self.first + u64::try_from(place).unwrap_or(u64::MAX)
    }
}

impl Content {
    fn with_capacity(events: usize) -> Self {
        Self {
            index: KeyIndex::with_capacity(events),
            bodies: Vec::with_capacity(events),
            data_bytes: 0,
        }
    }

    /// Returns the bytes of data that it keeps of the event.
    fn push(&mut self, event: TailEvent) -> usize {
        let bytes = event.data.as_ref().map_or(0, |data| data.len());
        self.index.push(event.facets);
        self.bodies.push(Body { envelope: event.envelope, data: event.data, leaf: event.leaf });
        self.data_bytes += bytes;
        assert_eq!(self.index.len(), self.bodies.len(), "every event is indexed");
        bytes
    }

    fn event(&self, place: usize) -> Option<TailEvent> {
        let body = self.bodies.get(place)?;
        Some(TailEvent {
            facets: Arc::clone(self.index.facets(place)?),
            envelope: Arc::clone(&body.envelope),
            data: body.data.clone(),
            leaf: body.leaf,
        })
    }
}

impl Snapshot {
    /// Position of the newest match of any item in (after, until], as far as the tail reaches.
    pub(crate) fn newest(&self, query: &HashedQuery, after: u64, until: u64) -> Option<u64> {
        let until = until.min(self.end);
        let newest = self
            .segments
            .iter()
            .rev()
            .take_while(|segment| segment.first + segment.read().index.len() as u64 > after + 1)
            .find_map(|segment| newest_in(segment, query, after, until));
        assert!(newest.is_none_or(|at| at <= self.end), "a snapshot does not look beyond its end");
        newest
    }

    /// Events of (after, until] that match any item, oldest first, at most `limit`.
    pub(crate) fn matching(
        &self,
        query: &HashedQuery,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Vec<(u64, TailEvent)> {
        let until = until.min(self.end);
        let mut found = Vec::new();
        for segment in self.segments.iter() {
            if segment.first > until || found.len() >= limit {
                break;
            }
            let content = segment.read();
            for place in places(segment, &content, query, after, until) {
                if found.len() >= limit {
                    break;
                }
                let event = content.event(place).map(|event| (segment.position(place), event));
                found.extend(event);
            }
        }
        assert!(found.len() <= limit, "a read of the tail keeps its limit");
        found
    }

    /// The recorded request of this id above `after`: where its first event stands, and what it
    /// says.
    pub(crate) fn request(
        &self,
        wanted: &RequestRecord,
        after: u64,
    ) -> Option<(u64, RequestRecord)> {
        self.segments.iter().rev().find_map(|segment| {
            let content = segment.read();
            let below = segment.place(self.end + 1);
            let (place, request) = content.index.request(wanted, below)?;
            let position = segment.position(place);
            assert!(position <= self.end, "a snapshot does not look beyond its end");
            (position > after).then(|| (position, request.clone()))
        })
    }

    /// The block that begins at `first`, if it stands whole in the tail.
    pub(crate) fn block(&self, first: u64, events: u64) -> Option<Vec<TailEvent>> {
        assert!(first > 0 && events > 0, "positions begin at 1, and a block holds events");
        if first + events - 1 > self.end {
            return None;
        }
        let segment = self.segments.iter().find(|segment| segment.first == first)?;
        let content = segment.read();
        let count = usize::try_from(events).ok()?;
        (0..count).map(|place| content.event(place)).collect()
    }
}

impl TailEvent {
    /// The event as it was read from the record.
    pub(crate) fn of(row: &Checked<'_>) -> Self {
        Self {
            facets: Arc::new(Facets::of(&row.envelope)),
            envelope: Arc::from(row.envelope_text),
            data: Some(Arc::from(row.data)),
            leaf: row.leaf,
        }
    }

    /// The event as it stands in the log, if its data is at hand.
    pub(crate) fn stored(&self, position: u64) -> Option<Stored> {
        let data = self.data.clone()?;
        Some(Stored { position, envelope: Arc::clone(&self.envelope), data })
    }
}

fn newest_in(segment: &Segment, query: &HashedQuery, after: u64, until: u64) -> Option<u64> {
    let content = segment.read();
    let below = segment.place(until + 1);
    let newest_of = |item: &HashedItem| content.index.newest_first(item, below).next();
    let place = query.items.iter().filter_map(newest_of).max()?;
    let position = segment.position(place);
    (position > after && position <= until).then_some(position)
}

/// Places of one segment in (after, until] that match any item, ascending.
fn places(
    segment: &Segment,
    content: &Content,
    query: &HashedQuery,
    after: u64,
    until: u64,
) -> Vec<usize> {
    if until < segment.first {
        return Vec::new();
    }
    let from = segment.place(after + 1);
    let below = segment.place(until + 1);
    let mut places: Vec<usize> = query
        .items
        .iter()
        .flat_map(|item| content.index.newest_first(item, below).take_while(|at| *at >= from))
        .collect();
    places.sort_unstable();
    places.dedup();
    assert!(places.last().is_none_or(|last| *last < below), "nothing newer than was asked for");
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Query, QueryItem};

    fn event(tag: &str, data: &Arc<str>) -> TailEvent {
        TailEvent {
            facets: Arc::new(Facets::new("a".into(), vec![tag.into()], None)),
            envelope: Arc::from(tag),
            data: Some(Arc::clone(data)),
            leaf: [0; 32],
        }
    }

    fn tagged(tag: &str) -> HashedQuery {
        Query { items: vec![QueryItem { types: vec![], tags: vec![tag.into()] }] }.into()
    }

    #[test]
    fn a_snapshot_does_not_change_when_the_tail_grows_and_is_evicted() {
        let data: Arc<str> = Arc::from("1");
        let tail = Tail::new(4, 8);
        tail.extend(9, vec![event("t", &data); 3]);
        let before = tail.snapshot();
        tail.extend(12, vec![event("t", &data); 5]);
        tail.evict(12);
        assert_eq!((before.start, before.end), (9, 11));
        assert_eq!(before.newest(&tagged("t"), 0, u64::MAX), Some(11));
        assert_eq!(before.matching(&tagged("t"), 0, u64::MAX, 100).len(), 3);
        let after = tail.snapshot();
        assert_eq!((after.start, after.end), (13, 16));
        assert_eq!(after.matching(&tagged("t"), 0, u64::MAX, 100).len(), 4);
    }

    #[test]
    fn events_that_the_tail_holds_already_are_skipped() {
        let data: Arc<str> = Arc::from("1");
        let tail = Tail::new(4, 0);
        tail.extend(1, vec![event("first", &data); 3]);
        tail.extend(2, vec![event("second", &data); 4]);
        let snapshot = tail.snapshot();
        assert_eq!(snapshot.end, 5);
        assert_eq!(snapshot.matching(&tagged("first"), 0, 9, 9).len(), 3);
        assert_eq!(snapshot.newest(&tagged("second"), 0, 9), Some(5));
        assert_eq!(snapshot.matching(&tagged("second"), 0, 9, 9)[0].0, 4);
    }

    #[test]
    fn a_tail_that_ends_below_what_is_sealed_starts_anew_behind_it() {
        let data: Arc<str> = Arc::from("1");
        let tail = Tail::new(4, 0);
        tail.extend(1, vec![event("t", &data); 6]);
        tail.evict(20);
        assert_eq!((tail.snapshot().start, tail.end()), (21, 20));
        tail.extend(19, vec![event("t", &data); 3]);
        assert_eq!(tail.snapshot().matching(&tagged("t"), 0, 99, 9)[0].0, 21);
    }

    #[test]
    fn data_beyond_the_bound_is_not_kept_until_room_is_made() {
        let data: Arc<str> = Arc::from("x".repeat(TAIL_DATA_BYTES_MAX / 4));
        let tail = Tail::new(4, 0);
        tail.extend(1, vec![event("t", &data); 6]);
        let kept = |tail: &Tail| -> Vec<bool> {
            let found = tail.snapshot().matching(&tagged("t"), 0, 99, 99);
            found.iter().map(|(_, event)| event.data.is_some()).collect()
        };
        assert_eq!(kept(&tail), [true, true, true, true, false, false]);
        tail.evict(4);
        tail.extend(7, vec![event("t", &data)]);
        assert_eq!(kept(&tail), [false, false, true]);
    }
}
