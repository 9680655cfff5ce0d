//! An event in the form for other systems: CloudEvents 1.0 as JSON. The attributes are those of the
//! envelope; numbers too large for CloudEvents are texts.

use std::borrow::Cow;

use daicho_app::{EventText, Failure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The media type of one event.
pub(crate) const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The media type of several events.
pub(crate) const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// An event of a book.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CloudEvent<'a> {
    /// `1.0`.
    specversion: &'static str,
    /// `book/position`: identifies the event everywhere and permanently.
    id: String,
    /// `/books/` and the book.
    source: String,
    /// What happened, e.g. `order.placed`.
    #[serde(rename = "type")]
    kind: &'a str,
    /// The first tag: the thing that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    /// When it was recorded, UTC.
    time: &'a str,
    /// `application/json`.
    datacontenttype: &'static str,
    /// Where the JSON Schema of the data can be read.
    dataschema: String,
    /// Its place in the book: 1, 2, 3 … without a gap.
    position: String,
    /// The day from which it takes effect.
    effectiveon: &'a str,
    /// The tags of everything that it is about, separated by spaces; a space within a tag is `%20`,
    /// a percent sign `%25`.
    tags: String,
    /// Who acted.
    actor: &'a str,
    /// The one on whose behalf the actor acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    onbehalfof: Option<&'a str>,
    /// The position of the event that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// SHA-256 of the exact text of the data.
    datasha256: &'a str,
    /// The event's data; personal values are sealed.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    data: &'a RawValue,
}

/// The parts of an envelope that are read here.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    version: u32,
    #[serde(borrow)]
    recorded_at: Cow<'a, str>,
    #[serde(borrow)]
    effective_on: Cow<'a, str>,
    #[serde(borrow)]
    tags: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    actor: Cow<'a, str>,
    #[serde(borrow)]
    on_behalf_of: Option<Cow<'a, str>>,
    cause: Option<u64>,
    #[serde(borrow)]
    data_sha256: Cow<'a, str>,
}

/// The JSON text of an event of `book`; `base_url` is the URL of the service.
///
/// # Errors
/// The envelope is damaged.
pub(crate) fn to_json(event: &EventText, book: &str, base_url: &str) -> Result<String, Failure> {
    let envelope: Envelope<'_> = serde_json::from_str(event.envelope.get())
        .map_err(|error| event.damaged(&error.to_string()))?;
    let cloud = CloudEvent {
        specversion: "1.0",
        id: format!("{book}/{}", event.position),
        source: format!("/books/{book}"),
        kind: &envelope.kind,
        subject: envelope.tags.first().map(Cow::as_ref),
        time: &envelope.recorded_at,
        datacontenttype: "application/json",
        dataschema: format!("{base_url}/v1/schemas/{}/{}", envelope.kind, envelope.version),
        position: event.position.to_string(),
        effectiveon: &envelope.effective_on,
        tags: joined(&envelope.tags),
        actor: &envelope.actor,
        onbehalfof: envelope.on_behalf_of.as_deref(),
        cause: envelope.cause.map(|cause| cause.to_string()),
        datasha256: &envelope.data_sha256,
        data: &event.data,
    };
    serde_json::to_string(&cloud).map_err(|error| event.damaged(&error.to_string()))
}

fn joined(tags: &[Cow<'_, str>]) -> String {
    let plain = |tag: &Cow<'_, str>| tag.replace('%', "%25").replace(' ', "%20");
    tags.iter().map(plain).collect::<Vec<_>>().join(" ")
}
