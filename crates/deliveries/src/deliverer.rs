//! Delivers the webhooks of one book: each by a task of its own, in order, and under a lease, so
//! that only one of several processes sends. A slow receiver delays no other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daicho_app::{
    DeliveryLease, EventText, FollowRequest, Holder, Ledger, Next, Position, WebhookError,
    WebhookWork,
};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::attendant::{Attendant, LEASE, LOOK, RENEW};
use crate::courier::Courier;

/// How long to wait after an error of our own.
const PAUSE: Duration = Duration::from_secs(1);
/// Positions that may be skipped before the position reached is stored without a delivery.
const PASS_STEP: u64 = 1_000;

/// What the tasks of one book share.
struct Shared {
    ledger: Arc<Ledger>,
    courier: Arc<Courier>,
    holder: Holder,
    stopped: watch::Receiver<bool>,
}

/// Starts to deliver the webhooks of a book.
#[must_use]
pub fn deliver(ledger: Arc<Ledger>, courier: Arc<Courier>) -> Attendant {
    Attendant::start(move |stopped| {
        supervise(Arc::new(Shared { ledger, courier, holder: Holder::new(), stopped }))
    })
}

/// Keeps one task running for each webhook.
async fn supervise(shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    let mut tended: HashMap<String, AbortHandle> = HashMap::new();
    let mut stopped = shared.stopped.clone();
    while !*stopped.borrow() {
        let changed = shared.ledger.webhooks().changed().notified();
        match shared.ledger.webhooks().names().await {
            Ok(names) => {
                while tasks.try_join_next().is_some() {}
                tended.retain(|name, task| names.contains(name) && !task.is_finished());
                for name in names {
                    let shared = Arc::clone(&shared);
                    let begin = || tasks.spawn(tend(shared, name.clone()));
                    tended.entry(name.clone()).or_insert_with(begin);
                }
            }
            Err(error) => tracing::warn!(%error, "the webhooks cannot be read"),
        }
        tokio::select! {
            () = changed => {}
            () = sleep(LOOK) => {}
            _ = stopped.changed() => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Delivers one webhook, whenever this process holds its lease, until the webhook is deleted.
async fn tend(shared: Arc<Shared>, name: String) {
    let mut stopped = shared.stopped.clone();
    while !*stopped.borrow() {
        match turn(&shared, &name).await {
            Ok(()) | Err(WebhookError::Busy(_)) => {}
            Err(WebhookError::Unknown(_)) => return,
            Err(error) => tracing::warn!(webhook = name, %error, "a webhook cannot be delivered"),
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// A stretch of delivering: it lasts while the lease is held and the webhook is not changed.
struct Turn<'a> {
    shared: &'a Shared,
    name: &'a str,
    lease: DeliveryLease,
    renewed: Instant,
    work: WebhookWork,
}

async fn turn(shared: &Shared, name: &str) -> Result<(), WebhookError> {
    let work = shared.ledger.webhooks().sending().work(name).await?;
    if !work.is_enabled() {
        return Ok(());
    }
    let lease = format!("webhook:{name}");
    let Some(lease) = shared.ledger.delivery_leases().take(&lease, &shared.holder, LEASE).await?
    else {
        return Ok(());
    };
    // The previous holder of the lease may have delivered more since.
    let work = shared.ledger.webhooks().sending().work(name).await?;
    let mut turn = Turn { shared, name, lease, renewed: Instant::now(), work };
    let result = turn.deliver().await;
    shared.ledger.delivery_leases().release(&turn.lease).await?;
    result
}

impl Turn<'_> {
    /// Follows the book and sends its events, as long as the turn lasts.
    async fn deliver(&mut self) -> Result<(), WebhookError> {
        let request = FollowRequest {
            name: None,
            after: self.work.position(),
            types: self.work.types().to_vec(),
            tags: self.work.tags().to_vec(),
        };
        let shared = self.shared;
        let mut follower = shared.ledger.following().start(&request).await?;
        loop {
            self.resend().await?;
            let stretch = tokio::select! {
                stretch = timeout(LOOK, follower.next()) => stretch,
                () = self.ended() => return Ok(()),
            };
            if !self.goes_on().await? {
                return Ok(());
            }
            let Ok(stretch) = stretch else { continue };
            let stretch = stretch?;
            for event in &stretch.events {
                if !self.settle(event).await? {
                    return Ok(());
                }
            }
            let passed = stretch.scanned_to.0.saturating_sub(self.work.position().0);
            let keeps = passed < PASS_STEP
                || shared
                    .ledger
                    .webhooks()
                    .sending()
                    .passed(&mut self.work, stretch.scanned_to)
                    .await?;
            if !keeps {
                return Ok(());
            }
        }
    }

    /// Sends one event until it is delivered or parked. Returns whether the turn goes on.
    async fn settle(&mut self, event: &EventText) -> Result<bool, WebhookError> {
        loop {
            if !self.wait_for(event.position).await? {
                return Ok(false);
            }
            let shared = self.shared;
            let outcome = shared.courier.send(&shared.ledger, &self.work, event).await?;
            let policy = &shared.courier.settings.retry;
            let (ledger, position) = (&shared.ledger, event.position);
            match ledger
                .webhooks()
                .sending()
                .sent(&mut self.work, position, &outcome, policy)
                .await?
            {
                Next::Message => return Ok(true),
                Next::Parked => {
                    shared.courier.count_parked();
                    return Ok(true);
                }
                Next::Again => {}
                Next::Nothing | Next::Look => return Ok(false),
            }
        }
    }

    /// Waits until the message at a position may be tried. Returns whether the turn goes on.
    async fn wait_for(&mut self, position: Position) -> Result<bool, WebhookError> {
        loop {
            if !self.goes_on().await? {
                return Ok(false);
            }
            let now = self.shared.ledger.clock_and_entropy().now();
            let Some(at) = self.work.next_try_at(position) else { return Ok(true) };
            let wait = at.as_microseconds().saturating_sub(now.as_microseconds());
            let Ok(wait @ 1..) = u64::try_from(wait) else { return Ok(true) };
            tokio::select! {
                () = sleep(Duration::from_micros(wait).min(LOOK)) => {}
                () = self.ended() => return Ok(false),
            }
            self.resend().await?;
        }
    }

    /// Sends once more each parked message for which that was asked.
    async fn resend(&mut self) -> Result<(), WebhookError> {
        let shared = self.shared;
        for parked in shared.ledger.webhooks().parked().of(self.name).await? {
            if !parked.note.resend || !self.goes_on().await? {
                continue;
            }
            let before = Position(parked.position.0.saturating_sub(1));
            let page = shared.ledger.history().events(&[], &[], before, 1).await?;
            let Some(event) = page.events.first() else { continue };
            let outcome = shared.courier.send(&shared.ledger, &self.work, event).await?;
            shared.ledger.webhooks().parked().resent(self.name, &parked, &outcome).await?;
        }
        Ok(())
    }

    /// Whether this process still holds the lease and the webhook is unchanged.
    async fn goes_on(&mut self) -> Result<bool, WebhookError> {
        if *self.shared.stopped.borrow() {
            return Ok(false);
        }
        if self.renewed.elapsed() >= RENEW {
            if !self.shared.ledger.delivery_leases().renew(&self.lease, LEASE).await? {
                return Ok(false);
            }
            self.renewed = Instant::now();
        }
        let now = self.shared.ledger.webhooks().sending().work(self.name).await?;
        Ok(now.is_as(&self.work))
    }

    /// Returns when the deliverer is stopped.
    async fn ended(&self) {
        let mut stopped = self.shared.stopped.clone();
        // The sender outlives the task, so that waiting cannot fail.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }
}
