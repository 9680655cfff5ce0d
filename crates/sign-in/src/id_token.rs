//! The ID token: what the provider says about the person who signed in (OpenID Connect Core,
//! 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::key_set::{Algorithm, KeySet, Unsigned};

/// How far the provider's clock may differ from ours.
const LEEWAY_SECONDS: i64 = 60;
/// How old a token may be. It can be short: tokens come directly from the provider.
const AGE_SECONDS_MAX: i64 = 10 * 60;

/// Claims by name.
pub(crate) type Claims = Map<String, Value>;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) now_seconds: i64,
}

/// Why a token is not accepted: the part of it that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not a signed token.
    #[error("it is not a signed token")]
    Form,
    /// Its algorithm is not one of those accepted.
    #[error("its signature algorithm is not accepted")]
    Algorithm,
    /// None of the published keys can have signed it.
    #[error("it is signed with a key that the provider does not publish")]
    UnknownKey,
    /// The key that it names did not sign it.
    #[error("its signature is wrong")]
    Signature,
    /// The claim of this name is not what it must be.
    #[error("its claim `{0}` is not what it must be")]
    Claim(&'static str),
}

/// A token in its parts. Nothing in it may be trusted before it is verified.
#[derive(Debug)]
pub(crate) struct IdToken<'a> {
    signed: &'a str,
    algorithm: Algorithm,
    key: Option<String>,
    claims: Claims,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: Value,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'a> IdToken<'a> {
    /// The parts of a token's text.
    pub(crate) fn read(text: &'a str) -> Result<Self, TokenError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Form)?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Form);
        let header: Header = serde_json::from_slice(&bytes(header)?).or(Err(TokenError::Form))?;
        // The token demands an extension to be understood, and none is known here.
        if header.crit.is_some() {
            return Err(TokenError::Form);
        }
        let algorithm = serde_json::from_value(header.alg).or(Err(TokenError::Algorithm))?;
        let claims = serde_json::from_slice(&bytes(claims)?).or(Err(TokenError::Form))?;
        Ok(Self { signed, algorithm, key: header.kid, claims, signature: bytes(signature)? })
    }

    /// Whether a key of the provider has signed it.
    pub(crate) fn verify(&self, keys: &KeySet) -> Result<(), TokenError> {
        let key = self.key.as_deref();
        let verified = keys.verify(self.algorithm, key, self.signed.as_bytes(), &self.signature);
        verified.map_err(|unsigned| match unsigned {
            Unsigned::UnknownKey => TokenError::UnknownKey,
            Unsigned::WrongSignature => TokenError::Signature,
        })
    }

    /// Its claims, if they are from the provider, for this service and this sign-in, and valid now.
    /// Call it only on a token that is verified.
    pub(crate) fn into_claims(self, expected: Expected<'_>) -> Result<Claims, TokenError> {
        let claims = self.claims;
        let Expected { issuer, client_id, nonce, now_seconds } = expected;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64);
        let must = |name, is_so: bool| if is_so { Ok(()) } else { Err(TokenError::Claim(name)) };
        must("iss", text("iss") == Some(issuer))?;
        let audience = audience(&claims);
        must("aud", audience.contains(&Some(client_id)))?;
        let alone = audience.len() == 1 && !claims.contains_key("azp");
        must("azp", alone || text("azp") == Some(client_id))?;
        must("nonce", text("nonce") == Some(nonce))?;
        must(
            "exp",
            time("exp").is_some_and(|exp| now_seconds < exp.saturating_add(LEEWAY_SECONDS)),
        )?;
        let ages = -LEEWAY_SECONDS..=AGE_SECONDS_MAX;
        let age = time("iat").map(|iat| now_seconds.saturating_sub(iat));
        must("iat", age.is_some_and(|age| ages.contains(&age)))?;
        let begun = time("nbf").is_none_or(|nbf| now_seconds >= nbf.saturating_sub(LEEWAY_SECONDS));
        must("nbf", begun && claims.get("nbf").is_none_or(Value::is_i64))?;
        must("sub", text("sub").is_some_and(|sub| !sub.is_empty()))?;
        Ok(claims)
    }
}

/// The claims of a token, with those that the provider gives separately for the same person.
pub(crate) fn joined(claims: Claims, mut more: Claims) -> Result<Claims, TokenError> {
    // The answer may be about somebody else (OpenID Connect Core, 5.3.2).
    if !more.is_empty() && more.get("sub") != claims.get("sub") {
        return Err(TokenError::Claim("sub"));
    }
    more.extend(claims);
    Ok(more)
}

/// Whom a token is for: one audience or several.
fn audience(claims: &Claims) -> Vec<Option<&str>> {
    match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
        Some(one) => vec![one.as_str()],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    };
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://login.example.jp",
            client_id: "daicho",
            nonce: "n-1",
            now_seconds: NOW,
        }
    }

    fn good() -> Value {
        json!({
            "iss": "https://login.example.jp", "sub": "u-1", "aud": "daicho", "nonce": "n-1",
            "iat": NOW - 5, "exp": NOW + 60,
        })
    }

    fn base64(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A provider for the tests: a key set, and the key that signs.
    struct Signer(Ed25519KeyPair);

    impl Signer {
        fn new() -> Self {
            let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            Self(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
        }

        fn keys(&self) -> KeySet {
            let x = base64(self.0.public_key());
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x, "use": "sig" });
            KeySet::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let signed = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
            let signature = base64(self.0.sign(signed.as_bytes()));
            format!("{signed}.{signature}")
        }

        fn taken(&self, header: &Value, claims: &Value) -> Result<Claims, TokenError> {
            taken(&self.token(header, claims), &self.keys())
        }
    }

    fn taken(token: &str, keys: &KeySet) -> Result<Claims, TokenError> {
        let token = IdToken::read(token)?;
        token.verify(keys)?;
        token.into_claims(expected())
    }

    fn signed() -> Value {
        json!({ "alg": "EdDSA", "kid": "k" })
    }

    #[test]
    fn a_token_is_taken_as_it_was_signed_and_no_other() {
        let provider = Signer::new();
        assert_eq!(provider.taken(&signed(), &good()).unwrap()["sub"], "u-1");
        assert_eq!(
            taken(&Signer::new().token(&signed(), &good()), &provider.keys()),
            Err(TokenError::Signature)
        );
        let token = provider.token(&signed(), &good());
        let mut parts: Vec<&str> = token.split('.').collect();
        let other = base64(good().to_string().replace("u-1", "u-2"));
        parts[1] = &other;
        assert_eq!(taken(&parts.join("."), &provider.keys()), Err(TokenError::Signature));
        for broken in ["", "a.b", "a.b.c", &token[..token.len() - 90], &format!("{token}.x")] {
            let refused = taken(broken, &provider.keys()).unwrap_err();
            assert!(matches!(refused, TokenError::Form | TokenError::Signature), "{broken}");
        }
    }

    #[test]
    fn a_token_is_signed_with_a_key_pair_and_by_the_key_that_it_names() {
        let provider = Signer::new();
        for (header, error) in [
            (json!({ "alg": "none" }), TokenError::Algorithm),
            (json!({ "alg": "HS256", "kid": "k" }), TokenError::Algorithm),
            (json!({ "alg": ["EdDSA"] }), TokenError::Algorithm),
            (json!({ "alg": "ES256", "kid": "k" }), TokenError::UnknownKey),
            (json!({ "alg": "EdDSA", "kid": "other" }), TokenError::UnknownKey),
            (json!({ "alg": "EdDSA", "kid": "k", "crit": ["b64"] }), TokenError::Form),
            (json!({ "kid": "k" }), TokenError::Form),
        ] {
            assert_eq!(provider.taken(&header, &good()), Err(error), "{header}");
        }
        let unsigned = format!("{}.{}.", base64(r#"{"alg":"none"}"#), base64(good().to_string()));
        assert_eq!(taken(&unsigned, &provider.keys()), Err(TokenError::Algorithm));
    }

    #[test]
    fn a_signature_over_a_curve_is_taken_in_the_form_of_the_standard() {
        let (random, way) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(way, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(way, document.as_ref(), &random).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let key = json!({ "kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y) });
        let keys = KeySet::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
        let header = base64(json!({ "alg": "ES256" }).to_string());
        let signed = format!("{header}.{}", base64(good().to_string()));
        let signature = pair.sign(&random, signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", base64(signature));
        assert_eq!(taken(&token, &keys).unwrap()["sub"], "u-1");
    }

    #[test]
    fn what_is_told_beside_a_token_is_of_the_same_person_and_never_goes_before_it() {
        let claims = |value: Value| value.as_object().unwrap().clone();
        let token = claims(json!({ "sub": "u-1", "name": "Hanako" }));
        let more = claims(json!({ "sub": "u-1", "name": "Taro", "roles": ["*=auditor"] }));
        let all = joined(token.clone(), more).unwrap();
        assert_eq!((&all["name"], &all["roles"]), (&json!("Hanako"), &json!(["*=auditor"])));
        for other in [json!({ "sub": "u-2" }), json!({ "roles": "*=operator" })] {
            let refused = joined(token.clone(), claims(other.clone()));
            assert_eq!(refused, Err(TokenError::Claim("sub")), "{other}");
        }
        assert_eq!(joined(token.clone(), Claims::new()), Ok(token));
    }

    #[test]
    fn each_claim_must_be_what_it_must_be() {
        let provider = Signer::new();
        let with = |name: &str, value: Value| {
            let mut claims = good();
            claims[name] = value;
            if claims[name].is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
            provider.taken(&signed(), &claims).map(drop)
        };
        for (name, value) in [
            ("iss", json!("https://login.example.jp/")),
            ("iss", json!(["https://login.example.jp"])),
            ("aud", json!("another")),
            ("aud", json!([])),
            ("azp", json!("another")),
            ("nonce", json!("n-2")),
            ("exp", json!(NOW - 60)),
            ("exp", json!((NOW + 60).to_string())),
            ("iat", json!(NOW + 61)),
            ("iat", json!(NOW - 601)),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!("soon")),
            ("sub", json!("")),
            ("sub", json!(7)),
        ] {
            let refused = with(name, value.clone());
            assert_eq!(refused, Err(TokenError::Claim(name)), "{name}: {value}");
        }
        for name in ["iss", "aud", "nonce", "exp", "iat", "sub"] {
            assert_eq!(with(name, Value::Null), Err(TokenError::Claim(name)));
        }
        assert_eq!(with("aud", json!(["daicho", "another"])), Err(TokenError::Claim("azp")));
        for (name, value) in [
            ("aud", json!(["daicho"])),
            ("azp", json!("daicho")),
            ("exp", json!(NOW - 59)),
            ("iat", json!(NOW + 60)),
            ("nbf", json!(NOW + 60)),
        ] {
            assert_eq!(with(name, value.clone()), Ok(()), "{name}: {value}");
        }
    }
}
