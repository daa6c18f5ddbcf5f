//! `/v1/…` and `/v2/…`: authentication, parameters, idempotency, faults, and Stripe's headers around the model's
//! answers.
//!
//! Each request runs in its own task: a client that disconnects interrupts nothing.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{StatusCode, header},
    web,
};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    call::{Answer, Call, read_json_request, read_request},
    engine::Engine,
    http::auth,
    model::{
        error::ApiError,
        request,
        v2_api::{self, METER_STREAM},
        version::{self, DEFAULT_API_VERSION},
    },
    server_call,
};

/// Handles every request below `/v1` and `/v2`.
pub(crate) async fn handle(request: HttpRequest, engine: web::Data<Engine>, body: web::Bytes) -> HttpResponse {
    let engine = engine.into_inner();
    let now = engine.now_ms().div_euclid(1_000);
    let request_id = engine.with(|core| core.ids.next("req_", 14));
    let key = text(&request, "idempotency-key");
    let version = text(&request, "stripe-version").unwrap_or_else(|| DEFAULT_API_VERSION.to_owned());
    let answer = match read(&request, &engine, &body, &request_id, key.clone(), &version) {
        Ok(call) => {
            let task = engine.runtime.spawn(server_call::carry_out(Arc::clone(&engine), call));
            match task.await {
                Ok(answer) => answer,
                Err(_) => Some(Answer::error(&ApiError::internal("the request was cut off"), &request_id, now)),
            }
        }
        Err(error) => Some(Answer::error(&error, &request_id, now)),
    };
    match answer {
        Some(answer) => respond(&answer, &request_id, key.as_deref(), &version),
        None => HttpResponse::Ok().force_close().body(Cut),
    }
}

fn text(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Parses and authenticates a request.
fn read(
    request: &HttpRequest,
    engine: &Engine,
    body: &[u8],
    request_id: &str,
    key: Option<String>,
    version: &str,
) -> Result<Call, ApiError> {
    authorize(request, engine)?;
    version::check(version)?;
    if request.headers().contains_key("stripe-account") {
        return Err(ApiError::unsupported("connected accounts (the Stripe-Account header)", "account"));
    }
    if request.path().starts_with("/v2/") {
        let read = read_json_request(request.method().as_str(), request.path(), request.query_string(), body)?;
        engine.with(|core| core.permissions.check(&read))?;
        return Ok(Call::new(read, request_id, key, version));
    }
    let form = if request.method() == "POST" { form(request, body)? } else { &[] };
    let mut read = read_request(request.method().as_str(), request.path(), &[request.query_string().as_bytes(), form])?;
    if !request.headers().contains_key("stripe-version") {
        request::accept_older_names(&mut read);
    }
    engine.with(|core| core.permissions.check(&read))?;
    Ok(Call::new(read, request_id, key, version))
}

/// Checks the key; for the stream of meter events, the token of a session.
fn authorize(request: &HttpRequest, engine: &Engine) -> Result<(), ApiError> {
    let authorization = text(request, "authorization");
    if request.path() == METER_STREAM
        && let Some(token) = authorization.as_deref().and_then(|text| text.strip_prefix("Bearer "))
        && engine.read(DEFAULT_API_VERSION, |state, context| v2_api::is_token(state, token, context.now()))
    {
        return Ok(());
    }
    auth::check(authorization.as_deref(), &engine.secret_key)
}

/// The body of a POST, whose content type must be a form.
fn form<'a>(request: &HttpRequest, body: &'a [u8]) -> Result<&'a [u8], ApiError> {
    let kind = text(request, "content-type").unwrap_or_default();
    if body.is_empty() || kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(body);
    }
    Err(ApiError::invalid(format!(
        "Invalid request: the body must be application/x-www-form-urlencoded, but its Content-Type is `{kind}`."
    )))
}

fn respond(answer: &Answer, request_id: &str, key: Option<&str>, version: &str) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response
        .content_type("application/json")
        .insert_header(("request-id", request_id))
        .insert_header(("stripe-version", version))
        .insert_header((header::CACHE_CONTROL, "no-cache, no-store"));
    // Echo the key unless it is not a valid header value.
    if let Some(key) = key.filter(|key| key.bytes().all(|byte| (b' '..=b'~').contains(&byte))) {
        response.insert_header(("idempotency-key", key));
    }
    if let Some(original) = &answer.replay_of {
        response.insert_header(("idempotent-replayed", "true"));
        response.insert_header(("original-request", original.as_str()));
    }
    match answer.status {
        401 => {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"Stripe\""));
        }
        429 => {
            response.insert_header(("stripe-rate-limited-reason", "global-rate"));
        }
        _ => {}
    }
    response.body(pretty(&answer.body))
}

/// Formats the body with indentation, as Stripe does.
fn pretty(body: &Value) -> String {
    serde_json::to_string_pretty(body).unwrap_or_default()
}

/// A body that fails at once, which closes the connection before anything is sent.
struct Cut;

impl MessageBody for Cut {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("disconnected on request"))))
    }
}
