//! Lets an operator accept an event that was rejected only for its amount.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::http::admin::adjustments::is_reason;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_json;
use crate::http::kit::openapi::{CallerProblems, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::inbox::accept_payment::{AcceptError, accept_payment};
use crate::purchases::payment::acceptances::Accepted;

/// Why an event is accepted.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptWebhookEvent {
    /// For those who look later: 1 to 500 printable characters.
    #[validate(custom(function = is_reason))]
    #[schema(example = "tax was switched on in the dashboard by mistake")]
    reason: String,
}

/// An event that was accepted.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedWebhookEvent {
    /// Stripe's id of the event.
    #[schema(example = "evt_1a2b3c")]
    pub event_id: String,
    /// The purchase.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    pub topup_id: String,
    /// `credited`, or why there was nothing to credit: `already_paid`, `surplus_payment`, `duplicate`.
    #[schema(example = "credited")]
    pub outcome: String,
    /// How many credits the purchase is about.
    #[schema(example = 250)]
    pub credits: i64,
    /// What was agreed, in minor units.
    #[schema(example = 289)]
    pub agreed_amount: i64,
    /// What was charged, in minor units.
    #[schema(example = 317)]
    pub charged_amount: i64,
    /// How much of that is tax, in minor units.
    #[schema(example = 28)]
    pub tax_amount: i64,
    /// Why it was accepted.
    #[schema(example = "tax was switched on in the dashboard by mistake")]
    pub reason: String,
    /// Who accepted it.
    #[schema(example = "API key key_1 (back office)")]
    pub accepted_by: String,
    #[schema(example = "2026-11-21T12:05:00Z")]
    pub accepted_at: String,
}

impl TryFrom<Accepted> for AcceptedWebhookEvent {
    type Error = ApiError;

    fn try_from(accepted: Accepted) -> Result<Self, ApiError> {
        Ok(Self {
            event_id: accepted.provider_event_id,
            topup_id: accepted.topup_id,
            outcome: accepted.outcome,
            credits: accepted.credits,
            agreed_amount: accepted.agreed_amount,
            charged_amount: accepted.charged_amount,
            tax_amount: accepted.tax_amount,
            reason: accepted.reason,
            accepted_by: accepted.accepted_by,
            accepted_at: rfc3339(accepted.accepted_at)?,
        })
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        let code = match error {
            AcceptError::Unknown => return Self::not_found(error.to_string()),
            AcceptError::Store(error) => return error.into(),
            AcceptError::Provider(error) => return Self::not_told(&error),
            AcceptError::PayloadErased => "payload_erased",
            AcceptError::NotAPayment
            | AcceptError::Foreign
            | AcceptError::NothingDiffers
            | AcceptError::NotEnough(_) => "not_acceptable",
        };
        Self::new(StatusCode::CONFLICT, code, error.to_string())
    }
}

/// Credits a purchase whose payment was rejected for its amount alone.
///
/// Only when the amount leaves at least what was agreed, tax apart. Who did it and why is kept. Accepting it again gives the
/// first answer and credits nothing twice. For an admin, and an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "acceptFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "Stripe's id of the event", example = "evt_1a2b3c")),
    request_body = AcceptWebhookEvent,
    responses(
        (status = 200, description = "It is accepted; `outcome` says whether credits were granted.", body = AcceptedWebhookEvent),
        (status = 404, description = "No delivery of that event failed.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nothing differs, more than the amount differs, or it leaves less than was agreed: `not_acceptable`. Its payload is not kept (any more), and Stripe does not show the event: `payload_erased`.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/webhook-events/{id}/accept")]
pub async fn accept(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<AcceptedWebhookEvent>, ApiError> {
    let admin = Admin::of_all_accounts(&request, &state).await?;
    let body: AcceptWebhookEvent = read_json(&request, payload, &state).await?;
    let (app, id) = (state.app.clone(), path.into_inner());
    let accepted = state.run(async move { accept_payment(&app, &id, &admin.operator, &body.reason).await }).await?;
    AcceptedWebhookEvent::try_from(accepted?).map(Json)
}
