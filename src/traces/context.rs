//! The W3C trace context: reads the caller's, and writes ours.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::traces::Caller;

/// Makes a span part of the caller's trace, if the caller has one.
pub(super) fn continue_trace(span: &Span, caller: Caller<'_>) {
    let Some(traceparent) = caller.traceparent else { return };
    let mut headers = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    if let Some(tracestate) = caller.tracestate {
        headers.insert("tracestate".to_owned(), tracestate.to_owned());
    }
    let context = TraceContextPropagator::new().extract(&headers);
    if context.span().span_context().is_valid() {
        // It fails only without a subscriber to spans; then there is no trace either.
        drop(span.set_parent(context));
    }
}

/// Makes what a future does a part of the trace that is current now.
pub(super) fn within_current<F: Future>(future: F) -> impl Future<Output = F::Output> {
    future.with_context(Context::current())
}

/// Names a span that has begun.
pub(super) fn rename(span: &Span, name: String) {
    span.context().span().update_name(name);
}

/// The headers that name a span to somebody else; none if it is not traced.
pub(super) fn headers_of(span: &Span) -> Vec<(String, String)> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut headers);
    // An empty state says nothing.
    headers.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The id of a span's trace.
pub(super) fn id_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span_context = context.span().span_context().clone();
    span_context.is_valid().then(|| span_context.trace_id().to_string())
}
