//! Lets an operator accept an event that was rejected only for its amount.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_json;
use crate::http::kit::fields::is_reason;
use crate::http::kit::openapi::{CallerProblems, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::inbox::accept_payment::{AcceptError, accept_payment};
use crate::purchases::payment::acceptances::Accepted;

/// Why the event is accepted.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptWebhookEvent {
    /// The reason, for the record: 1 to 500 printable characters.
    #[validate(custom(function = is_reason))]
    #[schema(example = "tax was switched on in the dashboard by mistake")]
    reason: String,
}

/// An accepted event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedWebhookEvent {
    /// The provider's id of the event.
    #[schema(example = "evt_1a2b3c")]
    pub event_id: String,
    /// The id of the top-up.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    pub topup_id: String,
    /// `credited`; or, if there was nothing to credit: `already_paid`, `surplus_payment` or `duplicate`.
    #[schema(example = "credited")]
    pub outcome: String,
    /// The number of credits in the top-up.
    #[schema(example = 250)]
    pub credits: i64,
    /// The agreed amount, in minor units.
    #[schema(example = 289)]
    pub agreed_amount: i64,
    /// The charged amount, in minor units.
    #[schema(example = 317)]
    pub charged_amount: i64,
    /// The part of the charged amount that is tax, in minor units.
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

/// Credits a top-up whose payment was rejected only because of its amount.
///
/// The charged amount without tax must be at least the agreed amount. Topup records who accepted the event and why. A
/// repeated request returns the first result; nothing is credited twice. Requires a token with the admin scope, or an
/// API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "acceptFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "The provider's id of the event", example = "evt_1a2b3c")),
    request_body = AcceptWebhookEvent,
    responses(
        (status = 200, description = "The event was accepted; `outcome` says whether credits were added.", body = AcceptedWebhookEvent),
        (status = 404, description = "There is no failed event with that id.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            description = "`not_acceptable`: the event is not a payment of a known top-up, the amount does not \
                differ, something other than the amount differs, or the amount is less than agreed. `payload_erased`: \
                the payload was erased or never stored, and Stripe does not return the event.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The payment provider cannot tell (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
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
