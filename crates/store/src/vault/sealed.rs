//! A sealed value: what it is about, how it stands in the record, and what opening it gives.

use zeroize::Zeroizing;

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

/// Whom and what a value is about. The sealed value is bound to it and opens under no other name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Whose datum it is, e.g. `member:01J…`.
    pub person: &'a str,
    /// Which class of data: each has a key and a term of its own. Holds no `/`.
    pub class: &'a str,
    /// Which field, e.g. `name`.
    pub field: &'a str,
}

/// What opening a value gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The text, wiped from memory when dropped.
    Text(Zeroizing<String>),
    /// The key was destroyed on purpose: the person was erased.
    Erased,
}
