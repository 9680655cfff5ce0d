//! Commands over HTTP: one handler for every decision of the domain. The path names the command
//! and may give some of its fields; the body gives the others.

use axum::extract::{RawPathParams, State};
use axum::http::HeaderMap;
use daicho_app::{CommandEntry, CommandRequest, Executed, Expectation, Position};
use serde_json::{Map, Value, json};

use crate::answer::{Recorded, recorded};
use crate::ask::{Object, header_text};
use crate::authorise::Session;
use crate::endpoint::{BOOK, Endpoint, Parameter};
use crate::problem::Problem;
use crate::resources::{Resource, Route};
use crate::service::Service;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const IF_MATCH: &str = "if-match";

/// The endpoints of a resource's commands.
pub(crate) fn endpoints(resource: &'static Resource) -> impl Iterator<Item = Endpoint> {
    resource.commands.iter().filter_map(move |route| {
        let entry = CommandEntry::by_name(route.command).ok()?;
        Some(endpoint(resource, route, entry))
    })
}

fn endpoint(
    resource: &'static Resource,
    route: &'static Route,
    entry: &'static CommandEntry,
) -> Endpoint {
    let handler = move |State(service): State<Service>,
                        session: Session,
                        path: RawPathParams,
                        headers: HeaderMap,
                        Object(body): Object| async move {
        let executed = run(resource, route, &session, &path, &headers, body).await?;
        if !executed.repeated {
            service.measures.recorded.inc_by(executed.events.len() as u64);
        }
        let base = format!("/v1/books/{}{}", session.ledger.name(), resource.path);
        let made_at = route.makes.then_some(base.as_str());
        Ok::<_, Problem>(recorded(&executed, resource.kind, made_at))
    };
    let path = format!("{BOOK}{}", route.path);
    let mut schema = entry.schema();
    let summary = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let summary = summary.replace('\n', " ");
    let fields: Vec<String> = path_fields(route).map(str::to_owned).collect();
    without(&mut schema, &fields);
    let (status, about) = if route.makes { (201, "Recorded") } else { (200, "Recorded") };
    let endpoint = Endpoint::post(&entry.name.replace('.', "_"), &path, handler)
        .needs(entry.row.right())
        .says(resource.path, summary)
        .body(schema)
        .answers::<Recorded>(status, about)
        .with_header("etag", "The last position recorded about it")
        .with_header("idempotency-replayed", "`true`: this is the first answer again");
    parameters(route).into_iter().fold(endpoint, Endpoint::takes)
}

/// Who can act.
const ACTOR: &str = "^[a-z]{5,6}:[!-~]{1,64}$";

fn parameters(route: &'static Route) -> Vec<Parameter> {
    let header = |name: &str, pattern: &str, about: &str| Parameter {
        name: name.to_owned(),
        place: "header",
        required: false,
        about: about.to_owned(),
        schema: json!({ "type": "string", "pattern": pattern, "minLength": 1 }),
    };
    let mut parameters = vec![
        header(
            "Idempotency-Key",
            "^[!-~]{1,255}$",
            "Names the request, so that it has one effect and one answer for ever, once in a book",
        ),
        header(
            "Daicho-On-Behalf-Of",
            ACTOR,
            "The member or person on whose behalf the caller acts",
        ),
    ];
    // Of what the path does not name, there is no last position.
    if path_fields(route).next().is_some() {
        let about = "Only if this is the last position recorded about it: an `ETag`";
        parameters.push(header("If-Match", "^\"[0-9]{1,18}\"$", about));
    }
    parameters
}

/// The fields of a command that its path gives.
fn path_fields(route: &'static Route) -> impl Iterator<Item = &'static str> {
    let parts = route.path.split('/');
    parts.filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
}

/// Takes the fields out of a schema that the path gives.
fn without(schema: &mut Value, fields: &[String]) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !fields.contains(name));
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !name.as_str().is_some_and(|name| fields.iter().any(|f| f == name)));
    }
}

async fn run(
    resource: &'static Resource,
    route: &'static Route,
    session: &Session,
    path: &RawPathParams,
    headers: &HeaderMap,
    body: Map<String, Value>,
) -> Result<Executed, Problem> {
    let mut data = body;
    let mut subject = None;
    for (name, value) in path.iter().filter(|(name, _)| *name != "book") {
        subject.get_or_insert_with(|| format!("{}:{value}", resource.kind));
        if data.insert(name.to_owned(), Value::String(value.to_owned())).is_some() {
            let detail = format!("`{name}` stands in the path: leave it out of the body");
            return Err(Problem::unprocessable(detail).at(name));
        }
    }
    let request = CommandRequest {
        request: idempotency_key(headers)?,
        on_behalf_of: session.on_behalf_of(headers)?,
        expects: expectation(headers, subject)?,
        ..CommandRequest::new(route.command, session.caller.actor.clone(), data)
    };
    Ok(session.ledger.commands().run(request).await?)
}

/// The caller's name for the request; in quotation marks, as a structured field, or without.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(text) = header_text(headers, IDEMPOTENCY_KEY)? else { return Ok(None) };
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted.unwrap_or(text) {
        "" => Err(Problem::malformed("an Idempotency-Key cannot be empty").at(IDEMPOTENCY_KEY)),
        key => Ok(Some(key.to_owned())),
    }
}

/// What the caller knows to be the last about the thing.
fn expectation(
    headers: &HeaderMap,
    subject: Option<String>,
) -> Result<Option<Expectation>, Problem> {
    let Some(text) = header_text(headers, IF_MATCH)? else { return Ok(None) };
    let wrong = || {
        let detail = "`If-Match` takes one ETag of the thing that the path names, `\"7\"`";
        Problem::malformed(detail).at(IF_MATCH)
    };
    let position = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let position = position.and_then(|text| text.parse().ok()).map(Position).ok_or_else(wrong)?;
    let tag = subject.ok_or_else(wrong)?;
    Ok(Some(Expectation { tag, position }))
}

#[cfg(test)]
mod tests {
    use daicho_app::{COMMANDS, Right};

    use super::*;
    use crate::resources::RESOURCES;

    #[test]
    fn every_command_has_one_route_and_every_route_a_command() {
        let routed = || RESOURCES.iter().flat_map(|resource| resource.commands);
        // Those of keys have endpoints of their own: `keys.rs`.
        let given = COMMANDS.iter().filter(|entry| matches!(entry.row.right(), Right::Run(_)));
        for entry in given {
            let routes = routed().filter(|route| route.command == entry.name).count();
            assert_eq!(routes, 1, "{} has {routes} routes", entry.name);
        }
        for route in routed() {
            let entry = CommandEntry::by_name(route.command).unwrap();
            let schema = entry.schema();
            for field in path_fields(route) {
                assert!(schema["properties"].get(field).is_some(), "{field} of {}", entry.name);
            }
        }
    }
}
