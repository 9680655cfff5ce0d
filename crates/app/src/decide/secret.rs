//! The secret of a key: what its holder has, and nobody else.

use std::fmt;

use daicho_store::vault::Entropy;
use daicho_values::KeyId;
use sha2::{Digest as _, Sha256};

/// What the text of every secret begins with, so that a leaked one is known for what it is.
const PREFIX: &str = "dk_";
const BYTES: usize = 32;

/// The secret of a key: a text to be kept like a password.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret {
    pub(crate) key: KeyId,
    random: [u8; BYTES],
}

impl KeySecret {
    /// A new one.
    pub(crate) fn new(key: KeyId, entropy: &dyn Entropy) -> Self {
        let mut random = [0; BYTES];
        entropy.fill(&mut random);
        Self { key, random }
    }

    /// The secret that a text is; none: it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (key, random_hex) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let mut random = [0; BYTES];
        hex::decode_to_slice(random_hex, &mut random).ok()?;
        Some(Self { key: key.parse().ok()?, random })
    }

    /// What the record has of it.
    pub(crate) fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.to_string()))
    }
}

/// The text to hand out.
impl fmt::Display for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_{}", self.key, hex::encode(self.random))
    }
}

/// No log shows a secret.
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
