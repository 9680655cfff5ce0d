//! The catalogue of events: every version of each, with its JSON Schema and a sample.

use axum::Json;
use axum::extract::Path;
use daicho_app::{PUBLISHED, Published};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::events::CHAPTER;
use crate::problem::Problem;

/// One version of an event.
#[derive(Serialize, JsonSchema)]
struct EventVersion {
    /// Its name.
    #[serde(rename = "type")]
    name: &'static str,
    /// Its version.
    version: u32,
    /// Whether this is the version that is written today.
    current: bool,
    /// Where its JSON Schema is.
    schema: String,
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("event_types", "/v1/schemas", all)
            .says(CHAPTER, "Every version of every event, with the path of its schema")
            .answers::<Vec<EventVersion>>(200, "The catalogue"),
        Endpoint::get("event_schema", "/v1/schemas/{type}/{version}", one)
            .says(CHAPTER, "The JSON Schema of the data of one version of an event")
            .answers_in(
                200,
                "The schema",
                vec![(
                    "application/schema+json",
                    json!({
                        "type": "object"
                    }),
                )],
            ),
    ]
}

fn published() -> impl Iterator<Item = &'static Published> {
    PUBLISHED.iter().copied().flatten()
}

async fn all() -> Json<Vec<EventVersion>> {
    let version = |published: &Published| {
        let (name, version) = (published.event_type.name, published.event_type.version);
        let schema = format!("/v1/schemas/{name}/{version}");
        EventVersion { name, version, current: published.current, schema }
    };
    Json(published().map(version).collect())
}

async fn one(
    Path((name, version)): Path<(String, String)>,
) -> Result<([(axum::http::HeaderName, &'static str); 1], String), Problem> {
    let found = published().find(|published| {
        published.event_type.name == name && published.event_type.version.to_string() == version
    });
    let published = found.ok_or_else(|| {
        Problem::not_found(format!(
            "there is no version {version} of an event `{name}`: `/v1/schemas` lists all"
        ))
    })?;
    let mut schema = published.schema().to_value();
    let sample = serde_json::from_str::<Value>(&published.sample()).unwrap_or_default();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("examples".to_owned(), json!([sample]));
    }
    let kind = (axum::http::header::CONTENT_TYPE, "application/schema+json");
    Ok(([kind], schema.to_string()))
}
