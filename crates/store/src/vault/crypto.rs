//! How a value is sealed, opened and indexed. Pure but for the random bytes that it is given; every
//! vault uses this and nothing else.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Entropy, Opened, PLAIN_BYTES_MAX, SEALED_BYTES_MAX, SealedText, Subject, VAULT_NAME_BYTES_MAX,
    VaultError,
};

/// Bytes of a key, of a salt and of a hash.
const SECRET_BYTES: usize = 32;
/// Bytes of AES-GCM's nonce (NIST SP 800-38D).
const NONCE_BYTES: usize = 12;
/// Bytes of a block of SHA-256.
const HASH_BLOCK_BYTES: usize = 64;
/// Separates these associated data from any other use of the keys.
const SEAL_LABEL: &[u8] = b"daicho sealed text 1";
/// Separates the index from the request hash under the same key.
const INDEX_LABEL: &[u8] = b"daicho index 1";
/// Separates the request hash from the index under the same key.
const REQUEST_LABEL: &[u8] = b"daicho request 1";

/// 32 secret bytes, wiped from memory when dropped.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<[u8; SECRET_BYTES]>);

impl Secret {
    /// A new random secret.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        entropy.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The secret that stands in `stored`, or nothing if that is not 32 bytes.
    pub(crate) fn from_stored(stored: Vec<u8>) -> Option<Self> {
        let stored = Zeroizing::new(stored);
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        if stored.len() != SECRET_BYTES {
            return None;
        }
        bytes.copy_from_slice(&stored);
        Some(Self(bytes))
    }

    /// The bytes, to be stored.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.0).into())
    }
}

/// Name of a key: a person and a class of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyName(String);

impl KeyName {
    /// `person/class`; refused when empty, too long, or when the class holds the separator.
    pub(crate) fn new(person: &str, class: &str) -> Result<Self, VaultError> {
        check_name("person", person)?;
        check_name("class", class)?;
        if class.contains('/') {
            return Err(VaultError::Refused(format!("class {class} holds a `/`: name it without")));
        }
        Ok(Self(format!("{person}/{class}")))
    }

    /// Reads a name as it stands in a sealed value.
    pub(crate) fn parse(text: &str) -> Result<Self, VaultError> {
        let (person, class) = text.rsplit_once('/').ok_or_else(|| {
            VaultError::Refused(format!("key {text} has no class: it must be `person/class`"))
        })?;
        Self::new(person, class)
    }

    /// The whole name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What AES-GCM authenticates besides the text: person, class and field, each with its length,
    /// so that none can run over into the next.
    fn associated_data(&self, field: &str) -> Vec<u8> {
        let (person, class) = self.0.rsplit_once('/').unwrap_or((&self.0, ""));
        let mut bytes = Vec::from(SEAL_LABEL);
        for part in [person, class, field] {
            push_part(&mut bytes, part.as_bytes());
        }
        bytes
    }
}

/// Refuses a subject or a text that no vault takes; answers with the name of its key.
pub(crate) fn check_sealing(subject: Subject<'_>, plain: &str) -> Result<KeyName, VaultError> {
    check_name("field", subject.field)?;
    if plain.len() > PLAIN_BYTES_MAX {
        return Err(VaultError::Refused(format!(
            "{} has {} bytes: at most {PLAIN_BYTES_MAX} can be sealed as one value",
            subject.field,
            plain.len()
        )));
    }
    KeyName::new(subject.person, subject.class)
}

/// Seals `plain` under `secret` with a new salt and nonce.
pub(crate) fn seal(
    secret: &Secret,
    name: &KeyName,
    field: &str,
    plain: &str,
    entropy: &dyn Entropy,
) -> Result<SealedText, VaultError> {
    let mut salted = Zeroizing::new(vec![0; SECRET_BYTES]);
    entropy.fill(&mut salted);
    // Reserved at once: growing would leave a copy of the text behind in freed memory.
    salted.reserve_exact(plain.len());
    salted.extend_from_slice(plain.as_bytes());
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let associated = name.associated_data(field);
    let payload = Payload { msg: &salted, aad: &associated };
    let ciphertext = secret
        .cipher()
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| VaultError::Refused(format!("{field} is too long to be sealed")))?;
    let mut sealed = Vec::from(nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(SealedText {
        key: name.as_str().to_owned(),
        sealed: STANDARD.encode(sealed),
        commitment: hex::encode(Sha256::digest(&*salted)),
    })
}

/// Opens `sealed` under `secret` and checks it against its commitment.
pub(crate) fn open(
    secret: &Secret,
    name: &KeyName,
    field: &str,
    sealed: &SealedText,
) -> Result<Opened, VaultError> {
    let tampered = || VaultError::Tampered { key: sealed.key.clone() };
    if sealed.sealed.len() > SEALED_BYTES_MAX {
        return Err(tampered());
    }
    let bytes = STANDARD.decode(&sealed.sealed).map_err(|_| tampered())?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(tampered)?;
    let associated = name.associated_data(field);
    let payload = Payload { msg: ciphertext, aad: &associated };
    let salted = secret.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| tampered())?;
    let salted = Zeroizing::new(salted);
    if hex::encode(Sha256::digest(&*salted)) != sealed.commitment {
        return Err(VaultError::CommitmentBroken { key: sealed.key.clone() });
    }
    let plain = salted.get(SECRET_BYTES..).ok_or_else(tampered)?;
    let text = std::str::from_utf8(plain).map_err(|_| tampered())?;
    Ok(Opened::Text(Zeroizing::new(text.to_owned())))
}

/// The book's keyed hash: finds equal values without keeping them.
pub(crate) struct KeyedHash(Secret);

impl KeyedHash {
    /// Hashes under `secret`.
    pub(crate) fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// See [`super::Vault::index`].
    pub(crate) fn index(&self, domain: &str, normalised: &str) -> Result<String, VaultError> {
        check_name("domain", domain)?;
        Ok(self.hash(&[INDEX_LABEL, domain.as_bytes(), normalised.as_bytes()]))
    }

    /// See [`super::Vault::request_hash`].
    pub(crate) fn request(&self, plain: &[u8]) -> String {
        self.hash(&[REQUEST_LABEL, plain])
    }

    /// The key filled up with zeros to a block of SHA-256, as RFC 2104 says.
    fn block(&self) -> Zeroizing<[u8; HASH_BLOCK_BYTES]> {
        let mut block = Zeroizing::new([0; HASH_BLOCK_BYTES]);
        for (to, from) in block.iter_mut().zip(self.0.as_bytes()) {
            *to = *from;
        }
        block
    }

    fn hash(&self, parts: &[&[u8]]) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*self.block()).into());
        for part in parts {
            mac.update(&length(part));
            mac.update(part);
        }
        hex::encode(mac.finalize().into_bytes())
    }
}

fn check_name(what: &str, name: &str) -> Result<(), VaultError> {
    if name.is_empty() || name.len() > VAULT_NAME_BYTES_MAX {
        return Err(VaultError::Refused(format!(
            "a {what} of {} bytes: it must have 1 to {VAULT_NAME_BYTES_MAX}",
            name.len()
        )));
    }
    Ok(())
}

fn push_part(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&length(part));
    bytes.extend_from_slice(part);
}

/// The length of a part as eight bytes, big-endian.
fn length(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

#[cfg(test)]
mod tests;
