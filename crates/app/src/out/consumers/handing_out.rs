//! Hands out batches and takes them back. Within a process this happens one after the other;
//! between processes, the first to change the consumer's document succeeds, and the others read it
//! again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daicho_events::Position;
use daicho_store::{Book, Log as _, StateName};
use daicho_values::Timestamp;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep, sleep_until};
use ulid::Ulid;

use super::documents::Documents;
use super::error::ConsumerError;
use super::group::{Ahead as _, Group, Lease};
use super::settings::{
    BATCH_EVENTS_MAX, BATCH_WAIT_MS_MAX, Batch, BatchRequest, LEASE_MS, WORKER_BYTES_MAX,
};
use super::window::Window;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::record::{KnownAt, Record};
use crate::storage::Storage;

/// How often a change is repeated after another process was first.
const RACES_MAX: u32 = 64;
/// The longest wait after another process was first.
const RACE_PAUSE_MS: u64 = 16;
/// The interval of checks whether another process has given something back.
const POLL: Duration = Duration::from_millis(100);
/// The positions that a consumer may skip before its new position is stored for that alone.
const SETTLE_STEP: u64 = 1_000;

/// Hands out the events of a book to its consumers.
pub struct HandingOut {
    log: Arc<Book>,
    record: Arc<Record>,
    clock_and_entropy: ClockAndEntropy,
    documents: Documents,
    /// What this process keeps, by the name of the consumer.
    ahead: Mutex<HashMap<String, Arc<EventsAhead>>>,
}

/// What this process keeps of a consumer.
#[derive(Debug, Default)]
struct EventsAhead {
    window: Mutex<Window>,
    /// Notified when something was given back or is done: there may be more to hand out.
    changed: Notify,
}

/// The result of a change to a consumer.
enum Change<T> {
    /// The change is to be stored.
    Put(T),
    /// There is nothing to store.
    Keep(T),
}

impl HandingOut {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            log: Arc::clone(&storage.log),
            record: Arc::clone(record),
            clock_and_entropy: storage.clock_and_entropy.clone(),
            documents: Documents::of(storage),
            ahead: Mutex::default(),
        }
    }

    /// Drops what this process keeps of a consumer that was deleted.
    pub(super) async fn forget(&self, name: &str) {
        self.ahead.lock().await.remove(name);
    }

    /// Hands out a batch; `None` if there was nothing to hand out during the whole wait.
    ///
    /// # Errors
    /// There is no such consumer, a limit is exceeded, or a failure.
    pub async fn take(
        &self,
        name: &str,
        request: &BatchRequest,
    ) -> Result<Option<Batch>, ConsumerError> {
        check(request)?;
        let name = StateName::new(name)?;
        let ahead = self.ahead_of(&name).await?;
        let until = Instant::now() + Duration::from_millis(request.wait_ms);
        let mut head = self.log.watch();
        loop {
            let changed = ahead.changed.notified();
            head.mark_unchanged();
            let taken =
                self.change(&name, &ahead, |group, window| self.hand_out(group, window, request));
            if let Some(batch) = taken.await? {
                return Ok(Some(batch));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            tokio::select! {
                () = changed => {}
                _ = head.changed() => {}
                () = sleep(POLL) => {}
                () = sleep_until(until) => {}
            }
        }
    }

    fn hand_out(
        &self,
        group: &mut Group,
        window: &Window,
        request: &BatchRequest,
    ) -> Result<Change<Option<Batch>>, ConsumerError> {
        let now = self.clock_and_entropy.now().as_microseconds();
        let before = group.position;
        group.expire(now);
        group.settle(&window.events, window.scanned_to);
        let most = usize::try_from(request.events).unwrap_or(usize::MAX);
        let picked = group.pick(&window.events, most);
        if picked.is_empty() {
            let far = group.position - before >= SETTLE_STEP;
            return Ok(if far { Change::Put(None) } else { Change::Keep(None) });
        }
        let lease_us = i64::try_from(request.lease_ms).unwrap_or(i64::MAX).saturating_mul(1_000);
        let expires_at_us = now.saturating_add(lease_us);
        let batch = self.clock_and_entropy.id::<Ulid>().to_string();
        let positions = picked.iter().map(|event| event.position()).collect();
        let events =
            picked.iter().map(|event| (Arc::clone(&event.text), group.returned(event.position())));
        let events = events.collect();
        let worker = request.worker.clone();
        group.lease(Lease { batch: batch.clone(), worker, expires_at_us, events: positions })?;
        let expires_at = Timestamp::from_microseconds(expires_at_us);
        Ok(Change::Put(Some(Batch { batch, expires_at, events })))
    }

    /// Acknowledges a batch, as a whole or up to a position; returns the number of events.
    ///
    /// # Errors
    /// The lease has ended, there is no such consumer, or a failure.
    pub async fn acknowledge(
        &self,
        name: &str,
        batch: &str,
        up_to: Option<Position>,
    ) -> Result<usize, ConsumerError> {
        self.returned(name, |group, window| {
            let done = group.acknowledge(batch, up_to.map(|position| position.0))?;
            group.settle(&window.events, window.scanned_to);
            Ok(Change::Put(done))
        })
        .await
    }

    /// Gives back the rest of a batch, which can then be handed out again at once.
    ///
    /// # Errors
    /// The lease has ended, there is no such consumer, or a failure.
    pub async fn release(&self, name: &str, batch: &str) -> Result<(), ConsumerError> {
        self.returned(name, |group, _| group.release(batch).map(Change::Put)).await
    }

    /// Extends the lease of a batch to this many milliseconds from now.
    ///
    /// # Errors
    /// The lease has ended, there is no such consumer, or a failure.
    pub async fn extend(
        &self,
        name: &str,
        batch: &str,
        lease_ms: u64,
    ) -> Result<Timestamp, ConsumerError> {
        check_lease(lease_ms)?;
        self.returned(name, |group, _| {
            let lease_us = i64::try_from(lease_ms).unwrap_or(i64::MAX).saturating_mul(1_000);
            let expires_at_us =
                self.clock_and_entropy.now().as_microseconds().saturating_add(lease_us);
            group.lease_of(batch)?.expires_at_us = expires_at_us;
            Ok(Change::Put(Timestamp::from_microseconds(expires_at_us)))
        })
        .await
    }

    /// Makes a consumer continue after a position; workers holding a batch get an error.
    pub(super) async fn seek(&self, name: &str, position: Position) -> Result<(), ConsumerError> {
        self.record.position_of(Some(KnownAt::Position(position))).await?;
        self.returned(name, |group, _| {
            group.seek(position.0);
            Ok(Change::Put(()))
        })
        .await
    }

    async fn returned<T>(
        &self,
        name: &str,
        change: impl FnMut(&mut Group, &Window) -> Result<Change<T>, ConsumerError>,
    ) -> Result<T, ConsumerError> {
        let name = StateName::new(name)?;
        let ahead = self.ahead_of(&name).await?;
        let answer = self.change(&name, &ahead, change).await?;
        ahead.changed.notify_waiters();
        Ok(answer)
    }

    /// What this process keeps of a consumer. Nothing is kept for a consumer that does not exist,
    /// so that requests for such names fill no memory.
    async fn ahead_of(&self, name: &StateName) -> Result<Arc<EventsAhead>, ConsumerError> {
        let known = self.ahead.lock().await.get(name.as_str()).cloned();
        if let Some(ahead) = known {
            return Ok(ahead);
        }
        self.documents.group(name).await?;
        Ok(Arc::clone(self.ahead.lock().await.entry(name.to_string()).or_default()))
    }

    /// Changes the stored consumer, and tries again when others are first.
    async fn change<T>(
        &self,
        name: &StateName,
        ahead: &EventsAhead,
        mut change: impl FnMut(&mut Group, &Window) -> Result<Change<T>, ConsumerError>,
    ) -> Result<T, ConsumerError> {
        let mut window = ahead.window.lock().await;
        for race in 0..RACES_MAX {
            let (mut group, version) = self.documents.group(name).await?;
            window.follow(&self.log, &group).await?;
            let answer = match change(&mut group, &window)? {
                Change::Keep(answer) => return Ok(answer),
                Change::Put(answer) => answer,
            };
            if self.documents.put(name, &group, Some(version)).await? {
                return Ok(answer);
            }
            let mut random = [0; 1];
            self.clock_and_entropy.entropy.fill(&mut random);
            let pause = u64::from(random[0]) % (1 + RACE_PAUSE_MS.min(u64::from(race) + 1));
            sleep(Duration::from_millis(pause)).await;
        }
        Err(ConsumerError::Busy(name.to_string()))
    }
}

fn check(request: &BatchRequest) -> Result<(), ConsumerError> {
    let BatchRequest { worker, events, lease_ms, wait_ms } = request;
    check_lease(*lease_ms)?;
    let refused = |rule: String| Err(ConsumerError::Refused(rule));
    if worker.is_empty() || worker.len() > WORKER_BYTES_MAX || worker.chars().any(char::is_control)
    {
        return refused(format!("a worker's name has 1 to {WORKER_BYTES_MAX} plain characters"));
    }
    if !(1..=BATCH_EVENTS_MAX).contains(events) {
        return refused(format!("{events} events: a batch has 1 to {BATCH_EVENTS_MAX}"));
    }
    if *wait_ms > BATCH_WAIT_MS_MAX {
        return refused(format!("{wait_ms} ms: a worker waits at most {BATCH_WAIT_MS_MAX} ms"));
    }
    Ok(())
}

fn check_lease(ms: u64) -> Result<(), ConsumerError> {
    if LEASE_MS.contains(&ms) {
        return Ok(());
    }
    let (least, most) = (LEASE_MS.start(), LEASE_MS.end());
    Err(ConsumerError::Refused(format!("a batch for {ms} ms: a lease has {least} to {most} ms")))
}
