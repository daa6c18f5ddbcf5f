//! Receives Stripe's deliveries.
//!
//! The form and time of the signature header are checked before the body is read. The body's size, the bytes of all
//! bodies in memory, and the number of deliveries applied at once are limited. The use case does the rest; its outcome
//! becomes the status that tells Stripe whether to retry.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::with_causes;
use crate::http::kit::openapi::Problem503;
use crate::http::kit::problem::too_busy;
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::{State, in_time};
use crate::http::webhooks::body::log_refused;
use crate::http::webhooks::body::{decoded, read_delivery, signature_header};
use crate::http::webhooks::stray_deliveries::note_untimely;
use crate::inbox::apply_event::apply_event;
use crate::inbox::refusals::note_refusals;
use crate::providers::event::WebhookError;
use crate::purchases::outcome::ApplyEventError;

/// How long a delivery waits for a permit, which others hold for a few statements only. Stripe would retry much later.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The event was processed; Stripe need not retry.
#[derive(Debug, Serialize, ToSchema)]
pub struct Received {
    #[schema(example = true)]
    received: bool,
}

/// Receives an event from Stripe, signed with the endpoint's secret.
///
/// 200 means that the event was processed: its effect is recorded, or it will never have one. Any other status makes
/// Stripe retry.
#[utoipa::path(
    operation_id = "receiveStripeEvent",
    tag = "webhooks",
    params(("stripe-signature" = String, Header, description = "`t=<seconds>,v1=<HMAC-SHA256 of the time and the raw body>`", example = "t=1800000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd")),
    request_body(content = Vec<u8>, content_type = "application/json", description = "The event exactly as Stripe sent it, at most 1 MiB"),
    responses(
        (status = 200, description = "The event was processed.", body = Received),
        (status = 400, description = "The signature is invalid or its time is too far off, or the body is not an event.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The `Content-Encoding` is not supported; only gzip and deflate are.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The event had no effect; Stripe should retry.", body = Problem, content_type = "application/problem+json"),
        Problem503,
    ),
    security(()),
)]
#[post("/webhooks/stripe")]
pub async fn receive(request: HttpRequest, payload: Payload, state: State) -> Result<Json<Received>, ApiError> {
    let (header, app) = (signature_header(&request), state.app.clone());
    match app.provider.webhooks.check_header(header.as_deref(), app.clock.now_ms()) {
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
        Err(ApplyEventError::NotBelieved(error)) => {
            if matches!(error, WebhookError::Signature(_)) {
                note_refusal(&state).await;
            }
            Err(refused(&state, &error))
        }
        Err(error) => Err(error.into()),
    }
}

/// Stores that a delivery was signed with another secret, for `topup doctor`; strangers cannot make it write much.
async fn note_refusal(state: &State) {
    let app = state.app.clone();
    let Some(left_out) = state.notices.line("another secret", app.clock.now_ms()) else { return };
    let refusals = i64::try_from(left_out).unwrap_or(i64::MAX).saturating_add(1);
    if let Ok(Err(error)) = state.run(async move { note_refusals(&app, refusals).await }).await {
        tracing::error!(error = with_causes(&error), "a refused delivery cannot be noted");
    }
}

/// Logs the refusal, so that an operator notices a wrong secret; strangers cannot flood the log.
fn refused(state: &State, error: &WebhookError) -> ApiError {
    log_refused(state, &error.to_string());
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_webhook", error.to_string())
}
