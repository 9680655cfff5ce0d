//! The vault: keys that open personal data, apart from the record. Each person has one random key
//! for each class of data; destroying it erases the person while every proof still holds.
//!
//! A value is sealed with AES-256-GCM before it reaches the record, and its key is durable before
//! the sealed value is handed out: no append can hold a value that nobody can ever open.

mod cache;
mod crypto;
mod entropy;
mod error;
mod memory;
mod sealed;

use async_trait::async_trait;

pub(crate) use cache::{
    Cache, Existence, Found, INDEX_PURPOSE, another_book, people, stored_index_secret,
    stored_secret,
};
pub(crate) use crypto::{KeyName, KeyedHash, Secret, check_sealing, open, seal};
pub use entropy::{Entropy, SystemEntropy};
pub use error::VaultError;
pub use memory::MemoryVault;
pub use sealed::{
    Opened, PLAIN_BYTES_MAX, SEALED_BYTES_MAX, SealedText, Subject, VAULT_NAME_BYTES_MAX,
};

/// What erasing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// A key was there and is destroyed.
    Destroyed,
    /// No key was there (never made, or erased before); none will be made.
    NothingThere,
}

/// Keeps the keys of personal data of one book.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Seals `plain` under the key of `subject`'s person and class, which is made if there is none
    /// yet and is durable before this returns. It is refused for an erased person.
    async fn seal(&self, subject: Subject<'_>, plain: &str) -> Result<SealedText, VaultError>;

    /// Opens `sealed` as `field`. Never makes a key: one that is not there is
    /// [`VaultError::KeyMissing`], one destroyed on purpose is [`Opened::Erased`].
    async fn open(&self, sealed: &SealedText, field: &str) -> Result<Opened, VaultError>;

    /// Destroys the key of a person's class for ever, and remembers that it was on purpose.
    async fn erase(&self, person: &str, class: &str) -> Result<Erasure, VaultError>;

    /// Keyed hash (HMAC-SHA-256, hexadecimal) of a normalised value within `domain`: finds equal
    /// values without keeping them, e.g. one registration for one e-mail address.
    async fn index(&self, domain: &str, normalised: &str) -> Result<String, VaultError>;

    /// Keyed hash (HMAC-SHA-256, hexadecimal) of a plain request, personal data and all.
    async fn request_hash(&self, plain: &[u8]) -> Result<String, VaultError>;

    /// Every key, to be carried to another vault of the same book.
    async fn export(&self) -> Result<KeyRing, VaultError>;

    /// Takes over the keys of another vault of the same book; doing it again changes nothing. What
    /// was erased in either vault is erased in this one. This vault must be opened anew afterwards.
    ///
    /// # Errors
    /// A vault of another book is refused.
    async fn import(&self, keys: &KeyRing) -> Result<(), VaultError>;

    /// Waits for what is under way and lets go of the storage.
    async fn close(&self) {}
}

/// The keys of a vault on their way to another one. Nothing of them is shown.
pub struct KeyRing {
    pub(crate) index: Secret,
    /// Names in order, each with its key; without one where the person was erased.
    pub(crate) people: Vec<(String, Option<Secret>)>,
}

impl KeyRing {
    /// How many keys of people there are, erased ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there is no key of any person.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeyRing").field("keys", &self.people.len()).finish_non_exhaustive()
    }
}
