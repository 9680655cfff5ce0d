//! Opens or creates a book: its vault and its record, and all that is stored beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daicho_store::postgres::Database;
use daicho_store::vault::VaultError;
use daicho_store::{
    Book, OpenError, Options, PostgresVault, SqliteState, SqliteVault, SqliteViews, sqlite,
};

use super::place::{BookName, Place};
use crate::clock_and_entropy::ClockAndEntropy;
use crate::decide::translate::EventPacker;
use crate::error::{BookError, Failure};
use crate::record::SOFTWARE;
use crate::storage::Storage;

/// The file of the vault, in the book's folder.
pub(super) const VAULT_FILE: &str = "vault.db";
/// The file of derived data, in the book's folder.
const DERIVED_FILE: &str = "derived.db";
/// The file of cursors and leases, in the book's folder.
pub(super) const STATE_FILE: &str = "state.db";

pub(super) async fn open(
    name: &BookName,
    place: &Place,
    clock_and_entropy: ClockAndEntropy,
) -> Result<Storage, BookError> {
    let refused = |error| refused(name, error);
    let (options, entropy) = (options(&clock_and_entropy), Arc::clone(&clock_and_entropy.entropy));
    match place {
        Place::Folder(folder) => {
            let folder = folder.join(name.to_string());
            let log = sqlite::open_book(&folder, options).await.map_err(refused)?;
            let vault = SqliteVault::open(&folder.join(VAULT_FILE), entropy).await;
            in_folder(folder, log, vault, clock_and_entropy).await
        }
        Place::Database(database) => {
            let log = database.open_book(&name.to_string(), options).await.map_err(refused)?;
            let vault = database.open_vault(&name.to_string(), entropy).await;
            in_database(name, database, log, vault, clock_and_entropy).await
        }
    }
}

/// The vault is created first: a record without a vault could not be written to.
pub(super) async fn create(
    name: &BookName,
    place: &Place,
    clock_and_entropy: ClockAndEntropy,
) -> Result<Storage, BookError> {
    let refused = |error| refused(name, error);
    let (options, entropy) = (options(&clock_and_entropy), Arc::clone(&clock_and_entropy.entropy));
    match place {
        Place::Folder(folder) => {
            let folder = folder.join(name.to_string());
            std::fs::create_dir_all(&folder).map_err(|error| unusable(&folder, error))?;
            let vault = SqliteVault::create(&folder.join(VAULT_FILE), entropy).await;
            let log = sqlite::create_book(&folder, options).await.map_err(refused)?;
            in_folder(folder, log, vault, clock_and_entropy).await
        }
        Place::Database(database) => {
            let vault = database.create_vault(&name.to_string(), entropy).await;
            let log = database.create_book(&name.to_string(), options).await;
            in_database(name, database, log.map_err(refused)?, vault, clock_and_entropy).await
        }
    }
}

async fn in_folder(
    folder: PathBuf,
    log: Book,
    vault: Result<SqliteVault, VaultError>,
    clock_and_entropy: ClockAndEntropy,
) -> Result<Storage, BookError> {
    let vault = Arc::new(vault.map_err(Failure::from)?);
    let views = SqliteViews::open(&folder.join(DERIVED_FILE), log.id()).await;
    let views = Arc::new(views.map_err(Failure::from)?);
    let state = Arc::new(SqliteState::new(&folder.join(STATE_FILE), log.id()));
    Ok(Storage { folder: Some(folder), log: Arc::new(log), vault, views, state, clock_and_entropy })
}

async fn in_database(
    name: &BookName,
    database: &Database,
    log: Book,
    vault: Result<PostgresVault, VaultError>,
    clock_and_entropy: ClockAndEntropy,
) -> Result<Storage, BookError> {
    let vault = Arc::new(vault.map_err(Failure::from)?);
    let views = database.open_views(&name.to_string(), log.id()).await;
    let views = Arc::new(views.map_err(Failure::from)?);
    let state = database.state(&name.to_string()).map_err(|error| refused(name, error))?;
    let (log, state) = (Arc::new(log), Arc::new(state));
    Ok(Storage { folder: None, log, vault, views, state, clock_and_entropy })
}

pub(super) fn unusable(path: &Path, source: std::io::Error) -> BookError {
    BookError::Folder { path: path.display().to_string(), source }
}

fn refused(name: &BookName, error: OpenError) -> BookError {
    BookError::Open { name: name.to_string(), source: Box::new(error) }
}

fn options(clock_and_entropy: &ClockAndEntropy) -> Options {
    Options {
        clock: Arc::clone(&clock_and_entropy.clock),
        packer: Arc::new(EventPacker),
        ..Options::new(SOFTWARE)
    }
}
