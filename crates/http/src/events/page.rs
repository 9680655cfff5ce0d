//! A page of events, or a single one.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use daicho_app::{EventText, FollowRequest, Position};
use schemars::JsonSchema;

use crate::ask::wanted;
use crate::authorise::Session;
use crate::cloud_event::{self, BATCH_MEDIA_TYPE, CloudEvent};
use crate::problem::Problem;
use crate::service::Service;

/// The media type of the exact texts in the record.
pub(super) const RECORD: &str = "application/vnd.daicho.record+json";
/// The header of a batch that says what `scanned_to` says in a page.
const SCANNED_TO: HeaderName = HeaderName::from_static("daicho-scanned-to");

/// A page of events.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes what `page` writes")]
pub(super) struct Page {
    /// The events, in order.
    events: Vec<CloudEvent<'static>>,
    /// Everything up to this position was searched: give it as `after` to continue.
    scanned_to: u64,
}

/// The two exact texts of an event, to check proofs with.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes what `one` writes")]
pub(super) struct Record {
    /// The ledger's part.
    envelope: serde_json::Map<String, serde_json::Value>,
    /// The domain's part.
    data: serde_json::Map<String, serde_json::Value>,
}

pub(super) async fn page(
    service: &Service,
    session: &Session,
    request: &FollowRequest,
    limit: usize,
    form: &'static str,
) -> Result<Response, Problem> {
    let FollowRequest { after, types, tags, .. } = request;
    let page = session.ledger.history().events(types, tags, *after, limit).await?;
    let book = session.ledger.name().to_string();
    let json = |event: &EventText| cloud_event::to_json(event, &book, &service.base_url);
    let events = page.events.iter().map(json).collect::<Result<Vec<_>, _>>()?.join(",");
    let scanned_to = page.scanned_to;
    let body = if form == BATCH_MEDIA_TYPE {
        format!("[{events}]")
    } else {
        format!("{{\"events\":[{events}],\"scanned_to\":{scanned_to}}}")
    };
    let kind = (header::CONTENT_TYPE, form.to_owned());
    Ok(([kind, (SCANNED_TO, scanned_to.to_string())], body).into_response())
}

pub(super) async fn one(
    State(service): State<Service>,
    session: Session,
    Path((_, position)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let form = wanted(&headers, &[cloud_event::MEDIA_TYPE, RECORD])?;
    let missing = || Problem::not_found(format!("there is no event at position {position}"));
    let wanted = position.parse().map(Position).map_err(|_| missing())?;
    let before = Position(wanted.0.checked_sub(1).ok_or_else(missing)?);
    let page = session.ledger.history().events(&[], &[], before, 1).await?;
    let event = page.events.first().ok_or_else(missing)?;
    let body = if form == RECORD {
        serde_json::to_string(event).map_err(|_| missing())?
    } else {
        cloud_event::to_json(event, &session.ledger.name().to_string(), &service.base_url)?
    };
    Ok(([(header::CONTENT_TYPE, form)], body).into_response())
}
