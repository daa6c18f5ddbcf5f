//! The provider's portal, on which customers look after cards, invoices and subscriptions.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::domain::account::AccountId;
use crate::domain::redirect::RedirectUrl;
use crate::http::auth::Caller;
use crate::http::kit::body::read_json;
use crate::http::kit::openapi::{CallerProblems, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::State;
use crate::subscriptions::portal::{Wish, open_portal};

/// Where the customer goes afterwards, and what to do there.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreatePortalSession {
    /// Where the customer goes afterwards: an absolute URL on one of the `ALLOWED_ORIGINS`.
    #[validate(required(message = "is missing; say where the customer goes afterwards"))]
    #[schema(required, nullable = false, example = "https://app.example.com/plan")]
    return_url: Option<String>,
    /// `payment_method_update`, `subscription_cancel` or `subscription_update`; without it the portal's home page.
    #[schema(example = "payment_method_update")]
    flow: Option<String>,
    /// The account. Defaults to the token's subject, or to the account that the API key is bound to.
    #[schema(example = "user_1")]
    account_id: Option<String>,
}

/// The portal, open for one visitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct PortalSession {
    /// Send the customer there at once: it is good for a short time and must not be mailed.
    #[schema(example = "https://billing.stripe.com/p/session/test_a1b2c3")]
    url: String,
}

/// Opens the payment provider's portal for the account's own customer.
///
/// Requires a customer's token, or an API key with the scope `checkout`. Nothing has to be set up in Stripe's dashboard.
/// What the customer does there comes back by webhooks.
#[utoipa::path(
    operation_id = "createPortalSession",
    tag = "subscriptions",
    request_body = CreatePortalSession,
    responses(
        (status = 200, description = "The portal is open.", body = PortalSession),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The account never had a checkout (`no_customer`), has no running subscription (`no_subscription`), or the portal cannot change plans beside a fee line (`portal_cannot_change`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The payment provider has no portal (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/portal/sessions")]
pub async fn create(request: HttpRequest, payload: Payload, state: State) -> Result<Json<PortalSession>, ApiError> {
    let caller = Caller::of(&request, &state).await?;
    let body: CreatePortalSession = read_json(&request, payload, &state).await?;
    let return_url = RedirectUrl::parse(body.return_url.as_deref().unwrap_or_default(), &state.allowed_origins);
    let return_url = return_url.map_err(|error| ApiError::field("returnUrl", "invalid_url", error.to_string()))?;
    let wish = body.flow.as_deref().map_or(Some(Wish::Home), Wish::parse).ok_or_else(|| {
        let message = "must be payment_method_update, subscription_cancel or subscription_update";
        ApiError::field("flow", "unknown", message)
    })?;
    let named = body.account_id.map(AccountId::parse).transpose();
    let named = named.map_err(|error| ApiError::field("accountId", "invalid_account", error.to_string()))?;
    let account = caller.account(named, Scope::Checkout)?;
    state.limits.check_account(&account)?;
    let app = state.app.clone();
    let open = async move { Box::pin(open_portal(&app, &account, &return_url, wish)).await };
    Ok(Json(PortalSession { url: state.run(open).await?? }))
}
