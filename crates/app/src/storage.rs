//! The storage of an open book: its record, its vault, its stored lists, its state, and the clock
//! and random numbers that it was opened with. Each part of a ledger takes what it needs of it.

use std::path::PathBuf;
use std::sync::Arc;

use daicho_store::vault::Vault;
use daicho_store::views::Views;
use daicho_store::{Book, State};

use crate::clock_and_entropy::ClockAndEntropy;

/// The storage of an open book.
pub(crate) struct Storage {
    /// The folder of the book, if it is stored in files.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) log: Arc<Book>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) views: Arc<dyn Views>,
    pub(crate) state: Arc<dyn State>,
    pub(crate) clock_and_entropy: ClockAndEntropy,
}

impl Storage {
    /// Waits for work in progress, then closes the storage.
    pub(crate) async fn close(self) {
        self.state.close().await;
        self.views.close().await;
        self.vault.close().await;
        // If another part still reads the book, the book is closed when that part is dropped.
        if let Some(log) = Arc::into_inner(self.log) {
            log.close().await;
        }
    }
}
