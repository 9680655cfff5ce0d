//! Signing in and out: to the provider, back from it, and who is signed in. Without a provider in
//! the settings these paths do not exist.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use daicho_app::{Actor, Role, Timestamp};
use daicho_sign_in::{Page, RelyingParty, Returned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask::{query, wanted};
use crate::endpoint::Endpoint;
use crate::problem::{MEDIA_TYPE, Problem};
use crate::service::{CALLBACK, ME, Service};

const CHAPTER: &str = "sign-in";
const SIGN_IN: &str = "/v1/sign-in";
const SIGN_OUT: &str = "/v1/sign-out";
const HTML: &str = "text/html";

/// How a sign-in begins.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Begin {
    /// The path of this service to return to; left out: `/v1/me`.
    return_to: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// The actor as which that person acts.
    actor: Actor,
    /// When the sign-in ends.
    ends_at: Timestamp,
    /// The books to which that person has access.
    books: Vec<OpenTo>,
}

/// A book to which somebody has access.
#[derive(Debug, Serialize, JsonSchema)]
struct OpenTo {
    /// Its name.
    book: String,
    /// The role of that person in the book.
    role: Role,
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("sign_in", SIGN_IN, begin)
            .says(CHAPTER, "Sends a browser to the sign-in provider")
            .asks::<Begin>()
            .answers_in(303, "Redirects to the provider", vec![])
            .with_header("location", "The provider"),
        Endpoint::get("sign_in_callback", CALLBACK, finish)
            .says(CHAPTER, "Receives the browser back from the provider")
            .asks::<Returned>()
            .answers_in(303, "Signed in", vec![])
            .with_header("location", "The path to return to")
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

/// The relying party, if the settings say how people sign in; else there is nothing at this path.
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

/// An answer, in which a problem is shown as a page if the caller prefers one.
fn told(headers: &HeaderMap, answer: Result<Response, Problem>) -> Response {
    let problem = match answer {
        Ok(answer) => return answer,
        Err(problem) => problem,
    };
    match wanted(headers, &[MEDIA_TYPE, HTML]) {
        Ok(HTML) => {
            let (title, detail) = (problem.title(), problem.detail().to_owned());
            Page { title, detail: &detail }.in_place_of(problem.into_response())
        }
        Ok(_) | Err(_) => problem.into_response(),
    }
}

fn nobody() -> Problem {
    Problem::unauthorized("you are not signed in with this browser: sign in at /v1/sign-in")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    fn kind_of_answer(accept: &'static str) -> String {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        let answer = told(&headers, Err(Problem::busy("busy", "try again")));
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_browser_gets_a_page_and_a_program_a_problem() {
        let page = kind_of_answer("text/html,application/xml;q=0.9,*/*;q=0.8");
        assert!(page.starts_with("text/html"), "{page}");
        for accept in ["*/*", "application/json", "application/problem+json"] {
            assert_eq!(kind_of_answer(accept), MEDIA_TYPE, "{accept}");
        }
    }
}
