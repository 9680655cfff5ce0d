//! The service as a relying party of OpenID Connect: it sends people to the provider, receives them
//! back, and recognises them by a cookie from then on.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use daicho_app::{Actor, BookName, ClockAndEntropy, Role, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use crate::attempt::{ATTEMPT_TIME, Attempt};
use crate::cookie::{Cookie, VALUE_BYTES_MAX};
use crate::cross_site::{CrossSite, refuse_cross_site};
use crate::error::SignInError;
use crate::id_token::joined;
use crate::person::{ClaimNames, Person};
use crate::provider::{Exchange, Provider};
use crate::return_path::return_path;
use crate::sealed::{Purpose, Sealer};
use crate::settings::{SESSION_KEY_BYTES, SettingsError, SignIn};

const MICROSECONDS: i64 = 1_000_000;

/// The query with which the provider sends a browser back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Returned {
    /// The code to exchange for the person's claims.
    code: Option<String>,
    /// The state with which the sign-in began.
    state: Option<String>,
    /// The provider that answers (RFC 9207).
    iss: Option<String>,
    /// Why nobody was signed in.
    error: Option<String>,
}

/// The addresses under which browsers reach the service.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// URL at which people reach the service, without a slash at the end.
    pub base_url: &'a str,
    /// Path below it to which the provider sends people back.
    pub callback: &'a str,
    /// Path below it to which a sign-in returns, unless the caller asks for another.
    pub home: &'a str,
}

/// Why people cannot sign in to the service at all.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No HTTP client can be made to ask the provider with.
    #[error("no sign-in provider can be asked from here")]
    Client(#[source] reqwest::Error),
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    person: Person,
    /// When the sign-in ends, in seconds since the Unix epoch.
    ends_at: i64,
}

impl SignedIn {
    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.person.actor
    }

    /// The role in a book; none: that person has no access to it.
    #[must_use]
    pub fn role_in(&self, book: &BookName) -> Option<Role> {
        self.person.roles.in_book(book)
    }

    /// When it ends.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        Timestamp::from_microseconds(self.ends_at.saturating_mul(MICROSECONDS))
    }

    /// Whether it has ended by then.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at() <= now
    }
}

/// Signs people in to the service at its provider.
pub struct RelyingParty {
    settings: SignIn,
    provider: Provider,
    sealer: Sealer,
    attempt: Cookie,
    session: Cookie,
    base: Url,
    /// The address that the provider sends people back to.
    redirect_uri: String,
    /// The path to which a sign-in returns, unless the caller asks for another.
    home: String,
    clock_and_entropy: ClockAndEntropy,
}

impl RelyingParty {
    /// A relying party; nothing is requested from the provider yet.
    ///
    /// # Errors
    /// A setting cannot be used, or no HTTP client can be made.
    pub fn new(
        settings: SignIn,
        site: Site<'_>,
        clock_and_entropy: &ClockAndEntropy,
    ) -> Result<Self, StartError> {
        let Site { base_url, callback, home } = site;
        let malformed = |_| {
            let reason = format!("`{base_url}` is not a URL");
            SettingsError::Value { name: "public_url", reason }
        };
        let base = Url::parse(base_url).map_err(malformed)?;
        let secure = base.scheme() == "https";
        let key = match settings.session_key()? {
            Some(key) => key,
            None => {
                let mut key = Zeroizing::new([0; SESSION_KEY_BYTES]);
                clock_and_entropy.entropy.fill(key.as_mut_slice());
                key
            }
        };
        let (issuer, client_id) = (settings.issuer.clone(), settings.client_id.clone());
        let sealer = Sealer::new(&key, &issuer, &client_id);
        let provider = Provider::new(issuer, client_id, settings.client_secret()?);
        Ok(Self {
            provider: provider.map_err(StartError::Client)?,
            settings,
            sealer,
            attempt: Cookie::new("daicho-sign-in", secure),
            session: Cookie::new("daicho", secure),
            redirect_uri: format!("{base_url}{callback}"),
            home: format!("{}{home}", base.path().trim_end_matches('/')),
            base,
            clock_and_entropy: clock_and_entropy.clone(),
        })
    }

    /// Sends a browser to the provider; `return_to` is the path to return to afterwards.
    ///
    /// # Errors
    /// The path to return to is not allowed, or the provider does not answer.
    pub async fn begin(&self, return_to: Option<&str>) -> Result<Response, SignInError> {
        let allowed = self.settings.return_paths.as_slice();
        let return_to = match return_to {
            Some(asked) => return_path(asked, &self.base, allowed).ok_or(SignInError::ReturnTo)?,
            None => self.home.clone(),
        };
        let found = self.provider.discovered().await?;
        let url = Url::parse(&found.authorization_endpoint);
        let mut url = url.map_err(|_| SignInError::Unavailable)?;
        let attempt =
            Attempt::new(return_to, self.now_seconds(), self.clock_and_entropy.entropy.as_ref());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        let sealed = self.sealed(Purpose::Attempt, &attempt).ok_or(SignInError::ReturnTo)?;
        let cookie = self.attempt.keep(&sealed, ATTEMPT_TIME);
        redirect(url.as_str(), [cookie]).ok_or(SignInError::Unavailable)
    }

    /// Receives a browser back from the provider; from then on its person is signed in.
    ///
    /// # Errors
    /// Why nobody was signed in.
    pub async fn finish(
        &self,
        headers: &HeaderMap,
        returned: &Returned,
    ) -> Result<Response, SignInError> {
        let now = self.now_seconds();
        let attempt = self.attempt.of(headers);
        let attempt = attempt.and_then(|text| self.sealer.open(Purpose::Attempt, text));
        let attempt = attempt.filter(|attempt: &Attempt| attempt.is_fresh(now));
        let attempt = attempt.ok_or(SignInError::Stale)?;
        if returned.state.as_ref() != Some(&attempt.state) {
            return Err(SignInError::Stale);
        }
        let person = self.person(&attempt, self.code(returned).await?, now).await?;
        let time = Duration::from_secs(u64::from(self.settings.session_minutes) * 60);
        let ends_at = now.saturating_add_unsigned(time.as_secs());
        tracing::Span::current().record("actor", tracing::field::display(&person.actor));
        let sealed = self.sealed(Purpose::Session, &SignedIn { person, ends_at });
        let sealed = sealed.ok_or(SignInError::TooManyRoles)?;
        let cookies = [self.session.keep(&sealed, time), self.attempt.forget()];
        redirect(&attempt.return_to, cookies).ok_or(SignInError::Stale)
    }

    /// The code with which the provider sent the browser back.
    async fn code<'a>(&self, returned: &'a Returned) -> Result<&'a str, SignInError> {
        let found = self.provider.discovered().await?;
        let from_it = match &returned.iss {
            Some(issuer) => *issuer == self.provider.issuer,
            None => !found.authorization_response_iss_parameter_supported,
        };
        match (&returned.error, &returned.code) {
            (None, Some(code)) if from_it => Ok(code),
            (Some(error), _) if error == "server_error" || error == "temporarily_unavailable" => {
                Err(SignInError::Unavailable)
            }
            (_, _) => Err(SignInError::Refused),
        }
    }

    /// The person who signed in, as the provider says.
    async fn person(
        &self,
        attempt: &Attempt,
        code: &str,
        now_seconds: i64,
    ) -> Result<Person, SignInError> {
        let (verifier, redirect_uri) = (attempt.verifier.as_str(), self.redirect_uri.as_str());
        let tokens = self.provider.exchange(Exchange { code, verifier, redirect_uri }).await?;
        let claims = self.provider.verified(&tokens.id_token, &attempt.nonce, now_seconds).await?;
        let names = ClaimNames {
            name: self.settings.name_claim.as_deref(),
            roles: &self.settings.roles_claim,
        };
        let claims = match &tokens.access_token {
            Some(access) if !names.are_in(&claims) => {
                joined(claims, self.provider.more_claims(access).await?)?
            }
            Some(_) | None => claims,
        };
        Ok(Person::of(&claims, names)?)
    }

    /// The person who is signed in with this browser.
    #[must_use]
    pub fn signed_in(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let text = self.session.of(headers)?;
        let signed_in: SignedIn = self.sealer.open(Purpose::Session, text)?;
        (!signed_in.is_over(self.clock_and_entropy.now())).then_some(signed_in)
    }

    /// Refuses requests that a page of another site sends in the name of a signed-in person.
    ///
    /// # Errors
    /// The request changes something and does not come from a page of the service.
    pub fn refuse_cross_site(&self, method: &Method, headers: &HeaderMap) -> Result<(), CrossSite> {
        refuse_cross_site(method, headers, &self.base.origin().ascii_serialization())
    }

    /// Makes a browser forget who is signed in.
    #[must_use]
    pub fn end(&self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let cookies = self.session.forget().map(|cookie| (header::SET_COOKIE, cookie));
        response.headers_mut().extend(cookies);
        response
    }

    /// A value as a cookie holds it; none: it is too large for a cookie.
    fn sealed(&self, purpose: Purpose, value: &impl Serialize) -> Option<String> {
        let sealed = self.sealer.seal(purpose, value, self.clock_and_entropy.entropy.as_ref());
        sealed.filter(|sealed| sealed.len() <= VALUE_BYTES_MAX)
    }

    fn now_seconds(&self) -> i64 {
        self.clock_and_entropy.now().as_microseconds().div_euclid(MICROSECONDS)
    }
}

/// Redirects a browser, and sets cookies.
fn redirect<const N: usize>(to: &str, cookies: [Option<HeaderValue>; N]) -> Option<Response> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(to).ok()?);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie?);
    }
    Some(response)
}
