//! Seals the personal fields of a command before the command exists, and opens them on reading.

use std::sync::Arc;

use daicho_domain::{Person, Private};
use daicho_store::vault::{Opened, SealedText, Subject, Vault, VaultError};
use serde_json::{Map, Value, json};

use super::form::FormError;
use crate::error::{ExecuteError, Failure};
use crate::storage::Storage;

/// What is shown instead of a personal value whose key was destroyed.
pub const ERASED: &str = "(erased)";
/// What is shown instead of a personal value whose key is missing.
pub const KEY_MISSING: &str = "(key missing)";

/// What is shown instead of a personal value that the reader may not see.
pub const SEALED: &str = "(sealed)";

/// Whether personal values are shown to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privacy {
    /// As plain texts.
    #[default]
    Opened,
    /// Not at all: [`SEALED`] is shown instead of them.
    Sealed,
}

/// Seals personal values with the vault of a book, and opens them.
pub(crate) struct PersonalValues {
    vault: Arc<dyn Vault>,
}

impl PersonalValues {
    pub(crate) fn of(storage: &Storage) -> Self {
        Self { vault: Arc::clone(&storage.vault) }
    }

    /// Replaces the plain texts of the personal fields by sealed values, and adds their indexes.
    pub(crate) async fn seal(
        &self,
        private: &[Private],
        command: &mut Map<String, Value>,
    ) -> Result<(), ExecuteError> {
        for private in private {
            if let Private::Sealed { field, person, index } = *private {
                self.seal_field(field, person, index, command).await?;
            }
        }
        Ok(())
    }

    async fn seal_field(
        &self,
        field: &'static str,
        person: Person,
        index: Option<&'static str>,
        command: &mut Map<String, Value>,
    ) -> Result<(), ExecuteError> {
        let whose = match command.get(person.field) {
            Some(Value::String(id)) => format!("{}:{id}", person.kind),
            _ => return Err(malformed(person.field, "the id of the person")),
        };
        let plain = match command.get(field) {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::String(plain)) => plain.trim().to_owned(),
            Some(_) => return Err(malformed(field, "a text")),
        };
        if plain.is_empty() {
            return Err(malformed(field, "not empty"));
        }
        if let Some(index) = index {
            let hash = self.mail_index(field, &plain).await?;
            command.insert(index.to_owned(), Value::String(hash));
        }
        let subject = Subject { person: &whose, class: person.class, field };
        let sealed = self.vault.seal(subject, &plain).await.map_err(Failure::from)?;
        command.insert(field.to_owned(), sealed_json(&sealed));
        Ok(())
    }

    async fn mail_index(&self, field: &str, address: &str) -> Result<String, ExecuteError> {
        let (local, domain) = address.rsplit_once('@').unwrap_or_default();
        let spaced = address.chars().any(|c| c.is_whitespace() || c.is_control());
        if local.is_empty() || !domain.contains('.') || spaced {
            return Err(malformed(field, "a mail address such as name@example.co.jp"));
        }
        let index = self.vault.index(field, &address.to_lowercase()).await;
        index.map_err(|error| Failure::from(error).into())
    }

    /// Replaces every sealed value in `value` by what the reader may see of it.
    ///
    /// # Errors
    /// A value was altered, or the vault cannot be read.
    pub(crate) async fn show(&self, value: &mut Value, privacy: Privacy) -> Result<(), Failure> {
        let mut sealed = Vec::new();
        collect_sealed(value, "", &mut sealed);
        for (field, place) in sealed {
            let Some(text) = sealed_text(place) else { continue };
            *place = Value::String(match privacy {
                Privacy::Opened => self.opened(&text, field).await?,
                Privacy::Sealed => SEALED.to_owned(),
            });
        }
        Ok(())
    }

    async fn opened(&self, text: &SealedText, field: &str) -> Result<String, Failure> {
        match self.vault.open(text, field).await {
            Ok(Opened::Text(plain)) => Ok(plain.to_string()),
            Ok(Opened::Erased) => Ok(ERASED.to_owned()),
            Err(VaultError::KeyMissing { .. }) => Ok(KEY_MISSING.to_owned()),
            Err(error) => Err(error.into()),
        }
    }
}

fn malformed(field: &str, expected: &str) -> ExecuteError {
    FormError::at(field, format!("`{field}` must be {expected}")).into()
}

fn sealed_json(sealed: &SealedText) -> Value {
    json!({ "key": sealed.key, "sealed": sealed.sealed, "commitment": sealed.commitment })
}

fn sealed_text(value: &Value) -> Option<SealedText> {
    let object = value.as_object().filter(|object| object.len() == 3)?;
    let text = |key: &str| Some(object.get(key)?.as_str()?.to_owned());
    Some(SealedText { key: text("key")?, sealed: text("sealed")?, commitment: text("commitment")? })
}

/// Every sealed value below `value`, with the name of the field that holds it.
fn collect_sealed<'a>(
    value: &'a mut Value,
    field: &'a str,
    found: &mut Vec<(&'a str, &'a mut Value)>,
) {
    if sealed_text(value).is_some() {
        found.push((field, value));
        return;
    }
    match value {
        Value::Object(object) => {
            object.iter_mut().for_each(|(name, inner)| collect_sealed(inner, name, found));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|inner| collect_sealed(inner, field, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
