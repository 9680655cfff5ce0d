//! What every request goes through: an id, a trace, a queue under load, a time limit, a line in the
//! log, a measure, and an answer even if our own code panics.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;
use tracing::Instrument as _;
use tracing::field::Empty;
use ulid::Ulid;

use crate::problem::Problem;
use crate::service::Service;
use crate::{health, trace};

/// The header that identifies a request, in requests and answers.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a caller's own request id.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// The route in the log and the measures of a path that is none.
const NO_ROUTE: &str = "none";

/// Answers a request within its limits, and logs it.
pub(crate) async fn answer(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers(), &service);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| NO_ROUTE.to_owned());
    let span = tracing::info_span!(
        "request", id, trace_id = Empty, %method, route, book = Empty, actor = Empty,
        otel.kind = Empty,
    );
    trace::begin(&span, request.headers(), &method, &route);
    let mut response = limited(&service, &route, request, next).instrument(span.clone()).await;
    let (status, taken) = (response.status(), begun.elapsed());
    service.measures.answered(&method, &route, status, taken);
    let taken_us = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
    trace::end(&span, status);
    span.in_scope(|| tracing::info!(status = status.as_u16(), taken_us, "answered"));
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Handles a request when its turn comes, within its time limit. A panic is answered as well.
async fn limited(service: &Service, route: &str, request: Request, next: Next) -> Response {
    let _turn = match turn(service, route).await {
        Ok(turn) => turn,
        Err(too_busy) => return too_busy.into_response(),
    };
    let done = AssertUnwindSafe(next.run(request)).catch_unwind();
    match timeout(service.request_time(), done).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("handling a request panicked: this is a defect of the service");
            let detail = "the service failed: its log says why, under `x-request-id`";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failure", detail).into_response()
        }
        Err(_) => {
            let detail = "the request took too long and may have been recorded or not: send it \
                          again under the same Idempotency-Key";
            Problem::busy("too_slow", detail).into_response()
        }
    }
}

/// Waits until there is room for one more request. Requests that watch the service do not wait.
///
/// Callers wait instead of being refused: they would try again at once, and refusing them would
/// take time from the requests in progress. No more requests wait than there are connections.
async fn turn<'a>(
    service: &'a Service,
    route: &str,
) -> Result<Option<SemaphorePermit<'a>>, Problem> {
    if health::is_asked(route) {
        return Ok(None);
    }
    match timeout(service.queue_time(), service.requests.acquire()).await {
        Ok(Ok(turn)) => Ok(Some(turn)),
        Ok(Err(_)) | Err(_) => {
            let detail = "too many requests are in progress and waiting: try again";
            Err(Problem::busy("too_busy", detail))
        }
    }
}

/// The caller's own id for the request, or a new one.
fn request_id(headers: &HeaderMap, service: &Service) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.chars().all(legal)
    };
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => service.clock_and_entropy.id::<Ulid>().to_string(),
    }
}
