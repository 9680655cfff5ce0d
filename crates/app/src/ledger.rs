//! One open book: its storage, and the parts that work on it.

use std::path::Path;
use std::sync::Arc;

use crate::access::ApiKeys;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::decide::{Commands, Decisions};
use crate::error::BookError;
use crate::import::Imports;
use crate::keep::{Archive, BookName, Books, Proof};
use crate::lists::{Comparison, Lists, Rebuilds};
use crate::out::{Consumers, DeliveryLeases, Following, History, Webhooks};
use crate::record::Record;
use crate::storage::Storage;

/// One open book.
pub struct Ledger {
    name: BookName,
    storage: Storage,
    record: Arc<Record>,
    decisions: Arc<Decisions>,
    commands: Commands,
    keys: ApiKeys,
    lists: Lists,
    rebuilds: Rebuilds,
    comparison: Comparison,
    history: History,
    following: Following,
    consumers: Consumers,
    webhooks: Webhooks,
    delivery_leases: DeliveryLeases,
    imports: Imports,
    archive: Archive,
    proof: Proof,
}

impl Books {
    /// Opens a book.
    ///
    /// # Errors
    /// There is no such book, or the store refuses to open it.
    pub async fn open(
        &self,
        name: &BookName,
        clock_and_entropy: ClockAndEntropy,
    ) -> Result<Ledger, BookError> {
        Ok(Ledger::of(name.clone(), self.open_storage(name, clock_and_entropy).await?))
    }

    /// Creates an empty book; the command `shop.open_book` then gives it its settings.
    ///
    /// # Errors
    /// There is already a book of that name, or none can be created in this place.
    pub async fn create(
        &self,
        name: &BookName,
        clock_and_entropy: ClockAndEntropy,
    ) -> Result<Ledger, BookError> {
        Ok(Ledger::of(name.clone(), self.create_storage(name, clock_and_entropy).await?))
    }
}

impl Ledger {
    fn of(name: BookName, storage: Storage) -> Self {
        let record = Arc::new(Record::of(&storage));
        let decisions = Arc::new(Decisions::of(&storage, &record));
        Self {
            name,
            commands: Commands::of(&storage, &decisions),
            keys: ApiKeys::of(&storage, &record),
            lists: Lists::of(&storage, &record),
            rebuilds: Rebuilds::of(&storage, &record),
            comparison: Comparison::of(&storage, &record),
            history: History::of(&storage, &record),
            following: Following::of(&storage, &record),
            consumers: Consumers::of(&storage, &record),
            webhooks: Webhooks::of(&storage, &record),
            delivery_leases: DeliveryLeases::of(&storage),
            imports: Imports::of(&storage, &record, &decisions),
            archive: Archive::of(&storage),
            proof: Proof::of(&storage, &record),
            decisions,
            record,
            storage,
        }
    }

    /// The book's name.
    pub fn name(&self) -> &BookName {
        &self.name
    }

    /// The book's folder; `None` if the book is in a database.
    pub fn folder(&self) -> Option<&Path> {
        self.storage.folder.as_deref()
    }

    /// The clock and random numbers that it was opened with.
    pub fn clock_and_entropy(&self) -> &ClockAndEntropy {
        &self.storage.clock_and_entropy
    }

    /// The record: its present day, and up to where it was known at a time.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Carries out commands given by their names.
    pub fn commands(&self) -> &Commands {
        &self.commands
    }

    /// Carries out commands given by their types.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The keys of the API.
    pub fn keys(&self) -> &ApiKeys {
        &self.keys
    }

    /// The lists as people read them.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Rebuilds lists.
    pub fn rebuilds(&self) -> &Rebuilds {
        &self.rebuilds
    }

    /// Compares the stored lists with the record.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// The events as recorded, and what happened to one thing.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Follows the record as it grows.
    pub fn following(&self) -> &Following {
        &self.following
    }

    /// Consumers: programs that receive events in batches.
    pub fn consumers(&self) -> &Consumers {
        &self.consumers
    }

    /// Webhooks: addresses to which events are sent.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// Leases, which decide which of several processes delivers.
    pub fn delivery_leases(&self) -> &DeliveryLeases {
        &self.delivery_leases
    }

    /// Imports files of order lines.
    pub fn imports(&self) -> &Imports {
        &self.imports
    }

    /// Backs the book up.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Proves that nothing was altered.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Waits for work in progress, then closes the storage.
    pub async fn close(self) {
        self.into_storage().close().await;
    }

    /// The storage alone: the parts have released it.
    fn into_storage(self) -> Storage {
        self.storage
    }
}
