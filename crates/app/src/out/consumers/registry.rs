//! The consumers of a book: they are created, listed and deleted here.

use std::sync::Arc;

use daicho_events::Position;
use daicho_store::StateName;
use daicho_values::Timestamp;

use super::documents::Documents;
use super::error::ConsumerError;
use super::group::Group;
use super::handing_out::HandingOut;
use super::settings::{BatchState, ConsumerRequest, ConsumerSettings, ConsumerState};
use crate::clock_and_entropy::ClockAndEntropy;
use crate::record::{KnownAt, Record};
use crate::storage::Storage;

/// The most consumers that a book may have.
const CONSUMERS_MAX: usize = 1_000;

/// The consumers of a book.
pub struct Consumers {
    record: Arc<Record>,
    clock_and_entropy: ClockAndEntropy,
    documents: Documents,
    handing_out: HandingOut,
}

impl Consumers {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        Self {
            record: Arc::clone(record),
            clock_and_entropy: storage.clock_and_entropy.clone(),
            documents: Documents::of(storage),
            handing_out: HandingOut::of(storage, record),
        }
    }

    /// The batches of the consumers, which are handed out and taken back.
    pub fn batches(&self) -> &HandingOut {
        &self.handing_out
    }

    /// Creates a consumer; an existing one with the same settings stays as it is.
    ///
    /// # Errors
    /// A rule of form is broken, there is another consumer of the name, or a failure.
    pub async fn create(&self, request: &ConsumerRequest) -> Result<ConsumerState, ConsumerError> {
        let ConsumerRequest { name, ordered_by, types, tags, after } = request.clone();
        let settings = ConsumerSettings { ordered_by, types, tags };
        settings.check()?;
        self.record.position_of(Some(KnownAt::Position(after))).await?;
        let of_name = StateName::new(&name)?;
        if self.documents.names().await?.len() >= CONSUMERS_MAX {
            return Err(ConsumerError::Refused(format!(
                "the book has {CONSUMERS_MAX} consumers, which is the limit: delete \
                 one that nobody uses"
            )));
        }
        self.documents.put(&of_name, &Group::new(settings.clone(), after.0), None).await?;
        let (group, _) = self.documents.group(&of_name).await?;
        match settings.differs_from(&group.settings) {
            None => Ok(self.state(name, &group).await?),
            Some(what) => Err(ConsumerError::Differs { name, what }),
        }
    }

    /// Every consumer, by name.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn all(&self) -> Result<Vec<ConsumerState>, ConsumerError> {
        let mut states = Vec::new();
        for name in self.documents.names().await? {
            let (group, _) = self.documents.group(&StateName::new(&name)?).await?;
            states.push(self.state(name, &group).await?);
        }
        Ok(states)
    }

    /// One consumer.
    ///
    /// # Errors
    /// There is no such consumer, or storage fails.
    pub async fn find(&self, name: &str) -> Result<ConsumerState, ConsumerError> {
        let (group, _) = self.documents.group(&StateName::new(name)?).await?;
        self.state(name.to_owned(), &group).await
    }

    /// Makes a consumer continue after a position. Moved back, it is handed events again; moved
    /// forward, it skips some. Workers holding a batch get an error.
    ///
    /// # Errors
    /// The position is beyond the end, there is no such consumer, or a failure.
    pub async fn seek(&self, name: &str, position: Position) -> Result<(), ConsumerError> {
        self.handing_out.seek(name, position).await
    }

    /// Deletes a consumer: workers holding a batch get an error.
    ///
    /// # Errors
    /// There is no such consumer, or storage fails.
    pub async fn delete(&self, name: &str) -> Result<(), ConsumerError> {
        if self.documents.delete(&StateName::new(name)?).await? {
            self.handing_out.forget(name).await;
            return Ok(());
        }
        Err(ConsumerError::Unknown(name.to_owned()))
    }

    async fn state(&self, name: String, group: &Group) -> Result<ConsumerState, ConsumerError> {
        let head = self.record.head().await?;
        let now = self.clock_and_entropy.now().as_microseconds();
        let batches = group.batches.iter().filter(|lease| lease.expires_at_us > now);
        let batches = batches.map(|lease| BatchState {
            batch: lease.batch.clone(),
            worker: lease.worker.clone(),
            expires_at: Timestamp::from_microseconds(lease.expires_at_us),
            events: lease.events.len(),
            first: Position(lease.events.first().copied().unwrap_or_default()),
        });
        Ok(ConsumerState {
            name,
            settings: group.settings.clone(),
            position: Position(group.position),
            behind_by: head.saturating_sub(group.position),
            done_ahead: group.done_ahead(),
            batches: batches.collect(),
        })
    }
}
