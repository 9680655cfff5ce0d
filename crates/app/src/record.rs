//! The record of a book as every part reads it: the events that a query selects, the shop and its
//! present day, and the last position that was recorded at a given time.

use std::sync::Arc;

use daicho_domain::state::{Fold, Shop};
use daicho_events::{Position, Query, Recorded};
use daicho_store::{Book, Log};
use daicho_values::Date;

use crate::clock_and_entropy::ClockAndEntropy;
use crate::decide::read_cache::ReadCache;
use crate::decide::translate;
use crate::error::Failure;
use crate::storage::Storage;

/// Every envelope names this as the software that recorded it.
pub const SOFTWARE: &str = concat!("daicho ", env!("CARGO_PKG_VERSION"));

/// The most events of one read.
pub(crate) const PIECE_EVENTS: u16 = 4_096;

/// The point up to which the record is taken as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAt {
    /// Up to this position.
    Position(Position),
    /// Up to the end of this day in the shop's time zone.
    Day(Date),
}

impl std::str::FromStr for KnownAt {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse::<u64>() {
            return Ok(Self::Position(Position(position)));
        }
        text.parse().map(Self::Day).map_err(|_| {
            format!("`{text}` is neither a position (a number) nor a day (YYYY-MM-DD)")
        })
    }
}

/// The record of a book.
pub struct Record {
    log: Arc<Book>,
    clock_and_entropy: ClockAndEntropy,
    read_cache: ReadCache,
}

impl Record {
    pub(crate) fn of(storage: &Storage) -> Self {
        Self {
            log: Arc::clone(&storage.log),
            clock_and_entropy: storage.clock_and_entropy.clone(),
            read_cache: ReadCache::of(Arc::clone(&storage.log)),
        }
    }

    /// The present business day: the date in the shop's time zone.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn today(&self) -> Result<Date, Failure> {
        Ok(self.shop().await?.date_of(self.clock_and_entropy.now()))
    }

    /// The shop with its present settings.
    pub(crate) async fn shop(&self) -> Result<Shop, Failure> {
        let mut shop = Shop::default();
        for event in self.about(&Shop::query()).await? {
            shop.apply(&event);
        }
        Ok(shop)
    }

    /// The newest position.
    pub(crate) async fn head(&self) -> Result<u64, Failure> {
        Ok(self.log.head().await?.position)
    }

    /// Every event that a query selects, up to the head.
    pub(crate) async fn about(&self, query: &Query) -> Result<Vec<Arc<Recorded>>, Failure> {
        self.matching(query, self.head().await?).await
    }

    /// Every event up to `head` that a query selects, in order of position.
    pub(crate) async fn matching(
        &self,
        query: &Query,
        head: u64,
    ) -> Result<Vec<Arc<Recorded>>, Failure> {
        self.read_cache.matching(query, head).await
    }

    /// The position up to which the record was known at that point.
    ///
    /// # Errors
    /// The position is beyond the head.
    pub async fn position_of(&self, known_at: Option<KnownAt>) -> Result<u64, Failure> {
        let head = self.head().await?;
        match known_at {
            None => Ok(head),
            Some(KnownAt::Position(Position(position))) if position <= head => Ok(position),
            Some(KnownAt::Position(Position(position))) => {
                Err(Failure::NotRecorded { position, head })
            }
            Some(KnownAt::Day(day)) => self.last_position_on(day, head).await,
        }
    }

    /// The last position recorded on or before a day. A search finds it, since recorded times never
    /// run backwards.
    async fn last_position_on(&self, day: Date, head: u64) -> Result<u64, Failure> {
        let shop = self.shop().await?;
        let (mut low, mut high) = (0, head);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let events = self.events_between(middle - 1, middle).await?;
            let recorded = events.first().map(|event| shop.date_of(event.header.recorded_at));
            if recorded.is_some_and(|recorded| recorded <= day) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }

    /// Every event after `after` and up to `until`, decoded from the record.
    pub(crate) async fn events_between(
        &self,
        after: u64,
        until: u64,
    ) -> Result<Vec<Recorded>, Failure> {
        let everything = daicho_store::Query::everything();
        let (mut events, mut at) = (Vec::new(), after);
        while at < until {
            let page = self.log.read(&everything, at, until, PIECE_EVENTS.into()).await?;
            if page.scanned_to <= at {
                return Err(Failure::Contradiction(format!(
                    "position {until} is not recorded: the book ends at {at}"
                )));
            }
            at = page.scanned_to;
            for stored in &page.events {
                events.push(translate::from_store(stored)?);
            }
        }
        Ok(events)
    }
}
