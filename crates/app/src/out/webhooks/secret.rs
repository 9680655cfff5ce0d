//! The secrets of webhooks, and what they sign: Standard Webhooks, HMAC-SHA256 (`v1`) and Ed25519
//! (`v1a`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daicho_store::vault::Entropy;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const BYTES: usize = 32;

/// How messages are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Signature {
    /// HMAC-SHA256, with a secret that sender and receiver share.
    #[default]
    Hmac,
    /// Ed25519: the receiver has only the public key.
    Ed25519,
}

/// The key that signs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WebhookSecret {
    signature: Signature,
    #[serde(with = "hex::serde")]
    bytes: [u8; BYTES],
}

impl WebhookSecret {
    pub(super) fn new(signature: Signature, entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; BYTES];
        entropy.fill(&mut bytes);
        Self { signature, bytes }
    }

    pub(super) fn signature(&self) -> Signature {
        self.signature
    }

    /// What the receiver verifies with.
    pub(super) fn shown(&self) -> String {
        match (self.signature, self.pair()) {
            (Signature::Ed25519, Some(pair)) => {
                format!("whpk_{}", STANDARD.encode(pair.public_key()))
            }
            (Signature::Hmac | Signature::Ed25519, _) => {
                format!("whsec_{}", STANDARD.encode(self.bytes))
            }
        }
    }

    /// The signature of a message that was sent at `seconds` since the epoch.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = format!("{id}.{seconds}.{body}");
        match (self.signature, self.pair()) {
            (Signature::Ed25519, Some(pair)) => {
                format!("v1a,{}", STANDARD.encode(pair.sign(signed.as_bytes())))
            }
            (Signature::Hmac | Signature::Ed25519, _) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
                format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed.as_bytes())))
            }
        }
    }

    /// Any 32 bytes are the seed of a key pair.
    fn pair(&self) -> Option<Ed25519KeyPair> {
        if self.signature == Signature::Hmac {
            return None;
        }
        Ed25519KeyPair::from_seed_unchecked(&self.bytes).ok()
    }
}

/// Shows no secret, so that none gets into a log.
impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecret({:?})", self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification.
    #[test]
    fn a_message_is_signed_as_the_specification_says() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signed = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        assert_eq!(signature, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_pair_shows_its_public_half_only() {
        let secret = WebhookSecret { signature: Signature::Ed25519, bytes: [7; BYTES] };
        let shown = secret.shown();
        assert!(shown.starts_with("whpk_") && !shown.contains(&STANDARD.encode([7; BYTES])));
        let signature = secret.sign("shop/1", 1, "{}");
        let bytes = STANDARD.decode(signature.strip_prefix("v1a,").unwrap()).unwrap();
        let key = STANDARD.decode(shown.strip_prefix("whpk_").unwrap()).unwrap();
        let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
        public.verify(b"shop/1.1.{}", &bytes).unwrap();
        assert!(!format!("{secret:?}").contains('7'));
    }
}
