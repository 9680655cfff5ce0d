//! Following a book: read until the head, then wait for more.
//! The watch only wakes early; polling with a back-off is the floor, so that no event depends on
//! it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::log::{Log, Page, Query, ReadError};

/// Milliseconds until the first poll at the head.
pub const POLL_MS_MIN: u64 = 5;
/// Milliseconds between polls of a book in which nothing happens.
pub const POLL_MS_MAX: u64 = 1_000;

/// A reader that follows one book.
pub struct Subscription<L: ?Sized> {
    log: Arc<L>,
    query: Query,
    cursor: u64,
    limit: usize,
    heads: watch::Receiver<u64>,
}

impl<L: Log + ?Sized> Subscription<L> {
    /// Follows `log` from the event after `after`, at most `limit` events a page.
    pub fn new(log: Arc<L>, query: Query, after: u64, limit: usize) -> Self {
        let heads = log.watch();
        Self { log, query, cursor: after, limit, heads }
    }

    /// The position up to which pages were handed out.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The next page; waits while there is none. A page without events says how far the reader may
    /// move its cursor. Dropping the future loses nothing: the next call reads the same page.
    pub async fn next(&mut self) -> Result<Page, ReadError> {
        let mut wait_ms = POLL_MS_MIN;
        loop {
            // Marked as seen before the read: a head that moves during it wakes at once.
            self.heads.borrow_and_update();
            let page = self.log.read(&self.query, self.cursor, 0, self.limit).await?;
            assert!(page.scanned_to >= self.cursor, "a cursor never moves back");
            if page.scanned_to > self.cursor {
                self.cursor = page.scanned_to;
                return Ok(page);
            }
            let pause = Duration::from_millis(wait_ms);
            wait_ms = (wait_ms * 2).min(POLL_MS_MAX);
            if let Ok(Err(_)) = timeout(pause, self.heads.changed()).await {
                // The writer has ended, but another process may write: only the floor is left.
                tokio::time::sleep(pause).await;
            }
        }
    }
}
