//! The keys of the provider (RFC 7517), and the check that one of them signed a text (RFC 7518).
//!
//! Only signatures that need the provider's private key are accepted. No signature (`none`) and one
//! with a shared secret (`HS256`) are refused, whatever a token says about itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

/// What an uncompressed point of a curve begins with (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    #[serde(alias = "Ed25519")]
    EdDSA,
}

/// A key as the provider publishes it.
#[derive(Debug, Deserialize)]
struct PublishedKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<Algorithm>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

/// The public part of a key.
#[derive(Debug)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it names one.
    alg: Option<Algorithm>,
    public: Public,
}

/// The keys that a provider signs with.
#[derive(Debug)]
pub(crate) struct KeySet(Vec<Key>);

/// Why a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// No key of the set can have signed it: the provider may have a new one.
    UnknownKey,
    /// The key that the token names did not sign it.
    WrongSignature,
}

impl KeySet {
    /// The usable keys of a published set: keys of other kinds, or for algorithms that are not
    /// known here, are skipped. None: the text is not a key set.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        let Published { keys } = serde_json::from_slice(json).ok()?;
        let published = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(published.filter_map(Key::of).collect()))
    }

    /// Checks that a key of the set signed the text: the key of that id, or any if none is named.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        key: Option<&str>,
        text: &[u8],
        signature: &[u8],
    ) -> Result<(), Unsigned> {
        let named = |known: &&Key| key.is_none() || known.id.as_deref() == key;
        let fitting = self.0.iter().filter(named).filter(|known| known.fits(algorithm));
        let mut answer = Err(Unsigned::UnknownKey);
        for known in fitting {
            match known.public.has_signed(algorithm, text, signature) {
                true => return Ok(()),
                false => answer = Err(Unsigned::WrongSignature),
            }
        }
        answer
    }
}

impl Key {
    fn of(published: PublishedKey) -> Option<Self> {
        if published.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let PublishedKey { kty, kid, alg, crv, n, e, x, y, .. } = published;
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let point = |x, y| Some([&[UNCOMPRESSED], &*bytes(x)?, &*bytes(y)?].concat());
        let public = match (kty.as_str(), crv.as_deref()) {
            ("RSA", _) => Public::Rsa { n: number(&bytes(n)?), e: number(&bytes(e)?) },
            ("EC", Some("P-256")) => Public::P256(point(x, y)?),
            ("EC", Some("P-384")) => Public::P384(point(x, y)?),
            ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(x)?),
            (_, _) => return None,
        };
        Some(Self { id: kid, alg, public })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let same = self.alg.is_none_or(|said| said == algorithm);
        let family = match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => matches!(self.public, Public::Rsa { .. }),
            Algorithm::ES256 => matches!(self.public, Public::P256(_)),
            Algorithm::ES384 => matches!(self.public, Public::P384(_)),
            Algorithm::EdDSA => matches!(self.public, Public::Ed25519(_)),
        };
        same && family
    }
}

impl Public {
    fn has_signed(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        let by = |way: &'static dyn VerificationAlgorithm, key: &Vec<u8>| {
            UnparsedPublicKey::new(way, key).verify(text, signature).is_ok()
        };
        match self {
            Self::Rsa { n, e } => rsa(algorithm).is_some_and(|way| {
                RsaPublicKeyComponents { n, e }.verify(way, text, signature).is_ok()
            }),
            Self::P256(point) => by(&ECDSA_P256_SHA256_FIXED, point),
            Self::P384(point) => by(&ECDSA_P384_SHA384_FIXED, point),
            Self::Ed25519(key) => by(&ED25519, key),
        }
    }
}

const fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => None,
    }
}

/// A number without the leading zeros that some providers write.
fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The signed examples of RFC 7515, A.2 and A.3.
    const STANDARD: &str = include_str!("testdata/rfc7515.json");

    fn standard(name: &str) -> Value {
        serde_json::from_str::<Value>(STANDARD).unwrap()[name].take()
    }

    /// The key of the standard's RSA example, with other members.
    fn rsa_key(members: Value) -> Value {
        let mut keys = standard("rs256")["keys"].take();
        keys["keys"][0].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        keys
    }

    fn verified(
        example: &Value,
        keys: &Value,
        algorithm: Algorithm,
        key: Option<&str>,
    ) -> Result<(), Unsigned> {
        let signature = URL_SAFE_NO_PAD.decode(example["signature"].as_str().unwrap()).unwrap();
        let text = example["text"].as_str().unwrap().as_bytes();
        let keys = KeySet::read(keys.to_string().as_bytes()).unwrap();
        keys.verify(algorithm, key, text, &signature)
    }

    #[test]
    fn the_signatures_of_the_standard_are_verified() {
        let (rsa, curve) = (standard("rs256"), standard("es256"));
        let named = |key| verified(&rsa, &rsa["keys"], Algorithm::RS256, key);
        assert_eq!(named(None), Ok(()));
        assert_eq!(named(Some("rsa")), Ok(()));
        assert_eq!(named(Some("another")), Err(Unsigned::UnknownKey));
        assert_eq!(verified(&curve, &curve["keys"], Algorithm::ES256, None), Ok(()));
        let mut changed = curve.clone();
        changed["text"] = json!(&curve["text"].as_str().unwrap()[1..]);
        let changed = verified(&changed, &curve["keys"], Algorithm::ES256, None);
        assert_eq!(changed, Err(Unsigned::WrongSignature));
    }

    #[test]
    fn a_key_does_only_what_it_is_for() {
        let with =
            |algorithm, members| verified(&standard("rs256"), &rsa_key(members), algorithm, None);
        assert_eq!(with(Algorithm::RS256, json!({ "alg": "RS256", "use": "sig" })), Ok(()));
        assert_eq!(with(Algorithm::PS256, json!({})), Err(Unsigned::WrongSignature));
        assert_eq!(with(Algorithm::ES256, json!({})), Err(Unsigned::UnknownKey));
        for useless in [
            json!({ "use": "enc" }),
            json!({ "alg": "RS512" }),
            json!({ "alg": "RSA-OAEP" }),
            json!({ "kty": "oct", "k": "AA" }),
            json!({ "n": "not base64!" }),
        ] {
            let refused = with(Algorithm::RS256, useless.clone());
            assert_eq!(refused, Err(Unsigned::UnknownKey), "{useless}");
        }
        // Some providers write the number with leading zeros.
        assert_eq!(with(Algorithm::RS256, json!({ "e": "AAEAAQ" })), Ok(()));
    }

    #[test]
    fn what_is_no_key_is_passed_over_and_what_is_no_set_is_refused() {
        let mut keys = rsa_key(json!({}));
        keys["keys"].as_array_mut().unwrap().insert(0, json!(7));
        assert_eq!(verified(&standard("rs256"), &keys, Algorithm::RS256, None), Ok(()));
        assert!(KeySet::read(b"{}").is_none() && KeySet::read(b"no").is_none());
        for none in ["none", "HS256", "hs256", "rs256", ""] {
            assert!(serde_json::from_value::<Algorithm>(json!(none)).is_err(), "{none}");
        }
    }
}
