//! Requests to the provider: its discovery document, its keys, its tokens.
//!
//! Nothing that it answers is written to the log, not even the addresses that it names.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::cached::Cached;
use crate::error::SignInError;
use crate::id_token::{Claims, Expected, IdToken, TokenError};
use crate::key_set::KeySet;
use crate::settings::is_secure;

/// How long the provider may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1_024 * 1_024;
/// After this the discovery document is read again.
const DISCOVERY_AGE_MAX: Duration = Duration::from_secs(60 * 60);
/// After this the keys are read again, so that a key that the provider withdrew is refused.
const KEYS_AGE_MAX: Duration = Duration::from_secs(10 * 60);
/// Codes that are exchanged at the same time; further sign-ins get an error that says to try again.
const EXCHANGES_MAX: usize = 32;
const SECRET_IN_HEAD: &str = "client_secret_basic";

/// What the provider says about itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Deserialize)]
pub(crate) struct Discovered {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether the answer to a sign-in names the provider (RFC 9207).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// What is sent to exchange a code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: &'a str,
}

#[derive(Serialize)]
struct TokenRequest<'a> {
    grant_type: &'static str,
    code: &'a str,
    redirect_uri: &'a str,
    code_verifier: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

/// What a code is exchanged for.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) id_token: String,
    pub(crate) access_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

/// The provider.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    secret: Option<Zeroizing<String>>,
    client: Client,
    discovered: Cached<Discovered>,
    keys: Cached<KeySet>,
    exchanges: Semaphore,
}

impl Provider {
    /// The provider; nothing is requested from it yet.
    pub(crate) fn new(
        issuer: String,
        client_id: String,
        secret: Option<Zeroizing<String>>,
    ) -> Result<Self, reqwest::Error> {
        // This fails if one is installed already, which is then the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(ANSWER_TIME)
            .user_agent(daicho_app::SOFTWARE.replace(' ', "/"))
            .tls_backend_rustls()
            .build()?;
        Ok(Self {
            issuer,
            client_id,
            secret,
            client,
            discovered: Cached::new(DISCOVERY_AGE_MAX),
            keys: Cached::new(KEYS_AGE_MAX),
            exchanges: Semaphore::new(EXCHANGES_MAX),
        })
    }

    /// What the provider says about itself.
    pub(crate) async fn discovered(&self) -> Result<Arc<Discovered>, SignInError> {
        self.discovered.get(self.discover()).await
    }

    async fn discover(&self) -> Result<Discovered, SignInError> {
        let issuer = &self.issuer;
        let base = issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let found: Discovered = read(&self.get_ok(&url, "discovery document").await?)?;
        if found.issuer != *issuer {
            tracing::warn!("the sign-in provider's issuer differs from `sign_in.issuer`");
            return Err(SignInError::Unavailable);
        }
        let urls = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
        let urls = urls.into_iter().chain(&found.userinfo_endpoint);
        if !urls.into_iter().all(|url| is_secure(url)) {
            tracing::warn!("the sign-in provider gives an address that is not https");
            return Err(SignInError::Unavailable);
        }
        Ok(found)
    }

    async fn fetch_keys(&self) -> Result<KeySet, SignInError> {
        let url = self.discovered().await?.jwks_uri.clone();
        let answer = self.get_ok(&url, "keys").await?;
        KeySet::read(&answer).ok_or(SignInError::Unavailable)
    }

    /// Exchanges a code for tokens.
    pub(crate) async fn exchange(&self, exchange: Exchange<'_>) -> Result<Tokens, SignInError> {
        let Ok(_room) = self.exchanges.try_acquire() else { return Err(SignInError::Unavailable) };
        let found = self.discovered().await?;
        let methods = found.token_endpoint_auth_methods_supported.as_deref();
        // If the provider does not say, the secret goes into the head (OpenID Connect Discovery,
        // 3).
        let in_head = methods.is_none_or(|all| all.iter().any(|one| one == SECRET_IN_HEAD));
        let (head, body) = match &self.secret {
            Some(secret) if in_head => (Some(secret), None),
            secret => (None, secret.as_ref()),
        };
        let Exchange { code, verifier, redirect_uri } = exchange;
        let form = TokenRequest {
            grant_type: "authorization_code",
            code,
            redirect_uri,
            code_verifier: verifier,
            client_id: head.is_none().then_some(&self.client_id),
            client_secret: body.map(|secret| secret.as_str()),
        };
        let form = serde_html_form::to_string(form).map_err(|_| SignInError::Stale)?;
        let request = self.client.post(&found.token_endpoint).body(form);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = match head {
            Some(secret) => request.header(header::AUTHORIZATION, self.in_head(secret)),
            None => request,
        };
        match send(request, "tokens").await? {
            (StatusCode::OK, answer) => read(&answer),
            (status, answer) if status.is_client_error() => Err(refusal(&answer)),
            (status, _) => {
                tracing::warn!(status = status.as_u16(), "the sign-in provider gives no tokens");
                Err(SignInError::Unavailable)
            }
        }
    }

    /// The secret in the head: both parts are form-encoded first (RFC 6749, 2.3.1).
    fn in_head(&self, secret: &str) -> String {
        let encoded =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.client_id), encoded(secret));
        format!("Basic {}", STANDARD.encode(pair))
    }

    /// The claims of an ID token, once it is verified.
    pub(crate) async fn verified(
        &self,
        token: &str,
        nonce: &str,
        now_seconds: i64,
    ) -> Result<Claims, SignInError> {
        let token = IdToken::read(token)?;
        let keys = self.keys.get(self.fetch_keys()).await?;
        match token.verify(&keys) {
            // The provider may have a new key by now, under a new name or without one.
            Err(TokenError::UnknownKey | TokenError::Signature) => {
                token.verify(&*self.keys.newer(&keys, self.fetch_keys()).await?)?;
            }
            verified => verified?,
        }
        let (issuer, client_id) = (self.issuer.as_str(), self.client_id.as_str());
        Ok(token.into_claims(Expected { issuer, client_id, nonce, now_seconds })?)
    }

    /// The claims about a person that the provider gives outside the token.
    pub(crate) async fn more_claims(&self, access: &str) -> Result<Claims, SignInError> {
        let found = self.discovered().await?;
        let Some(url) = &found.userinfo_endpoint else { return Ok(Claims::new()) };
        let request = self.client.get(url).bearer_auth(access);
        match send(request, "claims").await? {
            (StatusCode::OK, answer) => read(&answer),
            (status, _) => {
                tracing::warn!(status = status.as_u16(), "the sign-in provider gives no claims");
                Err(SignInError::Unavailable)
            }
        }
    }

    async fn get_ok(&self, url: &str, what: &str) -> Result<Vec<u8>, SignInError> {
        match send(self.client.get(url), what).await? {
            (StatusCode::OK, answer) => Ok(answer),
            (status, _) => {
                let status = status.as_u16();
                tracing::warn!(status, what, "the sign-in provider answers with an error");
                Err(SignInError::Unavailable)
            }
        }
    }
}

/// Sends a request to the provider, and reads its answer up to the limit.
async fn send(request: RequestBuilder, what: &str) -> Result<(StatusCode, Vec<u8>), SignInError> {
    let failed = |error: reqwest::Error| {
        // Without the address, since the provider chose it.
        let error = error.without_url();
        tracing::warn!(what, error = %error, "the sign-in provider cannot be reached");
        SignInError::Unavailable
    };
    let mut answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            tracing::warn!(what, "the sign-in provider's answer is too long");
            return Err(SignInError::Unavailable);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, bytes))
}

fn read<T: serde::de::DeserializeOwned>(answer: &[u8]) -> Result<T, SignInError> {
    // The parser's error is left out of the log, since it would quote the answer.
    serde_json::from_slice(answer).map_err(|_| {
        tracing::warn!("the sign-in provider's answer does not have the expected form");
        SignInError::Unavailable
    })
}

/// Why a code was not exchanged (RFC 6749, 5.2).
fn refusal(answer: &[u8]) -> SignInError {
    let refusal = serde_json::from_slice::<TokenRefusal>(answer).ok();
    match refusal.as_ref().map(|refusal| refusal.error.as_str()) {
        Some("invalid_grant") => SignInError::Stale,
        Some("invalid_client" | "unauthorized_client") => {
            tracing::error!(
                "the sign-in provider does not know this service: \
                 check `sign_in.client_id` and `sign_in.client_secret_file`"
            );
            SignInError::Unavailable
        }
        Some(_) | None => SignInError::Refused,
    }
}
