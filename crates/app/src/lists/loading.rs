//! The rows of a pass on their way into shadow tables: encoded by a thread, slice by slice, while
//! those before them are written.

use daicho_projections::List;
use daicho_store::views::{Value, ViewRow};
use daicho_values::Date;
use tokio::sync::mpsc;

use super::folds::{Folds, ListFolds};
use super::rows::changes;
use crate::error::Failure;

/// The rows of one batch; it may exceed this by one slice.
const BATCH_ROWS: usize = 10_000;
/// The bytes of one batch; it may exceed this by one slice.
const BATCH_BYTES: usize = 4 * 1_024 * 1_024;
/// The most batches of a list that may wait to be written: while the indexes of one list are built,
/// the rows of the next are encoded.
const BATCHES_WAITING_MAX: usize = 8;

/// Rows of whole slices.
pub(crate) struct Batch {
    pub(crate) rows: Vec<ViewRow>,
    /// When they are loaded, every slice before this one is.
    pub(crate) loaded: u32,
}

/// The batches of one list; the last may be empty.
pub(crate) struct Batches {
    receiver: mpsc::Receiver<Result<Batch, Failure>>,
    /// The number of loaded slices, including those of the batches received.
    loaded: u32,
    /// The number of slices to load.
    end: u32,
}

impl Batches {
    /// The next batch; `None` after the last.
    ///
    /// # Errors
    /// A row cannot be encoded, or the thread that encodes ended early.
    pub(crate) async fn next(&mut self) -> Result<Option<Batch>, Failure> {
        match self.receiver.recv().await {
            Some(batch) => {
                let batch = batch?;
                self.loaded = batch.loaded;
                Ok(Some(batch))
            }
            None if self.loaded < self.end => Err(Failure::BrokeOff {
                what: format!("encoding rows at slice {} of {}", self.loaded, self.end),
            }),
            None => Ok(None),
        }
    }
}

/// Encodes the rows of lists, one list after the other; each begins where its loading stopped.
pub(crate) fn encode(lists: Vec<(&'static dyn List, u32)>, folds: Folds, on: Date) -> Vec<Batches> {
    let end = folds.end;
    let (mut work, mut batches) = (Vec::new(), Vec::new());
    for ((list, first), folds) in lists.into_iter().zip(folds.by_list()) {
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
        work.push(Encoding { list, folds, slices: first..end, on, batches: sender });
        batches.push(Batches { receiver, loaded: first, end });
    }
    tokio::task::spawn_blocking(move || work.into_iter().for_each(Encoding::run));
    batches
}

struct Encoding {
    list: &'static dyn List,
    folds: ListFolds,
    slices: std::ops::Range<u32>,
    on: Date,
    batches: mpsc::Sender<Result<Batch, Failure>>,
}

impl Encoding {
    fn run(mut self) {
        let encoded = self.encode();
        if let Err(error) = encoded {
            // If this fails, nobody waits for the rows any more.
            let _ = self.batches.blocking_send(Err(error));
        }
    }

    fn encode(&mut self) -> Result<(), Failure> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for slice in self.slices.clone() {
            let encoded = changes(self.list, self.folds.take_slice(slice, self.on)?).upserts;
            bytes += encoded.iter().map(size).sum::<usize>();
            rows.extend(encoded);
            let is_last = slice + 1 == self.slices.end;
            if is_last || rows.len() >= BATCH_ROWS || bytes >= BATCH_BYTES {
                let batch = Batch { rows: std::mem::take(&mut rows), loaded: slice + 1 };
                bytes = 0;
                if self.batches.blocking_send(Ok(batch)).is_err() {
                    return Ok(()); // the rebuild was given up
                }
            }
        }
        Ok(())
    }
}

/// Roughly the bytes that a row holds in memory.
fn size(row: &ViewRow) -> usize {
    let cells = row.columns.iter().map(|cell| match cell {
        Value::Null | Value::Integer(_) => size_of::<Value>(),
        Value::Text(text) => size_of::<Value>() + text.len(),
    });
    row.key.len() + row.row.len() + cells.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn batches_that_end_before_the_last_slice_are_an_error_and_not_the_end() {
        for (sent, is_error) in [(3, true), (4, false)] {
            let (sender, receiver) = mpsc::channel(1);
            let mut batches = Batches { receiver, loaded: 0, end: 4 };
            sender.send(Ok(Batch { rows: Vec::new(), loaded: sent })).await.unwrap();
            drop(sender);
            assert_eq!(batches.next().await.unwrap().unwrap().loaded, sent);
            let end = batches.next().await;
            assert_eq!(end.is_err(), is_error, "{sent}");
        }
    }
}
