//! The log line of a request, and why a browser keeps an answer from a page.
//!
//! Invariants: a successful request is logged at debug level, a refused one at info level with the reason, a failed one
//! as a warning. Lines that strangers can trigger are limited ([`crate::http::kit::notices`]).

use actix_cors::CorsError;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, HOST, HeaderMap, HeaderName, ORIGIN,
};

use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// A page of another origin that sent a request.
pub(crate) struct ForeignPage {
    origin: String,
    /// The headers that it wants to send.
    headers: String,
}

impl ForeignPage {
    /// `None` for a request from the same origin or without an origin.
    pub(crate) fn of(request: &ServiceRequest) -> Option<Self> {
        let headers = request.headers();
        let origin = text(headers, &ORIGIN).filter(|origin| *origin != "null")?;
        // Browsers also send the origin when a page calls its own server.
        let host = text(headers, &HOST)?;
        if origin.split_once("://").is_some_and(|(_, origin_host)| origin_host.eq_ignore_ascii_case(host)) {
            return None;
        }
        let wanted = text(headers, &ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
        Some(Self { origin: origin.to_owned(), headers: wanted.to_owned() })
    }

    /// Logs, once for each origin and each set of headers, why the page gets no answer.
    pub(crate) fn log_if_refused<B>(&self, state: &State, response: &ServiceResponse<B>) {
        let refusal = response.response().error().and_then(|error| error.as_error::<CorsError>());
        if matches!(refusal, Some(CorsError::HeadersNotAllowed)) {
            if let Some(headers) = state.notices.first("headers", &self.headers) {
                let way_out = "if the page needs them, add them to ALLOWED_HEADERS";
                tracing::warn!(
                    origin = crate::http::kit::notices::shown(&self.origin),
                    headers,
                    way_out,
                    "a page may not send these headers"
                );
            }
        } else if !response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
            && let Some(origin) = state.notices.first("origin", &self.origin)
        {
            let way_out = "if it is yours, add it to ALLOWED_ORIGINS";
            tracing::warn!(origin, way_out, "browsers keep answers from pages of this origin");
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// A completed request.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) duration_ms: u64,
}

impl Answered<'_> {
    /// Logs the request.
    pub(crate) fn log<B>(&self, state: &State, response: &ServiceResponse<B>) {
        let Self { method, route, duration_ms } = self;
        let status = response.status().as_u16();
        if status < 400 {
            tracing::debug!(method, route, status, duration_ms, "request");
            return;
        }
        let error = response.response().error();
        let reason = error.map(|error| match error.as_error::<ApiError>() {
            Some(error) => error.to_string(),
            None => error.to_string(),
        });
        let reason = crate::http::kit::notices::shown(&reason.unwrap_or_default());
        if status >= 500 {
            tracing::warn!(method, route, status, reason, duration_ms, "request failed");
            return;
        }
        let kind = if status == 401 { "unauthorized" } else { "refused" };
        if let Some(left_out) = state.notices.line(kind, state.app.clock.now_ms()) {
            tracing::info!(method, route, status, reason, duration_ms, left_out, "request refused");
        }
    }
}
