//! Consumers: programs that take the events of a book in batches, several workers at once, each
//! event at least once, in order within one kind of tag. How far one has come is kept in the state.

mod desk;
mod group;
mod window;

use std::sync::Arc;

use daicho_events::{PUBLISHED, Position};
use daicho_store::{Log as _, StateError, StateName};
use daicho_values::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::history::EventText;
use crate::ledger::Ledger;
use crate::lists::KnownAt;
use group::Group;

pub(crate) use desk::Desks;

/// Events that may be handed out or done ahead of the first that is not done.
const WINDOW_EVENTS: usize = 4_096;
/// Batches of a consumer that may be out at once.
const BATCHES_MAX: usize = 64;
/// Events of a batch at most.
pub const BATCH_EVENTS_MAX: u32 = 256;
/// Milliseconds for which a batch may be out at least and at most.
const LEASE_MS: std::ops::RangeInclusive<u64> = 100..=3_600_000;
/// Milliseconds for which a worker may wait for a batch.
const BATCH_WAIT_MS_MAX: u64 = 20_000;
/// Consumers that a book may have.
const CONSUMERS_MAX: usize = 1_000;
/// Bytes of the name of a worker, or of a kind of tag.
const WORKER_BYTES_MAX: usize = 64;
/// The kind of the documents.
const KIND: &str = "consumer";
/// Documents of one read.
const PAGE_DOCUMENTS: u32 = 256;

/// What a consumer asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumerSettings {
    /// The kind of tag within which events keep their order, `order`; left out: all keep it, and
    /// one batch is out at a time.
    #[serde(default)]
    pub ordered_by: Option<String>,
    /// Any of these types; left out: all.
    #[serde(default)]
    pub types: Vec<String>,
    /// All of these tags; left out: any.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// A consumer that is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumerRequest {
    /// Its name: 1 to 64 lower-case letters, digits, and `- _ . :`.
    #[schemars(regex(pattern = r"^[a-z0-9._:-]{1,64}$"))]
    pub name: String,
    /// The kind of tag within which events keep their order, `order`; left out: all keep it, and
    /// one batch is out at a time.
    #[serde(default)]
    pub ordered_by: Option<String>,
    /// Any of these types; left out: all.
    #[serde(default)]
    pub types: Vec<String>,
    /// All of these tags; left out: any.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Begin after this position; left out: at the first event.
    #[serde(default)]
    pub after: Position,
}

/// A worker that asks for a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Who asks, for people to see.
    #[schemars(regex(pattern = r"^[ -~]{1,64}$"))]
    pub worker: String,
    /// Events at most, 1 to 256.
    #[serde(default = "events_default")]
    #[schemars(range(min = 1, max = 256))]
    pub events: u32,
    /// How long the worker has for them, 100 to 3,600,000 milliseconds.
    #[serde(default = "lease_default")]
    #[schemars(range(min = 100, max = 3_600_000))]
    pub lease_ms: u64,
    /// How long it waits where there is nothing to hand out, up to 20,000 milliseconds.
    #[serde(default)]
    #[schemars(range(max = 20_000))]
    pub wait_ms: u64,
}

fn events_default() -> u32 {
    100
}

fn lease_default() -> u64 {
    30_000
}

/// Events for one worker.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its id: to acknowledge it by.
    pub batch: String,
    /// Until when the worker has it.
    pub expires_at: Timestamp,
    /// The events, in order, each with how often it was handed out before.
    pub events: Vec<(Arc<EventText>, u32)>,
}

/// How a consumer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsumerState {
    /// Its name.
    pub name: String,
    /// What it asks for.
    #[serde(flatten)]
    pub settings: ConsumerSettings,
    /// Everything up to here is done.
    pub position: Position,
    /// Events recorded since, whether it asks for them or not.
    pub behind_by: u64,
    /// Events above the position that are done already.
    pub done_ahead: usize,
    /// The batches that are out.
    pub batches: Vec<BatchState>,
}

/// A batch that is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BatchState {
    /// Its id.
    pub batch: String,
    /// Who has it.
    pub worker: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// Events of it that are not done.
    pub events: usize,
    /// The first of them.
    pub first: Position,
}

/// Why something was not done with a consumer.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// No such consumer.
    #[error("there is no consumer `{0}`: make it first")]
    Unknown(String),
    /// One of this name asks for something else.
    #[error("consumer `{name}` is there already, with another {what}: delete it, or choose a name")]
    Differs {
        /// Its name.
        name: String,
        /// What differs.
        what: &'static str,
    },
    /// The worker had the batch for longer than it asked.
    #[error(
        "batch {batch} is not out: its time ended and its events were handed out again, or it was \
         acknowledged; take the next one, and ask for more time"
    )]
    LeaseEnded {
        /// Its id.
        batch: String,
    },
    /// A named limit or rule of form.
    #[error("{0}")]
    Refused(String),
    /// Others changed the consumer all the time.
    #[error("others changed consumer `{0}` all the time: try again")]
    Busy(String),
    /// Ours, not the caller's.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl ConsumerError {
    /// The stable code of what went wrong.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "consumer_unknown",
            Self::Differs { .. } => "consumer_differs",
            Self::LeaseEnded { .. } => "lease_ended",
            Self::Refused(_) => "refused",
            Self::Busy(_) => "conflict",
            Self::Failure(_) => "failure",
        }
    }
}

impl From<StateError> for ConsumerError {
    fn from(error: StateError) -> Self {
        match error.broken_rule() {
            Ok(rule) => Self::Refused(rule),
            Err(error) => Self::Failure(error.into()),
        }
    }
}

impl ConsumerSettings {
    /// What differs, if anything does.
    fn differs_from(&self, other: &Self) -> Option<&'static str> {
        let Self { ordered_by, types, tags } = self;
        if *ordered_by != other.ordered_by {
            return Some("`ordered_by`");
        }
        if *types != other.types {
            return Some("list of `types`");
        }
        (*tags != other.tags).then_some("list of `tags`")
    }

    fn check(&self) -> Result<(), ConsumerError> {
        if let Some(kind) = &self.ordered_by
            && (kind.is_empty() || kind.len() > WORKER_BYTES_MAX || kind.contains(':'))
        {
            return Err(ConsumerError::Refused(format!(
                "`{kind}` is no kind of tag: it is what stands before the colon, as in `order`"
            )));
        }
        let published = || PUBLISHED.iter().copied().flatten();
        let is_known = |name: &String| published().any(|known| known.event_type.name == *name);
        match self.types.iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => Err(ConsumerError::Refused(format!(
                "there is no type of event `{name}`: the catalogue of schemas lists them"
            ))),
        }
    }
}

impl Ledger {
    /// Makes a consumer; one that is there already with the same settings stays as it is.
    ///
    /// # Errors
    /// A rule of form, another consumer of the name, or a failure.
    pub async fn create_consumer(
        &self,
        request: &ConsumerRequest,
    ) -> Result<ConsumerState, ConsumerError> {
        let ConsumerRequest { name, ordered_by, types, tags, after } = request.clone();
        let settings = ConsumerSettings { ordered_by, types, tags };
        settings.check()?;
        self.position_of(Some(KnownAt::Position(after))).await?;
        let (kind, of_name) = (StateName::new(KIND)?, StateName::new(&name)?);
        if self.consumer_names().await?.len() >= CONSUMERS_MAX {
            return Err(ConsumerError::Refused(format!(
                "the book has {CONSUMERS_MAX} consumers, which is as many as are allowed: delete \
                 one that nobody uses"
            )));
        }
        let body = desk::body(&Group::new(settings.clone(), after.0))?;
        self.state().put_document(&kind, &of_name, &body, None).await?;
        let (group, _) = self.group(&of_name).await?;
        match settings.differs_from(&group.settings) {
            None => Ok(self.consumer_state(name, &group).await?),
            Some(what) => Err(ConsumerError::Differs { name, what }),
        }
    }

    /// Every consumer, by name.
    ///
    /// # Errors
    /// Storage that fails.
    pub async fn consumers(&self) -> Result<Vec<ConsumerState>, ConsumerError> {
        let mut states = Vec::new();
        for name in self.consumer_names().await? {
            let (group, _) = self.group(&StateName::new(&name)?).await?;
            states.push(self.consumer_state(name, &group).await?);
        }
        Ok(states)
    }

    /// One consumer.
    ///
    /// # Errors
    /// No such consumer, or storage that fails.
    pub async fn consumer(&self, name: &str) -> Result<ConsumerState, ConsumerError> {
        let (group, _) = self.group(&StateName::new(name)?).await?;
        self.consumer_state(name.to_owned(), &group).await
    }

    /// Forgets a consumer: whoever has a batch of it is told.
    ///
    /// # Errors
    /// No such consumer, or storage that fails.
    pub async fn delete_consumer(&self, name: &str) -> Result<(), ConsumerError> {
        let (kind, of_name) = (StateName::new(KIND)?, StateName::new(name)?);
        if self.state().delete_document(&kind, &of_name, None).await? {
            self.desks().close(name).await;
            return Ok(());
        }
        Err(ConsumerError::Unknown(name.to_owned()))
    }

    async fn consumer_names(&self) -> Result<Vec<String>, ConsumerError> {
        let kind = StateName::new(KIND)?;
        let mut names: Vec<String> = Vec::new();
        loop {
            let after = names.last().map(String::as_str);
            let page = self.state().documents(&kind, after, PAGE_DOCUMENTS).await?;
            let is_last = page.len() < PAGE_DOCUMENTS as usize;
            names.extend(page.into_iter().map(|document| document.name));
            if is_last {
                return Ok(names);
            }
        }
    }

    async fn consumer_state(
        &self,
        name: String,
        group: &Group,
    ) -> Result<ConsumerState, ConsumerError> {
        let head = self.log().head().await.map_err(Failure::from)?.position;
        let now = self.edge().now().as_microseconds();
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
