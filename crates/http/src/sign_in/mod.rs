//! People sign in by OpenID Connect: the authorisation code flow with PKCE, and a cookie that
//! nobody but the service can read or make. Where no provider is set, nothing of it answers.

mod attempt;
mod cached;
mod cookie;
mod cross_site;
mod error;
mod id_token;
mod key_set;
mod page;
mod person;
mod provider;
mod relying_party;
mod return_path;
mod sealed;
mod settings;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use daicho_app::{Actor, Role, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::page::told;
use self::relying_party::Returned;
use crate::ask::query;
use crate::endpoint::Endpoint;
use crate::problem::Problem;
use crate::service::Service;

pub(crate) use relying_party::{RelyingParty, SignedIn};
pub use settings::SignIn;

const CHAPTER: &str = "sign-in";
const SIGN_IN: &str = "/v1/sign-in";
const CALLBACK: &str = "/v1/sign-in/callback";
const SIGN_OUT: &str = "/v1/sign-out";
const ME: &str = "/v1/me";

/// How a sign-in begins.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Begin {
    /// The path of this service to come back to; left out: `/v1/me`.
    return_to: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// Who acts.
    actor: Actor,
    /// When the sign-in ends.
    ends_at: Timestamp,
    /// The books that are open to that person.
    books: Vec<OpenTo>,
}

/// A book that is open to somebody.
#[derive(Debug, Serialize, JsonSchema)]
struct OpenTo {
    /// Its name.
    book: String,
    /// What that person may do there.
    role: Role,
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("sign_in", SIGN_IN, begin)
            .says(CHAPTER, "Sends a browser to the sign-in provider")
            .asks::<Begin>()
            .answers_in(303, "On to the provider", vec![])
            .with_header("location", "The provider"),
        Endpoint::get("sign_in_callback", CALLBACK, finish)
            .says(CHAPTER, "Where the provider sends the browser back to")
            .asks::<Returned>()
            .answers_in(303, "Signed in", vec![])
            .with_header("location", "Where the sign-in was to lead back to")
            .with_header("set-cookie", "The session"),
        Endpoint::post("sign_out", SIGN_OUT, end)
            .says(CHAPTER, "Ends the session of this browser")
            .answers_nothing("Signed out"),
        Endpoint::get("me", ME, me)
            .by_session()
            .says(CHAPTER, "Who is signed in, and what that person may do in which book")
            .answers::<Me>(200, "The person"),
    ]
}

/// The settings say how people sign in, or nothing stands here.
fn relying_party<'a>(service: &'a Service, uri: &Uri) -> Result<&'a RelyingParty, Problem> {
    service.sign_in.as_ref().ok_or_else(|| Problem::nothing_at(uri.path()))
}

async fn begin(State(service): State<Service>, headers: HeaderMap, uri: Uri) -> Response {
    let answer = async {
        let relying_party = relying_party(&service, &uri)?;
        let Begin { return_to } = query(&uri)?;
        Ok(relying_party.begin(return_to.as_deref()).await?)
    };
    told(&headers, answer.await)
}

async fn finish(State(service): State<Service>, headers: HeaderMap, uri: Uri) -> Response {
    let answer = async {
        let relying_party = relying_party(&service, &uri)?;
        let returned: Returned = query(&uri)?;
        let finished = relying_party.finish(&headers, &returned).await;
        Ok(finished.inspect_err(|error| tracing::warn!(%error, "nobody was signed in"))?)
    };
    told(&headers, answer.await)
}

async fn end(
    State(service): State<Service>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let relying_party = relying_party(&service, &uri)?;
    relying_party.refuse_cross_site(&method, &headers)?;
    Ok(relying_party.end())
}

async fn me(
    State(service): State<Service>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<Me>, Problem> {
    let relying_party = relying_party(&service, &uri)?;
    let signed_in = relying_party.signed_in(&headers).ok_or_else(nobody)?;
    let open_to = |book: daicho_app::BookName| {
        signed_in.role_in(&book).map(|role| OpenTo { book: book.to_string(), role })
    };
    let books = service.books.names().await?.into_iter().filter_map(open_to).collect();
    Ok(Json(Me { actor: signed_in.actor().clone(), ends_at: signed_in.ends_at(), books }))
}

fn nobody() -> Problem {
    Problem::unauthorized("nobody is signed in with this browser: sign in at /v1/sign-in")
}
