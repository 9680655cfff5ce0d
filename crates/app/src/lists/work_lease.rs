//! The lease of long work that only one process should do: it is renewed while the work lasts.
//!
//! The lease only saves work: a process that works without it is stopped by the point that each
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

/// Milliseconds until a process checks again whether another has done the work: at first, and at
/// most.
const LOOK_MS_MIN: u64 = 5;
const LOOK_MS_MAX: u64 = 200;

/// The checks of a process that waits for another: each pause is longer, up to a limit.
pub(crate) struct Looks {
    pause_ms: u64,
}

impl Looks {
    pub(crate) fn start() -> Self {
        Self { pause_ms: LOOK_MS_MIN }
    }

    /// Waits until the next check, at most `ms_max`; returns how many milliseconds it waited.
    pub(crate) async fn pause(&mut self, ms_max: u64) -> u64 {
        let pause_ms = self.pause_ms.min(ms_max);
        self.pause_ms = (self.pause_ms * 2).min(LOOK_MS_MAX);
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        pause_ms
    }
}

/// A lease of work. When it is dropped, it is given back soon after; when its process is killed, it
/// ends by itself.
pub(crate) struct WorkLease {
    over: oneshot::Sender<()>,
    keeper: JoinHandle<()>,
}

impl WorkLease {
    /// Takes the lease to bring a list up to date; `None` if another process has it.
    pub(crate) async fn take(state: &Arc<dyn State>, list: &str) -> Result<Option<Self>, Failure> {
        let name = StateName::new(&format!("list:{list}"))?;
        let Some(lease) = state.take(&name, &Holder::new(), LEASE_MS).await? else {
            return Ok(None);
        };
        let (over, ended) = oneshot::channel();
        let keeper = tokio::spawn(keep(Arc::clone(state), lease, ended));
        Ok(Some(Self { over, keeper }))
    }

    /// Takes the lease, and waits as long as another process has it.
    pub(crate) async fn wait(state: &Arc<dyn State>, list: &str) -> Result<Self, Failure> {
        let mut looks = Looks::start();
        loop {
            if let Some(lease) = Self::take(state, list).await? {
                return Ok(lease);
            }
            looks.pause(LOOK_MS_MAX).await;
        }
    }

    /// Gives the lease back, and returns when others may take it.
    pub(crate) async fn end(self) {
        let Self { over, keeper } = self;
        drop(over);
        // If the task that renews the lease has failed, the lease ends by itself.
        let _ = keeper.await;
    }
}

async fn keep(state: Arc<dyn State>, lease: Lease, mut ended: oneshot::Receiver<()>) {
    while timeout(Duration::from_millis(RENEW_MS), &mut ended).await.is_err() {
        if let Ok(false) = state.renew(&lease, LEASE_MS).await {
            return;
        }
    }
    // A lease that is not given back ends by itself.
    let _ = state.release(&lease).await;
}
