//! The settings, requests, batches, states and limits of consumers.

use std::sync::Arc;

use daicho_events::Position;
use daicho_values::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ConsumerError;
use crate::out::event_text::EventText;
use crate::out::event_types::check_types;

/// The most events that may be handed out or done ahead of the first that is not done.
pub(super) const WINDOW_EVENTS: usize = 4_096;
/// The most batches of a consumer that may be handed out at once.
pub(super) const BATCHES_MAX: usize = 64;
/// The most events of a batch.
pub const BATCH_EVENTS_MAX: u32 = 256;
/// The least and the most milliseconds for which a batch may be handed out.
pub(super) const LEASE_MS: std::ops::RangeInclusive<u64> = 100..=3_600_000;
/// The most milliseconds for which a worker may wait for a batch.
pub(super) const BATCH_WAIT_MS_MAX: u64 = 20_000;
/// The most bytes of the name of a worker, or of a kind of tag.
pub(super) const WORKER_BYTES_MAX: usize = 64;
/// What a consumer asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumerSettings {
    /// The kind of tag within which events keep their order, such as `order`; left out: all events
    /// keep their order, and one batch is handed out at a time.
    #[serde(default)]
    pub ordered_by: Option<String>,
    /// Any of these types; left out: all types.
    #[serde(default)]
    pub types: Vec<String>,
    /// All of these tags; left out: any tags.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// A consumer to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsumerRequest {
    /// Its name: 1 to 64 lower-case letters, digits, and `- _ . :`.
    #[schemars(regex(pattern = r"^[a-z0-9._:-]{1,64}$"))]
    pub name: String,
    /// The kind of tag within which events keep their order, such as `order`; left out: all events
    /// keep their order, and one batch is handed out at a time.
    #[serde(default)]
    pub ordered_by: Option<String>,
    /// Any of these types; left out: all types.
    #[serde(default)]
    pub types: Vec<String>,
    /// All of these tags; left out: any tags.
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
    /// The name of the worker, for people to see.
    #[schemars(regex(pattern = r"^[ -~]{1,64}$"))]
    pub worker: String,
    /// The most events to hand out, 1 to 256.
    #[serde(default = "events_default")]
    #[schemars(range(min = 1, max = 256))]
    pub events: u32,
    /// How long the worker has for them, 100 to 3,600,000 milliseconds.
    #[serde(default = "lease_default")]
    #[schemars(range(min = 100, max = 3_600_000))]
    pub lease_ms: u64,
    /// How long it waits if there is nothing to hand out, up to 20,000 milliseconds.
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
    /// Its id, by which it is acknowledged.
    pub batch: String,
    /// Until when the worker has it.
    pub expires_at: Timestamp,
    /// The events, in order, each with how often it was handed out before.
    pub events: Vec<(Arc<EventText>, u32)>,
}

/// The state of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConsumerState {
    /// Its name.
    pub name: String,
    /// What it asks for.
    #[serde(flatten)]
    pub settings: ConsumerSettings,
    /// Everything up to this position is done.
    pub position: Position,
    /// The number of events recorded since, whether it asks for them or not.
    pub behind_by: u64,
    /// The number of events above the position that are already done.
    pub done_ahead: usize,
    /// The batches that are handed out.
    pub batches: Vec<BatchState>,
}

/// A batch that is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BatchState {
    /// Its id.
    pub batch: String,
    /// Who has it.
    pub worker: String,
    /// Until when the worker has it.
    pub expires_at: Timestamp,
    /// The number of its events that are not done.
    pub events: usize,
    /// The position of the first event that is not done.
    pub first: Position,
}

impl ConsumerSettings {
    /// What differs from other settings, if anything does.
    pub(super) fn differs_from(&self, other: &Self) -> Option<&'static str> {
        let Self { ordered_by, types, tags } = self;
        if *ordered_by != other.ordered_by {
            return Some("`ordered_by`");
        }
        if *types != other.types {
            return Some("list of `types`");
        }
        (*tags != other.tags).then_some("list of `tags`")
    }

    pub(super) fn check(&self) -> Result<(), ConsumerError> {
        if let Some(kind) = &self.ordered_by
            && (kind.is_empty() || kind.len() > WORKER_BYTES_MAX || kind.contains(':'))
        {
            return Err(ConsumerError::Refused(format!(
                "`{kind}` is not a kind of tag: that is the part before the colon, such as `order`"
            )));
        }
        check_types(&self.types).map_err(|unknown| ConsumerError::Refused(unknown.to_string()))
    }
}
