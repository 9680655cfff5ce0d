//! The result of a command, as its caller reads it.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daicho_app::{Executed, Position};
use schemars::JsonSchema;
use serde::Serialize;

/// The header that marks an answer that was given before.
const REPEATED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The result of a command.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Recorded {
    /// The tag of the thing that it is about, `order:01J…`.
    resource: String,
    /// Position of its first event.
    first: u64,
    /// Position of its last event: give it as `wait_for` to read a list that includes the command.
    last: u64,
    /// Its events.
    events: Vec<RecordedEvent>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RecordedEvent {
    /// Its position in the book.
    position: u64,
    /// The type of the event.
    #[serde(rename = "type")]
    type_name: &'static str,
    /// The things that it is about, so that the caller learns the new ids.
    tags: Vec<String>,
}

/// A position as an entity tag.
pub(crate) fn tag_of(position: Position) -> String {
    format!("\"{position}\"")
}

/// The events of a command, in short form.
fn in_short(executed: &Executed) -> Vec<RecordedEvent> {
    let event = |recorded: &daicho_app::Recorded| RecordedEvent {
        position: recorded.header.position.0,
        type_name: recorded.event.event_type().name,
        tags: recorded.event.tags().iter().map(|tag| tag.as_str().to_owned()).collect(),
    };
    executed.events.iter().map(event).collect()
}

/// The answer to a command about a thing of this kind. `made_at`: the command created the thing,
/// which is found below that path.
pub(crate) fn recorded(executed: &Executed, kind: &str, made_at: Option<&str>) -> Response {
    let events = in_short(executed);
    let is_of_kind =
        |tag: &&String| tag.split_once(':').map_or(tag.as_str(), |(kind, _)| kind) == kind;
    let resource = events.iter().flat_map(|event| &event.tags).find(is_of_kind);
    let resource = resource.cloned().unwrap_or_default();
    let of_it = events.iter().rev().find(|event| event.tags.contains(&resource));
    let position = of_it.map_or(executed.last, |event| Position(event.position));
    let mut headers = HeaderMap::new();
    let mut put = |name, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    };
    put(header::ETAG, tag_of(position));
    if executed.repeated {
        put(REPEATED, "true".to_owned());
    }
    let id = resource.split_once(':').map(|(_, id)| id);
    let made = made_at.zip(id);
    if let Some((path, id)) = made {
        put(header::LOCATION, format!("{path}/{id}"));
    }
    let status = if made_at.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let (first, last) = (executed.first.0, executed.last.0);
    (status, headers, Json(Recorded { resource, first, last, events })).into_response()
}
