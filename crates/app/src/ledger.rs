//! One open book: its log, its vault, its stored lists, and the edge it was opened with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daicho_domain::state::{Fold, Shop};
use daicho_store::postgres::Database;
use daicho_store::vault::{Vault, VaultError};
use daicho_store::views::Views;
use daicho_store::{
    Book, OpenError, Options, PostgresVault, SqliteState, SqliteVault, SqliteViews, State, sqlite,
};
use daicho_values::Date;

use tokio::sync::Notify;

use crate::access::KeyTable;
use crate::books::{BookName, Place, unusable};
use crate::consumers::Desks;
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

/// File of cursors and leases, in the book's folder.
pub(crate) const STATE_FILE: &str = "state.db";

/// One open book.
pub struct Ledger {
    name: BookName,
    /// Where the files are, if they are files.
    folder: Option<PathBuf>,
    log: Book,
    vault: Box<dyn Vault>,
    views: Box<dyn Views>,
    state: Arc<dyn State>,
    edge: Edge,
    recall: Recall,
    key_table: KeyTable,
    desks: Desks,
    webhooks_changed: Notify,
}

impl Ledger {
    pub(crate) async fn open(
        name: &BookName,
        place: &Place,
        edge: Edge,
    ) -> Result<Self, BookError> {
        let refused = |error| refused(name, error);
        let (options, entropy) = (options(&edge), Arc::clone(&edge.entropy));
        match place {
            Place::Folder(folder) => {
                let folder = folder.join(name.to_string());
                let log = sqlite::open_book(&folder, options).await.map_err(refused)?;
                let vault = SqliteVault::open(&folder.join(VAULT_FILE), entropy).await;
                Self::in_folder(name, folder, log, vault, edge).await
            }
            Place::Database(database) => {
                let log = database.open_book(&name.to_string(), options).await.map_err(refused)?;
                let vault = database.open_vault(&name.to_string(), entropy).await;
                Self::in_database(name, database, log, vault, edge).await
            }
        }
    }

    /// The vault first: a record without a vault could not be written to.
    pub(crate) async fn create(
        name: &BookName,
        place: &Place,
        edge: Edge,
    ) -> Result<Self, BookError> {
        let refused = |error| refused(name, error);
        let (options, entropy) = (options(&edge), Arc::clone(&edge.entropy));
        match place {
            Place::Folder(folder) => {
                let folder = folder.join(name.to_string());
                std::fs::create_dir_all(&folder).map_err(|error| unusable(&folder, error))?;
                let vault = SqliteVault::create(&folder.join(VAULT_FILE), entropy).await;
                let log = sqlite::create_book(&folder, options).await.map_err(refused)?;
                Self::in_folder(name, folder, log, vault, edge).await
            }
            Place::Database(database) => {
                let vault = database.create_vault(&name.to_string(), entropy).await;
                let log = database.create_book(&name.to_string(), options).await;
                Self::in_database(name, database, log.map_err(refused)?, vault, edge).await
            }
        }
    }

    async fn in_folder(
        name: &BookName,
        folder: PathBuf,
        log: Book,
        vault: Result<SqliteVault, VaultError>,
        edge: Edge,
    ) -> Result<Self, BookError> {
        let vault = Box::new(vault.map_err(Failure::from)?);
        let views = SqliteViews::open(&folder.join(DERIVED_FILE), log.id()).await;
        let views = Box::new(views.map_err(Failure::from)?);
        let state = Arc::new(SqliteState::new(&folder.join(STATE_FILE), log.id()));
        Ok(Self::of(name, Some(folder), log, vault, views, state, edge))
    }

    async fn in_database(
        name: &BookName,
        database: &Database,
        log: Book,
        vault: Result<PostgresVault, VaultError>,
        edge: Edge,
    ) -> Result<Self, BookError> {
        let vault = Box::new(vault.map_err(Failure::from)?);
        let views = database.open_views(&name.to_string(), log.id()).await;
        let views = Box::new(views.map_err(Failure::from)?);
        let state = database.state(&name.to_string()).map_err(|error| refused(name, error))?;
        Ok(Self::of(name, None, log, vault, views, Arc::new(state), edge))
    }

    fn of(
        name: &BookName,
        folder: Option<PathBuf>,
        log: Book,
        vault: Box<dyn Vault>,
        views: Box<dyn Views>,
        state: Arc<dyn State>,
        edge: Edge,
    ) -> Self {
        Self {
            name: name.clone(),
            folder,
            log,
            vault,
            views,
            state,
            edge,
            recall: Recall::default(),
            key_table: KeyTable::default(),
            desks: Desks::default(),
            webhooks_changed: Notify::new(),
        }
    }

    /// The book's name.
    pub fn name(&self) -> &BookName {
        &self.name
    }

    /// The book's folder; none where it stands in a database.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
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

    pub(crate) fn key_table(&self) -> &KeyTable {
        &self.key_table
    }

    pub(crate) fn desks(&self) -> &Desks {
        &self.desks
    }

    /// Wakes when this process changes a webhook.
    pub fn webhooks_changed(&self) -> &Notify {
        &self.webhooks_changed
    }

    pub(crate) fn vault(&self) -> &dyn Vault {
        self.vault.as_ref()
    }

    pub(crate) fn views(&self) -> &dyn Views {
        self.views.as_ref()
    }

    pub(crate) fn state(&self) -> &Arc<dyn State> {
        &self.state
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

    /// Waits for what is under way and lets go of the storage.
    pub async fn close(self) {
        self.state.close().await;
        self.views.close().await;
        self.vault.close().await;
        self.log.close().await;
    }
}

fn refused(name: &BookName, error: OpenError) -> BookError {
    BookError::Open { name: name.to_string(), source: Box::new(error) }
}

fn options(edge: &Edge) -> Options {
    Options {
        clock: Arc::clone(&edge.clock),
        packer: Arc::new(EventPacker),
        ..Options::new(SOFTWARE)
    }
}
