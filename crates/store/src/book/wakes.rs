//! Wakes between processes: each tells the others how far it has written, and hears how far they
//! have. They are only hints and no part of an append: whoever hears none finds what is new by
//! polling.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::error::StorageError;

use super::core::Core;

/// Milliseconds between two tellings: what is written meanwhile is told at once.
pub(crate) const TELL_MS_MIN: u64 = 10;
/// Milliseconds until listening is tried again: at first, and at most.
const LISTEN_AGAIN_MS_MIN: u64 = 50;
const LISTEN_AGAIN_MS_MAX: u64 = 5_000;

/// A database that carries hints from process to process.
#[async_trait]
pub(crate) trait Notifier: Send + Sync {
    /// Tells whoever listens that the book has come to `position`.
    async fn tell(&self, position: u64) -> Result<(), StorageError>;
    /// Listens, on a connection of its own.
    async fn listen(&self) -> Result<Box<dyn Listener>, StorageError>;
}

/// A connection that listens.
#[async_trait]
pub(crate) trait Listener: Send {
    /// The next position that is told; none where something may have been missed.
    async fn hear(&mut self) -> Result<Option<u64>, StorageError>;
}

/// Tells what the writer of this process has written, until `stop` says so or its sender is gone;
/// then once more.
pub(crate) async fn tell(
    core: Arc<Core>,
    notifier: Arc<dyn Notifier>,
    mut stop: watch::Receiver<bool>,
) {
    let mut written = core.written.subscribe();
    let mut is_over = false;
    while !is_over {
        tokio::select! {
            changed = written.changed() => is_over = changed.is_err(),
            _ = stop.wait_for(|stopped| *stopped) => is_over = true,
        }
        if is_over && !written.has_changed().unwrap_or(false) {
            return;
        }
        let position = *written.borrow_and_update();
        if let Err(error) = notifier.tell(position).await {
            tracing::debug!(%error, position, "other processes were not told of a new head");
        }
        if !is_over {
            tokio::select! {
                () = sleep(Duration::from_millis(TELL_MS_MIN)) => {}
                _ = stop.wait_for(|stopped| *stopped) => {}
            }
        }
    }
}

/// Brings the tail to what others tell, so that whoever follows in this process wakes, until `stop`
/// says so or its sender is gone.
pub(crate) async fn listen(
    core: Arc<Core>,
    notifier: Arc<dyn Notifier>,
    mut stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = hear_all(&core, notifier.as_ref()) => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}

async fn hear_all(core: &Core, notifier: &dyn Notifier) {
    let mut again_ms = LISTEN_AGAIN_MS_MIN;
    loop {
        if let Err(error) = hear_while_connected(core, notifier, &mut again_ms).await {
            tracing::debug!(%error, "other processes are not heard: polling until they are again");
        }
        sleep(Duration::from_millis(again_ms)).await;
        again_ms = (again_ms * 2).min(LISTEN_AGAIN_MS_MAX);
    }
}

async fn hear_while_connected(
    core: &Core,
    notifier: &dyn Notifier,
    again_ms: &mut u64,
) -> Result<(), StorageError> {
    let mut listener = notifier.listen().await?;
    *again_ms = LISTEN_AGAIN_MS_MIN;
    // What was written before it listened was not heard.
    let mut heard = None;
    loop {
        let is_new = heard.is_none_or(|position| position > core.tail.end());
        if is_new
            && core.head.receiver_count() > 0
            && let Err(error) = core.refresh().await
        {
            tracing::debug!(%error, "what others have written was not read: a poll will");
        }
        heard = listener.hear().await?;
    }
}
