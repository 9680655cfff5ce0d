//! A record copied to another database, byte for byte: the same positions, texts, hashes and root,
//! and the same book. What the copy holds already must be the beginning of the source.

use crate::error::StorageError;
use crate::log::{Head, ReadError};

use super::OpenError;
use super::batch::{Batch, Held};
use super::database::{RecordDb, RecordWriter, Written};
use super::rows::CHUNK_ROWS_MAX;
use super::verify::{Fault, Progress, Record};

/// Why a record was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The copy, or what stands in its place, cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The source is not whole; what was copied of it is.
    #[error("the book that is copied is not whole")]
    Source(#[source] Fault),
    /// What stands in the place of the copy is not the beginning of the source.
    #[error(
        "the copy holds {position} events that are not the first ones of this book: it went on \
         by itself, or is another book; choose another place"
    )]
    Fork {
        /// Events that it holds.
        position: u64,
    },
    /// Somebody appends to the copy.
    #[error("somebody appends to the copy at the same time: stop that, and copy again")]
    Written,
    /// The copy cannot be written.
    #[error("the copy cannot be written: copy again, it continues where it stopped")]
    Storage(#[from] StorageError),
}

impl From<ReadError> for CopyError {
    fn from(error: ReadError) -> Self {
        Self::Source(error.into())
    }
}

/// Brings `to` to the end of `source`. Cut short, it continues where it stopped.
pub(crate) async fn copy(
    source: &Record,
    to: &dyn RecordDb,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Head, CopyError> {
    let target = source.head().await?;
    let mut writer = to.writer().await?;
    let mut held = writer.head().await?.held();
    check_beginning(source, &held, target.position).await?;
    while held.frontier.size() < target.position {
        held = copy_rows(source, writer.as_mut(), held, target.position).await?;
        progress(Progress { done: held.frontier.size(), total: target.position });
    }
    writer.close().await?;
    let root = held.frontier.root();
    assert_eq!(root, target.root, "the same envelopes hash to the same root");
    Ok(target)
}

async fn check_beginning(source: &Record, held: &Held, end: u64) -> Result<(), CopyError> {
    let position = held.frontier.size();
    let known = position <= end;
    if known && source.root_at(position).await.map_err(CopyError::Source)? == held.frontier.root() {
        return Ok(());
    }
    Err(CopyError::Fork { position })
}

async fn copy_rows(
    source: &Record,
    writer: &mut dyn RecordWriter,
    held: Held,
    end: u64,
) -> Result<Held, CopyError> {
    let mut batch = Batch::of_another(held);
    let before = batch.before();
    let until = end.min(before + CHUNK_ROWS_MAX);
    let add = |row: &super::rows::Checked<'_>| batch.add_copy(row);
    source.for_each(before, until, add).await?;
    assert_eq!(batch.held.frontier.size(), until, "every row of the piece is in the batch");
    match writer.write(&batch).await? {
        Written::Committed => Ok(batch.held),
        Written::HeadMoved => Err(CopyError::Written),
    }
}
