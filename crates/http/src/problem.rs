//! Errors as callers read them: problem details (RFC 9457), one stable type a rule.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daicho_app::{
    AppendError, BookError, ConsumeError, ExecuteError, Failure, FormError, ReadError, StateError,
    ViewError, with_causes,
};
use daicho_sign_in::{CrossSite, SignInError};
use schemars::JsonSchema;
use serde::Serialize;

/// What every type begins with.
const TYPE_PREFIX: &str = "urn:daicho:problem:";
/// Seconds after which it is worth trying again, where nothing better is known.
pub(crate) const RETRY_SECONDS: u32 = 1;
/// Seconds after which a sign-in provider may answer again.
const PROVIDER_RETRY_SECONDS: u32 = 5;
/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not done.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    field: Option<String>,
    retry_seconds: Option<u32>,
    /// The answer says how to come in.
    challenges: bool,
}

/// A problem as it is written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemBody<'a> {
    /// Stable, `urn:daicho:problem:` and a code: what programs go by.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What was wrong and the way out, for people.
    detail: &'a str,
    /// The field, parameter or header that was wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        let (code, detail) = (code.into(), detail.into());
        Self { status, code, detail, field: None, retry_seconds: None, challenges: false }
    }

    /// A part of the request that is not of its form.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// Content that is JSON, but not what is asked for.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// A path at which nothing stands.
    pub(crate) fn nothing_at(path: &str) -> Self {
        Self::not_found(format!("nothing stands at {path}: `/openapi.json` lists what there is"))
    }

    /// Too much is asked for at the moment.
    pub(crate) fn busy(code: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        problem.retry_after(RETRY_SECONDS)
    }

    /// A query that is not of its form.
    pub(crate) fn query(FormError { field, reason }: FormError) -> Self {
        Self { field, ..Self::malformed(format!("the query: {reason}")) }
    }

    #[must_use]
    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_seconds = Some(seconds);
        self
    }

    /// Nobody was let in: the answer says how.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self { challenges: true, ..Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail) }
    }

    /// Its status in words.
    pub(crate) fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// What was wrong and the way out.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// A failure of ours: what exactly stands in the log, not in the answer.
    fn ours(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %with_causes(error), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failure",
            "the ledger could not do it: its log says why, under the answer's `x-request-id`",
        )
    }

    /// Nothing is known of an append: it may stand in the record.
    fn unknown_outcome(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %with_causes(error), "the outcome of a command is not known");
        Self::busy(
            "outcome_unknown",
            "the command may have been recorded: send it again under the same Idempotency-Key",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: format!("{TYPE_PREFIX}{}", self.code),
            title: self.title(),
            status: self.status.as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.challenges {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<FormError> for Problem {
    fn from(FormError { field, reason }: FormError) -> Self {
        Self { field, ..Self::unprocessable(reason) }
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        let code = error.code();
        match error {
            ExecuteError::Rejected(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string())
            }
            ExecuteError::Malformed(error) => error.into(),
            ExecuteError::RequestReused { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string())
                    .at("Idempotency-Key")
            }
            ExecuteError::Changed { .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, code, error.to_string()).at("If-Match")
            }
            ExecuteError::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, code, error.to_string()).retry_after(RETRY_SECONDS)
            }
            ExecuteError::Failure(failure) => failure.into(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Append(AppendError::Refused(rule))
            | Failure::Read(ReadError::Refused(rule)) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", rule)
            }
            Failure::Append(AppendError::Overloaded { .. }) => Self::busy(
                "overloaded",
                "more is waiting to be recorded than the ledger takes at once: try again",
            ),
            Failure::Append(error @ AppendError::Unknown { .. }) => Self::unknown_outcome(&error),
            Failure::Limit(text) | Failure::State(StateError::Refused(text)) => {
                Self::unprocessable(text)
            }
            Failure::View(error @ ViewError::BadCursor { .. }) => {
                Self::unprocessable(error.to_string()).at("after")
            }
            Failure::View(error @ (ViewError::UnknownColumn { .. } | ViewError::Refused(_))) => {
                Self::unprocessable(error.to_string())
            }
            Failure::NotRecorded { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_recorded", failure.to_string())
            }
            Failure::NotReached { .. } => Self::busy("not_reached", failure.to_string()),
            Failure::Consume(
                error @ (ConsumeError::BeyondHead { .. } | ConsumeError::NotHandedOut { .. }),
            ) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", error.to_string()),
            Failure::Append(_)
            | Failure::Read(_)
            | Failure::Event { .. }
            | Failure::Vault(_)
            | Failure::View(_)
            | Failure::ViewWrite(_)
            | Failure::List(_)
            | Failure::State(_)
            | Failure::Consume(_)
            | Failure::Storage(_) => Self::ours(&failure),
        }
    }
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Failure(failure) => failure.into(),
            BookError::Name(_)
            | BookError::Unknown { .. }
            | BookError::Exists(_)
            | BookError::Rights
            | BookError::Folder { .. }
            | BookError::Open { .. }
            | BookError::Place(_) => {
                tracing::error!(error = %with_causes(&error), "a book cannot be opened");
                Self::busy("book_unavailable", "the book cannot be opened at the moment: try again")
            }
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Unavailable => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "sign_in_unavailable",
                "the sign-in provider does not answer at the moment: try again; keys work as ever",
            )
            .retry_after(PROVIDER_RETRY_SECONDS),
            SignInError::Refused => Self::new(
                StatusCode::FORBIDDEN,
                "sign_in_refused",
                "the sign-in provider has not signed you in: begin again, or ask whoever runs it",
            ),
            SignInError::Stale => Self::new(
                StatusCode::BAD_REQUEST,
                "sign_in_stale",
                "this sign-in is over or was begun in another browser: begin again at /v1/sign-in",
            ),
            // Which part is wrong stands in the log: it says nothing to the person.
            SignInError::Token(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "sign_in_invalid",
                "the sign-in provider's answer cannot be trusted: the service's log says why",
            ),
            SignInError::Person(_) | SignInError::TooManyRoles => {
                let detail = format!("{error}: ask whoever runs the sign-in provider");
                Self::new(StatusCode::FORBIDDEN, "sign_in_no_role", detail)
            }
            SignInError::ReturnTo => {
                let detail = "a sign-in leads back to a path of this service that its settings \
                              allow, `/console/`";
                Self::malformed(detail).at("return_to")
            }
        }
    }
}

impl From<CrossSite> for Problem {
    fn from(error: CrossSite) -> Self {
        Self::new(StatusCode::FORBIDDEN, "cross_site", error.to_string())
    }
}
