//! The lease of long work that one process is to do: it is kept while the work goes on.
//!
//! It saves work and guards nothing: whoever works without it is stopped by the point that each
//! write compares. So a lease that is lost, or cannot be renewed, does not end the work.

use std::sync::Arc;
use std::time::Duration;

use daicho_store::{Holder, Lease, State, StateName};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::error::Failure;

/// Milliseconds after which others may take over from a process that has died.
const LEASE_MS: u64 = 10_000;
/// Milliseconds between renewals.
const RENEW_MS: u64 = LEASE_MS / 4;

/// Milliseconds until a process looks again whether another has done the work: at first, at most.
const LOOK_MS_MIN: u64 = 5;
const LOOK_MS_MAX: u64 = 200;

/// The looks of a process that waits for another: each pause is longer, up to a bound.
pub(crate) struct Looks {
    pause_ms: u64,
}

impl Looks {
    pub(crate) fn start() -> Self {
        Self { pause_ms: LOOK_MS_MIN }
    }

    /// Waits until the next look, at most `ms_max`; answers how many milliseconds.
    pub(crate) async fn pause(&mut self, ms_max: u64) -> u64 {
        let pause_ms = self.pause_ms.min(ms_max);
        self.pause_ms = (self.pause_ms * 2).min(LOOK_MS_MAX);
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        pause_ms
    }
}

/// A lease of work. Dropped, it is given back soon after; its process killed, it ends by itself.
pub(crate) struct WorkLease {
    over: oneshot::Sender<()>,
    keeper: JoinHandle<()>,
}

impl WorkLease {
    /// Takes the lease of bringing up a list; none: another process has it.
    pub(crate) async fn take(state: &Arc<dyn State>, list: &str) -> Result<Option<Self>, Failure> {
        let name = StateName::new(&format!("list:{list}"))?;
        let Some(lease) = state.take(&name, &Holder::new(), LEASE_MS).await? else {
            return Ok(None);
        };
        let (over, ended) = oneshot::channel();
        let keeper = tokio::spawn(keep(Arc::clone(state), lease, ended));
        Ok(Some(Self { over, keeper }))
    }

    /// The same, however long another process has it.
    pub(crate) async fn wait(state: &Arc<dyn State>, list: &str) -> Result<Self, Failure> {
        let mut looks = Looks::start();
        loop {
            if let Some(lease) = Self::take(state, list).await? {
                return Ok(lease);
            }
            looks.pause(LOOK_MS_MAX).await;
        }
    }

    /// Gives it back, and returns when others may take it.
    pub(crate) async fn end(self) {
        let Self { over, keeper } = self;
        drop(over);
        // Had the keeper broken off, the lease would end by itself.
        let _ = keeper.await;
    }
}

async fn keep(state: Arc<dyn State>, lease: Lease, mut ended: oneshot::Receiver<()>) {
    while timeout(Duration::from_millis(RENEW_MS), &mut ended).await.is_err() {
        if let Ok(false) = state.renew(&lease, LEASE_MS).await {
            return;
        }
    }
    // What is not given back ends by itself.
    let _ = state.release(&lease).await;
}
