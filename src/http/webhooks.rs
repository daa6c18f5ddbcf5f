//! Stripe's deliveries.
//!
//! The header's form and time are checked before the body is read; the body is bounded, and so are the bytes of all
//! bodies in memory and the number of deliveries that are applied at once. What happens then is a use case; here its
//! outcome becomes the status that tells Stripe whether to try again.

use std::time::Duration;

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{read_within, too_busy};
use super::openapi::Problem503;
use super::problem::{ApiError, Problem};
use super::{State, in_time};
use crate::app::apply_event::{ApplyEventError, apply_event};

/// Stripe's events are a few KiB; this is far more.
pub const MAX_WEBHOOK_BYTES: usize = 512 * 1024;
/// How long a delivery waits for its turn, which is a few statements away. Stripe would try again much later.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);
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
    request_body(content = Vec<u8>, content_type = "application/json", description = "The event exactly as Stripe sent it; up to 512 KiB"),
    responses(
        (status = 200, description = "The event is decided.", body = Received),
        (status = 400, description = "The signature does not hold, or the body is no event.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The event has had no effect; Stripe shall try again.", body = Problem, content_type = "application/problem+json"),
        Problem503,
    ),
)]
#[post("/webhooks/stripe")]
pub async fn receive(request: HttpRequest, payload: Payload, state: State) -> Result<Json<Received>, ApiError> {
    let mut headers = request.headers().get_all(SIGNATURE_HEADER);
    let header = headers.next().and_then(|value| value.to_str().ok()).map(str::to_owned);
    // Two headers: which of them was meant to hold?
    let header = header.filter(|_| headers.next().is_none());
    let app = state.app.clone();
    app.webhooks.check_header(header.as_deref(), app.clock.now_ms()).map_err(ApplyEventError::NotBelieved)?;
    let body = read_within(&request, payload, MAX_WEBHOOK_BYTES, Some(&state.webhook_bytes)).await?;
    let permit = tokio::time::timeout(PERMIT_TIMEOUT, state.webhook_permits.clone().acquire_owned()).await;
    let Ok(Ok(permit)) = permit else { return Err(too_busy()) };
    in_time(apply_event(&app, header.as_deref(), body, Some(permit))).await??;
    Ok(Json(Received { received: true }))
}
