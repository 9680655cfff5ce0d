//! Consumers as stored in the state: one document each.

use std::sync::Arc;

use daicho_store::{State, StateName};

use super::error::ConsumerError;
use super::group::Group;
use crate::error::Failure;
use crate::storage::Storage;

/// The kind of the documents.
const KIND: &str = "consumer";
/// The most documents of one read.
const PAGE_DOCUMENTS: u32 = 256;

/// The documents of the consumers of a book.
pub(super) struct Documents {
    state: Arc<dyn State>,
}

impl Documents {
    pub(super) fn of(storage: &Storage) -> Self {
        Self { state: Arc::clone(&storage.state) }
    }

    /// A consumer as stored, and the version of its document.
    pub(super) async fn group(&self, name: &StateName) -> Result<(Group, u64), ConsumerError> {
        let document = self.state.document(&StateName::new(KIND)?, name).await?;
        let document = document.ok_or_else(|| ConsumerError::Unknown(name.to_string()))?;
        let group = serde_json::from_str(&document.body).map_err(|error| damaged(name, &error))?;
        Ok((group, document.version))
    }

    /// Stores a consumer if its document still has that version or, if no version is given, if
    /// there is no document; returns whether it did.
    pub(super) async fn put(
        &self,
        name: &StateName,
        group: &Group,
        version: Option<u64>,
    ) -> Result<bool, ConsumerError> {
        let body = serde_json::to_string(group);
        let body = body.map_err(|error| damaged(name, &error))?;
        let put = self.state.put_document(&StateName::new(KIND)?, name, &body, version).await?;
        Ok(put.is_some())
    }

    /// Deletes a consumer; returns whether there was one.
    pub(super) async fn delete(&self, name: &StateName) -> Result<bool, ConsumerError> {
        Ok(self.state.delete_document(&StateName::new(KIND)?, name, None).await?)
    }

    /// The names of all consumers.
    pub(super) async fn names(&self) -> Result<Vec<String>, ConsumerError> {
        let kind = StateName::new(KIND)?;
        let mut names: Vec<String> = Vec::new();
        loop {
            let after = names.last().map(String::as_str);
            let page = self.state.documents(&kind, after, PAGE_DOCUMENTS).await?;
            let is_last = page.len() < PAGE_DOCUMENTS as usize;
            names.extend(page.into_iter().map(|document| document.name));
            if is_last {
                return Ok(names);
            }
        }
    }
}

fn damaged(name: &StateName, error: &serde_json::Error) -> Failure {
    Failure::Document { of: format!("consumer `{name}`"), reason: error.to_string() }
}
