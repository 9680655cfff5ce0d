//! Small documents of a kind and a name, in which a program keeps what it must remember: a change
//! is made only if the document is as its author knows it, and several are made together or not at
//! all.

use super::{StateError, StateName};

/// Bytes of the body of a document.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1_024;
/// Documents of one kind that a book may have.
pub const DOCUMENTS_MAX: u32 = 100_000;
/// Changes that may be made together.
pub const DOCUMENT_CHANGES_MAX: usize = 256;
/// Documents that may be asked for at once.
pub const DOCUMENTS_PAGE_MAX: u32 = 256;

/// A small JSON text that is kept under a kind and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name, one of its kind.
    pub name: String,
    /// Differs after every change. Under one name it only grows, even when the document was deleted
    /// in between.
    pub version: u64,
    /// A JSON text; only its author knows what it means.
    pub body: String,
}

/// How a document must be for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Not there.
    Absent,
    /// There, in any version.
    Present,
    /// In this version.
    Version(u64),
}

/// A change of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentChange {
    /// Its kind.
    pub kind: StateName,
    /// Its name.
    pub name: StateName,
    /// How it must be before.
    pub expected: Expected,
    /// Its body afterwards; `None` deletes it.
    pub body: Option<String>,
}

impl Expected {
    /// Whether a document is as expected that was found in this version, or (`None`) not found.
    pub(crate) fn fits(self, found: Option<u64>) -> bool {
        match self {
            Self::Absent => found.is_none(),
            Self::Present => found.is_some(),
            Self::Version(version) => found == Some(version),
        }
    }
}

/// Refuses changes that cannot be made together, or at all.
pub(crate) fn check_changes(changes: &[DocumentChange]) -> Result<(), StateError> {
    let many = changes.len();
    if !(1..=DOCUMENT_CHANGES_MAX).contains(&many) {
        return Err(StateError::Refused(format!(
            "{many} changes of documents: from 1 to {DOCUMENT_CHANGES_MAX} are made together"
        )));
    }
    let mut names: Vec<_> = changes.iter().map(|change| (&change.kind, &change.name)).collect();
    names.sort_unstable();
    if let Some([(kind, name), _]) = names.array_windows().find(|[one, next]| one == next) {
        return Err(StateError::Refused(format!(
            "the {kind} {name} is changed twice in one call: make one change of it"
        )));
    }
    changes.iter().try_for_each(check_body)
}

fn check_body(change: &DocumentChange) -> Result<(), StateError> {
    let DocumentChange { kind, name, body, .. } = change;
    let Some(body) = body else { return Ok(()) };
    if body.len() > DOCUMENT_BYTES_MAX {
        return Err(StateError::Refused(format!(
            "the {kind} {name} would have {} bytes, at most {DOCUMENT_BYTES_MAX} are allowed",
            body.len()
        )));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(body)
        .map(|_| ())
        .map_err(|error| StateError::Refused(format!("the {kind} {name} is no JSON text: {error}")))
}

/// Refuses to ask for more documents than a page has.
pub(crate) fn check_page(limit: u32) -> Result<(), StateError> {
    if (1..=DOCUMENTS_PAGE_MAX).contains(&limit) {
        return Ok(());
    }
    Err(StateError::Refused(format!(
        "{limit} documents: from 1 to {DOCUMENTS_PAGE_MAX} are read at once"
    )))
}

/// The error for a document that would be one too many of its kind.
pub(crate) fn too_many_documents(kind: &str) -> StateError {
    StateError::Refused(format!(
        "the book has {DOCUMENTS_MAX} documents of the kind {kind}, which is as many as are \
         allowed: delete what nobody needs"
    ))
}
