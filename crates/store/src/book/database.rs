//! What a book asks of the database under its record. One implementation for each database; the
//! rules of the log stand above it, once for all of them.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::StorageError;
use crate::log::Head;
use crate::merkle::Frontier;

use super::batch::{Batch, Held};
use super::derived::RecordProbe;
use super::rows::Chunk;

/// The head as it stands in the record.
#[derive(Debug, Clone)]
pub(crate) struct HeadRow {
    pub(crate) frontier: Frontier,
    pub(crate) recorded_at_us: i64,
    /// The last position in the log itself.
    pub(crate) last: u64,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Committed,
    /// Another process has moved the head: nothing was written.
    HeadMoved,
}

/// The record of one book, to be read.
#[async_trait]
pub(crate) trait RecordDb: RecordProbe + Debug + Send + Sync {
    /// The head and the end of the log, of one moment.
    async fn head(&self) -> Result<HeadRow, StorageError>;
    /// Rows in (after, until], at most `rows` of them.
    async fn range(&self, after: u64, until: u64, rows: u64) -> Result<Chunk, StorageError>;
    /// Rows at these positions, ascending, at most [`super::rows::CHUNK_ROWS_MAX`] of them.
    async fn positions(&self, positions: &[u64]) -> Result<Chunk, StorageError>;
    /// A connection of its own that appends.
    async fn writer(&self) -> Result<Box<dyn RecordWriter>, StorageError>;
    /// Closes the connections that read.
    async fn close(&self);
}

/// The one connection of this process that appends to a record.
#[async_trait]
pub(crate) trait RecordWriter: Send + Sync {
    /// The head as this connection reads it.
    async fn head(&mut self) -> Result<HeadRow, StorageError>;
    /// Writes the batch and moves the head, both or neither; nothing unless the head is where the
    /// batch begins. It returns when that is durable. After [`StorageError::Busy`] nothing was
    /// written; after any other error only the record knows.
    async fn write(&mut self, batch: &Batch) -> Result<Written, StorageError>;
    /// Ends the connection.
    async fn close(self: Box<Self>) -> Result<(), StorageError>;
}

impl HeadRow {
    /// From the columns of the row, and the last position in the log.
    pub(crate) fn new(
        position: i64,
        frontier: &[u8],
        recorded_at_us: i64,
        last: Option<i64>,
    ) -> Result<Self, StorageError> {
        let corrupt = || {
            StorageError::Corrupt(format!(
                "the head row says position {position}, and its tree is of another size: \
                 verify the book and restore what is lost from a backup"
            ))
        };
        let frontier = Frontier::decode(frontier).ok_or_else(corrupt)?;
        if Ok(frontier.size()) != u64::try_from(position) {
            return Err(corrupt());
        }
        let last = u64::try_from(last.unwrap_or(0)).map_err(|_| corrupt())?;
        Ok(Self { frontier, recorded_at_us, last })
    }

    pub(crate) fn position(&self) -> u64 {
        self.frontier.size()
    }

    /// The end of the book, and the proof that it ends there.
    pub(crate) fn head(&self) -> Head {
        Head {
            position: self.position(),
            root: self.frontier.root(),
            recorded_at_us: self.recorded_at_us,
        }
    }

    /// Where the record ends, for a writer.
    pub(crate) fn held(self) -> Held {
        Held { frontier: self.frontier, recorded_at_us: self.recorded_at_us }
    }
}
