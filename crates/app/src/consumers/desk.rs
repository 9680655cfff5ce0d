//! Where batches are handed out and taken back. Within a process one after the other; between
//! processes whoever changes the consumer's document first, and the others look again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daicho_events::Position;
use daicho_store::{Log as _, StateName};
use daicho_values::Timestamp;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep, sleep_until};
use ulid::Ulid;

use super::group::{Ahead as _, Group, Lease};
use super::window::Window;
use super::{
    BATCH_EVENTS_MAX, BATCH_WAIT_MS_MAX, Batch, BatchRequest, ConsumerError, KIND, LEASE_MS,
    WORKER_BYTES_MAX,
};
use crate::error::Failure;
use crate::ledger::Ledger;
use crate::lists::KnownAt;

/// How often a change is made again after another process was first.
const RACES_MAX: u32 = 64;
/// How long it is waited after a lost race, longest.
const RACE_PAUSE_MS: u64 = 16;
/// How often it is looked whether another process has given something back.
const POLL: Duration = Duration::from_millis(100);
/// Positions that a consumer may pass over before that is written down by itself.
const SETTLE_STEP: u64 = 1_000;

/// The desks of a book, by the name of the consumer.
#[derive(Debug, Default)]
pub(crate) struct Desks(Mutex<HashMap<String, Arc<Desk>>>);

/// What this process keeps of a consumer.
#[derive(Debug, Default)]
struct Desk {
    window: Mutex<Window>,
    /// Something was given back or is done: there may be more to hand out.
    changed: Notify,
}

impl Desks {
    /// Forgets the desk of a consumer that is no more.
    pub(super) async fn close(&self, name: &str) {
        self.0.lock().await.remove(name);
    }
}

pub(super) fn body(group: &Group) -> Result<String, ConsumerError> {
    serde_json::to_string(group).map_err(|error| ConsumerError::Refused(error.to_string()))
}

/// What a change of a consumer came to.
enum Change<T> {
    /// It is to be written down.
    Put(T),
    /// There is nothing to write.
    Keep(T),
}

impl Ledger {
    /// Hands out a batch; none where there was nothing to hand out for as long as was waited.
    ///
    /// # Errors
    /// No such consumer, a broken limit, or a failure.
    pub async fn take_batch(
        &self,
        name: &str,
        request: &BatchRequest,
    ) -> Result<Option<Batch>, ConsumerError> {
        check(request)?;
        let name = StateName::new(name)?;
        let desk = self.desk(&name).await?;
        let until = Instant::now() + Duration::from_millis(request.wait_ms);
        let mut head = self.log().watch();
        loop {
            let changed = desk.changed.notified();
            head.mark_unchanged();
            let taken =
                self.change(&name, &desk, |group, window| self.hand_out(group, window, request));
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
        let now = self.edge().now().as_microseconds();
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
        let batch = self.edge().id::<Ulid>().to_string();
        let positions = picked.iter().map(|event| event.position()).collect();
        let events =
            picked.iter().map(|event| (Arc::clone(&event.text), group.returned(event.position())));
        let events = events.collect();
        let worker = request.worker.clone();
        group.lease(Lease { batch: batch.clone(), worker, expires_at_us, events: positions })?;
        let expires_at = Timestamp::from_microseconds(expires_at_us);
        Ok(Change::Put(Some(Batch { batch, expires_at, events })))
    }

    /// Says that a batch is done, as a whole or up to a position; how many events of it.
    ///
    /// # Errors
    /// A lease that ended, no such consumer, or a failure.
    pub async fn acknowledge_batch(
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

    /// Gives what is left of a batch back: it is handed out again at once.
    ///
    /// # Errors
    /// A lease that ended, no such consumer, or a failure.
    pub async fn release_batch(&self, name: &str, batch: &str) -> Result<(), ConsumerError> {
        self.returned(name, |group, _| group.release(batch).map(Change::Put)).await
    }

    /// The worker needs so much time from now on.
    ///
    /// # Errors
    /// A lease that ended, no such consumer, or a failure.
    pub async fn extend_batch(
        &self,
        name: &str,
        batch: &str,
        lease_ms: u64,
    ) -> Result<Timestamp, ConsumerError> {
        check_lease(lease_ms)?;
        self.returned(name, |group, _| {
            let lease_us = i64::try_from(lease_ms).unwrap_or(i64::MAX).saturating_mul(1_000);
            let expires_at_us = self.edge().now().as_microseconds().saturating_add(lease_us);
            group.lease_of(batch)?.expires_at_us = expires_at_us;
            Ok(Change::Put(Timestamp::from_microseconds(expires_at_us)))
        })
        .await
    }

    /// Puts a consumer behind a position: back, so that events are handed out again, or forward, so
    /// that some never are. Whoever has a batch is told.
    ///
    /// # Errors
    /// A position beyond the end, no such consumer, or a failure.
    pub async fn seek_consumer(&self, name: &str, position: Position) -> Result<(), ConsumerError> {
        self.position_of(Some(KnownAt::Position(position))).await?;
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
        let desk = self.desk(&name).await?;
        let answer = self.change(&name, &desk, change).await?;
        desk.changed.notify_waiters();
        Ok(answer)
    }

    /// The desk of a consumer. One that is not there gets none: whoever asks for others fills no
    /// memory.
    async fn desk(&self, name: &StateName) -> Result<Arc<Desk>, ConsumerError> {
        let known = self.desks().0.lock().await.get(name.as_str()).cloned();
        if let Some(desk) = known {
            return Ok(desk);
        }
        self.group(name).await?;
        Ok(Arc::clone(self.desks().0.lock().await.entry(name.to_string()).or_default()))
    }

    /// Changes a consumer as it stands, however often others are first.
    async fn change<T>(
        &self,
        name: &StateName,
        desk: &Desk,
        mut change: impl FnMut(&mut Group, &Window) -> Result<Change<T>, ConsumerError>,
    ) -> Result<T, ConsumerError> {
        let kind = StateName::new(KIND)?;
        let mut window = desk.window.lock().await;
        for race in 0..RACES_MAX {
            let (mut group, version) = self.group(name).await?;
            window.follow(self, &group).await?;
            let answer = match change(&mut group, &window)? {
                Change::Keep(answer) => return Ok(answer),
                Change::Put(answer) => answer,
            };
            let body = body(&group)?;
            if self.state().put_document(&kind, name, &body, Some(version)).await?.is_some() {
                return Ok(answer);
            }
            let mut random = [0; 1];
            self.edge().entropy.fill(&mut random);
            let pause = u64::from(random[0]) % (1 + RACE_PAUSE_MS.min(u64::from(race) + 1));
            sleep(Duration::from_millis(pause)).await;
        }
        Err(ConsumerError::Busy(name.to_string()))
    }

    /// A consumer as it stands, and the version of its document.
    pub(super) async fn group(&self, name: &StateName) -> Result<(Group, u64), ConsumerError> {
        let document = self.state().document(&StateName::new(KIND)?, name).await?;
        let document = document.ok_or_else(|| ConsumerError::Unknown(name.to_string()))?;
        let group = serde_json::from_str(&document.body).map_err(|error| {
            ConsumerError::Failure(Failure::Limit(format!(
                "what is kept of consumer `{name}` cannot be read: {error}"
            )))
        })?;
        Ok((group, document.version))
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
        return refused(format!("{wait_ms} ms: a worker waits at most {BATCH_WAIT_MS_MAX}"));
    }
    Ok(())
}

fn check_lease(ms: u64) -> Result<(), ConsumerError> {
    if LEASE_MS.contains(&ms) {
        return Ok(());
    }
    let (least, most) = (LEASE_MS.start(), LEASE_MS.end());
    Err(ConsumerError::Refused(format!("a batch for {ms} ms: it can be had for {least} to {most}")))
}
