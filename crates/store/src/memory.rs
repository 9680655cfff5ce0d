//! The log in memory: small enough to be the specification of every other one.
//! It scans from the first event each time and keeps nothing but the events themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::clock::{self, Clock};
use crate::error::StorageError;
use crate::limits;
use crate::log::{
    Append, AppendError, Appended, Head, Log, PAGE_BYTES_MAX, Page, Query, ReadError, Request,
    Stored,
};
use crate::merkle::{Frontier, leaf_hash};
use crate::prepared::{Facets, HashedCondition, Prepared, RequestRecord};

/// A book that lives as long as the process.
pub struct MemoryLog {
    clock: Arc<dyn Clock>,
    software: String,
    state: Mutex<State>,
    head: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    frontier: Frontier,
    recorded_at_us: i64,
}

struct Event {
    stored: Stored,
    facets: Arc<Facets>,
}

impl MemoryLog {
    /// An empty book. `software` names the program in every envelope.
    pub fn new(clock: Arc<dyn Clock>, software: &str) -> Result<Self, AppendError> {
        limits::check_software(software).map_err(AppendError::Refused)?;
        let head = watch::Sender::new(0);
        Ok(Self { clock, software: software.to_owned(), state: Mutex::default(), head })
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StorageError> {
        // A panic under the lock may have left half an append behind.
        self.state.lock().map_err(|_: PoisonError<_>| StorageError::Closed)
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let prepared = Prepared::new(append, &self.software).map_err(AppendError::Refused)?;
        let mut state = self.state()?;
        if let Some(answer) = state.recorded(prepared.request.as_deref())? {
            return Ok(answer);
        }
        state.check_condition(prepared.condition.as_ref())?;
        state.check_causes(&prepared)?;
        let answer = state.write(&prepared, self.clock.now_us());
        self.head.send_replace(answer.last);
        Ok(answer)
    }

    async fn head(&self) -> Result<Head, ReadError> {
        let state = self.state()?;
        Ok(Head {
            position: state.end(),
            root: state.frontier.root(),
            recorded_at_us: state.recorded_at_us,
        })
    }

    async fn read(
        &self,
        query: &Query,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Page, ReadError> {
        limits::check_query(query).map_err(ReadError::Refused)?;
        limits::check_limit(limit).map_err(ReadError::Refused)?;
        let state = self.state()?;
        let mut page = Page { events: Vec::new(), scanned_to: after };
        let mut bytes = 0;
        for event in state.between(after, until) {
            page.scanned_to = event.stored.position;
            if !event.matches(query) {
                continue;
            }
            page.events.push(event.stored.clone());
            bytes += event.stored.envelope.len() + event.stored.data.len();
            if page.events.len() == limit || bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
        Ok(page)
    }

    async fn last(&self, query: &Query, until: u64) -> Result<Option<Stored>, ReadError> {
        limits::check_query(query).map_err(ReadError::Refused)?;
        let state = self.state()?;
        let found = state.between(0, until).filter(|event| event.matches(query)).last();
        Ok(found.map(|event| event.stored.clone()))
    }

    async fn answered(&self, request: &Request) -> Result<Option<Appended>, AppendError> {
        limits::check_request(request).map_err(AppendError::Refused)?;
        self.state()?.recorded(Some(&RequestRecord::of(request, 0)))
    }

    fn known_head(&self) -> u64 {
        *self.head.borrow()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }
}

impl State {
    fn end(&self) -> u64 {
        self.frontier.size()
    }

    fn between(&self, after: u64, until: u64) -> impl Iterator<Item = &Event> {
        let until = if until == 0 { self.end() } else { until };
        self.events
            .iter()
            .filter(move |event| event.stored.position > after && event.stored.position <= until)
    }

    /// The first answer of a request that is recorded: same id and hash.
    fn recorded(&self, request: Option<&RequestRecord>) -> Result<Option<Appended>, AppendError> {
        let Some(request) = request else { return Ok(None) };
        for event in &self.events {
            let Some(found) = &event.facets.request else { continue };
            if found.id == request.id {
                return repeated(request, found, event.stored.position).map(Some);
            }
        }
        Ok(None)
    }

    fn check_condition(&self, condition: Option<&HashedCondition>) -> Result<(), AppendError> {
        let Some(condition) = condition else { return Ok(()) };
        limits::check_known(condition.after, self.end()).map_err(AppendError::Refused)?;
        let since = self.between(condition.after, 0);
        let matches =
            |event: &&Event| condition.query.matches(&event.facets.type_name, &event.facets.tags);
        match since.filter(matches).last() {
            Some(event) => Err(AppendError::Conflict { position: event.stored.position }),
            None => Ok(()),
        }
    }

    fn check_causes(&self, prepared: &Prepared) -> Result<(), AppendError> {
        let first = self.end() + 1;
        prepared
            .events
            .iter()
            .try_for_each(|event| limits::check_cause(event.cause, first))
            .map_err(AppendError::Refused)
    }

    fn write(&mut self, prepared: &Prepared, now_us: i64) -> Appended {
        let first = self.end() + 1;
        self.recorded_at_us = self.recorded_at_us.max(now_us);
        let recorded_at = clock::format_us(self.recorded_at_us);
        for event in &prepared.events {
            let position = self.end() + 1;
            let mut envelope = String::new();
            event.envelope.place(position, &recorded_at, &mut envelope);
            self.frontier.push(leaf_hash(envelope.as_bytes()));
            let stored =
                Stored { position, envelope: Arc::from(envelope), data: Arc::clone(&event.data) };
            self.events.push(Event { stored, facets: Arc::clone(&event.facets) });
        }
        assert_eq!(u64::try_from(self.events.len()), Ok(self.end()), "positions have no gap");
        Appended { first, last: self.end(), recorded_at_us: Some(self.recorded_at_us) }
    }
}

impl Event {
    fn matches(&self, query: &Query) -> bool {
        query.matches(&self.facets.type_name, &self.facets.tags)
    }
}

/// The first answer again, or an error when the id was used for another request.
pub(crate) fn repeated(
    request: &RequestRecord,
    found: &RequestRecord,
    first: u64,
) -> Result<Appended, AppendError> {
    if found.hash != request.hash {
        return Err(AppendError::RequestReused { id: request.id.clone(), position: first });
    }
    Ok(Appended { first, last: first + found.events - 1, recorded_at_us: None })
}
