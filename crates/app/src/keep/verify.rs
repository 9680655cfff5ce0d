//! Proof: the log itself is read, then derived data is compared with it, then every list is rebuilt
//! and compared with the live one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use daicho_events::Position;
use daicho_store::{Book, Fault, Log as _, sqlite};

use super::books::Books;
use super::place::{BookName, Place};
use crate::blame::Blame;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::error::{BookError, Failure, of_read};
use crate::lists::compare::{Compared, Comparison};
use crate::progress::Progress;
use crate::record::Record;
use crate::storage::Storage;

/// A checkpoint, `N:ROOT`: the book had this many events and this root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of events.
    pub position: Position,
    /// Root of the RFC 6962 tree over their envelopes.
    pub root: [u8; 32],
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, hex::encode(self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let checkpoint = || {
            let (position, root) = text.split_once(':')?;
            let mut bytes = [0; 32];
            hex::decode_to_slice(root, &mut bytes).ok()?;
            Some(Self { position: Position(position.parse().ok()?), root: bytes })
        };
        checkpoint().ok_or_else(|| {
            format!("`{text}` is no checkpoint: write N:ROOT as `daicho verify` prints it")
        })
    }
}

impl serde::Serialize for Checkpoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a verification found to be true.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// The end of the book.
    pub checkpoint: Checkpoint,
    /// The lists, each equal to a fresh rebuild.
    pub lists: Vec<Compared>,
}

/// What a verification found to be false.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The record, or what is derived from it, is damaged.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The book is not the one of the checkpoint.
    #[error("the first {} events hash to {}, and the checkpoint says {}: the past was altered",
        .expected.position, hex::encode(.found), hex::encode(.expected.root))]
    Checkpoint {
        /// The checkpoint.
        expected: Checkpoint,
        /// The root of the same number of events now.
        found: [u8; 32],
    },
    /// A stored list differs from the record.
    #[error("the list `{}` differs from the record at row {}: rebuild it", .0.list,
        .0.first_difference.as_deref().unwrap_or("(none)"))]
    List(Box<Compared>),
    /// The book could not be opened.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The verification could not be done.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl VerifyError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Fault(Fault::Read(error)) => of_read(error),
            Self::Fault(_) | Self::Checkpoint { .. } | Self::List(_) => Blame::Ours,
            Self::Book(error) => error.blame(),
            Self::Failure(failure) => failure.blame(),
        }
    }

    /// Whether something was found to have been altered.
    pub fn is_difference(&self) -> bool {
        match self {
            Self::Fault(fault) => !matches!(fault, Fault::Read(_)),
            Self::Checkpoint { .. } | Self::List(_) => true,
            Self::Book(error) => error.is_damage(),
            Self::Failure(_) => false,
        }
    }
}

impl Books {
    /// Verifies a book, even one that is too damaged to be opened: then only its record is read, to
    /// name the first bad position.
    ///
    /// # Errors
    /// As [`Proof::verify`], or the book cannot be opened.
    pub async fn verify(
        &self,
        name: &BookName,
        clock_and_entropy: ClockAndEntropy,
        expected: Option<Checkpoint>,
        progress: &dyn Progress,
    ) -> Result<Verified, VerifyError> {
        match self.open_storage(name, clock_and_entropy).await {
            Ok(storage) => verify_storage(storage, expected, progress).await,
            Err(error) if error.is_damage() => {
                let record = match self.place() {
                    Place::Folder(data) => sqlite::open_record(&data.join(name.to_string())).await,
                    Place::Database(database) => database.open_record(&name.to_string()).await,
                };
                let record = match record {
                    Ok(record) => record,
                    Err(_) => return Err(error.into()),
                };
                record.verify(steps("events read", progress)).await?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Proves a book.
pub struct Proof {
    log: Arc<Book>,
    comparison: Comparison,
}

impl Proof {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self { log: Arc::clone(&storage.log), comparison: Comparison::of(storage, record) }
    }

    /// Reads the log itself (positions, hashes, tree) and compares it with a checkpoint that
    /// somebody kept, then compares the derived state with the log, and every list with a fresh
    /// rebuild.
    ///
    /// # Errors
    /// The first thing that does not hold, with the first bad position.
    pub async fn verify(
        &self,
        expected: Option<Checkpoint>,
        progress: &dyn Progress,
    ) -> Result<Verified, VerifyError> {
        let head = self.log.verify_record(steps("events read", progress)).await?;
        progress.end();
        if let Some(expected) = expected {
            let found = self.log.root_at(expected.position.0).await?;
            if found != expected.root {
                return Err(VerifyError::Checkpoint { expected, found });
            }
        }
        self.log.verify_derived(steps("events compared with derived data", progress)).await?;
        progress.end();
        let lists = self.comparison.run(progress).await?;
        if let Some(differing) = lists.iter().find(|compared| !compared.is_same()) {
            return Err(VerifyError::List(Box::new(differing.clone())));
        }
        let checkpoint = Checkpoint { position: Position(head.position), root: head.root };
        Ok(Verified { checkpoint, lists })
    }

    /// The end of the book as its head says; [`Proof::verify`] proves it.
    ///
    /// # Errors
    /// The head cannot be read.
    pub async fn checkpoint(&self) -> Result<Checkpoint, Failure> {
        checkpoint(&self.log).await
    }
}

/// The end of a book as its head says.
pub(super) async fn checkpoint(log: &Book) -> Result<Checkpoint, Failure> {
    let head = log.head().await?;
    Ok(Checkpoint { position: Position(head.position), root: head.root })
}

/// Verifies an open book and closes it.
pub(super) async fn verify_storage(
    storage: Storage,
    expected: Option<Checkpoint>,
    progress: &dyn Progress,
) -> Result<Verified, VerifyError> {
    let proof = Proof::of(&storage, &Arc::new(Record::of(&storage)));
    let verified = proof.verify(expected, progress).await;
    drop(proof);
    storage.close().await;
    verified
}

/// Reports to `progress` a stage of work that begins with its first step.
pub(crate) fn steps<'a>(
    what: &'a str,
    progress: &'a dyn Progress,
) -> impl FnMut(daicho_store::Progress) + Send + 'a {
    let mut begun = false;
    move |step| {
        if !begun {
            progress.begin(what, step.total);
            begun = true;
        }
        progress.at(step.done);
    }
}
