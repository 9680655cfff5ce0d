//! Whether the service is alive, whether it is ready, and what it measures.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::endpoint::Endpoint;
use crate::problem::Problem;
use crate::service::Service;

const CHAPTER: &str = "service";
const LIVE: &str = "/livez";
const READY: &str = "/readyz";
const METRICS: &str = "/metrics";
/// How long the place of the books may take to answer.
const REACH_TIME: Duration = Duration::from_secs(2);
/// The media type of the measures.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let text = || serde_json::json!({ "type": "string" });
    let plain = |endpoint: Endpoint| endpoint.answers_in(200, "Yes", vec![("text/plain", text())]);
    vec![
        plain(Endpoint::get("live", LIVE, live)).says(CHAPTER, "Whether the process is alive"),
        plain(Endpoint::get("ready", READY, ready))
            .answers_in(503, "The service is not ready", vec![])
            .says(CHAPTER, "Whether the books can be reached and the service is not stopping"),
        Endpoint::get("metrics", METRICS, metrics)
            .says(CHAPTER, "What the service measures, for Prometheus")
            .answers_in(200, "The measures", vec![("application/openmetrics-text", text())]),
    ]
}

/// Whether a route is one of these, which are answered under any load.
pub(crate) fn is_asked(route: &str) -> bool {
    matches!(route, LIVE | READY | METRICS)
}

async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(service): State<Service>) -> Result<&'static str, Problem> {
    if service.is_stopping() {
        return Err(Problem::busy("stopping", "the service is stopping: ask another instance"));
    }
    let reached = tokio::time::timeout(REACH_TIME, service.books.reach()).await;
    let slow = |_| Problem::busy("book_unavailable", "the place of the books does not answer");
    reached.map_err(slow)??;
    Ok("ready\n")
}

async fn metrics(State(service): State<Service>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], service.measures.text())
}
