//! Applied to every request: an id, a log line, and headers for browsers.

use std::sync::Arc;
use std::time::Instant;

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::{DefaultHeaders, Next};
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError, web};
use tracing::Instrument;
use tracing::field::Empty;

use crate::domain::ids::RequestId;
use crate::domain::redirect::AllowedOrigin;
use crate::http::kit::connections::{Connection, Exchange};
use crate::http::kit::problem::ApiError;
use crate::http::kit::request_log::{Answered, ForeignPage};
use crate::http::state::State;
use crate::http::webhooks::stray_deliveries::note_wrong_path;
use crate::measure;
use crate::traces::{self, Caller};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives each request an id, logs it, and tells its connection when it begins and ends. The logged route is its
/// pattern, because paths contain account ids. `HEAD` is handled like `GET`.
///
/// # Errors
/// Those of the request itself.
pub async fn log_request<B: MessageBody>(
    state: State,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = RequestId::from_bits(state.app.ids.id_bits());
    let method = request.method().clone();
    let trace = traces::request(measure::known_method(method.as_str()), caller(request.headers()));
    let span = trace.in_scope(|| tracing::info_span!("request", request_id = %id, trace_id = Empty));
    if let Some(trace_id) = traces::trace_id(&trace) {
        span.record("trace_id", trace_id);
    }
    if method == Method::HEAD {
        // Handled like GET without the body: the web server remembers the original method and leaves the body out.
        request.head_mut().method = Method::GET;
    }
    let connection = request.conn_data::<Arc<Connection>>().cloned();
    let exchange = Exchange::begin(connection, request.chunked().unwrap_or(true));
    let started = Instant::now();
    let page = ForeignPage::of(&request);
    let mut response = next.call(request).instrument(span.clone()).instrument(trace.clone()).await?;
    if exchange.leaves_unread() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    drop(exchange);
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let duration = started.elapsed();
    measure::request(&route, method.as_str(), response.status().as_u16(), duration);
    traces::answered(&trace, measure::known_method(method.as_str()), &route, response.status().as_u16());
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        Answered { method: method.as_str(), route: &route, duration_ms }.log(&state, &response);
        if let Some(page) = page {
            page.log_if_refused(&state, &response);
        }
    });
    Ok(response)
}

/// The trace of whoever sends a request.
fn caller(headers: &HeaderMap) -> Caller<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Caller { traceparent: text("traceparent"), tracestate: text("tracestate") }
}

/// Security headers for browsers. Our own pages set a stricter policy.
#[must_use]
pub fn security_headers(is_https: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new()
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((X_FRAME_OPTIONS, "DENY"))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((CACHE_CONTROL, "no-store"))
        .add(("cross-origin-opener-policy", "same-origin"))
        .add(("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"))
        .add(("content-security-policy", DOCUMENTATION_POLICY));
    if is_https { headers.add((STRICT_TRANSPORT_SECURITY, "max-age=31536000")) } else { headers }
}

/// Swagger UI adds its own inline styles; everything else must come from this origin.
const DOCUMENTATION_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Headers that tracing libraries and common clients add to each request of a page.
const CLIENT_HEADERS: [&str; 5] = ["baggage", "sentry-trace", "traceparent", "tracestate", "x-client-info"];

/// Lets pages of the configured origins call the API, also with these headers. Others get no permission and no
/// explanation.
pub fn cors(origins: &[AllowedOrigin], headers: &[String]) -> Cors {
    let origins = origins.to_vec();
    Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE])
        .allowed_headers([HeaderName::from_static("idempotency-key"), HeaderName::from_static("x-api-key")])
        .allowed_headers(CLIENT_HEADERS)
        .allowed_headers(headers.iter().map(String::as_str))
        .expose_headers([RETRY_AFTER, X_REQUEST_ID])
        .block_on_origin_mismatch(false)
        .max_age(600)
        .allowed_origin_fn(move |origin, _| {
            origin.to_str().is_ok_and(|origin| origins.iter().any(|allowed| allowed.may_call(origin)))
        })
}

/// The answer for requests without a route: 404, or 405 if there is a route for another method.
///
/// # Errors
/// 404 when the path does not exist.
pub async fn no_route(
    request: actix_web::HttpRequest,
    payload: web::Payload,
    state: State,
    known: web::Data<KnownRoutes>,
) -> Result<HttpResponse, ApiError> {
    if request.method() == actix_web::http::Method::POST {
        note_wrong_path(&request, payload, &state).await;
    }
    match known.methods_of(request.path()) {
        Some(methods) => {
            let detail = format!("this path takes {methods}");
            let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
            let mut response = error.error_response();
            if let Ok(methods) = HeaderValue::from_str(methods) {
                response.headers_mut().insert(ALLOW, methods);
            }
            Ok(response)
        }
        None => Err(ApiError::not_found("there is no such path; see /docs")),
    }
}

/// The existing paths, for [`no_route`].
pub struct KnownRoutes(Vec<(actix_web::dev::ResourceDef, String)>);

impl KnownRoutes {
    /// Reads them from the documentation, which does not list itself, nor the files with the web components.
    #[must_use]
    pub fn new(document: &utoipa::openapi::OpenApi) -> Self {
        let routes = document.paths.paths.iter().map(|(path, item)| {
            let all = [
                ("GET, HEAD", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let methods: Vec<&str> = all.into_iter().filter(|(_, has)| *has).map(|(method, _)| method).collect();
            (actix_web::dev::ResourceDef::new(path.as_str()), methods.join(", "))
        });
        let files = ["/openapi.json", "/docs", "/elements.js", "/auto-topup.js", "/manage-plan.js"]
            .map(|path| (actix_web::dev::ResourceDef::new(path), "GET, HEAD".to_owned()));
        Self(routes.chain(files).collect())
    }

    fn methods_of(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(route, _)| route.is_match(path)).map(|(_, methods)| methods.as_str())
    }
}
