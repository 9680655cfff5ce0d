//! Copies a book from one place to another: from a folder into a database, and back. The copy has
//! the same bytes and the same root; it is the same book.

use std::sync::Arc;

use daicho_store::vault::Vault;
use daicho_store::{
    CopyError, DOCUMENTS_PAGE_MAX, Document, Fault, NamedCursor, SqliteState, SqliteVault, State,
    StateError, StateName, sqlite,
};

use super::books::Books;
use super::opening::{STATE_FILE, VAULT_FILE};
use super::place::{BookName, Place};
use super::verify::{Checkpoint, checkpoint, steps};
use crate::blame::Blame;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::error::{BookError, Failure};
use crate::progress::Progress;
use crate::record::SOFTWARE;
use crate::storage::Storage;

/// Why a book was not copied. What was copied stays, and copying again continues from there.
#[derive(Debug, thiserror::Error)]
pub enum CopyBookError {
    /// The source or the copy cannot be used.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The record failed.
    #[error(transparent)]
    Record(#[from] CopyError),
    /// The vault failed, or a limit was reached.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl CopyBookError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Book(error) => error.blame(),
            Self::Record(CopyError::Fork { .. }) => Blame::Caller,
            Self::Record(CopyError::Written) => Blame::Busy,
            Self::Record(CopyError::Open(_) | CopyError::Source(_) | CopyError::Storage(_)) => {
                Blame::Ours
            }
            Self::Failure(failure) => failure.blame(),
        }
    }

    /// Whether the source was found to have been altered.
    pub fn is_difference(&self) -> bool {
        match self {
            Self::Book(error) => error.is_damage(),
            Self::Record(CopyError::Source(fault)) => !matches!(fault, Fault::Read(_)),
            Self::Record(_) | Self::Failure(_) => false,
        }
    }
}

impl Books {
    /// Copies the book `name` to `target` as `copy`, and opens the copy, which rebuilds everything
    /// derived. It continues an earlier copy, whether that was stopped or completed.
    ///
    /// # Errors
    /// A place cannot be used, or the book there is not the beginning of this one.
    pub async fn copy(
        &self,
        name: &BookName,
        target: &Self,
        copy: &BookName,
        clock_and_entropy: &ClockAndEntropy,
        progress: &dyn Progress,
    ) -> Result<Checkpoint, CopyBookError> {
        let source = self.open_storage(name, clock_and_entropy.clone()).await?;
        let copied = copy_parts(&source, target, copy, clock_and_entropy, progress).await;
        source.close().await;
        copied?;
        let copied = target.open_storage(copy, clock_and_entropy.clone()).await?;
        let checkpoint = checkpoint(&copied.log).await;
        copied.close().await;
        Ok(checkpoint?)
    }
}

/// The record is copied before the vault: a key is durable before any event holds a value sealed
/// with it, so the keys, which are copied later, open every value of the copied record.
async fn copy_parts(
    source: &Storage,
    target: &Books,
    copy: &BookName,
    clock_and_entropy: &ClockAndEntropy,
    progress: &dyn Progress,
) -> Result<(), CopyBookError> {
    // The state is read before the record, so that no position in it is beyond what is copied.
    let remembered = Remembered::read(source.state.as_ref()).await.map_err(Failure::from)?;
    let record = source.log.record();
    let name = copy.to_string();
    let told = steps("events copied", progress);
    let entropy = Arc::clone(&clock_and_entropy.entropy);
    let (vault, state): (Box<dyn Vault>, Box<dyn State>) = match target.place() {
        Place::Folder(data) => {
            let folder = data.join(&name);
            sqlite::copy_record(&record, &folder, SOFTWARE, told).await?;
            let vault = SqliteVault::create(&folder.join(VAULT_FILE), entropy).await;
            let state = SqliteState::new(&folder.join(STATE_FILE), source.log.id());
            (Box::new(vault.map_err(Failure::from)?), Box::new(state))
        }
        Place::Database(database) => {
            database.copy_record(&record, &name, SOFTWARE, told).await?;
            let vault = database.create_vault(&name, entropy).await;
            let state = database.state(&name).map_err(CopyError::from)?;
            (Box::new(vault.map_err(Failure::from)?), Box::new(state))
        }
    };
    progress.end();
    let keys = source.vault.export().await.map_err(Failure::from)?;
    let imported = vault.import(&keys).await;
    vault.close().await;
    imported.map_err(Failure::from)?;
    let written = remembered.write(state.as_ref()).await;
    state.close().await;
    Ok(written.map_err(Failure::from)?)
}

/// The part of a book's state that is copied. Leases are not: they belong to the place.
struct Remembered {
    cursors: Vec<NamedCursor>,
    documents: Vec<(StateName, Document)>,
}

impl Remembered {
    async fn read(state: &dyn State) -> Result<Self, StateError> {
        let mut documents = Vec::new();
        for kind in state.document_kinds().await? {
            let mut after: Option<String> = None;
            loop {
                let page = state.documents(&kind, after.as_deref(), DOCUMENTS_PAGE_MAX).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.name.clone());
                documents.extend(page.into_iter().map(|document| (kind.clone(), document)));
            }
        }
        Ok(Self { cursors: state.cursors().await?, documents })
    }

    /// Cursors only move forward: if an earlier copy is already followed, its consumer may have
    /// come further. A document replaces the one of an earlier copy, unless somebody changes it at
    /// this moment.
    async fn write(&self, state: &dyn State) -> Result<(), StateError> {
        for cursor in &self.cursors {
            let name = StateName::new(&cursor.name)?;
            if state.open_cursor(&name, cursor.position).await? < cursor.position {
                state.set_cursor(&name, cursor.position).await?;
            }
        }
        for (kind, document) in &self.documents {
            let name = StateName::new(&document.name)?;
            let found = state.document(kind, &name).await?.map(|found| found.version);
            state.put_document(kind, &name, &document.body, found).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More documents than one page holds.
    const DOCUMENTS: usize = DOCUMENTS_PAGE_MAX as usize + 2;

    #[tokio::test]
    async fn every_document_goes_along_in_place_of_what_an_earlier_copy_brought() {
        let folder = tempfile::tempdir().unwrap();
        let state = |file: &str| SqliteState::new(&folder.path().join(file), [7; 16]);
        let (source, target) = (state("source.db"), state("target.db"));
        let name = |text: &str| StateName::new(text).unwrap();
        for number in 0..DOCUMENTS {
            let document = name(&format!("d-{number}"));
            source.put_document(&name("a"), &document, "1", None).await.unwrap().unwrap();
        }
        source.put_document(&name("b"), &name("d-0"), "2", None).await.unwrap().unwrap();
        for body in ["3", "4"] {
            let found = source.document(&name("a"), &name("d-1")).await.unwrap().unwrap();
            let (kind, version) = (name("a"), Some(found.version));
            source.put_document(&kind, &name("d-1"), body, version).await.unwrap().unwrap();
            Remembered::read(&source).await.unwrap().write(&target).await.unwrap();
            let carried = Remembered::read(&target).await.unwrap().documents;
            assert_eq!(carried.len(), DOCUMENTS + 1);
            for (kind, document) in carried {
                let theirs = source.document(&kind, &name(&document.name)).await.unwrap().unwrap();
                assert_eq!(document.body, theirs.body, "{kind} {}", document.name);
            }
        }
    }
}
