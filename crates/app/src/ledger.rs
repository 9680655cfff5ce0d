//! One open book: its log, its vault, its stored lists, and the edge it was opened with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daicho_domain::state::{Fold, Shop};
use daicho_events::Date;
use daicho_store::vault::Vault;
use daicho_store::views::Views;
use daicho_store::{Book, Options, SqliteVault, SqliteViews, sqlite};

use crate::books::BookName;
use crate::edge::Edge;
use crate::error::{BookError, Failure};
use crate::recall::Recall;
use crate::translate::EventPacker;

/// What is written into every envelope as the software that recorded it.
pub const SOFTWARE: &str = concat!("daicho ", env!("CARGO_PKG_VERSION"));

/// File of the vault, in the book's folder.
pub(crate) const VAULT_FILE: &str = "vault.db";
/// File of what is derived, in the book's folder.
pub(crate) const DERIVED_FILE: &str = "derived.db";

/// One open book.
pub struct Ledger {
    name: BookName,
    folder: PathBuf,
    log: Book,
    vault: SqliteVault,
    views: SqliteViews,
    edge: Edge,
    recall: Recall,
}

impl Ledger {
    pub(crate) async fn open(
        name: &BookName,
        folder: &Path,
        edge: Edge,
    ) -> Result<Self, BookError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| BookError::Open {
            name: name.to_string(),
            source,
        };
        let log = sqlite::open_book(folder, options(&edge)).await;
        let log = log.map_err(|error| failed(error.into()))?;
        let vault = SqliteVault::open(&folder.join(VAULT_FILE), Arc::clone(&edge.entropy)).await;
        Self::assemble(name, folder, log, vault.map_err(Failure::from)?, edge).await
    }

    pub(crate) async fn create(
        name: &BookName,
        folder: &Path,
        edge: Edge,
    ) -> Result<Self, BookError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| BookError::Open {
            name: name.to_string(),
            source,
        };
        // The vault first: a record without a vault could not be written to.
        let vault = SqliteVault::create(&folder.join(VAULT_FILE), Arc::clone(&edge.entropy)).await;
        let log = sqlite::create_book(folder, options(&edge)).await;
        let log = log.map_err(|error| failed(error.into()))?;
        Self::assemble(name, folder, log, vault.map_err(Failure::from)?, edge).await
    }

    async fn assemble(
        name: &BookName,
        folder: &Path,
        log: Book,
        vault: SqliteVault,
        edge: Edge,
    ) -> Result<Self, BookError> {
        let views = SqliteViews::open(&folder.join(DERIVED_FILE), log.id()).await;
        Ok(Self {
            name: name.clone(),
            folder: folder.to_owned(),
            vault,
            views: views.map_err(Failure::from)?,
            log,
            edge,
            recall: Recall::default(),
        })
    }

    /// The book's name.
    pub fn name(&self) -> &BookName {
        &self.name
    }

    /// The book's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The clock and random numbers that it was opened with.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    pub(crate) fn log(&self) -> &Book {
        &self.log
    }

    pub(crate) fn recall(&self) -> &Recall {
        &self.recall
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        &self.vault
    }

    pub(crate) fn views(&self) -> &dyn Views {
        &self.views
    }

    /// The shop as it stands.
    pub(crate) async fn shop(&self) -> Result<Shop, Failure> {
        let mut shop = Shop::default();
        for event in self.about(&Shop::query()).await? {
            shop.apply(&event);
        }
        Ok(shop)
    }

    /// The present business day: the date in the shop's time zone.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn today(&self) -> Result<Date, Failure> {
        Ok(self.shop().await?.date_of(self.edge.now()))
    }

    /// Waits for what is under way and closes the files.
    pub async fn close(self) {
        self.views.close().await;
        self.vault.close().await;
        self.log.close().await;
    }
}

fn options(edge: &Edge) -> Options {
    Options {
        clock: Arc::clone(&edge.clock),
        packer: Arc::new(EventPacker),
        ..Options::new(SOFTWARE)
    }
}
