//! Reading events: pages, NDJSON and Server-Sent Events, from any position, by type and tag.

mod page;
mod sse;
mod stream;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use daicho_app::{FollowRequest, KnownAt, Position, Right, check_types};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use self::sse::EVENT_STREAM;
use self::stream::NDJSON;
use crate::ask::{Asked, header_text, wanted};
use crate::authorise::Session;
use crate::cloud_event::{BATCH_MEDIA_TYPE, CloudEvent};
use crate::endpoint::{BOOK, Endpoint, Parameter, schema_of};
use crate::problem::Problem;
use crate::service::Service;

pub(crate) const CHAPTER: &str = "events";
/// Events of a page by default.
const LIMIT: usize = 100;
/// Most events of a page.
const LIMIT_MAX: usize = 1_000;
const JSON: &str = "application/json";
/// The header in which an event source that lost its connection says what it saw last.
const LAST_EVENT_ID: &str = "last-event-id";

/// The query for events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Only events after this position.
    #[serde(default)]
    after: Position,
    /// Events of a page, 1 to 1,000; streams have no such limit.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1_000))]
    limit: usize,
    /// Any of these types, `order.placed`; may be repeated; left out: all.
    #[serde(default, rename = "type")]
    #[schemars(inner(length(min = 1)))]
    types: Vec<String>,
    /// All of these tags, `order:01J…`; may be repeated; left out: any.
    #[serde(default, rename = "tag")]
    #[schemars(inner(length(min = 1)))]
    tags: Vec<String>,
    /// NDJSON only: continue with new events as they are recorded, until the caller disconnects.
    #[serde(default)]
    follow: bool,
}

fn limit() -> usize {
    LIMIT
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let line = json!({ "type": "string" });
    vec![
        Endpoint::get("events", &format!("{BOOK}/events"), events)
            .needs(Right::Read)
            .says(CHAPTER, "Events from a position on: a page, all as NDJSON, or live as a stream")
            .asks::<EventsQuery>()
            .takes(Parameter {
                name: "Last-Event-ID".to_owned(),
                place: "header",
                required: false,
                about: "Event streams only: the last `id` seen, instead of `after`".to_owned(),
                schema: json!({ "type": "string", "pattern": "^[0-9]{1,18}$" }),
            })
            .answers_in(
                200,
                "The events",
                vec![
                    (JSON, schema_of::<page::Page>()),
                    (BATCH_MEDIA_TYPE, schema_of::<Vec<CloudEvent<'static>>>()),
                    (NDJSON, line.clone()),
                    (EVENT_STREAM, line),
                ],
            )
            .with_header("daicho-scanned-to", "Pages: everything up to this position was searched"),
        Endpoint::get("event", &format!("{BOOK}/events/{{position}}"), page::one)
            .needs(Right::Read)
            .says(CHAPTER, "One event by its position")
            .answers_in(
                200,
                "The event",
                vec![
                    (crate::cloud_event::MEDIA_TYPE, schema_of::<CloudEvent<'static>>()),
                    (page::RECORD, schema_of::<page::Record>()),
                ],
            ),
    ]
}

async fn events(
    State(service): State<Service>,
    session: Session,
    headers: HeaderMap,
    Asked(query): Asked<EventsQuery>,
) -> Result<Response, Problem> {
    if !(1..=LIMIT_MAX).contains(&query.limit) {
        return Err(Problem::malformed(format!("a page has 1 to {LIMIT_MAX} events")).at("limit"));
    }
    check_types(&query.types)
        .map_err(|unknown| Problem::unprocessable(unknown.to_string()).at("type"))?;
    let form = wanted(&headers, &[JSON, BATCH_MEDIA_TYPE, NDJSON, EVENT_STREAM])?;
    let last_seen = header_text(&headers, LAST_EVENT_ID)?.map(position).transpose()?;
    let after = last_seen.filter(|_| form == EVENT_STREAM).unwrap_or(query.after);
    session.ledger.record().position_of(Some(KnownAt::Position(after))).await?;
    let request = FollowRequest { name: None, after, types: query.types, tags: query.tags };
    match form {
        NDJSON => stream::ndjson(service, session, request, query.follow),
        EVENT_STREAM => sse::live(service, session, request),
        _ => page::page(&service, &session, &request, query.limit, form).await,
    }
}

fn position(id: &str) -> Result<Position, Problem> {
    id.parse().map(Position).map_err(|_| {
        Problem::malformed(format!("`{id}` is not a position: give the last `id` seen"))
            .at("Last-Event-ID")
    })
}
