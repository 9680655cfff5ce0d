//! The deliverer's side of webhooks: it asks for the next message and reports the outcome. One
//! process at a time has the lease of a webhook; its report counts only if nobody else has reported
//! since.

use std::sync::Arc;

use daicho_events::Position;
use daicho_store::{Expected, State, StateName};
use daicho_values::Timestamp;

use super::error::WebhookError;
use super::parked::{self, Parked, ParkedNote};
use super::progress::{self, Outcome, Progress, RetryPolicy, Verdict};
use super::stored::{self, StoredWebhook};
use crate::clock_and_entropy::ClockAndEntropy;
use crate::storage::Storage;

/// A webhook as its deliverer sees it.
#[derive(Debug, Clone)]
pub struct WebhookWork {
    name: StateName,
    stored: StoredWebhook,
    stored_version: u64,
    progress: Progress,
    progress_version: u64,
}

/// What the deliverer does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send the next message.
    Message,
    /// Send the next message: this one is parked.
    Parked,
    /// Send the same message again, later.
    Again,
    /// Send nothing: the webhook is disabled.
    Nothing,
    /// Read the webhook again: somebody else changed it.
    Look,
}

impl WebhookWork {
    /// Where events are sent.
    pub fn url(&self) -> &str {
        &self.stored.url
    }

    /// Whether anything is sent.
    pub fn is_enabled(&self) -> bool {
        self.stored.disabled.is_none()
    }

    /// Any of these types; empty: all types.
    pub fn types(&self) -> &[String] {
        &self.stored.types
    }

    /// All of these tags; empty: any tags.
    pub fn tags(&self) -> &[String] {
        &self.stored.tags
    }

    /// Everything up to this position was delivered or parked.
    pub fn position(&self) -> Position {
        Position(self.progress.position)
    }

    /// When the message at a position may be tried; `None`: at once.
    pub fn next_try_at(&self, position: Position) -> Option<Timestamp> {
        let attempt = self.progress.attempt.as_ref();
        let attempt = attempt.filter(|attempt| attempt.position == position.0);
        attempt.map(|attempt| Timestamp::from_microseconds(attempt.next_at_us))
    }

    /// The header that proves that a message is ours, for sending at `now`.
    pub fn sign(&self, id: &str, now: Timestamp, body: &str) -> String {
        let now_us = now.as_microseconds();
        self.stored.sign(id, now_us.div_euclid(1_000_000), body, now_us)
    }

    /// Whether it is the same webhook, with the same settings.
    pub fn is_as(&self, other: &Self) -> bool {
        self.stored_version == other.stored_version
    }
}

/// The webhooks of a book as the deliverer sees them.
pub struct WebhookSending {
    state: Arc<dyn State>,
    clock_and_entropy: ClockAndEntropy,
}

impl WebhookSending {
    pub(super) fn of(storage: &Storage) -> Self {
        Self {
            state: Arc::clone(&storage.state),
            clock_and_entropy: storage.clock_and_entropy.clone(),
        }
    }

    /// A webhook, for its deliverer.
    ///
    /// # Errors
    /// There is no such webhook, or storage fails.
    pub async fn work(&self, name: &str) -> Result<WebhookWork, WebhookError> {
        let name = stored::name_of(name)?;
        let (stored, stored_version) = stored::read(self.state.as_ref(), &name).await?;
        let (progress, progress_version) = progress::read(self.state.as_ref(), &name).await?;
        Ok(WebhookWork { name, stored, stored_version, progress, progress_version })
    }

    /// Takes in the outcome of sending a message and answers what to do next. The outcome is stored
    /// before the answer.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn sent(
        &self,
        work: &mut WebhookWork,
        position: Position,
        outcome: &Outcome,
        policy: &RetryPolicy,
    ) -> Result<Next, WebhookError> {
        let mut jitter = [0];
        self.clock_and_entropy.entropy.fill(&mut jitter);
        let now = self.clock_and_entropy.now();
        let [jitter] = jitter;
        let mut progress = work.progress.clone();
        let verdict = progress.take(position.0, outcome, policy, now.as_microseconds(), jitter);
        let mut changes = vec![progress::change(
            &work.name,
            &progress,
            Expected::Version(work.progress_version),
        )?];
        let next = match verdict {
            Verdict::Next => Next::Message,
            Verdict::Again => Next::Again,
            Verdict::Park => {
                let error = progress.last_error.clone().unwrap_or_default();
                let note = ParkedNote { parked_at: now, error, resend: false };
                let parked = Parked { position, note };
                changes.push(parked::change(work.name.as_str(), &parked, Expected::Absent)?);
                Next::Parked
            }
            Verdict::Disable(why) => {
                let mut stored = work.stored.clone();
                stored.disabled = Some(why.to_owned());
                let expected = Expected::Version(work.stored_version);
                changes.push(stored::change(&work.name, &stored, expected)?);
                Next::Nothing
            }
        };
        match self.state.change_documents(&changes).await? {
            Some(version) => {
                (work.progress, work.progress_version) = (progress, version);
                Ok(next)
            }
            None => Ok(Next::Look),
        }
    }

    /// Nothing up to `position` remains to be delivered; returns whether that was stored.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn passed(
        &self,
        work: &mut WebhookWork,
        position: Position,
    ) -> Result<bool, WebhookError> {
        let progress = Progress { position: position.0, ..work.progress.clone() };
        let expected = Expected::Version(work.progress_version);
        let change = progress::change(&work.name, &progress, expected)?;
        let version = self.state.change_documents(&[change]).await?;
        if let Some(version) = version {
            (work.progress, work.progress_version) = (progress, version);
        }
        Ok(version.is_some())
    }
}
