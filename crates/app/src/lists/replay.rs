//! Replay: the events of a book from position 1, read from its replay blocks where there are some,
//! and folded on all cores. A fold sees every event in order; what is read ahead is bounded.

use std::collections::VecDeque;
use std::sync::Arc;

use daicho_events::{Recorded, binary};
use daicho_store::{Blocks, Book};
use tokio::task::JoinHandle;

use super::fold_threads::{FoldThreads, broke_off};
use super::folds::{Folds, cores};
use crate::error::Failure;
use crate::progress::Progress;
use crate::record::{PIECE_EVENTS, Record};
use crate::storage::Storage;

/// How a book is folded.
pub(crate) struct Replay<'a> {
    /// The last position to fold.
    pub(crate) until: u64,
    /// The bytes that its rows may hold at once; beyond that, slices are shed.
    pub(crate) memory_bytes: usize,
    /// The text by which progress is reported.
    pub(crate) what: &'a str,
}

impl Replay<'_> {
    /// Everything in one pass, however much memory the rows hold.
    pub(crate) fn whole(until: u64) -> Self {
        Self { until, memory_bytes: usize::MAX, what: "events folded" }
    }
}

/// The most pieces of the log that are read and not folded yet.
struct Reading {
    ahead: VecDeque<Piece>,
    /// The position up to which it was read.
    at: u64,
    until: u64,
}

/// A piece of the log that is being decoded, a sealed block or not.
struct Piece {
    after: u64,
    reached: u64,
    decoded: Decoded,
}

enum Decoded {
    /// A thread decodes it; `None` if the block was not written by this release.
    Soon(JoinHandle<Option<Vec<Recorded>>>),
    Now(Vec<Recorded>),
}

/// Folds the events of a book.
pub(crate) struct Replayer {
    log: Arc<Book>,
    record: Arc<Record>,
}

impl Replayer {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self { log: Arc::clone(&storage.log), record: Arc::clone(record) }
    }

    /// Folds every event up to `replay.until` into `folds`, which are empty.
    ///
    /// # Errors
    /// The first event that cannot be read, with position, type and reason, or storage fails.
    pub(crate) async fn replay(
        &self,
        folds: Folds,
        replay: Replay<'_>,
        progress: &dyn Progress,
    ) -> Result<Folds, Failure> {
        progress.begin(replay.what, replay.until);
        let mut threads = FoldThreads::start(folds);
        let mut reading = Reading { ahead: VecDeque::new(), at: 0, until: replay.until };
        while let Some((events, reached)) = self.next_piece(&mut reading).await? {
            threads.fold(events).await?;
            threads.keep_within(replay.memory_bytes).await?;
            progress.at(reached);
        }
        let folds = threads.finish(replay.memory_bytes).await?;
        progress.end();
        Ok(folds)
    }

    /// The next events and the position that they reach, while those after them are decoded.
    async fn next_piece(
        &self,
        reading: &mut Reading,
    ) -> Result<Option<(Vec<Recorded>, u64)>, Failure> {
        while reading.ahead.len() <= cores() && reading.at < reading.until {
            let piece = self.read_piece(reading.at, reading.until).await?;
            reading.at = piece.reached;
            reading.ahead.push_back(piece);
        }
        let Some(Piece { after, reached, decoded }) = reading.ahead.pop_front() else {
            return Ok(None);
        };
        let decoded = match decoded {
            Decoded::Now(events) => Some(events),
            Decoded::Soon(thread) => thread.await.map_err(broke_off)?,
        };
        match decoded {
            Some(events) => Ok(Some((events, reached))),
            // Derived data is never required: the record has everything that it has.
            None => Ok(Some((self.record.events_between(after, reached).await?, reached))),
        }
    }

    async fn read_piece(&self, after: u64, until: u64) -> Result<Piece, Failure> {
        let block_events = self.log.block_events();
        if after.is_multiple_of(block_events)
            && let Some(block) = self.log.block(after / block_events).await?
        {
            let thread = tokio::task::spawn_blocking(move || {
                let mut events = binary::unpack(&block).ok()?;
                // The last block may reach beyond the end.
                events.retain(|event| event.header.position.0 <= until);
                Some(events)
            });
            let reached = until.min(after + block_events);
            return Ok(Piece { after, reached, decoded: Decoded::Soon(thread) });
        }
        let reached = until.min(after + u64::from(PIECE_EVENTS));
        let events = self.record.events_between(after, reached).await?;
        Ok(Piece { after, reached, decoded: Decoded::Now(events) })
    }
}
