//! A sign-in that has begun: what its browser keeps until the provider sends it back.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daicho_app::Entropy;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// How long a person may take at the provider.
pub(crate) const ATTEMPT_TIME: Duration = Duration::from_secs(10 * 60);
/// Random bytes of each secret.
const SECRET_BYTES: usize = 32;

/// A sign-in that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// Comes back with the browser, and shows that this browser began the sign-in.
    pub(crate) state: String,
    /// Comes back in the ID token, and shows that the token was made for this sign-in.
    pub(crate) nonce: String,
    /// Goes to the provider with the code, so that nobody else can use the code (PKCE, RFC 7636).
    pub(crate) verifier: String,
    /// The path to return to after the sign-in.
    pub(crate) return_to: String,
    /// When it began, in seconds since the Unix epoch.
    pub(crate) begun_at: i64,
}

impl Attempt {
    pub(crate) fn new(return_to: String, now_seconds: i64, entropy: &dyn Entropy) -> Self {
        let random = || {
            let mut bytes = [0; SECRET_BYTES];
            entropy.fill(&mut bytes);
            URL_SAFE_NO_PAD.encode(bytes)
        };
        Self {
            state: random(),
            nonce: random(),
            verifier: random(),
            return_to,
            begun_at: now_seconds,
        }
    }

    /// The hash of the verifier: all that the provider learns of it when the sign-in begins.
    pub(crate) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }

    /// Whether there is still time to finish it.
    pub(crate) fn is_fresh(&self, now_seconds: i64) -> bool {
        let age = u64::try_from(now_seconds.saturating_sub(self.begun_at));
        age.is_ok_and(|age| age < ATTEMPT_TIME.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use daicho_app::ClockAndEntropy;

    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        let attempt = Attempt {
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
            ..Attempt::new("/".to_owned(), 0, ClockAndEntropy::system().entropy.as_ref())
        };
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn no_two_secrets_are_one_and_an_attempt_ends() {
        let attempt =
            Attempt::new("/".to_owned(), 1_000, ClockAndEntropy::system().entropy.as_ref());
        assert_ne!(attempt.state, attempt.nonce);
        assert_ne!(attempt.nonce, attempt.verifier);
        // RFC 7636, 4.1: 43 to 128 characters.
        assert_eq!(attempt.verifier.len(), 43);
        assert!(attempt.is_fresh(1_000) && attempt.is_fresh(1_599));
        assert!(!attempt.is_fresh(1_600) && !attempt.is_fresh(999));
    }
}
