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

const IF_MATCH: &str = "if-match";

/// The endpoints of a resource's commands.
pub(crate) fn endpoints(resource: &'static Resource) -> impl Iterator<Item = Endpoint> {
    resource.routes().map(move |route| endpoint(resource, route))
}

fn endpoint(resource: &'static Resource, route: Route) -> Endpoint {
    let (entry, makes) = (route.entry, route.makes);
    let handler = move |State(service): State<Service>,
                        session: Session,
                        path: RawPathParams,
                        headers: HeaderMap,
                        Object(body): Object| async move {
        let executed = run(resource, entry, &session, &path, &headers, body).await?;
        if !executed.repeated {
            service.measures.recorded.inc_by(executed.events.len() as u64);
        }
        let base = format!("/v1/books/{}{}", session.ledger.name(), resource.path);
        let made_at = makes.then_some(base.as_str());
        Ok::<_, Problem>(recorded(&executed, resource.kind, made_at))
    };
    let path = format!("{BOOK}{}", route.path);
    let mut schema = entry.schema();
    let summary = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let summary = summary.replace('\n', " ");
    let fields: Vec<String> = route.fields().map(str::to_owned).collect();
    without(&mut schema, &fields);
    let (status, about) = if makes { (201, "Recorded") } else { (200, "Recorded") };
    let endpoint = Endpoint::post(&entry.name.replace('.', "_"), &path, handler)
        .needs(entry.row.right())
        .says(resource.path, summary)
        .body(schema)
        .answers::<Recorded>(status, about)
        .with_header("etag", "The last position recorded about the thing")
        .with_header("idempotency-replayed", "`true`: this repeats the first answer");
    parameters(&route).into_iter().fold(endpoint, Endpoint::takes)
}

/// Who can act.
const ACTOR: &str = "^[a-z]{5,6}:[!-~]{1,64}$";

fn parameters(route: &Route) -> Vec<Parameter> {
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
            "Names the request, uniquely in the book: repeating it has no further effect and gets \
             the same answer",
        ),
        header(
            "Daicho-On-Behalf-Of",
            ACTOR,
            "The member or person on whose behalf the caller acts",
        ),
    ];
    // There is a last position only of a thing that the path names.
    if route.fields().next().is_some() {
        let about = "Run only if this `ETag` is the last position recorded about the thing";
        parameters.push(header("If-Match", "^\"[0-9]{1,18}\"$", about));
    }
    parameters
}

/// Removes the fields that the path gives from a schema.
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
    entry: &'static CommandEntry,
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
            let detail = format!("`{name}` is given in the path: leave it out of the body");
            return Err(Problem::unprocessable(detail).at(name));
        }
    }
    let request = session.request(headers, |actor| CommandRequest::new(entry.name, actor, data))?;
    let request = CommandRequest { expects: expectation(headers, subject)?, ..request };
    Ok(session.ledger.commands().run(request).await?)
}

/// The position that the caller expects to be the last about the thing.
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
