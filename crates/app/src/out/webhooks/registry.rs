//! The webhooks of a book: they are created, changed, listed and deleted here.

use std::sync::Arc;

use daicho_events::Position;
use daicho_store::{DocumentChange, Expected, State, StateName};
use daicho_values::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::error::WebhookError;
use super::parked::{ParkedChoice, ParkedMessages};
use super::progress::{self, Progress};
use super::secret::{Signature, WebhookSecret};
use super::stored::{self, StoredWebhook, checked_url};
use super::work::WebhookSending;
use crate::clock_and_entropy::ClockAndEntropy;
use crate::out::event_types::check_types;
use crate::record::{KnownAt, Record};
use crate::storage::Storage;

/// The most webhooks that a book may have.
const WEBHOOKS_MAX: usize = 100;
/// The longest time for which the previous secret still signs after a rotation, in seconds: a week.
const OVERLAP_SECONDS_MAX: u64 = 7 * 86_400;

/// A webhook to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// Its name: 1 to 40 lower-case letters, digits, and `- _ . :`.
    #[schemars(regex(pattern = r"^[a-z0-9._:-]{1,40}$"))]
    pub name: String,
    /// Where events are sent: an `https` address.
    pub url: String,
    /// Any of these types; left out: all types.
    #[serde(default)]
    pub types: Vec<String>,
    /// All of these tags; left out: any tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How messages are signed.
    #[serde(default)]
    pub signature: Signature,
    /// Begin after this position; left out: begin with what is recorded from now on.
    #[serde(default)]
    pub after: Option<Position>,
}

/// A change to a webhook; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Where events are sent.
    #[serde(default)]
    pub url: Option<String>,
    /// Any of these types; empty: all types.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// All of these tags; empty: any tags.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// `true`: nothing more is sent; `false`: sending resumes, with what was not sent meanwhile.
    #[serde(default)]
    pub disabled: Option<bool>,
}

/// A webhook with its secret, which is shown now and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MadeWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookState,
    /// What its receiver verifies with: for HMAC the secret, for Ed25519 the public key.
    pub secret: String,
}

/// A webhook and its present state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WebhookState {
    /// Its name.
    pub name: String,
    /// Where events are sent.
    pub url: String,
    /// Any of these types; empty: all types.
    pub types: Vec<String>,
    /// All of these tags; empty: any tags.
    pub tags: Vec<String>,
    /// How messages are signed.
    pub signature: Signature,
    /// Why nothing is sent; absent while messages are sent.
    pub disabled: Option<String>,
    /// Everything up to this position was delivered or parked.
    pub position: Position,
    /// The number of events recorded since, whether it asks for them or not.
    pub behind_by: u64,
    /// The number of messages that could not be delivered.
    pub parked: usize,
    /// How often the next message was tried.
    pub tries: u32,
    /// When the next message is tried again.
    pub next_try_at: Option<Timestamp>,
    /// Since when every try to deliver has failed.
    pub failing_since: Option<Timestamp>,
    /// The last error.
    pub last_error: Option<String>,
}

/// The webhooks of a book.
pub struct Webhooks {
    state: Arc<dyn State>,
    record: Arc<Record>,
    clock_and_entropy: ClockAndEntropy,
    changed: Arc<Notify>,
    parked: ParkedMessages,
    sending: WebhookSending,
}

impl Webhooks {
    pub(crate) fn of(storage: &Storage, record: &Arc<Record>) -> Self {
        let changed = Arc::new(Notify::new());
        Self {
            state: Arc::clone(&storage.state),
            record: Arc::clone(record),
            clock_and_entropy: storage.clock_and_entropy.clone(),
            parked: ParkedMessages::of_book(storage, &changed),
            sending: WebhookSending::of(storage),
            changed,
        }
    }

    /// The messages of the webhooks that could not be delivered.
    pub fn parked(&self) -> &ParkedMessages {
        &self.parked
    }

    /// The part of the webhooks that the deliverer uses.
    pub fn sending(&self) -> &WebhookSending {
        &self.sending
    }

    /// Is notified when this process changes a webhook.
    pub fn changed(&self) -> &Notify {
        &self.changed
    }

    /// The names of the webhooks.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn names(&self) -> Result<Vec<String>, WebhookError> {
        stored::names(self.state.as_ref()).await
    }

    /// Creates a webhook.
    ///
    /// # Errors
    /// A rule of form is broken, there is already a webhook of that name, or a failure.
    pub async fn create(
        &self,
        request: &WebhookRequest,
        private_addresses: bool,
    ) -> Result<MadeWebhook, WebhookError> {
        let WebhookRequest { name, url, types, tags, signature, after } = request;
        let of_name = stored::name_of(name)?;
        let url = checked_url(url, private_addresses)?;
        check_types(types)?;
        let head = self.record.head().await?;
        let after = after.unwrap_or(Position(head));
        self.record.position_of(Some(KnownAt::Position(after))).await?;
        if self.names().await?.len() >= WEBHOOKS_MAX {
            return Err(WebhookError::Refused(format!(
                "the book has {WEBHOOKS_MAX} webhooks, which is the limit"
            )));
        }
        let secret = WebhookSecret::new(*signature, self.clock_and_entropy.entropy.as_ref());
        let shown = secret.shown();
        let stored = StoredWebhook::new(url, types.clone(), tags.clone(), secret);
        let progress = Progress::at(after.0);
        let made = [
            stored::change(&of_name, &stored, Expected::Absent)?,
            progress::change(&of_name, &progress, Expected::Absent)?,
        ];
        if self.state.change_documents(&made).await?.is_none() {
            return Err(WebhookError::Exists(name.clone()));
        }
        self.changed.notify_waiters();
        let webhook = self.find(name).await?;
        Ok(MadeWebhook { webhook, secret: shown })
    }

    /// Every webhook, by name.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn all(&self) -> Result<Vec<WebhookState>, WebhookError> {
        let mut webhooks = Vec::new();
        for name in self.names().await? {
            webhooks.push(self.find(&name).await?);
        }
        Ok(webhooks)
    }

    /// One webhook.
    ///
    /// # Errors
    /// There is no such webhook, or storage fails.
    pub async fn find(&self, name: &str) -> Result<WebhookState, WebhookError> {
        let of_name = stored::name_of(name)?;
        let (stored, _) = stored::read(self.state.as_ref(), &of_name).await?;
        let (progress, _) = progress::read(self.state.as_ref(), &of_name).await?;
        let head = self.record.head().await?;
        let parked = self.parked.of(name).await?.len();
        let attempt = progress.attempt.as_ref();
        Ok(WebhookState {
            name: name.to_owned(),
            url: stored.url.clone(),
            types: stored.types.clone(),
            tags: stored.tags.clone(),
            signature: stored.signature(),
            disabled: stored.disabled.clone(),
            position: Position(progress.position),
            behind_by: head.saturating_sub(progress.position),
            parked,
            tries: attempt.map_or(0, |attempt| attempt.tries),
            next_try_at: attempt.map(|attempt| Timestamp::from_microseconds(attempt.next_at_us)),
            failing_since: progress.failing_since_us.map(Timestamp::from_microseconds),
            last_error: progress.last_error,
        })
    }

    /// Changes a webhook. One that is enabled again continues where it stopped.
    ///
    /// # Errors
    /// A rule of form is broken, there is no such webhook, or a failure.
    pub async fn change(
        &self,
        name: &str,
        change: &WebhookChange,
        private_addresses: bool,
    ) -> Result<WebhookState, WebhookError> {
        let of_name = stored::name_of(name)?;
        let (mut stored, version) = stored::read(self.state.as_ref(), &of_name).await?;
        if let Some(url) = &change.url {
            stored.url = checked_url(url, private_addresses)?;
        }
        if let Some(types) = &change.types {
            check_types(types)?;
            stored.types.clone_from(types);
        }
        if let Some(tags) = &change.tags {
            stored.tags.clone_from(tags);
        }
        let mut changes = Vec::new();
        if let Some(disabled) = change.disabled {
            stored.disabled = disabled.then(|| "switched off".to_owned());
            if !disabled {
                let (progress, version) = progress::read(self.state.as_ref(), &of_name).await?;
                let (progress, expected) = (progress.begun_again(), Expected::Version(version));
                changes.push(progress::change(&of_name, &progress, expected)?);
            }
        }
        changes.push(stored::change(&of_name, &stored, Expected::Version(version))?);
        self.put(name, &changes).await?;
        self.find(name).await
    }

    /// Gives a webhook a new secret. Both secrets sign for `overlap_seconds`.
    ///
    /// # Errors
    /// There is no such webhook, or a failure.
    pub async fn rotate_secret(
        &self,
        name: &str,
        overlap_seconds: u64,
    ) -> Result<MadeWebhook, WebhookError> {
        if overlap_seconds > OVERLAP_SECONDS_MAX {
            return Err(WebhookError::Refused(format!(
                "{overlap_seconds} seconds: the previous secret signs for at most \
                 {OVERLAP_SECONDS_MAX} more"
            )));
        }
        let of_name = stored::name_of(name)?;
        let (mut stored, version) = stored::read(self.state.as_ref(), &of_name).await?;
        let secret =
            WebhookSecret::new(stored.signature(), self.clock_and_entropy.entropy.as_ref());
        let shown = secret.shown();
        let overlap_us = i64::try_from(overlap_seconds).unwrap_or(i64::MAX) * 1_000_000;
        let now_us = self.clock_and_entropy.now().as_microseconds();
        stored.rotate(secret, now_us, overlap_us);
        let change = stored::change(&of_name, &stored, Expected::Version(version))?;
        self.put(name, &[change]).await?;
        Ok(MadeWebhook { webhook: self.find(name).await?, secret: shown })
    }

    /// Deletes a webhook and its parked messages.
    ///
    /// # Errors
    /// There is no such webhook, or storage fails.
    pub async fn delete(&self, name: &str) -> Result<(), WebhookError> {
        let of_name = stored::name_of(name)?;
        let (_, version) = stored::read(self.state.as_ref(), &of_name).await?;
        self.parked.discard(name, &ParkedChoice::default()).await?;
        let gone = |kind: StateName, expected| DocumentChange {
            kind,
            name: of_name.clone(),
            expected,
            body: None,
        };
        let changes = [
            gone(stored::kind()?, Expected::Version(version)),
            gone(progress::kind()?, Expected::Present),
        ];
        self.put(name, &changes).await
    }

    async fn put(&self, name: &str, changes: &[DocumentChange]) -> Result<(), WebhookError> {
        if self.state.change_documents(changes).await?.is_none() {
            return Err(WebhookError::Busy(name.to_owned()));
        }
        self.changed.notify_waiters();
        Ok(())
    }
}
