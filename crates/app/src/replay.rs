//! Replay: the events of a book from position 1, from its replay blocks where there are some, and
//! folded on all cores. A fold sees every event in order; what is read ahead is bounded.

use std::collections::VecDeque;

use daicho_events::{Recorded, binary};
use daicho_store::{Blocks, Log};
use tokio::task::JoinHandle;

use crate::crew::Crew;
use crate::error::Failure;
use crate::folds::{Folds, cores};
use crate::ledger::Ledger;
use crate::progress::Progress;
use crate::translate;

/// Events read at once where no block is sealed yet.
const TAIL_EVENTS: u16 = 4_096;

/// How a book is folded.
pub(crate) struct Replay<'a> {
    /// The last position.
    pub(crate) until: u64,
    /// What its rows may hold at once; beyond it slices are shed.
    pub(crate) memory_bytes: usize,
    /// What is told to those who watch.
    pub(crate) what: &'a str,
}

impl Replay<'_> {
    /// All of it in one pass, whatever it holds.
    pub(crate) fn whole(until: u64) -> Self {
        Self { until, memory_bytes: usize::MAX, what: "events folded" }
    }
}

/// Pieces of the log that are read and not folded yet.
struct Reading {
    ahead: VecDeque<Piece>,
    /// Up to where it was read.
    at: u64,
    until: u64,
}

/// A piece of the log, a sealed block or not, that is being decoded.
struct Piece {
    after: u64,
    reached: u64,
    decoded: Decoded,
}

enum Decoded {
    /// By a thread; `None`: the block is not one of this release.
    Soon(JoinHandle<Option<Vec<Recorded>>>),
    Now(Vec<Recorded>),
}

impl Ledger {
    /// Folds every event up to `replay.until` into `folds`, which are empty.
    ///
    /// # Errors
    /// The first event that cannot be read, by position, type and reason; storage that fails.
    pub(crate) async fn replay(
        &self,
        folds: Folds,
        replay: Replay<'_>,
        progress: &dyn Progress,
    ) -> Result<Folds, Failure> {
        progress.begin(replay.what, replay.until);
        let mut crew = Crew::start(folds);
        let mut reading = Reading { ahead: VecDeque::new(), at: 0, until: replay.until };
        while let Some((events, reached)) = self.next_piece(&mut reading).await? {
            crew.fold(events).await?;
            crew.keep_within(replay.memory_bytes).await?;
            progress.at(reached);
        }
        let folds = crew.finish(replay.memory_bytes).await?;
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
            // What is derived is never needed: the record has it, too.
            None => Ok(Some((self.events_between(after, reached).await?, reached))),
        }
    }

    async fn read_piece(&self, after: u64, until: u64) -> Result<Piece, Failure> {
        let block_events = self.log().block_events();
        if after.is_multiple_of(block_events)
            && let Some(block) = self.log().block(after / block_events).await?
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
        let reached = until.min(after + u64::from(TAIL_EVENTS));
        let events = self.events_between(after, reached).await?;
        Ok(Piece { after, reached, decoded: Decoded::Now(events) })
    }

    /// Every event after `after` and up to `until`, decoded from the record.
    pub(crate) async fn events_between(
        &self,
        after: u64,
        until: u64,
    ) -> Result<Vec<Recorded>, Failure> {
        let everything = daicho_store::Query::everything();
        let (mut events, mut at) = (Vec::new(), after);
        while at < until {
            let page = self.log().read(&everything, at, until, TAIL_EVENTS.into()).await?;
            if page.scanned_to <= at {
                return Err(Failure::Limit(format!(
                    "position {until} is not recorded: the book ends at {at}"
                )));
            }
            at = page.scanned_to;
            for stored in &page.events {
                events.push(translate::from_store(stored)?);
            }
        }
        Ok(events)
    }
}

/// A thread of ours ended by a panic.
pub(crate) fn broke_off(error: tokio::task::JoinError) -> Failure {
    Failure::Limit(format!("a thread of the replay broke off: {error}"))
}
