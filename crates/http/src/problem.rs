//! Errors as callers read them: problem details (RFC 9457), one stable type per rule.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daicho_app::{
    AppendError, Blame, BookError, ExecuteError, Failure, FormError, ViewError, with_causes,
};
use daicho_sign_in::{CrossSite, SignInError};
use schemars::JsonSchema;
use serde::Serialize;

/// What every type begins with.
const TYPE_PREFIX: &str = "urn:daicho:problem:";
/// Seconds after which a caller should try again, unless a better time is known.
const RETRY_SECONDS: u32 = 1;
/// Seconds after which a caller should try a sign-in provider again.
const PROVIDER_RETRY_SECONDS: u32 = 5;
/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request failed.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    field: Option<String>,
    retry_seconds: Option<u32>,
    /// Whether the answer says how to authenticate.
    challenges: bool,
}

/// A problem in its JSON form.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemBody<'a> {
    /// `urn:daicho:problem:` and a code; stable, for programs to rely on.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What was wrong and how to correct it, for people.
    detail: &'a str,
    /// The field, parameter or header that was wrong, if it is one of these.
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

    /// What went wrong, with the status that follows from whose fault it is.
    pub(crate) fn told(blame: Blame, code: &'static str, detail: String) -> Self {
        match blame {
            Blame::Caller => Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail),
            Blame::Busy => Self::busy(code, detail),
            Blame::Ours => Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, detail),
        }
    }

    /// The same problem with a more exact status.
    #[must_use]
    pub(crate) fn refined(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// A part of the request does not have the required form.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// The content is JSON, but not what is required.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// There is nothing at this path.
    pub(crate) fn nothing_at(path: &str) -> Self {
        Self::not_found(format!("there is nothing at {path}: `/openapi.json` lists all paths"))
    }

    /// The request cannot be served at the moment.
    pub(crate) fn busy(code: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        problem.retry_after(RETRY_SECONDS)
    }

    /// The query does not have the required form.
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

    /// The caller is not authenticated; the answer says how to authenticate.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self { challenges: true, ..Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail) }
    }

    /// The status in words.
    pub(crate) fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// What was wrong and how to correct it.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// A failure of our own: the details are in the log, not in the answer.
    fn ours(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %with_causes(error), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failure",
            "the ledger failed: its log says why, under the answer's `x-request-id`",
        )
    }

    /// The outcome of an append is not known: it may have been recorded.
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
        let told = Self::told(error.blame(), error.code(), error.to_string());
        match error {
            ExecuteError::Rejected(_) => told,
            ExecuteError::Malformed(error) => error.into(),
            ExecuteError::RequestReused { .. } => told.at("Idempotency-Key"),
            ExecuteError::Changed { .. } => {
                told.refined(StatusCode::PRECONDITION_FAILED).at("If-Match")
            }
            ExecuteError::Conflict(_) => told.refined(StatusCode::CONFLICT),
            ExecuteError::Failure(failure) => failure.into(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure.blame() {
            Blame::Caller => to_mend(&failure),
            Blame::Busy => to_ask_again(&failure),
            Blame::Ours => Self::ours(&failure),
        }
    }
}

/// A failure that the caller can correct, with its stable code and the field that is wrong.
fn to_mend(failure: &Failure) -> Problem {
    let code = match failure {
        Failure::NotRecorded { .. } => "not_recorded",
        Failure::Append(_) | Failure::Read(_) | Failure::Consume(_) | Failure::Vault(_) => {
            "refused"
        }
        Failure::State(_)
        | Failure::View(_)
        | Failure::ViewWrite(_)
        | Failure::UnknownList { .. }
        | Failure::Condition { .. }
        | Failure::NeverHolds { .. }
        | Failure::MemoryTooSmall { .. }
        | Failure::NotReached { .. }
        | Failure::Event { .. }
        | Failure::List(_)
        | Failure::Storage(_)
        | Failure::ListTooLarge { .. }
        | Failure::TooManyEvents { .. }
        | Failure::Unsettled { .. }
        | Failure::BrokeOff { .. }
        | Failure::Document { .. }
        | Failure::Contradiction(_) => "malformed",
    };
    let told = Problem::told(Blame::Caller, code, failure.rule());
    if matches!(failure, Failure::View(ViewError::BadCursor { .. })) {
        return told.at("after");
    }
    told
}

/// A failure after which the same request may succeed.
fn to_ask_again(failure: &Failure) -> Problem {
    if let Failure::Append(error @ AppendError::Unknown { .. }) = failure {
        return Problem::unknown_outcome(error);
    }
    if matches!(failure, Failure::NotReached { .. }) {
        return Problem::busy("not_reached", failure.to_string());
    }
    tracing::warn!(error = %with_causes(failure), "a request must be sent again");
    let detail = "the ledger is overloaded: try again";
    Problem::busy("overloaded", detail)
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
                "the sign-in provider does not answer at the moment: try again; keys still work",
            )
            .retry_after(PROVIDER_RETRY_SECONDS),
            SignInError::Refused => Self::new(
                StatusCode::FORBIDDEN,
                "sign_in_refused",
                "the sign-in provider did not sign you in: try again, or ask its operator",
            ),
            SignInError::Stale => Self::new(
                StatusCode::BAD_REQUEST,
                "sign_in_stale",
                "this sign-in has ended or was begun in another browser: try again at /v1/sign-in",
            ),
            // Which part is wrong is in the log: it would not help the person.
            SignInError::Token(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "sign_in_invalid",
                "the sign-in provider's answer cannot be trusted: the service's log says why",
            ),
            SignInError::Person(_) | SignInError::TooManyRoles => {
                let detail = format!("{error}: ask the operator of the sign-in provider");
                Self::new(StatusCode::FORBIDDEN, "sign_in_no_role", detail)
            }
            SignInError::ReturnTo => {
                let detail = "a sign-in can return only to a path of this service that its \
                              settings allow, such as `/console/`";
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

#[cfg(test)]
mod tests {
    use daicho_app::{ConsumerError, ReadError, WebhookError};

    use super::*;

    fn document() -> Failure {
        Failure::Document { of: "webhook `crm`".to_owned(), reason: "not JSON".to_owned() }
    }

    /// Each of these was once answered 422, as if the caller could correct it.
    #[test]
    fn what_broke_on_our_side_is_never_told_as_the_callers_fault() {
        let what = || "a thread of the replay".to_owned();
        for ours in [
            Failure::BrokeOff { what: what() },
            Failure::TooManyEvents { events_max: 100_000 },
            Failure::Unsettled { rounds: 4 },
            Failure::Contradiction("position 7 is not recorded".to_owned()),
            Failure::ListTooLarge { list: "orders", bytes_max: 1 },
            document(),
        ] {
            let text = ours.to_string();
            let problem = Problem::from(ours);
            assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR, "{text}");
            assert_eq!((problem.code.as_ref(), problem.detail.contains(&text)), ("failure", false));
        }
        let consumer = Problem::from(ConsumerError::Failure(document()));
        let webhook = Problem::from(WebhookError::Failure(document()));
        assert_eq!([consumer.status, webhook.status], [StatusCode::INTERNAL_SERVER_ERROR; 2]);
    }

    /// This was once answered 500, although it says "try again later".
    #[test]
    fn a_book_that_cannot_be_followed_for_now_is_busy() {
        let busy = ReadError::Overloaded { reason: "16 blocks behind".to_owned() };
        let problem = Problem::from(Failure::Read(busy));
        assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!((problem.code.as_ref(), problem.retry_seconds), ("overloaded", Some(1)));
    }

    #[test]
    fn what_the_caller_can_mend_is_told_to_the_caller() {
        let known = "orders, quotes".to_owned();
        for (failure, code) in [
            (Failure::NotRecorded { position: 9, head: 7 }, "not_recorded"),
            (Failure::NeverHolds { known_at: 7, position: 9 }, "malformed"),
            (Failure::UnknownList { name: "x".to_owned(), known }, "malformed"),
            (Failure::Read(ReadError::Refused("too wide".to_owned())), "refused"),
        ] {
            let text = failure.rule();
            let problem = Problem::from(failure);
            assert_eq!(problem.status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
            assert_eq!((problem.code.as_ref(), problem.detail), (code, text));
        }
    }
}
