//! Replay: the events of a book from position 1, from its replay blocks where there are some,
//! folded
//! on all cores. A fold sees every event in order; what is read ahead is bounded.

use daicho_events::{Recorded, binary};
use daicho_projections::{Fold, List, Partition};
use daicho_store::{Blocks, Log};

use crate::error::Failure;
use crate::ledger::Ledger;
use crate::progress::Progress;
use crate::translate;

/// Events read at once where no block is sealed yet.
const TAIL_EVENTS: u16 = 4_096;

/// Folds of several lists over one pass, each list in as many parts as there are cores.
pub(crate) struct Folds {
    /// One entry a part; each holds a fold of every list.
    parts: Vec<Vec<Box<dyn Fold>>>,
}

impl Folds {
    /// Empty folds of `lists`, one part a core.
    pub(crate) fn start(lists: &[&'static dyn List]) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let of = u32::try_from(cores).unwrap_or(1);
        let part = |partition| lists.iter().map(|list| list.start(partition)).collect();
        Self { parts: Partition::parts(of).map(part).collect() }
    }

    /// Folds pieces of the log that follow each other, each part on a thread of its own.
    fn apply(&mut self, pieces: &[Vec<Recorded>]) {
        std::thread::scope(|scope| {
            for folds in &mut self.parts {
                scope.spawn(move || {
                    for event in pieces.iter().flatten() {
                        folds.iter_mut().for_each(|fold| fold.apply(event));
                    }
                });
            }
        });
    }

    /// For every list, in the order given, the folds of its parts.
    pub(crate) fn by_list(self) -> Vec<Vec<Box<dyn Fold>>> {
        let lists = self.parts.first().map_or(0, Vec::len);
        let mut by_list: Vec<Vec<Box<dyn Fold>>> = (0..lists).map(|_| Vec::new()).collect();
        for part in self.parts {
            by_list.iter_mut().zip(part).for_each(|(folds, fold)| folds.push(fold));
        }
        by_list
    }
}

/// A piece of the log as it was read: a sealed block, or events already decoded.
enum Piece {
    Block(Vec<u8>),
    Events(Vec<Recorded>),
}

impl Ledger {
    /// Folds every event up to `until` into `folds`, which are empty.
    pub(crate) async fn replay(
        &self,
        mut folds: Folds,
        until: u64,
        progress: &dyn Progress,
    ) -> Result<Folds, Failure> {
        progress.begin("events folded", until);
        let mut next = self.read_pieces(0, until).await?;
        while let Some((pieces, read_to)) = next {
            let work = tokio::task::spawn_blocking(move || {
                let pieces = decode(pieces, until)?;
                folds.apply(&pieces);
                Ok::<_, Failure>(folds)
            });
            // The next pieces are read while these are decoded and folded.
            let (ahead, done) = tokio::join!(self.read_pieces(read_to, until), work);
            folds =
                done.map_err(|error| Failure::Limit(format!("a fold broke off: {error}")))??;
            progress.at(read_to);
            next = ahead?;
        }
        progress.end();
        Ok(folds)
    }

    /// As many pieces after `after` as there are cores, and the position that they reach.
    async fn read_pieces(
        &self,
        after: u64,
        until: u64,
    ) -> Result<Option<(Vec<Piece>, u64)>, Failure> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (mut pieces, mut at) = (Vec::with_capacity(cores), after);
        while pieces.len() < cores && at < until {
            let (piece, reached) = self.read_piece(at, until).await?;
            pieces.push(piece);
            at = reached;
        }
        Ok((!pieces.is_empty()).then_some((pieces, at)))
    }

    async fn read_piece(&self, after: u64, until: u64) -> Result<(Piece, u64), Failure> {
        let block_events = self.log().block_events();
        if after.is_multiple_of(block_events)
            && let Some(block) = self.log().block(after / block_events).await?
        {
            return Ok((Piece::Block(block), until.min(after + block_events)));
        }
        let reached = until.min(after + u64::from(TAIL_EVENTS));
        let events = self.events_between(after, reached).await?;
        Ok((Piece::Events(events), reached))
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

/// Decodes pieces, each on a thread of its own; a block may reach beyond `until`.
fn decode(pieces: Vec<Piece>, until: u64) -> Result<Vec<Vec<Recorded>>, Failure> {
    let decode = |piece| match piece {
        Piece::Events(events) => Ok(events),
        Piece::Block(block) => {
            let mut events = binary::unpack(&block).map_err(Failure::from)?;
            events.retain(|event| event.header.position.0 <= until);
            Ok(events)
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            pieces.into_iter().map(|piece| scope.spawn(move || decode(piece))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<Vec<Recorded>, Failure>>| {
            thread.join().unwrap_or_else(|_| Err(Failure::Limit("a decoder broke off".to_owned())))
        };
        threads.into_iter().map(join).collect()
    })
}
