//! Who sends a request: the key in its head, or the person who signed in with the browser. Both are
//! checked before the answer says anything about the book.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use daicho_app::{Actor, BookName, Caller, CommandRequest, Failure, Ledger, Privacy, Right};
use daicho_sign_in::SignedIn;

use crate::ask::{header_text, idempotency_key};
use crate::problem::Problem;
use crate::service::Service;

/// The header that names on whose behalf a caller acts.
pub(crate) const ON_BEHALF_OF: &str = "daicho-on-behalf-of";
/// How often a stream checks that its caller still has access.
const ASKED_AGAIN: Duration = Duration::from_secs(1);

/// A caller who has the right that the request needs, and the book that the request is about.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) caller: Arc<Caller>,
    credential: Arc<Credential>,
}

impl Session {
    /// A request to run a command, with the name and the principal that the headers give.
    pub(crate) fn request(
        &self,
        headers: &HeaderMap,
        command: impl FnOnce(Actor) -> CommandRequest,
    ) -> Result<CommandRequest, Problem> {
        Ok(CommandRequest {
            request: idempotency_key(headers)?,
            on_behalf_of: self.on_behalf_of(headers)?,
            ..command(self.caller.actor.clone())
        })
    }

    /// On whose behalf the caller acts.
    pub(crate) fn on_behalf_of(&self, headers: &HeaderMap) -> Result<Option<Actor>, Problem> {
        let Some(text) = header_text(headers, ON_BEHALF_OF)? else { return Ok(None) };
        if !self.caller.may(Right::ActForOthers) {
            return Err(forbidden(Right::ActForOthers).at(ON_BEHALF_OF));
        }
        let actor = text.parse::<Actor>();
        let actor = actor.map_err(|error| Problem::malformed(error.to_string()).at(ON_BEHALF_OF));
        actor.map(Some)
    }

    /// Whether the caller sees personal values.
    pub(crate) fn privacy(&self) -> Privacy {
        if self.caller.may(Right::OpenPersonal) { Privacy::Opened } else { Privacy::Sealed }
    }

    /// Returns when the key or the sign-in no longer gives access to the book: for answers that go
    /// on after the request was authorised.
    pub(crate) async fn ended(&self, service: &Service) {
        loop {
            tokio::time::sleep(ASKED_AGAIN).await;
            match self.credential.caller(service, &self.ledger).await {
                Ok(Some(_)) => {}
                Ok(None) => return,
                // The stream fails on it as well, and logs it.
                Err(failure) => tracing::debug!(%failure, "a key could not be looked up again"),
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let session = parts.extensions.get::<Self>().cloned();
        session.ok_or_else(|| Problem::busy("unavailable", "this request's caller was not checked"))
    }
}

/// How a caller is identified.
enum Credential {
    /// The secret of a key.
    Key(String),
    /// A sign-in.
    Session(SignedIn),
}

impl Credential {
    /// The caller in a book now; none: these credentials give no access to it.
    async fn caller(&self, service: &Service, ledger: &Ledger) -> Result<Option<Caller>, Failure> {
        match self {
            Self::Key(secret) => ledger.keys().authenticate(secret).await,
            Self::Session(signed_in) if signed_in.is_over(service.clock_and_entropy.now()) => {
                Ok(None)
            }
            Self::Session(signed_in) => Ok(caller_in(ledger.name(), signed_in)),
        }
    }
}

/// Passes a request on if its key, or its signed-in person, has a role with the right in the book.
///
/// The answer is the same for a book that does not exist, a key or role of another book, and a
/// wrong key.
pub(crate) async fn authorise(
    State((service, right)): State<(Service, Right)>,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let credential = credential(&service, &request)?;
    let name = path.iter().find(|(name, _)| *name == "book").map(|(_, book)| book);
    let name = name.and_then(|name| name.parse::<BookName>().ok()).ok_or_else(unknown_key)?;
    let ledger = service.books.get(&name).await?.ok_or_else(unknown_key)?;
    let caller = credential.caller(&service, &ledger).await?;
    let caller = Arc::new(caller.ok_or_else(unknown_key)?);
    service.clients.admit(&caller)?;
    let span = tracing::Span::current();
    span.record("book", tracing::field::display(&name));
    span.record("actor", tracing::field::display(&caller.actor));
    if !caller.may(right) {
        return Err(forbidden(right));
    }
    request.extensions_mut().insert(Session { ledger, caller, credential: credential.into() });
    Ok(next.run(request).await)
}

/// A right in words, as in "do not allow you to …".
pub(crate) fn words(right: Right) -> String {
    match right {
        Right::Read => "read this book".to_owned(),
        Right::OpenPersonal => "see personal values".to_owned(),
        Right::FollowEvents => "follow events under a name".to_owned(),
        Right::ManageDeliveries => "manage consumers and deliveries".to_owned(),
        Right::ManageKeys => "manage keys".to_owned(),
        Right::ActForOthers => "act on behalf of others".to_owned(),
        Right::Run(command) => format!("run {}", command.name),
    }
}

/// The key of a request, or else the person who is signed in with its browser.
fn credential(service: &Service, request: &Request) -> Result<Credential, Problem> {
    let headers = request.headers();
    let without_key = !headers.contains_key(header::AUTHORIZATION);
    let Some(relying_party) = service.sign_in.as_ref().filter(|_| without_key) else {
        return bearer(headers).map(|secret| Credential::Key(secret.to_owned()));
    };
    let nobody = || {
        let detail = "no key, and nobody is signed in: send `Authorization: Bearer KEY`, or sign \
                      in at /v1/sign-in";
        Problem::unauthorized(detail)
    };
    let signed_in = relying_party.signed_in(headers).ok_or_else(nobody)?;
    relying_party.refuse_cross_site(request.method(), headers)?;
    Ok(Credential::Session(signed_in))
}

/// The signed-in person as a caller of a book; none: that person has no access to it.
fn caller_in(book: &BookName, signed_in: &SignedIn) -> Option<Caller> {
    let role = signed_in.role_in(book)?;
    let (actor, scopes) = (signed_in.actor().clone(), Vec::new());
    Some(Caller { actor, role, scopes, key: None })
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let given = header_text(headers, header::AUTHORIZATION.as_str())?;
    let Some((scheme, secret)) = given.and_then(|given| given.split_once(' ')) else {
        return Err(Problem::unauthorized("no key: send `Authorization: Bearer KEY`"));
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(secret.trim())
    } else {
        Err(Problem::unauthorized("send the key as `Authorization: Bearer KEY`"))
    }
}

fn unknown_key() -> Problem {
    Problem::unauthorized("no valid key or role for this book: ask its operator for one")
}

fn forbidden(right: Right) -> Problem {
    let words = words(right);
    let detail = format!(
        "your role or the scopes of your key do not allow you to {words}: use a key or \
         sign-in that does"
    );
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}
