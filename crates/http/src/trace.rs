//! The trace that a request is part of (W3C Trace Context), and what a collector of spans gets of
//! it. If no collector is set, the span is used in the log only.

use axum::http::{HeaderMap, Method, StatusCode};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing::field::display;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes the span part of the caller's trace, if the caller has one.
pub(crate) fn begin(span: &Span, headers: &HeaderMap, method: &Method, route: &str) {
    let caller = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if span.set_parent(caller.clone()).is_err() {
        // There is no collector: the caller's trace is used in the log only.
        return tell(span, &caller);
    }
    // Names from OpenTelemetry's semantic conventions. The kind is set first: it is read when the
    // span begins, which is at the first access to it.
    span.record("otel.kind", "server");
    span.set_attribute("http.request.method", method.to_string());
    span.set_attribute("http.route", route.to_owned());
    let context = span.context();
    context.span().update_name(format!("{method} {route}"));
    tell(span, &context);
}

/// Puts the id of the trace into the log.
fn tell(span: &Span, context: &Context) {
    let of_trace = context.span();
    if of_trace.span_context().is_valid() {
        span.record("trace_id", display(of_trace.span_context().trace_id()));
    }
}

/// Puts the result into the span.
pub(crate) fn end(span: &Span, status: StatusCode) {
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
}
