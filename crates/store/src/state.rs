//! The state of a book: how far each consumer has come, who holds which work for a while, and small
//! documents that deliveries keep. It is neither the record nor made from it: it is backed up, and
//! nothing is decided on it.
//!
//! A cursor only moves forward, and only from where its consumer knows it to stand, so that when
//! two consumers use one name, one of them is told. A lease ends by itself, so a holder that dies
//! keeps nobody out.

pub(crate) mod document;
mod name;

use async_trait::async_trait;

use crate::error::StorageError;
use crate::vault::{Entropy as _, SystemEntropy};

pub use document::{
    DOCUMENT_BYTES_MAX, DOCUMENT_CHANGES_MAX, DOCUMENTS_MAX, DOCUMENTS_PAGE_MAX, Document,
    DocumentChange, Expected,
};
pub(crate) use name::STATE_VERSION;
pub use name::{STATE_NAME_BYTES_MAX, StateError, StateName};

/// Cursors that a book may have. A few more are made when processes make the last ones at the same
/// moment.
pub const CURSORS_MAX: u32 = 10_000;
/// Milliseconds for which a lease may be taken at once.
pub const LEASE_MS_MAX: u64 = 3_600_000;

/// Random bytes that tell one holder from another.
const HOLDER_BYTES: usize = 16;

/// Who moves a cursor or holds a lease: a process, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder(String);

impl Holder {
    /// One that differs from every other.
    #[must_use]
    pub fn new() -> Self {
        let mut bytes = [0; HOLDER_BYTES];
        SystemEntropy.fill(&mut bytes);
        Self(hex::encode(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Holder {
    fn default() -> Self {
        Self::new()
    }
}

/// How far a consumer has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCursor {
    /// The consumer.
    pub name: String,
    /// Everything up to here is acknowledged.
    pub position: u64,
}

/// A step of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Where its consumer knows it to stand.
    pub from: u64,
    /// Where it comes to stand.
    pub to: u64,
}

/// Work that is its holder's alone until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is about.
    pub name: StateName,
    /// Grows each time the lease is taken, so that what is written under an older number can be
    /// recognised and refused.
    pub fence: u64,
    pub(crate) holder: Holder,
}

/// The state of one book.
#[async_trait]
pub trait State: Send + Sync {
    /// Answers where a cursor stands. One that is not there is made at `start`, up to
    /// [`CURSORS_MAX`] of them.
    async fn open_cursor(&self, name: &StateName, start: u64) -> Result<u64, StateError>;
    /// Moves a cursor forward if it stands where the step begins, or where a step of the same
    /// holder has led since, whose answer may have been lost.
    async fn advance(
        &self,
        name: &StateName,
        holder: &Holder,
        step: Step,
    ) -> Result<(), StateError>;
    /// Every cursor, by name.
    async fn cursors(&self) -> Result<Vec<NamedCursor>, StateError>;
    /// Sets a cursor to any position, also a lower one, and makes it if it is not there. A consumer
    /// that follows under its name is told when it next acknowledges.
    async fn set_cursor(&self, name: &StateName, position: u64) -> Result<(), StateError>;
    /// Deletes a cursor; answers whether it was there.
    async fn delete_cursor(&self, name: &StateName) -> Result<bool, StateError>;
    /// Takes a lease for `ms` milliseconds by the database's clock. The answer is `None` while
    /// somebody else has it.
    async fn take(
        &self,
        name: &StateName,
        holder: &Holder,
        ms: u64,
    ) -> Result<Option<Lease>, StateError>;
    /// Makes a lease last for `ms` milliseconds from now. Answers `false` when somebody else has
    /// taken it.
    async fn renew(&self, lease: &Lease, ms: u64) -> Result<bool, StateError>;
    /// Gives a lease back before it ends.
    async fn release(&self, lease: &Lease) -> Result<(), StateError>;
    /// The document `name` of a kind.
    async fn document(
        &self,
        kind: &StateName,
        name: &StateName,
    ) -> Result<Option<Document>, StateError>;
    /// Documents of a kind by name, behind the name `after`, up to [`DOCUMENTS_PAGE_MAX`] of them.
    async fn documents(
        &self,
        kind: &StateName,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Document>, StateError>;
    /// The kinds of which there are documents.
    async fn document_kinds(&self) -> Result<Vec<StateName>, StateError>;
    /// Makes all of the changes or none: at most [`DOCUMENT_CHANGES_MAX`], each of another
    /// document. Answers with the version of what was put, or with `None` when a document was not
    /// as expected and nothing was changed.
    ///
    /// After an error of the storage the changes may have been made: read before making them again.
    async fn change_documents(&self, changes: &[DocumentChange])
    -> Result<Option<u64>, StateError>;
    /// Puts a document in place of the version `expected`, or, with `None`, where there is none
    /// yet. Answers with its new version, or with `None` when somebody else was first.
    async fn put_document(
        &self,
        kind: &StateName,
        name: &StateName,
        body: &str,
        expected: Option<u64>,
    ) -> Result<Option<u64>, StateError> {
        let expected = expected.map_or(Expected::Absent, Expected::Version);
        let (kind, name, body) = (kind.clone(), name.clone(), Some(body.to_owned()));
        self.change_documents(&[DocumentChange { kind, name, expected, body }]).await
    }
    /// Deletes the version `expected` of a document, or, with `None`, whichever is there. Answers
    /// whether it was there.
    async fn delete_document(
        &self,
        kind: &StateName,
        name: &StateName,
        expected: Option<u64>,
    ) -> Result<bool, StateError> {
        let expected = expected.map_or(Expected::Present, Expected::Version);
        let (kind, name) = (kind.clone(), name.clone());
        let change = DocumentChange { kind, name, expected, body: None };
        Ok(self.change_documents(&[change]).await?.is_some())
    }
    /// Lets go of the storage.
    async fn close(&self);
}

/// The error for a step that found no cursor to move.
pub(crate) fn not_moved(name: &StateName, step: Step, at: Option<u64>) -> StateError {
    match at {
        Some(at) => StateError::CursorMoved { name: name.clone(), at, from: step.from },
        None => StateError::CursorDeleted { name: name.clone() },
    }
}

/// The error for a cursor that is not there after it was opened, which made `made` of them.
pub(crate) fn not_opened(name: &StateName, made: u64) -> StateError {
    if made == 0 { too_many(name) } else { StateError::CursorDeleted { name: name.clone() } }
}

/// The error for a cursor that would be one too many.
pub(crate) fn too_many(name: &StateName) -> StateError {
    StateError::Refused(format!(
        "cursor {name} was not made: the book has {CURSORS_MAX} cursors, which is as many as are \
         allowed: delete one that nobody uses (`daicho events cursor NAME --delete`)"
    ))
}

/// Refuses a step that does not lead forward.
pub(crate) fn check_step(step: Step) -> Result<(), StateError> {
    if step.to > step.from {
        return Ok(());
    }
    let Step { from, to } = step;
    Err(StateError::Refused(format!("a cursor moves forward only: from {from} to {to} is no step")))
}

/// Refuses a lease that is too long.
pub(crate) fn check_lease_ms(ms: u64) -> Result<i64, StateError> {
    i64::try_from(ms).ok().filter(|_| ms <= LEASE_MS_MAX).ok_or_else(|| {
        StateError::Refused(format!("a lease of {ms} ms: at most {LEASE_MS_MAX} are allowed"))
    })
}

/// A position as a column keeps it. A book ends long before they differ.
pub(crate) fn to_sql(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// A position as a column held it.
pub(crate) fn from_sql(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number)
        .map_err(|_| StorageError::Corrupt(format!("{number} stands where a position should be")))
}

/// Rows of (name, position).
pub(crate) fn named(rows: Vec<(String, i64)>) -> Result<Vec<NamedCursor>, StateError> {
    let cursor = |(name, position)| Ok(NamedCursor { name, position: from_sql(position)? });
    Ok(rows.into_iter().map(cursor).collect::<Result<_, StorageError>>()?)
}
