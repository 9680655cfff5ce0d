//! What an open book stands on: its record, its vault, its stored lists, its state, and the clock
//! and random numbers that it was opened with. The parts of a ledger take what they need of it.

use std::path::PathBuf;
use std::sync::Arc;

use daicho_store::vault::Vault;
use daicho_store::views::Views;
use daicho_store::{Book, State};

use crate::clock_and_entropy::ClockAndEntropy;

/// What an open book stands on.
pub(crate) struct Storage {
    /// Where the files are, if they are files.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) log: Arc<Book>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) views: Arc<dyn Views>,
    pub(crate) state: Arc<dyn State>,
    pub(crate) clock_and_entropy: ClockAndEntropy,
}

impl Storage {
    /// Waits for what is under way and lets go of the storage.
    pub(crate) async fn close(self) {
        self.state.close().await;
        self.views.close().await;
        self.vault.close().await;
        // A part that still reads the book closes it when it is dropped itself.
        if let Some(log) = Arc::into_inner(self.log) {
            log.close().await;
        }
    }
}
