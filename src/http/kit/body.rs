//! Reads requests: limited in size and time, with errors that name the field.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use validator::Validate;

use crate::http::auth::Caller;
use crate::http::kit::body_budget::BodyShare;
use crate::http::kit::connections::Connection;
use crate::http::kit::plain_errors::field_error;
use crate::http::kit::problem::{ApiError, FieldError};
use crate::http::kit::problem::{too_busy, too_large};
use crate::http::state::HttpState;

/// The largest JSON body, in bytes.
pub const MAX_JSON_BYTES: usize = 16 * 1024;
/// The time limit, because a slow body occupies a connection and a buffer.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// After this time the caller's credentials are checked again.
const SLOW_BODY_MS: u64 = 1_000;

/// A body with its share of a memory budget, which it occupies until it is dropped.
pub struct BudgetedBody {
    /// The bytes.
    pub bytes: Bytes,
    _share: Option<BodyShare>,
}

impl AsRef<[u8]> for BudgetedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body of at most `limit` bytes.
pub async fn read_bytes(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    Ok(read_within(request, payload, limit, None).await?.bytes)
}

/// Reads a body of at most `limit` bytes, and takes them from a budget if a share is given.
pub async fn read_within(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
    share: Option<BodyShare>,
) -> Result<BudgetedBody, ApiError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.is_some_and(|length| length.parse::<usize>().is_ok_and(|length| length > limit)) {
        return Err(too_large(limit));
    }
    let connection = request.conn_data::<Arc<Connection>>();
    if let Some(connection) = connection {
        connection.waits_for_body(Instant::now());
    }
    let body = tokio::time::timeout(BODY_TIMEOUT, collect(payload, limit, share)).await.unwrap_or_else(|_| {
        Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body did not arrive in time"))
    })?;
    if let Some(connection) = connection {
        connection.body_came();
    }
    Ok(body)
}

async fn collect(mut payload: Payload, limit: usize, mut share: Option<BodyShare>) -> Result<BudgetedBody, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = next_chunk(&mut payload, share.as_ref()).await? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(too_large(limit));
        }
        if share.as_ref().is_some_and(|share| !share.take(chunk.len(), Instant::now())) {
            return Err(too_busy());
        }
        body.extend_from_slice(&chunk);
    }
    if share.as_mut().is_some_and(|share| !share.keep()) {
        return Err(too_busy());
    }
    Ok(BudgetedBody { bytes: body.freeze(), _share: share })
}

/// Waits for the next part of a body, unless the body loses its memory first.
async fn next_chunk(payload: &mut Payload, share: Option<&BodyShare>) -> Result<Option<Bytes>, ApiError> {
    let next = poll_fn(|context| {
        if share.is_some_and(|share| share.poll_lost(context)) {
            return Poll::Ready(Err(too_busy()));
        }
        payload.poll_next_unpin(context).map(Ok)
    });
    let broken = |_| ApiError::new(StatusCode::BAD_REQUEST, "invalid_body", "the body is broken");
    next.await?.transpose().map_err(broken)
}

/// Reads a JSON body of the usual size and checks it with `validator`.
pub async fn read_json<T: DeserializeOwned + Validate>(
    request: &HttpRequest,
    payload: Payload,
    state: &HttpState,
) -> Result<T, ApiError> {
    read_json_within(request, payload, state, MAX_JSON_BYTES).await
}

/// Reads a JSON body of at most `limit` bytes and checks it with `validator`.
pub async fn read_json_within<T: DeserializeOwned + Validate>(
    request: &HttpRequest,
    payload: Payload,
    state: &HttpState,
    limit: usize,
) -> Result<T, ApiError> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = "send JSON, with the header Content-Type: application/json";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    let began_ms = state.app.clock.now_ms();
    let body = read_bytes(request, payload, limit).await?;
    if state.app.clock.now_ms().saturating_sub(began_ms).unsigned_abs() >= SLOW_BODY_MS {
        // A slow sender might otherwise use credentials that have expired since the head arrived.
        Caller::of(request, state).await?;
    }
    read_object(&body)
}

/// Reads a JSON object and checks it with `validator`.
///
/// # Errors
/// 400 when it is no JSON object, or a field is invalid.
pub(crate) fn read_object<T: DeserializeOwned + Validate>(text: &[u8]) -> Result<T, ApiError> {
    let invalid = |detail: &str| ApiError::new(StatusCode::BAD_REQUEST, "invalid_json", detail);
    // serde would also accept an array with the fields in order.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(invalid("this must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| json_error(&error, text))?;
    deserializer.end().map_err(|_| invalid("the body is not one JSON value"))?;
    validate(&value)?;
    Ok(value)
}

fn json_error(error: &serde_path_to_error::Error<serde_json::Error>, text: &[u8]) -> ApiError {
    let cause = error.inner();
    // serde_json calls it a syntax error if one of several words is expected, and another type is given.
    let is_no_word = || serde_json::from_slice::<IgnoredAny>(text).is_ok();
    let message =
        if cause.is_data() { Some(cause.to_string()) } else { is_no_word().then(|| "must be text".to_owned()) };
    if let Some(field) = message.and_then(|message| field_error(&error.path().to_string(), &message)) {
        return ApiError::fields(vec![field]);
    }
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body cannot be read: {cause}"))
}

/// Reads the query and checks it with `validator`. Every field of `T` must be optional to serde.
pub fn read_query<T: DeserializeOwned + Validate>(request: &HttpRequest) -> Result<T, ApiError> {
    let text = request.query_string();
    let query = web::Query::<T>::from_query(text).map_err(|_| query_error::<T>(text))?;
    validate(&*query)?;
    Ok(query.into_inner())
}

/// The query parser does not name the wrong field, so find the one that cannot be parsed alone, or is repeated.
fn query_error<T: DeserializeOwned>(text: &str) -> ApiError {
    let (mut wrong, mut repeated, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for pair in text.split('&') {
        let Some((name, _)) = url::form_urlencoded::parse(pair.as_bytes()).next() else { continue };
        if let Err(error) = web::Query::<T>::from_query(pair) {
            wrong.push(query_field(&name, &error));
        }
        if seen.contains(&name) {
            repeated.push(FieldError::new(&name, "repeated", "must be given once"));
        }
        seen.push(name);
    }
    ApiError::fields(if wrong.is_empty() { repeated } else { wrong })
}

fn query_field(name: &str, error: &actix_web::error::QueryPayloadError) -> FieldError {
    match error {
        actix_web::error::QueryPayloadError::Deserialize(cause) => field_error(name, &cause.to_string()),
        _ => None,
    }
    .unwrap_or_else(|| FieldError::new(name, "invalid_type", "cannot be read"))
}

/// Checks a value with `validator`.
pub(crate) fn validate(value: &impl Validate) -> Result<(), ApiError> {
    let Err(errors) = value.validate() else { return Ok(()) };
    let mut fields: Vec<FieldError> = errors
        .field_errors()
        .into_iter()
        .flat_map(|(field, errors)| {
            errors.iter().map(move |error| {
                let message = error.message.as_ref().map_or_else(|| error.code.to_string(), ToString::to_string);
                FieldError::new(&camel_case(&field), &error.code, message)
            })
        })
        .collect();
    fields.sort_by(|one, other| one.field.cmp(&other.field));
    Err(ApiError::fields(fields))
}

/// `validator` names the Rust field; the caller needs the name in JSON.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}
