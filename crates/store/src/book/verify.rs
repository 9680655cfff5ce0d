//! Verification: the log itself is read, and compared with its head and with what is derived from
//! it. Nothing here trusts an index, a cache or the tail.

use std::sync::Arc;

use crate::error::StorageError;
use crate::log::{Head, ReadError, Stored};
use crate::merkle::{Frontier, Hash};

use super::database::RecordDb;
use super::rows::{CHUNK_ROWS_MAX, Checked};
use super::scan::{for_each_row, scan};
use super::{Book, sealer};

/// How far a long work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events done.
    pub done: u64,
    /// Events in all.
    pub total: u64,
}

/// What a verification found.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// An event is not what was recorded.
    #[error("event {position} was altered: {reason}")]
    Event {
        /// The first bad position.
        position: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Log and head do not agree.
    #[error("the log and its head do not agree: {reason}")]
    Head {
        /// What does not agree.
        reason: String,
    },
    /// The book ends before the position that is asked for.
    #[error("the book ends at {head}, and position {position} was asked for: its end was cut off")]
    Cut {
        /// Position of the last event that is there.
        head: u64,
        /// The position asked for.
        position: u64,
    },
    /// A sealed block does not say what the record says.
    #[error(
        "the derived block from position {first} differs from the record ({reason}): \
         remove the derived state and open the book again, it is made anew"
    )]
    Derived {
        /// Position of the block's first event.
        first: u64,
        /// What differs.
        reason: String,
    },
    /// The verification could not be done.
    #[error("the book could not be verified")]
    Read(#[source] ReadError),
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Corrupt { position, reason } => Self::Event { position, reason },
            ReadError::Refused(_) | ReadError::Overloaded { .. } | ReadError::Storage(_) => {
                Self::Read(error)
            }
        }
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Corrupt(reason) => Self::Head { reason },
            StorageError::Sqlx { .. }
            | StorageError::Io { .. }
            | StorageError::Busy { .. }
            | StorageError::Remade
            | StorageError::OutOfOrder { .. }
            | StorageError::Closed => Self::Read(error.into()),
        }
    }
}

/// The record alone: for looking into a book that the start-up gate refuses. It writes nothing.
#[derive(Debug, Clone)]
pub struct Record {
    database: Arc<dyn RecordDb>,
    book_id: [u8; 16],
}

impl Record {
    pub(crate) fn of(database: Arc<dyn RecordDb>, book_id: [u8; 16]) -> Self {
        Self { database, book_id }
    }

    /// Which book it is of.
    pub(crate) fn book_id(&self) -> [u8; 16] {
        self.book_id
    }

    pub(crate) async fn head(&self) -> Result<Head, ReadError> {
        Ok(self.database.head().await?.head())
    }

    /// Calls `each` with every row in (after, until], which must all be there.
    pub(crate) async fn for_each(
        &self,
        after: u64,
        until: u64,
        mut each: impl FnMut(&Checked<'_>) + Send,
    ) -> Result<(), ReadError> {
        for_each_row(self.database.as_ref(), after, until, |row| {
            each(&row);
            Ok(())
        })
        .await
    }

    /// Reads the whole log: positions without a gap, every hash, and the root against the head.
    /// Names the first bad position. A tail that was cut off together with the head is found by
    /// [`Record::root_at`] and a checkpoint that someone kept.
    pub async fn verify(&self, mut progress: impl FnMut(Progress) + Send) -> Result<Head, Fault> {
        let head = self.database.head().await?;
        let position = head.position();
        let tree = self.tree_to(position.min(head.last), &mut progress).await?;
        if head.last < position {
            return Err(Fault::Event { position: head.last + 1, reason: "it is missing".into() });
        }
        if head.last > position {
            return Err(Fault::Head {
                reason: format!("the head says {position} events, the log ends at {}", head.last),
            });
        }
        if tree != head.frontier {
            return Err(Fault::Head {
                reason: format!("the {position} events do not hash to the root of the head"),
            });
        }
        Ok(head.head())
    }

    /// Root of the tree over the first `position` events, made from their envelopes: what a
    /// checkpoint of that position must say.
    pub async fn root_at(&self, position: u64) -> Result<Hash, Fault> {
        let head = self.database.head().await?.last;
        if position > head {
            return Err(Fault::Cut { head, position });
        }
        Ok(self.tree_to(position, &mut |_| {}).await?.root())
    }

    /// Every event in (after, until] (0: the end), at most `limit` and at most a page's bytes of
    /// them, each checked.
    pub async fn scan(
        &self,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        scan(self.database.as_ref(), after, until, limit).await
    }

    async fn tree_to(
        &self,
        total: u64,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Frontier, Fault> {
        let mut tree = Frontier::default();
        while tree.size() < total {
            let done = tree.size();
            let until = total.min(done + CHUNK_ROWS_MAX);
            for_each_row(self.database.as_ref(), done, until, |row| {
                tree.push(row.leaf);
                Ok(())
            })
            .await?;
            assert_eq!(tree.size(), until, "every event that was read is in the tree");
            progress(Progress { done: tree.size(), total });
        }
        Ok(tree)
    }
}

impl Book {
    /// The record alone, read by connections of this book.
    #[must_use]
    pub fn record(&self) -> Record {
        Record::of(Arc::clone(&self.core.record), self.core.book_id)
    }

    /// See [`Record::verify`].
    pub async fn verify_record(
        &self,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<Head, Fault> {
        self.record().verify(progress).await
    }

    /// See [`Record::root_at`].
    pub async fn root_at(&self, position: u64) -> Result<Hash, Fault> {
        self.record().root_at(position).await
    }

    /// Compares every sealed block, its keys and its packed form with the record.
    pub async fn verify_derived(
        &self,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Fault> {
        let total = self.core.derived.sealed_to();
        let mut done = 0;
        while done < total {
            let block = sealer::block_from_record(&self.core, done + 1).await?;
            if let Err(reason) = self.core.derived.check_block(&block).await? {
                return Err(Fault::Derived { first: done + 1, reason });
            }
            done += self.core.block_events();
            progress(Progress { done, total });
        }
        assert_eq!(done, total, "what is sealed is whole blocks, and each was compared");
        Ok(())
    }
}
