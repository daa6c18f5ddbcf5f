//! Logs deliveries that are not accepted, so that the reason for a missing top-up can be found in the log.
//!
//! Invariants: deliveries that only Stripe can send are distinguished from what anyone can send. The number of lines,
//! the number of bodies read at once, and their size are limited.

use actix_web::HttpRequest;
use actix_web::web::Payload;

use crate::app::with_causes;
use crate::http::kit::notices::shown;
use crate::http::state::State;
use crate::http::webhooks::body::{decoded, read_delivery, signature_header};
use crate::inbox::WEBHOOK_PATH;
use crate::inbox::unapplied::{Obstacle, Unapplied, note_unapplied};
use crate::providers::event::WebhookError;

/// Logs a request to an unknown path if it is a delivery from Stripe.
pub(crate) async fn note_wrong_path(request: &HttpRequest, payload: Payload, state: &State) {
    let Some(header) = signature_header(request) else { return };
    // A late delivery is logged too.
    let checked = state.app.provider.webhooks.check_header(Some(&header), state.app.clock.now_ms());
    if !matches!(checked, Ok(()) | Err(WebhookError::Untimely { .. })) {
        return;
    }
    let obstacle = Obstacle::Path { path: shown(request.path()), right: format!("{}{WEBHOOK_PATH}", state.public_url) };
    note(request, payload, state, header, obstacle).await;
}

/// Logs a delivery whose signature is well-formed, but of another time.
pub(crate) async fn note_untimely(
    request: &HttpRequest,
    payload: Payload,
    state: &State,
    header: String,
    ahead_seconds: i64,
) {
    note(request, payload, state, header, Obstacle::Untimely { ahead_seconds }).await;
}

async fn note(request: &HttpRequest, payload: Payload, state: &State, header: String, obstacle: Obstacle) {
    let Ok(_place) = state.notices.strays.try_acquire() else { return };
    let body = read_delivery(request, payload, state).await.and_then(|body| decoded(request, body));
    let Ok(body) = body else { return };
    let (app, about) = (state.app.clone(), obstacle.clone());
    let noted = state.run(async move { note_unapplied(&app, Some(&header), body.as_ref(), &about).await }).await;
    let kind = "delivery not taken";
    match noted {
        Ok(Ok(Unapplied::NoMatter)) => {
            if let Some(left_out) = state.notices.line(kind, state.app.clock.now_ms()) {
                tracing::warn!(reason = %obstacle, left_out, "a delivery of Stripe's was not taken");
            }
        }
        Ok(Ok(Unapplied::Listed { event_id: event, event_type })) => {
            let way_out = "it is listed by `topup webhooks failed`, and `topup webhooks replay` applies it";
            tracing::warn!(event, event_type, reason = %obstacle, way_out, "a delivery of Stripe's was not applied");
        }
        Ok(Err(error)) => tracing::error!(error = with_causes(&error), "a delivery of Stripe's cannot be listed"),
        Ok(Ok(Unapplied::NotSigned)) | Err(_) => {}
    }
}
