//! Following a book: read until the head, then wait for more. The watch only wakes a reader early:
//! polling with a back-off finds every event without it.
//!
//! Positions have no gap, so a reader can tell that nothing was passed over: pages join end to end,
//! and each is checked before it is handed out.

use std::ops::Deref;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::log::{Log, Page, Query, ReadError, Stored};

/// Milliseconds until the first poll at the head.
pub const POLL_MS_MIN: u64 = 5;
/// Milliseconds between polls of a book in which nothing happens.
pub const POLL_MS_MAX: u64 = 1_000;

/// How often a reader at the head looks for more by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    /// Milliseconds until the first look; each later one waits twice as long.
    pub ms_min: u64,
    /// Milliseconds between looks at most.
    pub ms_max: u64,
}

impl Default for Polling {
    fn default() -> Self {
        Self { ms_min: POLL_MS_MIN, ms_max: POLL_MS_MAX }
    }
}

/// What was recorded between two positions and matches the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedPage {
    /// The page begins after this position: the end of the page before.
    pub after: u64,
    /// The matching events, in order.
    pub events: Vec<Stored>,
    /// Everything up to here was looked at.
    pub scanned_to: u64,
}

/// A reader that follows one book, which it holds by reference or as an `Arc`.
pub struct Subscription<P> {
    log: P,
    query: Query,
    cursor: u64,
    limit: usize,
    polling: Polling,
    heads: watch::Receiver<u64>,
}

impl<P> Subscription<P>
where
    P: Deref<Target: Log> + Send + Sync,
{
    /// Follows `log` from the event after `after`, at most `limit` events a page.
    pub fn new(log: P, query: Query, after: u64, limit: usize) -> Self {
        let heads = log.watch();
        Self { log, query, cursor: after, limit, polling: Polling::default(), heads }
    }

    /// The same reader, which polls at other times.
    #[must_use]
    pub fn polling(self, polling: Polling) -> Self {
        Self { polling, ..self }
    }

    /// The position up to which pages were handed out.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The book that is followed.
    pub fn log(&self) -> &P::Target {
        &self.log
    }

    /// Begins anew after `position`.
    pub(crate) fn begin_after(&mut self, position: u64) {
        self.cursor = position;
    }

    /// The next page; waits while there is none. A page without events says how far the reader may
    /// move its cursor. Dropping the future loses nothing: the next call reads the same page. After
    /// an error, too, the next call goes on where the last page ended.
    pub async fn next(&mut self) -> Result<FollowedPage, ReadError> {
        let mut wait_ms = self.polling.ms_min;
        loop {
            // Marked as seen before the read: a head that moves during it wakes at once.
            self.heads.borrow_and_update();
            let after = self.cursor;
            let page = self.log.read(&self.query, after, 0, self.limit).await?;
            assert!(page.scanned_to >= after, "a cursor never moves back");
            if page.scanned_to > after {
                check_joined(after, &page, &self.query)?;
                let Page { events, scanned_to } = page;
                self.cursor = scanned_to;
                return Ok(FollowedPage { after, events, scanned_to });
            }
            let pause = Duration::from_millis(wait_ms);
            wait_ms = (wait_ms * 2).min(self.polling.ms_max);
            if let Ok(Err(_)) = timeout(pause, self.heads.changed()).await {
                // The writer has ended, but another process may write: from here on only polling
                // finds that.
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Refuses a page that passes over an event or repeats one.
fn check_joined(after: u64, page: &Page, query: &Query) -> Result<(), ReadError> {
    let is_whole = query.is_everything();
    let mut last = after;
    for event in &page.events {
        let position = event.position;
        if position <= last || position > page.scanned_to {
            return Err(broken(position, "it was handed out out of its order"));
        }
        if is_whole && position != last + 1 {
            return Err(broken(last + 1, "it was passed over by a reader that asked for all"));
        }
        last = position;
    }
    if is_whole && last != page.scanned_to {
        return Err(broken(last + 1, "it was passed over by a reader that asked for all"));
    }
    Ok(())
}

fn broken(position: u64, reason: &str) -> ReadError {
    ReadError::Corrupt { position, reason: format!("{reason}: verify the book") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(positions: &[u64], scanned_to: u64) -> Page {
        let stored = |position: &u64| Stored {
            position: *position,
            envelope: "{}".into(),
            data: "{}".into(),
        };
        Page { events: positions.iter().map(stored).collect(), scanned_to }
    }

    fn first_bad(checked: Result<(), ReadError>) -> Option<u64> {
        match checked {
            Ok(()) => None,
            Err(ReadError::Corrupt { position, .. }) => Some(position),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_page_of_everything_that_passes_over_or_repeats_an_event_is_refused() {
        let everything = Query::everything();
        let check = |page| first_bad(check_joined(4, &page, &everything));
        assert_eq!(check(page(&[5, 6, 7], 7)), None);
        assert_eq!(check(page(&[5, 7], 7)), Some(6));
        assert_eq!(check(page(&[6, 7], 7)), Some(5));
        assert_eq!(check(page(&[5, 6], 7)), Some(7));
        assert_eq!(check(page(&[], 7)), Some(5));
        assert_eq!(check(page(&[5, 5], 6)), Some(5));
        assert_eq!(check(page(&[4, 5], 5)), Some(4));
    }

    #[test]
    fn a_filtered_page_is_within_its_ends_and_in_order() {
        let filtered = Query { items: Vec::new() };
        let check = |page| first_bad(check_joined(4, &page, &filtered));
        assert_eq!(check(page(&[6, 9], 12)), None);
        assert_eq!(check(page(&[], 12)), None);
        assert_eq!(check(page(&[4], 12)), Some(4));
        assert_eq!(check(page(&[9, 6], 12)), Some(6));
        assert_eq!(check(page(&[13], 12)), Some(13));
    }
}
