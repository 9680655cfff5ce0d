//! The vault: keys that open personal data, apart from the record. Each person has one random key
//! for each class of data; destroying it erases the person while every proof still holds.
//!
//! A value is sealed with AES-256-GCM before it reaches the record, and its key is durable before
//! the sealed value is handed out: no append can hold a value that nobody can ever open.

mod cache;
mod crypto;
mod memory;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::StorageError;

pub(crate) use cache::{
    Cache, Existence, Found, INDEX_PURPOSE, another_book, people, stored_index_secret,
    stored_secret,
};
pub(crate) use crypto::{KeyName, KeyedHash, Secret, check_sealing, open, seal};
pub use memory::MemoryVault;

/// Bytes of text that one sealed value may hold.
pub const PLAIN_BYTES_MAX: usize = 64 * 1_024;
/// Bytes a person, a class, a field or a domain may have.
pub const VAULT_NAME_BYTES_MAX: usize = 256;
/// Bytes of a sealed value as text: nonce, salt, plain text and tag in base64.
pub const SEALED_BYTES_MAX: usize = (PLAIN_BYTES_MAX + 128) * 4 / 3;

/// A personal datum as it stands in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText {
    /// Name of the key that opens it: `member:01J…/contact`.
    pub key: String,
    /// Base64 of nonce ‖ ciphertext ‖ tag; the plain text in it starts with the salt.
    pub sealed: String,
    /// Hexadecimal SHA-256 of salt ‖ text: binds the record to the text without revealing it.
    pub commitment: String,
}

/// Whom and what a value is about. Bound into it: it does not open under any other name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Whose datum it is, e.g. `member:01J…`.
    pub person: &'a str,
    /// Which class of data: each has a key and a term of its own. Holds no `/`.
    pub class: &'a str,
    /// Which field, e.g. `name`.
    pub field: &'a str,
}

/// What opening a value brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The text, wiped from memory when dropped.
    Text(Zeroizing<String>),
    /// The key was destroyed on purpose: the person was erased.
    Erased,
}

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
    /// Seals `plain` under the key of `subject`'s person and class, made if there is none yet and
    /// durable before this answers. Refused for an erased person.
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

    /// Takes over the keys of another vault of the same book; doing it again does nothing. What
    /// was erased in either is erased in this one. Open it anew afterwards.
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
    /// Names in order, each with its key; none for who was erased.
    pub(crate) people: Vec<(String, Option<Secret>)>,
}

impl KeyRing {
    /// How many people's keys, the erased ones with them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there is no key of anybody.
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

/// Where random bytes come from: the system at the edge, a seed in the simulator.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the system has no random numbers to give: a key made of anything else would be worse.
    #[expect(clippy::disallowed_methods, reason = "this is the edge that everybody else is given")]
    fn fill(&self, bytes: &mut [u8]) {
        let filled = getrandom::fill(bytes);
        assert!(filled.is_ok(), "the operating system gives no random numbers: {filled:?}");
    }
}

/// Why the vault did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key is not there, and was not destroyed on purpose.
    #[error("key {key} is missing from the vault: restore the vault that belongs to this book")]
    KeyMissing {
        /// Name of the key.
        key: String,
    },
    /// The person was erased: nothing is sealed for them any more.
    #[error("key {key} was destroyed on purpose: an erased person needs a new id")]
    Erased {
        /// Name of the key.
        key: String,
    },
    /// The value does not open under its key.
    #[error(
        "a value under key {key} does not open: it was altered, or sealed for another person, \
         class or field, or under another key of that name"
    )]
    Tampered {
        /// Name of the key.
        key: String,
    },
    /// The value opens but is not what the record committed to.
    #[error("a value under key {key} is not the one that its commitment binds")]
    CommitmentBroken {
        /// Name of the key.
        key: String,
    },
    /// The key is destroyed; old pages that hold it could not be wiped while another reads them.
    #[error(
        "key {key} is destroyed, but a reader held the vault's old pages too long to wipe them: \
         erase it again"
    )]
    NotWiped {
        /// Name of the key.
        key: String,
    },
    /// There is no vault to make keys in.
    #[error("the book's vault is missing ({path}): restore it; new keys are not made in its place")]
    VaultMissing {
        /// Where it should stand.
        path: String,
    },
    /// A named limit or rule of form was broken.
    #[error("{0}")]
    Refused(String),
    /// The vault's storage failed.
    #[error("the vault's storage failed")]
    Storage(#[from] StorageError),
}
