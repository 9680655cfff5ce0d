//! One big book: a life, copies of it under other ids, and contracts whose histories lie spread
//! over all of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daicho_app::{BookName, Books, ClockAndEntropy, Ledger};
use daicho_events::Event;
use daicho_events::contract::{ContractConcluded, ContractTerms, QuantityChanged};
use daicho_store::{Append, Book, Log as _, NewEvent, sqlite};
use daicho_values::{ContractId, OrganisationId, Quantity, Sample as _};

use crate::SOFTWARE;
use crate::append::stored;
use crate::error::BenchError;
use crate::packer::EventPacker;
use crate::random::Random;
use crate::rebuild::book::{BOOK, COPY_EVENTS, SampleBook, copied, read_all};

/// Contracts of each length: the first decision on one is taken once.
pub(crate) const HISTORIES: usize = 8;
/// Events of a long history.
const LONG_EVENTS: u64 = 1_000;
/// Events of a short one.
const SHORT_EVENTS: u64 = 10;
/// Sets the ids of these contracts apart from what else the seed gives.
const HISTORIES_SEED: u64 = 0x0C04_7AC7_0000_0000;
/// Licences that the contracts have, in turn.
const LICENCES: [u32; 2] = [10, 11];

/// A book that was made for growth, in its folder.
#[derive(Debug, Clone)]
pub(crate) struct GrownBook {
    data: PathBuf,
    seed: u64,
}

/// A contract with a history of so many events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    pub(crate) contract: ContractId,
    organisation: OrganisationId,
    events: u64,
    written: u64,
}

impl GrownBook {
    /// The book in the folder `data`, which was made or will be.
    pub(crate) fn at(data: &Path, seed: u64) -> Self {
        Self { data: data.to_owned(), seed }
    }

    /// Makes it with about `events` events, of which `lived` are lived.
    pub(crate) async fn make(&self, events: u64, lived: u64) -> Result<u64, BenchError> {
        let (data, seed) = (self.data.clone(), self.seed);
        let lived = events.min(lived);
        let life = crate::rebuild::Options { events: lived, lived, seed, rounds: 1, folder: data };
        let life = SampleBook::make(&life).await?;
        let store = self.store().await?;
        let head = self.grow(&store, events, life.lived).await?;
        store.close().await;
        Ok(head)
    }

    /// Appends copies of the life, and after each what is due of the histories.
    async fn grow(&self, store: &Book, events: u64, lived: u64) -> Result<u64, BenchError> {
        let life = read_all(store).await?;
        let mut histories = self.histories();
        let (mut head, mut copy) = (lived, 0);
        while head < events {
            copy += 1;
            let copies = life.iter().filter_map(|stored| copied(stored, copy).transpose());
            let mut batch: Vec<NewEvent> = copies.collect::<Result<_, _>>()?;
            batch.truncate(usize::try_from(events - head).unwrap_or(usize::MAX).max(1));
            head = append(store, &batch).await?.unwrap_or(head);
            let due = histories.iter_mut().map(|history| history.until(head, events));
            let due: Vec<NewEvent> = due.collect::<Result<Vec<_>, _>>()?.concat();
            head = append(store, &due).await?.unwrap_or(head);
        }
        let rest = histories.iter_mut().map(|history| history.until(1, 1));
        let rest: Vec<NewEvent> = rest.collect::<Result<Vec<_>, _>>()?.concat();
        Ok(append(store, &rest).await?.unwrap_or(head))
    }

    /// The contracts with long histories, then those with short ones.
    pub(crate) fn histories(&self) -> Vec<History> {
        let mut random = Random::new(HISTORIES_SEED ^ self.seed);
        let lengths = [[LONG_EVENTS; HISTORIES], [SHORT_EVENTS; HISTORIES]].concat();
        let history = |events| History {
            contract: random.id(),
            organisation: random.id(),
            events,
            written: 0,
        };
        lengths.into_iter().map(history).collect()
    }

    /// The folder of the book.
    pub(crate) fn folder(&self) -> PathBuf {
        self.data.join(BOOK)
    }

    /// The book as the store has it, without the ledger.
    pub(crate) async fn store(&self) -> Result<Book, BenchError> {
        let options = daicho_store::Options {
            packer: Arc::new(EventPacker),
            ..daicho_store::Options::new(SOFTWARE)
        };
        Ok(sqlite::open_book(&self.folder(), options).await?)
    }

    /// The book as the ledger has it, today.
    pub(crate) async fn ledger(&self) -> Result<Ledger, BenchError> {
        let name: BookName = BOOK.parse()?;
        Ok(Books::in_folder(&self.data).open(&name, ClockAndEntropy::system()).await?)
    }
}

impl History {
    /// The events that are due when the book holds `head` of `of` events.
    fn until(&mut self, head: u64, of: u64) -> Result<Vec<NewEvent>, BenchError> {
        let due = (self.events * head.min(of)).div_ceil(of.max(1));
        let numbers = self.written..due.max(self.written);
        self.written = numbers.end;
        numbers.map(|number| Ok(stored(&self.event(number)?))).collect()
    }

    /// The conclusion first, then a change of licences a day.
    fn event(&self, number: u64) -> Result<Event, BenchError> {
        let Self { contract, organisation, .. } = *self;
        let concluded = ContractConcluded::sample();
        if number == 0 {
            let terms = ContractTerms {
                term: None,
                auto_renew: true,
                licence_addition: true,
                ..concluded.terms
            };
            return Ok(Event::from(ContractConcluded {
                contract,
                organisation,
                quantity: licences(1)?,
                terms,
                ..concluded
            }));
        }
        Ok(Event::from(QuantityChanged {
            contract,
            organisation,
            before: licences(number + 1)?,
            quantity: licences(number)?,
            from: concluded.starts_on.plus_days(u32::try_from(number).unwrap_or(u32::MAX)),
            refund: false,
        }))
    }
}

fn licences(number: u64) -> Result<Quantity, BenchError> {
    let [even, odd] = LICENCES;
    let licences = if number.is_multiple_of(2) { even } else { odd };
    Quantity::new(i64::from(licences)).map_err(|error| BenchError::Wrong(error.to_string()))
}

/// Appends in batches; answers with the last position, if there was anything.
async fn append(store: &Book, events: &[NewEvent]) -> Result<Option<u64>, BenchError> {
    let mut last = None;
    for batch in events.chunks(COPY_EVENTS) {
        let append = Append { events: batch.to_vec(), condition: None, request: None };
        last = Some(store.append(append).await?.last);
    }
    Ok(last)
}
