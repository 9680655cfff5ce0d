//! Messages that could not be delivered: listed, sent again on request, or dropped.

use std::sync::Arc;

use daicho_events::Position;
use daicho_store::{DocumentChange, Expected, State, StateName};
use daicho_values::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::error::WebhookError;
use super::progress::Outcome;
use super::stored;
use crate::storage::Storage;

/// The most documents of one read.
const PAGE_DOCUMENTS: u32 = 256;

/// A message that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Parked {
    /// The position of its event.
    pub position: Position,
    /// What is stored about it.
    #[serde(flatten)]
    pub note: ParkedNote,
}

/// What is stored about a message that could not be delivered; its event is in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedNote {
    /// Since when it is parked.
    pub parked_at: Timestamp,
    /// The last error.
    pub error: String,
    /// Whether somebody asked for it to be sent again.
    pub resend: bool,
}

/// Which messages are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkedChoice {
    /// The messages of the events at these positions; left out: all messages.
    #[serde(default)]
    pub positions: Option<Vec<Position>>,
}

impl ParkedChoice {
    fn has(&self, position: Position) -> bool {
        self.positions.as_ref().is_none_or(|positions| positions.contains(&position))
    }
}

/// The parked messages of the webhooks of a book.
pub struct ParkedMessages {
    state: Arc<dyn State>,
    /// Wakes the deliverer.
    changed: Arc<Notify>,
}

impl ParkedMessages {
    pub(super) fn of_book(storage: &Storage, changed: &Arc<Notify>) -> Self {
        Self { state: Arc::clone(&storage.state), changed: Arc::clone(changed) }
    }

    /// The messages of a webhook that could not be delivered, oldest first.
    ///
    /// # Errors
    /// There is no such webhook, or storage fails.
    pub async fn of(&self, name: &str) -> Result<Vec<Parked>, WebhookError> {
        stored::read(self.state.as_ref(), &stored::name_of(name)?).await?;
        let kind = kind(name)?;
        let (mut parked, mut after) = (Vec::new(), None);
        loop {
            let page = self.state.documents(&kind, after.as_deref(), PAGE_DOCUMENTS).await?;
            let is_last = page.len() < PAGE_DOCUMENTS as usize;
            for document in page {
                let read = serde_json::from_str(&document.body).ok();
                if let (Ok(position), Some(note)) = (document.name.parse(), read) {
                    parked.push(Parked { position: Position(position), note });
                }
                after = Some(document.name);
            }
            if is_last {
                return Ok(parked);
            }
        }
    }

    /// Requests that parked messages be sent once more; returns how many.
    ///
    /// # Errors
    /// There is no such webhook, or storage fails.
    pub async fn resend(&self, name: &str, choice: &ParkedChoice) -> Result<usize, WebhookError> {
        let mut count = 0;
        for mut parked in self.of(name).await? {
            if choice.has(parked.position) {
                parked.note.resend = true;
                let change = change(name, &parked, Expected::Present)?;
                count += usize::from(self.state.change_documents(&[change]).await?.is_some());
            }
        }
        self.changed.notify_waiters();
        Ok(count)
    }

    /// Drops parked messages; returns how many.
    ///
    /// # Errors
    /// There is no such webhook, or storage fails.
    pub async fn discard(&self, name: &str, choice: &ParkedChoice) -> Result<usize, WebhookError> {
        let kind = kind(name)?;
        let mut count = 0;
        for parked in self.of(name).await? {
            if choice.has(parked.position) {
                let document = document(&parked)?;
                let is_gone = self.state.delete_document(&kind, &document, None).await?;
                count += usize::from(is_gone);
            }
        }
        Ok(count)
    }

    /// Stores the outcome of sending a parked message once more.
    ///
    /// # Errors
    /// Storage fails.
    pub async fn resent(
        &self,
        name: &str,
        parked: &Parked,
        outcome: &Outcome,
    ) -> Result<(), WebhookError> {
        let error = match outcome {
            Outcome::Delivered => {
                let kind = kind(name)?;
                self.state.delete_document(&kind, &document(parked)?, None).await?;
                return Ok(());
            }
            Outcome::Gone => "410: the receiver no longer exists".to_owned(),
            Outcome::Failed { error, .. } => error.clone(),
        };
        let note = ParkedNote { error, resend: false, ..parked.note.clone() };
        let parked = Parked { position: parked.position, note };
        let change = change(name, &parked, Expected::Present)?;
        // If somebody has dropped it meanwhile, nothing more is to be done with it.
        self.state.change_documents(&[change]).await?;
        Ok(())
    }
}

/// The parked messages of each webhook are a kind of documents of their own.
fn kind(name: &str) -> Result<StateName, WebhookError> {
    Ok(StateName::new(&format!("parked:{name}"))?)
}

/// The name of a message's document, which sorts in the order of the positions.
fn document(parked: &Parked) -> Result<StateName, WebhookError> {
    Ok(StateName::new(&format!("{:020}", parked.position.0))?)
}

pub(super) fn change(
    name: &str,
    parked: &Parked,
    expected: Expected,
) -> Result<DocumentChange, WebhookError> {
    let body = serde_json::to_string(&parked.note);
    let (kind, name) = (kind(name)?, document(parked)?);
    let body = body.map_err(|error| stored::damaged(&kind, &error))?;
    Ok(DocumentChange { kind, name, expected, body: Some(body) })
}
