//! One route: its path, who may use it, what it takes and what it answers. The router and the
//! OpenAPI description are both made from it, so that they always agree.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use daicho_app::Right;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::authorise::authorise;
use crate::service::Service;

/// The path below which everything about one book is found.
pub(crate) const BOOK: &str = "/v1/books/{book}";

/// Who may use an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody: the answer says nothing about a book.
    Public,
    /// A signed-in person; the handler finds out who.
    SignedIn,
    /// A key of the book or a signed-in person, with a role that has this right.
    Needs(Right),
}

/// A parameter in the query or the head of a request.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: &'static str,
    pub(crate) required: bool,
    pub(crate) about: String,
    pub(crate) schema: Value,
}

/// The answer under one status.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    /// Media type and JSON Schema of each form.
    pub(crate) forms: Vec<(&'static str, Value)>,
    /// Names of headers, and what they mean.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

/// One route.
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) access: Access,
    /// The chapter of the description that it belongs to.
    pub(crate) chapter: &'static str,
    pub(crate) summary: String,
    pub(crate) parameters: Vec<Parameter>,
    /// JSON Schema of the body.
    pub(crate) body: Option<Value>,
    pub(crate) answers: Vec<Answer>,
    handler: MethodRouter<Service>,
}

impl Endpoint {
    /// An endpoint that reads.
    pub(crate) fn get<H, T>(id: &str, path: &str, handler: H) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        Self::new(id, Method::GET, path, on(MethodFilter::GET, handler))
    }

    /// An endpoint that does something.
    pub(crate) fn post<H, T>(id: &str, path: &str, handler: H) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        Self::new(id, Method::POST, path, on(MethodFilter::POST, handler))
    }

    /// An endpoint that changes a part of something.
    pub(crate) fn patch<H, T>(id: &str, path: &str, handler: H) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        Self::new(id, Method::PATCH, path, on(MethodFilter::PATCH, handler))
    }

    /// An endpoint that removes something.
    pub(crate) fn delete<H, T>(id: &str, path: &str, handler: H) -> Self
    where
        H: Handler<T, Service>,
        T: 'static,
    {
        Self::new(id, Method::DELETE, path, on(MethodFilter::DELETE, handler))
    }

    fn new(id: &str, method: Method, path: &str, handler: MethodRouter<Service>) -> Self {
        Self {
            id: id.to_owned(),
            method,
            path: path.to_owned(),
            access: Access::Public,
            chapter: "service",
            summary: String::new(),
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            handler,
        }
    }

    /// Allows only callers whose role has this right.
    #[must_use]
    pub(crate) fn needs(self, right: Right) -> Self {
        Self { access: Access::Needs(right), ..self }
    }

    /// Allows only signed-in people.
    #[must_use]
    pub(crate) fn by_session(self) -> Self {
        Self { access: Access::SignedIn, ..self }
    }

    /// Sets the chapter that it belongs to and the line that says what it is for.
    #[must_use]
    pub(crate) fn says(self, chapter: &'static str, summary: impl Into<String>) -> Self {
        Self { chapter, summary: summary.into(), ..self }
    }

    /// Takes the fields of `T` as parameters of the query.
    #[must_use]
    pub(crate) fn asks<T: JsonSchema>(mut self) -> Self {
        let schema = schema_of::<T>();
        let required = schema.get("required").and_then(Value::as_array).cloned();
        let required = required.unwrap_or_default();
        let fields = schema.get("properties").and_then(Value::as_object).cloned();
        for (name, mut schema) in fields.unwrap_or_default() {
            let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let about = about.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            let required = required.contains(&json!(name));
            self.parameters.push(Parameter { name, place: "query", required, about, schema });
        }
        self
    }

    /// Takes a parameter.
    #[must_use]
    pub(crate) fn takes(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes a JSON body.
    #[must_use]
    pub(crate) fn body(self, schema: Value) -> Self {
        Self { body: Some(schema), ..self }
    }

    /// Answers with JSON.
    #[must_use]
    pub(crate) fn answers<T: JsonSchema>(self, status: u16, about: &'static str) -> Self {
        self.answers_in(status, about, vec![("application/json", schema_of::<T>())])
    }

    /// Answers in one of several forms.
    #[must_use]
    pub(crate) fn answers_in(
        mut self,
        status: u16,
        about: &'static str,
        forms: Vec<(&'static str, Value)>,
    ) -> Self {
        self.answers.push(Answer { status, about, forms, headers: Vec::new() });
        self
    }

    /// Answers without a body.
    #[must_use]
    pub(crate) fn answers_nothing(self, about: &'static str) -> Self {
        self.answers_in(204, about, Vec::new())
    }

    /// Adds this header to the answer added last.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, about: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((name, about));
        }
        self
    }

    /// Adds the route, with the check of its rights, to a router.
    pub(crate) fn mount(self, router: Router<Service>, service: &Service) -> Router<Service> {
        let handler = match self.access {
            Access::Public | Access::SignedIn => self.handler,
            Access::Needs(right) => {
                self.handler.layer(from_fn_with_state((service.clone(), right), authorise))
            }
        };
        router.route(&self.path, handler)
    }

    /// Names of the parts of the path that the caller fills in.
    pub(crate) fn path_parameters(&self) -> impl Iterator<Item = &str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
    }
}

/// The JSON Schema of a type, draft 2020-12, with the definitions that it needs below `$defs`.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let generator = SchemaGenerator::from(SchemaSettings::draft2020_12());
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
        schema.remove("title");
    }
    schema
}
