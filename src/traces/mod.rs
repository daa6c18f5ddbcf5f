//! Traces for OpenTelemetry: the spans of requests, of the database, and of calls to the provider and to endpoints.
//!
//! Spans of this module have a target of their own and are never in the log, which has the trace's id instead. Without
//! [`begin`] nothing is traced, and a span costs one read of memory.
//!
//! Invariant: a span has routes, operations, SQL texts without arguments, and statuses. It has no account, no payer, no
//! body and no secret.

#[cfg(feature = "otel")]
mod context;
#[cfg(feature = "otel")]
pub mod export;
pub mod settings;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::Either;
use tracing::Span;
use tracing::field::Empty;

/// The target of all spans that are traced.
pub const TARGET: &str = "traces";

/// Whether this process traces.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Begins to make spans. To be called when they are subscribed to.
pub fn begin() {
    IS_ON.store(true, Ordering::Relaxed);
}

fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Whether something is traced of which a span may be a part. Jobs look at the database all the time, and are not.
fn is_traced() -> bool {
    is_on() && !Span::current().is_none()
}

/// The W3C headers that name the caller's trace.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller<'h> {
    /// `traceparent`
    pub traceparent: Option<&'h str>,
    /// `tracestate`
    pub tracestate: Option<&'h str>,
}

/// The span of a request, which continues the caller's trace. Disabled if nothing is traced.
#[must_use]
pub fn request(method: &str, caller: Caller<'_>) -> Span {
    if !is_on() {
        return Span::none();
    }
    let span = tracing::info_span!(
        target: "traces",
        "request",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = Empty,
        http.response.status_code = Empty,
    );
    continue_trace(&span, caller);
    span
}

/// Tells how a request was answered. The route is its pattern.
pub fn answered(span: &Span, method: &str, route: &str, status: u16) {
    if span.is_none() {
        return;
    }
    rename(span, format!("{method} {route}"));
    span.record("http.route", route);
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// A span of the database within a trace: `read` with its statement, or the name of a write.
#[must_use]
pub fn database(operation: &str, system: &'static str, text: Option<&str>) -> Span {
    if !is_traced() {
        return Span::none();
    }
    tracing::info_span!(
        target: "traces",
        "database",
        otel.kind = "client",
        otel.name = operation,
        db.system.name = system,
        db.operation.name = operation,
        db.query.text = text,
    )
}

/// A span of a call to the payment provider within a trace.
#[must_use]
pub fn provider_call(operation: &str) -> Span {
    if !is_traced() {
        return Span::none();
    }
    tracing::info_span!(
        target: "traces",
        "provider",
        otel.kind = "client",
        otel.name = operation,
        otel.status_code = Empty,
        operation,
        outcome = Empty,
        http.response.status_code = Empty,
    )
}

/// Tells how a call ended.
pub fn called(span: &Span, outcome: &str, status: Option<u16>) {
    if span.is_none() {
        return;
    }
    span.record("outcome", outcome);
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if outcome != "ok" {
        span.record("otel.status_code", "ERROR");
    }
}

/// A trace of its own for an attempt to deliver a message.
#[must_use]
pub fn delivery(message: &str, endpoint: &str) -> Span {
    if !is_on() {
        return Span::none();
    }
    tracing::info_span!(
        target: "traces",
        parent: None,
        "delivery",
        otel.kind = "producer",
        otel.name = "deliver a message",
        otel.status_code = Empty,
        messaging.message.id = message,
        messaging.destination.name = endpoint,
        outcome = Empty,
        http.response.status_code = Empty,
    )
}

/// Keeps a future in the current trace when another task runs it.
pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
    if is_on() { Either::Left(within_current(future)) } else { Either::Right(future) }
}

/// The id of the trace that a span belongs to.
#[must_use]
pub fn trace_id(span: &Span) -> Option<String> {
    if span.is_none() { None } else { id_of(span) }
}

/// The W3C headers that name the current trace to somebody else.
#[must_use]
pub fn outgoing_headers() -> Vec<(String, String)> {
    if is_on() { headers_of(&Span::current()) } else { Vec::new() }
}

#[cfg(feature = "otel")]
use context::{continue_trace, headers_of, id_of, rename, within_current};

#[cfg(not(feature = "otel"))]
const fn continue_trace(_: &Span, _: Caller<'_>) {}

#[cfg(not(feature = "otel"))]
const fn within_current<F: Future>(future: F) -> F {
    future
}

#[cfg(not(feature = "otel"))]
fn rename(_: &Span, _: String) {}

#[cfg(not(feature = "otel"))]
const fn headers_of(_: &Span) -> Vec<(String, String)> {
    Vec::new()
}

#[cfg(not(feature = "otel"))]
const fn id_of(_: &Span) -> Option<String> {
    None
}
