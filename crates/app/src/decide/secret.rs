//! The secret of a key, which only its holder has.

use std::fmt;

use daicho_store::vault::Entropy;
use daicho_values::KeyId;
use sha2::{Digest as _, Sha256};

/// The beginning of the text of every secret, by which a leaked secret is recognised.
const PREFIX: &str = "dk_";
const BYTES: usize = 32;

/// The secret of a key: a text to be stored like a password.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    pub(crate) key: KeyId,
    random: [u8; BYTES],
}

impl KeySecret {
    /// A new secret.
    pub(crate) fn new(key: KeyId, entropy: &dyn Entropy) -> Self {
        let mut random = [0; BYTES];
        entropy.fill(&mut random);
        Self { key, random }
    }

    /// Reads the text of a secret; `None` if the text is not one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (key, random_hex) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let mut random = [0; BYTES];
        hex::decode_to_slice(random_hex, &mut random).ok()?;
        Some(Self { key: key.parse().ok()?, random })
    }

    /// Its hash, which is all that the record has of it.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.to_string()))
    }
}

/// The text to give to the holder.
impl fmt::Display for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_{}", self.key, hex::encode(self.random))
    }
}

/// Shows no secret, so that none gets into a log.
impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySecret({})", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_from_its_text_and_told_by_no_log() {
        let key = "01J0000000000000000000000A".parse().unwrap();
        let secret = KeySecret { key, random: [0xab; BYTES] };
        let text = secret.to_string();
        assert!(!format!("{secret:?}").contains("abab"));
        assert_eq!(KeySecret::read(&text), Some(secret));
        let short = &text[..text.len() - 1];
        for wrong in [short, "", "dk_", "dk_x_y", &text[3..], &format!("{text}0")] {
            assert!(KeySecret::read(wrong).is_none(), "{wrong}");
        }
    }
}
