//! Texts that a browser keeps for the service and can neither read nor change: sealed with
//! AES-256-GCM and bound to their purpose.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daicho_app::Entropy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::settings::SESSION_KEY_BYTES;

/// Bytes of AES-GCM's nonce (NIST SP 800-38D).
const NONCE_BYTES: usize = 12;

/// What a text is for: a text that was sealed for another purpose does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A sign-in that has begun.
    Attempt,
    /// A person who is signed in.
    Session,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Attempt => "daicho sign-in 1",
            Self::Session => "daicho session 1",
        }
    }
}

/// Seals and opens.
pub(crate) struct Sealer {
    cipher: Aes256Gcm,
    /// The provider and the client: a text that was sealed for others does not open.
    context: String,
}

impl Sealer {
    pub(crate) fn new(key: &[u8; SESSION_KEY_BYTES], issuer: &str, client_id: &str) -> Self {
        let context = format!("\0{issuer}\0{client_id}");
        Self { cipher: Aes256Gcm::new(key.into()), context }
    }

    /// The value as a text of letters, digits, `-` and `_`; none: it cannot be serialised.
    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        value: &impl Serialize,
        entropy: &dyn Entropy,
    ) -> Option<String> {
        let plain = serde_json::to_vec(value).ok()?;
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let aad = self.associated(purpose);
        let payload = Payload { msg: &plain, aad: aad.as_bytes() };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The value that was sealed; none: it was not sealed here, or was sealed for another purpose.
    pub(crate) fn open<T: DeserializeOwned>(&self, purpose: Purpose, text: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let aad = self.associated(purpose);
        let payload = Payload { msg: sealed, aad: aad.as_bytes() };
        let plain = self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    fn associated(&self, purpose: Purpose) -> String {
        format!("{}{}", purpose.label(), self.context)
    }
}

#[cfg(test)]
mod tests {
    use daicho_app::ClockAndEntropy;

    use super::*;

    #[test]
    fn a_text_opens_only_as_it_was_sealed_for_what_it_was_sealed() {
        let sealer = |key: u8, issuer| Sealer::new(&[key; 32], issuer, "daicho");
        let one = sealer(1, "https://a.example");
        let entropy = ClockAndEntropy::system().entropy;
        let text = one.seal(Purpose::Session, &"hanako", entropy.as_ref()).unwrap();
        let open = |sealer: &Sealer, purpose, text: &str| sealer.open::<String>(purpose, text);
        assert_eq!(open(&one, Purpose::Session, &text).as_deref(), Some("hanako"));
        assert_eq!(open(&one, Purpose::Attempt, &text), None);
        assert_eq!(open(&sealer(2, "https://a.example"), Purpose::Session, &text), None);
        assert_eq!(open(&sealer(1, "https://b.example"), Purpose::Session, &text), None);
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(open(&one, Purpose::Session, &changed), None, "{place}");
        }
        for short in ["", "AAAA", &text[..20]] {
            assert_eq!(open(&one, Purpose::Session, short), None);
        }
        assert_ne!(one.seal(Purpose::Session, &"hanako", entropy.as_ref()).unwrap(), text);
    }
}
