//! Why the vault did not do what was asked.

use crate::StorageError;

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
