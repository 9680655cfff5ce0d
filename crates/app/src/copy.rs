//! A book carried from one place to another: from a folder into a database, and back. The same
//! bytes, the same root, the same book.

use std::sync::Arc;

use daicho_store::vault::Vault;
use daicho_store::{CopyError, SqliteVault, sqlite};

use crate::books::{BookName, Books, Place};
use crate::edge::Edge;
use crate::error::{BookError, Failure};
use crate::ledger::{Ledger, SOFTWARE, VAULT_FILE};
use crate::progress::Progress;
use crate::verify::{Checkpoint, steps};

/// Why a book was not copied. What was copied stays, and copying again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CopyBookError {
    /// Source or copy cannot be used.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The record.
    #[error(transparent)]
    Record(#[from] CopyError),
    /// The vault, or a limit.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Books {
    /// Copies the book `name` to `target` as `copy`, and opens the copy, which makes everything
    /// derived anew. Where an earlier copy stopped, or was made, it goes on.
    ///
    /// # Errors
    /// A place that cannot be used, or a book there that is not the beginning of this one.
    pub async fn copy(
        &self,
        name: &BookName,
        target: &Self,
        copy: &BookName,
        edge: &Edge,
        progress: &dyn Progress,
    ) -> Result<Checkpoint, CopyBookError> {
        let source = self.open(name, edge.clone()).await?;
        let copied = copy_parts(&source, target, copy, edge, progress).await;
        source.close().await;
        copied?;
        let ledger = target.open(copy, edge.clone()).await?;
        let checkpoint = ledger.checkpoint().await;
        ledger.close().await;
        Ok(checkpoint?)
    }
}

/// The record before the vault: a key is durable before any event holds what it seals, so the keys,
/// copied later, open every value of the copied record.
async fn copy_parts(
    source: &Ledger,
    target: &Books,
    copy: &BookName,
    edge: &Edge,
    progress: &dyn Progress,
) -> Result<(), CopyBookError> {
    let record = source.log().record();
    let name = copy.to_string();
    let told = steps("events copied", progress);
    let entropy = Arc::clone(&edge.entropy);
    let vault: Box<dyn Vault> = match target.place() {
        Place::Folder(data) => {
            let folder = data.join(&name);
            sqlite::copy_record(&record, &folder, SOFTWARE, told).await?;
            let vault = SqliteVault::create(&folder.join(VAULT_FILE), entropy).await;
            Box::new(vault.map_err(Failure::from)?)
        }
        Place::Database(database) => {
            database.copy_record(&record, &name, SOFTWARE, told).await?;
            let vault = database.create_vault(&name, entropy).await;
            Box::new(vault.map_err(Failure::from)?)
        }
    };
    progress.end();
    let keys = source.vault().export().await.map_err(Failure::from)?;
    let imported = vault.import(&keys).await;
    vault.close().await;
    Ok(imported.map_err(Failure::from)?)
}
