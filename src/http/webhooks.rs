//! Stripe's deliveries.
//!
//! The header's form and time are checked before the body is read; the body is bounded, and so are the bytes of all
//! bodies in memory and the number of deliveries that are applied at once. What happens then is a use case; here its
//! outcome becomes the status that tells Stripe whether to try again.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, ResponseError, post};
use flate2::read::{GzDecoder, ZlibDecoder};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{BudgetedBody, read_within, too_busy, too_large};
use super::client_address::client_address;
use super::openapi::Problem503;
use super::problem::{ApiError, Problem};
use super::stray_deliveries::{log_refused, note_untimely};
use super::{State, in_time};
use crate::app::apply_event::{ApplyEventError, apply_event};
use crate::ports::WebhookError;

/// Stripe's events are a few KiB; this is far more.
pub const MAX_WEBHOOK_BYTES: usize = 1024 * 1024;
/// How long a delivery waits for its turn, which is a few statements away. Stripe would try again much later.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// Where deliveries are taken.
pub const WEBHOOK_PATH: &str = "/webhooks/stripe";
const SIGNATURE_HEADER: &str = "stripe-signature";

/// The delivery is decided; Stripe need not try again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Received {
    #[schema(example = true)]
    received: bool,
}

/// Takes an event of Stripe's, signed with the endpoint's secret.
///
/// 200 means that the event is decided: its effect is in the books, or it will never have one. Everything else makes
/// Stripe try again.
#[utoipa::path(
    operation_id = "receiveStripeEvent",
    tag = "webhooks",
    params(("stripe-signature" = String, Header, description = "`t=<seconds>,v1=<HMAC-SHA256 of the time and the raw body>`", example = "t=1800000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd")),
    request_body(content = Vec<u8>, content_type = "application/json", description = "The event exactly as Stripe sent it; up to 1 MiB"),
    responses(
        (status = 200, description = "The event is decided.", body = Received),
        (status = 400, description = "The signature does not hold, or the body is no event.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is compressed in a way that is not known here.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The event has had no effect; Stripe shall try again.", body = Problem, content_type = "application/problem+json"),
        Problem503,
    ),
    security(()),
)]
#[post("/webhooks/stripe")]
pub async fn receive(request: HttpRequest, payload: Payload, state: State) -> Result<Json<Received>, ApiError> {
    let (header, app) = (signature_header(&request), state.app.clone());
    match app.webhooks.check_header(header.as_deref(), app.clock.now_ms()) {
        Ok(()) => {}
        Err(error) => {
            if let (WebhookError::Untimely { ahead_seconds, .. }, Some(header)) = (&error, header) {
                note_untimely(&request, payload, &state, header, *ahead_seconds).await;
            }
            return Err(refused(&state, &error));
        }
    }
    let body = read_delivery(&request, payload, &state).await?;
    let permit = tokio::time::timeout(PERMIT_TIMEOUT, state.webhook_permits.clone().acquire_owned()).await;
    let Ok(Ok(permit)) = permit else { return Err(too_busy()) };
    let body = decoded(&request, body).inspect_err(|error| log_refused(&state, &error.to_string()))?;
    match in_time(apply_event(&app, header.as_deref(), body, Some(permit))).await? {
        Ok(_) => Ok(Json(Received { received: true })),
        Err(ApplyEventError::NotBelieved(error)) => Err(refused(&state, &error)),
        Err(error) => Err(error.into()),
    }
}

/// The signature's header. Two of them leave open which of them was meant to hold.
pub(super) fn signature_header(request: &HttpRequest) -> Option<String> {
    let mut headers = request.headers().get_all(SIGNATURE_HEADER);
    let header = headers.next().and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.filter(|_| headers.next().is_none())
}

/// An operator sees a wrong secret in the log, and strangers cannot fill it.
fn refused(state: &State, error: &WebhookError) -> ApiError {
    log_refused(state, &error.to_string());
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_webhook", error.to_string())
}

/// Reads a delivery's body, within what all such bodies share.
pub(super) async fn read_delivery(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
) -> Result<BudgetedBody, ApiError> {
    let address = client_address(request, &state.trusted_proxies).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let share = state.webhook_bytes.begin(address, Instant::now());
    let body = read_within(request, payload, MAX_WEBHOOK_BYTES, Some(share)).await;
    body.inspect_err(|error| {
        if error.status_code() == StatusCode::PAYLOAD_TOO_LARGE {
            log_refused(state, "the body is larger than any event of Stripe's");
        }
    })
}

/// A delivery's body as it was signed.
pub(super) enum DeliveryBody {
    /// As it came.
    Plain(BudgetedBody),
    /// A proxy had compressed it.
    Decoded(Vec<u8>),
}

impl AsRef<[u8]> for DeliveryBody {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Plain(body) => body.as_ref(),
            Self::Decoded(body) => body,
        }
    }
}

/// Undoes what a proxy did to a body on its way. Stripe signs the plain text.
pub(super) fn decoded(request: &HttpRequest, body: BudgetedBody) -> Result<DeliveryBody, ApiError> {
    let encoding = request.headers().get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoding = encoding.trim().to_ascii_lowercase();
    // Some proxies undo the encoding and leave the header.
    if matches!(encoding.as_str(), "" | "identity") || body.as_ref().trim_ascii_start().starts_with(b"{") {
        return Ok(DeliveryBody::Plain(body));
    }
    let limit = u64::try_from(MAX_WEBHOOK_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Vec::new();
    let read = match encoding.as_str() {
        "gzip" | "x-gzip" => GzDecoder::new(body.as_ref()).take(limit).read_to_end(&mut text),
        "deflate" => ZlibDecoder::new(body.as_ref()).take(limit).read_to_end(&mut text),
        _ => {
            let detail = "deliveries are taken plain, or with Content-Encoding gzip or deflate; let the proxy pass them on as \
                they come";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_encoding", detail));
        }
    };
    match read {
        Ok(_) if text.len() > MAX_WEBHOOK_BYTES => Err(too_large(MAX_WEBHOOK_BYTES)),
        Ok(_) => Ok(DeliveryBody::Decoded(text)),
        Err(_) => {
            Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_body", "the body is not what Content-Encoding says"))
        }
    }
}
