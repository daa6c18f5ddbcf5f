//! Reads a delivery: its signature header and its body, within limits.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::web::Payload;
use actix_web::{HttpRequest, ResponseError};
use flate2::read::{GzDecoder, ZlibDecoder};

use crate::http::kit::body::{BudgetedBody, read_within};
use crate::http::kit::client_address::client_address;
use crate::http::kit::problem::{ApiError, too_large};
use crate::http::state::State;

/// Far more than Stripe's events, which are a few KiB.
pub const MAX_WEBHOOK_BYTES: usize = 1024 * 1024;
const SIGNATURE_HEADER: &str = "stripe-signature";

/// The signature header. `None` if it is repeated, because then it is unclear which one applies.
pub(crate) fn signature_header(request: &HttpRequest) -> Option<String> {
    let mut headers = request.headers().get_all(SIGNATURE_HEADER);
    let header = headers.next().and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.filter(|_| headers.next().is_none())
}

/// Logs a refused delivery, unless too many were logged.
pub(crate) fn log_refused(state: &State, reason: &str) {
    state.notices.refuse_delivery(reason, state.app.clock.now_ms());
    if let Some(left_out) = state.notices.line("webhook refused", state.app.clock.now_ms()) {
        tracing::warn!(reason, left_out, "webhook refused");
    }
}

/// Reads a delivery's body, within the memory shared by all such bodies.
pub(crate) async fn read_delivery(
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
pub(crate) enum DeliveryBody {
    /// As received.
    Plain(BudgetedBody),
    /// Decompressed, because a proxy had compressed it.
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

/// Reverses a proxy's compression. Stripe signs the uncompressed text.
pub(crate) fn decoded(request: &HttpRequest, body: BudgetedBody) -> Result<DeliveryBody, ApiError> {
    let encoding = request.headers().get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoding = encoding.trim().to_ascii_lowercase();
    // Some proxies decompress the body and leave the header.
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
