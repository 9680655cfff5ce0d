//! The OpenAPI 3.1 description of the service, made from its endpoints, and a page that shows it.

use std::collections::BTreeMap;

use axum::http::header;
use serde_json::{Map, Value, json};

use crate::authorise::words;
use crate::endpoint::{Access, Answer, Endpoint, Parameter, schema_of};
use crate::problem::{self, ProblemBody};

/// The page that shows the description; it loads nothing from other hosts.
const PAGE: &str = include_str!("openapi/page.html");
const JSON: &str = "application/json";

/// The endpoints that show a description, which is made again for each request.
pub(crate) fn endpoints(describe: fn() -> Value) -> Vec<Endpoint> {
    let any = || json!({ "type": "object" });
    vec![
        Endpoint::get("openapi", "/openapi.json", async move || text(&describe()))
            .says("service", "This description")
            .answers_in(200, "OpenAPI 3.1", vec![(JSON, any())]),
        Endpoint::get("docs", "/docs", page)
            .says("service", "This description as a page for people")
            .answers_in(200, "The page", vec![("text/html", json!({ "type": "string" }))]),
    ]
}

fn text(description: &Value) -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, JSON)], description.to_string())
}

async fn page() -> axum::response::Html<&'static str> {
    axum::response::Html(PAGE)
}

/// The OpenAPI description of these endpoints.
pub(crate) fn description(endpoints: &[Endpoint]) -> Value {
    let mut schemas = Schemas::default();
    schemas.hoist("Problem", schema_of::<ProblemBody<'static>>());
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for endpoint in endpoints {
        let operation = operation(endpoint, &mut schemas);
        let method = endpoint.method.as_str().to_lowercase();
        paths.entry(endpoint.path.clone()).or_default().insert(method, operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Daicho (台帳)",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The ledger behind B2B shops: commands in, lists and events out.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.0,
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer" },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "__Host-daicho",
                    "description": "A person who signed in at /v1/sign-in, if that is set up; \
                                    on this machine without TLS the cookie is called `daicho`",
                },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, schemas: &mut Schemas) -> Value {
    let path = endpoint.path_parameters().map(|name| {
        json!({
            "name": name, "in": "path", "required": true,
            "schema": { "type": "string", "minLength": 1 },
        })
    });
    let asked = endpoint.parameters.iter().map(|parameter| asked(parameter, schemas));
    let parameters: Vec<Value> = path.chain(asked.collect::<Vec<_>>()).collect();
    let mut operation = json!({
        "operationId": endpoint.id,
        "tags": [endpoint.chapter.trim_start_matches('/')],
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": responses(endpoint, schemas),
    });
    let mut put = |name: &str, value| {
        operation.as_object_mut().and_then(|operation| operation.insert(name.to_owned(), value));
    };
    if let Some(body) = &endpoint.body {
        let schema = schemas.within(body.clone());
        let required =
            schema.get("required").and_then(Value::as_array).is_some_and(|r| !r.is_empty());
        put(
            "requestBody",
            json!({ "required": required, "content": { JSON: { "schema": schema } } }),
        );
    }
    match endpoint.access {
        Access::Public => {}
        Access::SignedIn => put("security", json!([{ "session": [] }])),
        Access::Needs(right) => {
            put("security", json!([{ "key": [] }, { "session": [] }]));
            put("x-daicho-right", json!(words(right)));
        }
    }
    operation
}

fn asked(parameter: &Parameter, schemas: &mut Schemas) -> Value {
    json!({
        "name": parameter.name, "in": parameter.place, "required": parameter.required,
        "description": parameter.about, "schema": schemas.within(parameter.schema.clone()),
    })
}

fn responses(endpoint: &Endpoint, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for Answer { status, about, forms, headers } in &endpoint.answers {
        let content: Map<String, Value> = forms
            .iter()
            .map(|(kind, schema)| {
                ((*kind).to_owned(), json!({ "schema": schemas.within(schema.clone()) }))
            })
            .collect();
        let headers: Map<String, Value> = headers
            .iter()
            .map(|(name, about)| {
                let header = json!({ "description": about, "schema": { "type": "string" } });
                ((*name).to_owned(), header)
            })
            .collect();
        let mut answer = Map::from_iter([("description".to_owned(), json!(about))]);
        for (part, content) in [("content", content), ("headers", headers)] {
            if !content.is_empty() {
                answer.insert(part.to_owned(), Value::Object(content));
            }
        }
        responses.insert(status.to_string(), Value::Object(answer));
    }
    let problem = json!({
        "description": "A problem: its `type` says which one",
        "content": {
            problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    responses.insert("default".to_owned(), problem);
    Value::Object(responses)
}

/// The shared schemas, each under its name.
#[derive(Default)]
struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// A schema whose own definitions are moved to the shared ones.
    fn within(&mut self, mut schema: Value) -> Value {
        let definitions = schema.as_object_mut().and_then(|schema| schema.remove("$defs"));
        if let Some(Value::Object(definitions)) = definitions {
            definitions.into_iter().for_each(|(name, schema)| self.hoist(&name, schema));
        }
        pointed(&mut schema);
        schema
    }

    fn hoist(&mut self, name: &str, schema: Value) {
        let schema = self.within(schema);
        let stands = self.0.entry(name.to_owned()).or_insert_with(|| schema.clone());
        assert_eq!(*stands, schema, "two types are called {name} in schemas");
    }
}

/// Makes references point to the shared definitions.
fn pointed(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref") {
                *reference = reference.replace("#/$defs/", "#/components/schemas/");
            }
            object.values_mut().for_each(pointed);
        }
        Value::Array(items) => items.iter_mut().for_each(pointed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
