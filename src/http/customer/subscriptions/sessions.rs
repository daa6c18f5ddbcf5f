//! Checkouts that begin a subscription.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::access::caller_key::CallerKey;
use crate::domain::account::AccountId;
use crate::domain::plan::PlanId;
use crate::domain::redirect::RedirectUrl;
use crate::http::auth::Caller;
use crate::http::customer::sessions::CreatedSession;
use crate::http::kit::body::read_json;
use crate::http::kit::idempotency_key::idempotency_key;
use crate::http::kit::openapi::{CallerProblems, Problem422, ProviderProblems};
use crate::http::kit::problem::{ApiError, FieldError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::subscriptions::open_subscription::{OpenSubscription, open_subscription};

/// What to subscribe to, and where Stripe sends the customer afterwards.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateSubscriptionSession {
    /// The plan.
    #[validate(required(message = "is missing; say which plan"))]
    #[schema(required, nullable = false, example = "pro")]
    plan_id: Option<String>,
    /// Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`.
    #[validate(required(message = "is missing; say where the customer goes after paying"))]
    #[schema(required, nullable = false, example = "https://app.example.com/plan?session_id={CHECKOUT_SESSION_ID}")]
    success_url: Option<String>,
    /// Where the customer goes after leaving the payment page: an absolute URL on one of the `ALLOWED_ORIGINS`.
    #[schema(example = "https://app.example.com/plan?cancelled=1")]
    cancel_url: Option<String>,
    /// The account that subscribes. Defaults to the token's subject, or to the account that the API key is bound to.
    #[schema(example = "user_1")]
    account_id: Option<String>,
}

/// Opens a checkout for a plan and returns the payment page.
///
/// Requires a customer's token, or an API key with the scope `checkout`. An account that has as many running
/// subscriptions as `SUBSCRIPTIONS_MAX` allows is refused (`subscription_exists`): change its plan instead. With an
/// `Idempotency-Key`, the same request repeated returns the first checkout session.
#[utoipa::path(
    operation_id = "createSubscriptionCheckout",
    tag = "subscriptions",
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 printable ASCII characters; use a new key for each subscription", example = "8e03978e-40d5-43dd-bc93-6894a57f9324")),
    request_body = CreateSubscriptionSession,
    responses(
        (status = 200, description = "The checkout session is open.", body = CreatedSession),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The account has a running subscription (`subscription_exists`), the plan has no price in the currency (`plan_not_for_sale`), or the first request with this key is still running (`idempotency_key_in_use`) or its checkout has ended (`session_ended`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem422, CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/subscriptions/sessions")]
pub async fn create(request: HttpRequest, payload: Payload, state: State) -> Result<Json<CreatedSession>, ApiError> {
    let caller = Caller::of(&request, &state).await?;
    let body: CreateSubscriptionSession = read_json(&request, payload, &state).await?;
    let mut errors = Vec::new();
    let mut url = |field: &str, text: &str| {
        let url = RedirectUrl::parse(text, &state.allowed_origins);
        url.map_err(|error| errors.push(FieldError::new(field, "invalid_url", error.to_string()))).ok()
    };
    let success_url = url("successUrl", body.success_url.as_deref().unwrap_or_default());
    let cancel_url = body.cancel_url.as_deref().map(|text| url("cancelUrl", text));
    let plan = PlanId::parse(body.plan_id.as_deref().unwrap_or_default());
    let plan = plan.map_err(|error| errors.push(FieldError::new("planId", "unknown_plan", error.to_string())));
    let named = body.account_id.map(AccountId::parse).transpose();
    let named = named.map_err(|error| errors.push(FieldError::new("accountId", "invalid_account", error.to_string())));
    let (Some(success_url), Ok(plan), Ok(named), true) = (success_url, plan, named, errors.is_empty()) else {
        return Err(ApiError::fields(errors));
    };
    let account = caller.account(named, Scope::Checkout)?;
    let key = idempotency_key(request.headers())?.map(|key| CallerKey::of_subscription(&account, key));
    state.limits.check_account(&account)?;
    let command = OpenSubscription { account, plan, success_url, cancel_url: cancel_url.flatten(), key };
    let app = state.app.clone();
    let page = state.run(async move { Box::pin(open_subscription(&app, command)).await }).await??;
    Ok(Json(CreatedSession::new(page.session, page.url, rfc3339(page.expires_at_ms)?)))
}
