//! What the parts of an open book share: its connections, its tail, its derived state.
//! Refreshing the tail from the record stands here, since writer and readers both need it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::error::StorageError;
use crate::log::{AppendError, ReadError};

use super::database::{HeadRow, RecordDb};
use super::derived::{Derived, Pauses};
use super::rows::CHUNK_ROWS_MAX;
use super::scan::for_each_row;
use super::tail::{TAIL_BLOCKS_MAX, Tail, TailEvent};
use super::{Packer, options::Options};

/// Milliseconds that an append waits for the sealer before it is turned away.
const SEALER_WAIT_MS_MAX: u64 = 30_000;

/// Shared by the book, its writer and its sealer.
pub(crate) struct Core {
    pub(crate) book_id: [u8; 16],
    pub(crate) options: Options,
    pub(crate) record: Arc<dyn RecordDb>,
    pub(crate) derived: Derived,
    pub(crate) tail: Tail,
    pub(crate) head: watch::Sender<u64>,
    /// The last position that this process has written.
    pub(crate) written: watch::Sender<u64>,
    /// Wakes the sealer.
    pub(crate) grown: Notify,
    /// Why sealing fails at the moment.
    pub(crate) sealer_fault: Mutex<Option<String>>,
}

impl Core {
    pub(crate) fn block_events(&self) -> u64 {
        u64::from(self.options.block_events)
    }

    pub(crate) fn packer(&self) -> &Arc<dyn Packer> {
        &self.options.packer
    }

    pub(crate) fn pauses(&self) -> &Pauses {
        &self.options.pauses
    }

    /// Brings the tail to the committed head, whoever wrote it.
    pub(crate) async fn refresh(&self) -> Result<HeadRow, ReadError> {
        let head = self.record.head().await?;
        self.refresh_to(head.position()).await?;
        assert!(self.tail.end() >= head.position(), "the tail reaches the head that was read");
        Ok(head)
    }

    /// Brings the tail to a committed position.
    pub(crate) async fn refresh_to(&self, target: u64) -> Result<(), ReadError> {
        loop {
            let end = self.tail.end();
            if end >= target {
                return Ok(());
            }
            if target - end > self.block_events() {
                // Another process wrote much: most likely it has sealed it, too.
                let sealed_to = self.derived.refresh().await?;
                if sealed_to > end {
                    self.evict(sealed_to);
                    continue;
                }
            }
            self.wait_for_room().await?;
            let until = target.min(end + CHUNK_ROWS_MAX);
            let mut events = Vec::new();
            for_each_row(self.record.as_ref(), end, until, |row| {
                events.push(TailEvent::of(&row));
                Ok(())
            })
            .await?;
            let read = u64::try_from(events.len());
            assert_eq!(read, Ok(until - end), "every row up to the target was read");
            self.publish(end + 1, events);
        }
    }

    /// Lets the tail go of what is sealed. It may end further on then, since another process has
    /// sealed what this one has not read: whoever follows is woken by that, too.
    pub(crate) fn evict(&self, sealed_to: u64) {
        assert_eq!(sealed_to % self.block_events(), 0, "only whole blocks are sealed");
        self.tail.evict(sealed_to);
        self.tell_head();
    }

    fn tell_head(&self) {
        let end = self.tail.end();
        self.head.send_if_modified(|head| {
            let moved = *head < end;
            *head = end.max(*head);
            moved
        });
    }

    /// Makes committed events known to this process.
    pub(crate) fn publish(&self, first: u64, events: Vec<TailEvent>) {
        let next = first + u64::try_from(events.len()).unwrap_or(u64::MAX);
        self.tail.extend(first, events);
        assert!(self.tail.end() + 1 >= next, "what was published is in the tail");
        self.tell_head();
        if self.tail.blocks_waiting() > 0 {
            self.grown.notify_one();
        }
    }

    /// Waits until the tail is within its bound; not for ever.
    pub(crate) async fn wait_for_room(&self) -> Result<(), Behind> {
        let mut starts = self.tail.starts();
        let room = async {
            loop {
                starts.borrow_and_update();
                if self.tail.blocks_waiting() < TAIL_BLOCKS_MAX || starts.changed().await.is_err() {
                    return;
                }
            }
        };
        match timeout(Duration::from_millis(SEALER_WAIT_MS_MAX), room).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.behind()),
        }
    }

    fn behind(&self) -> Behind {
        let fault = self.sealer_fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Behind {
            blocks: self.tail.blocks_waiting(),
            fault: fault.unwrap_or_else(|| "it reports no fault".into()),
        }
    }

    /// Refuses to look below a tail that the sealed part does not reach: events between the two
    /// would be missed.
    pub(crate) fn check_whole(&self, start: u64) -> Result<(), StorageError> {
        if self.derived.sealed_to() + 1 < start { Err(StorageError::Remade) } else { Ok(()) }
    }
}

/// The sealer does not keep up.
#[derive(Debug)]
pub(crate) struct Behind {
    blocks: u64,
    fault: String,
}

impl Behind {
    fn reason(&self) -> String {
        format!("{} whole blocks wait, at most {TAIL_BLOCKS_MAX} may; {}", self.blocks, self.fault)
    }
}

impl From<Behind> for AppendError {
    fn from(behind: Behind) -> Self {
        Self::Overloaded { reason: behind.reason() }
    }
}

impl From<Behind> for ReadError {
    fn from(behind: Behind) -> Self {
        Self::Overloaded { reason: behind.reason() }
    }
}
