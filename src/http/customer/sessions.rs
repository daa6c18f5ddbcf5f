//! Checkouts: opens one, and reports its state.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::access::caller_key::CallerKey;
use crate::domain::account::AccountId;
use crate::domain::checkout::TopupState;
use crate::domain::ids::SessionId;
use crate::domain::redirect::RedirectUrl;
use crate::http::auth::Caller;
use crate::http::kit::body::read_json;
use crate::http::kit::idempotency_key::idempotency_key;
use crate::http::kit::openapi::{CallerProblems, Problem409, Problem422, ProviderProblems};
use crate::http::kit::problem::{ApiError, FieldError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::{HttpState, State};
use crate::purchases::checkout::check_session::{Visible, check_session};
use crate::purchases::checkout::create_checkout::{AskedFor, CreateCheckout, create_checkout, repeat_checkout};
use crate::purchases::topups::Topup;

/// What to buy, and where to send the customer afterwards.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateSession {
    /// How many credits, a whole number.
    #[validate(required(message = "is missing; say how many credits"))]
    #[schema(required, nullable = false, example = 250)]
    credits: Option<i64>,
    /// Where the customer goes after paying: an absolute URL of an allowed origin. Stripe replaces
    /// `{CHECKOUT_SESSION_ID}` by the session's id.
    #[validate(required(message = "is missing; say where the customer goes after paying"))]
    #[schema(required, nullable = false, example = "https://app.example.com/credits?session_id={CHECKOUT_SESSION_ID}")]
    success_url: Option<String>,
    /// Where the customer goes after leaving the page without paying.
    #[schema(example = "https://app.example.com/credits?cancelled=1")]
    cancel_url: Option<String>,
    /// Who gets the credits. A customer's own account if it is left out; an API key for all accounts must name it.
    #[schema(example = "user_1")]
    account_id: Option<String>,
}

/// An open checkout.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSession {
    /// Stripe's session id.
    #[schema(example = "cs_test_a1b2c3")]
    id: String,
    /// The hosted page: send the customer there.
    #[schema(example = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3")]
    url: String,
    /// When the page ends.
    #[schema(example = "2026-11-21T13:00:00Z")]
    expires_at: String,
}

/// How far a purchase is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// The customer can pay.
    Open,
    /// The customer is done, the money is on its way.
    Processing,
    /// The credits are there.
    Paid,
    /// The time to pay is over.
    Expired,
    /// The payment failed.
    Failed,
}

/// A purchase as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Stripe's session id.
    #[schema(example = "cs_test_a1b2c3")]
    id: String,
    /// Our id of the purchase.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    topup_id: String,
    /// Who gets the credits.
    #[schema(example = "user_1")]
    account_id: String,
    state: SessionState,
    /// How many credits.
    #[schema(example = 250)]
    credits: i64,
    /// The currency of all amounts.
    #[schema(example = "usd")]
    currency: String,
    /// The line for the credits, in minor units.
    #[schema(example = 250)]
    credits_amount: i64,
    /// The fee line, in minor units.
    #[schema(example = 39)]
    fee_amount: i64,
    /// What the customer pays, in minor units.
    #[schema(example = 289)]
    total_amount: i64,
    #[schema(example = "2026-11-21T12:00:00Z")]
    created_at: String,
    #[schema(example = "2026-11-21T13:00:00Z")]
    expires_at: String,
    /// When it was paid.
    #[schema(example = "2026-11-21T12:01:00Z")]
    paid_at: Option<String>,
    /// Why the last attempt to pay was declined, in Stripe's word; null if none was, or once it is paid. The customer may
    /// try again while the session is open.
    #[schema(example = "insufficient_funds")]
    decline_code: Option<String>,
}

impl TryFrom<Topup> for Session {
    type Error = ApiError;

    fn try_from(topup: Topup) -> Result<Self, ApiError> {
        Ok(Self {
            id: topup.session.map(|session| session.as_str().to_owned()).unwrap_or_default(),
            topup_id: topup.id.as_str().to_owned(),
            account_id: topup.account.as_str().to_owned(),
            state: match topup.state {
                TopupState::Creating | TopupState::Open => SessionState::Open,
                TopupState::Processing => SessionState::Processing,
                TopupState::Paid => SessionState::Paid,
                TopupState::Expired => SessionState::Expired,
                TopupState::Failed => SessionState::Failed,
            },
            credits: topup.credits,
            currency: topup.currency.as_str().to_owned(),
            credits_amount: topup.credits_amount_minor,
            fee_amount: topup.fee_amount_minor,
            total_amount: topup.total_amount_minor,
            created_at: rfc3339(topup.created_at_ms)?,
            expires_at: rfc3339(topup.expires_at_ms)?,
            paid_at: topup.paid_at_ms.map(rfc3339).transpose()?,
            decline_code: topup.decline_code.filter(|_| topup.state != TopupState::Paid),
        })
    }
}

/// Opens a checkout for credits and gives the page to send the customer to.
///
/// With an `Idempotency-Key`, a repetition of the same request within a day gives the first answer instead of a second
/// checkout. The key belongs to the account, with whatever credentials it comes.
#[utoipa::path(
    operation_id = "createCheckout",
    tag = "checkout",
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 printable characters, new for each purchase", example = "8e03978e-40d5-43dd-bc93-6894a57f9324")),
    request_body = CreateSession,
    responses(
        (status = 200, description = "The checkout is open.", body = CreatedSession),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem409, Problem422, CallerProblems, ProviderProblems,
        (status = 429, description = "Too many checkouts in a minute, or too many that are open; or too many requests without valid credentials. `Retry-After` says when to try again.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/credits/sessions")]
pub async fn create(request: HttpRequest, payload: Payload, state: State) -> Result<Json<CreatedSession>, ApiError> {
    let caller = Caller::of(&request, &state).await?;
    let body: CreateSession = read_json(&request, payload, &state).await?;
    let (asked, key) = asked_for(&request, &state, &caller, body)?;
    let app = state.app.clone();
    let checkout = match check(&state, asked.credits, &asked.success_url, asked.cancel_url.as_deref()) {
        Ok((success_url, cancel_url)) => {
            state.limits.check_account(&asked.account)?;
            let AskedFor { account, credits, .. } = asked;
            let command = CreateCheckout { account, credits, success_url, cancel_url, idempotency: key };
            state.run(async move { Box::pin(create_checkout(&app, command)).await }).await??
        }
        Err(errors) => {
            let errors = ApiError::fields(errors);
            let Some(key) = key else { return Err(errors) };
            state.limits.check_account(&asked.account)?;
            // If it was answered before the settings changed, the answer stays the same.
            let repeat = async move { Box::pin(repeat_checkout(&app, key, &asked)).await };
            state.run(repeat).await??.ok_or(errors)?
        }
    };
    Ok(Json(CreatedSession { id: checkout.session, url: checkout.url, expires_at: rfc3339(checkout.expires_at_ms)? }))
}

/// Parses the request and checks the caller's permission. Whether it can be fulfilled is checked later.
fn asked_for(
    request: &HttpRequest,
    state: &HttpState,
    caller: &Caller,
    body: CreateSession,
) -> Result<(AskedFor, Option<CallerKey>), ApiError> {
    let (credits, cancel_url) = (body.credits.unwrap_or_default(), body.cancel_url);
    let success_url = body.success_url.unwrap_or_default();
    let named = body.account_id.map(AccountId::parse).transpose().map_err(|error| {
        let mut errors = check(state, credits, &success_url, cancel_url.as_deref()).err().unwrap_or_default();
        errors.push(FieldError::new("accountId", "invalid_account", error.to_string()));
        ApiError::fields(errors)
    })?;
    let account = caller.account(named, Scope::Checkout)?;
    let key = idempotency_key(request.headers())?.map(|key| CallerKey::of_checkout(&account, key));
    Ok((AskedFor { account, credits, success_url, cancel_url }, key))
}

/// Checks the request against the current settings. Returns both URLs.
fn check(
    state: &HttpState,
    credits: i64,
    success_url: &str,
    cancel_url: Option<&str>,
) -> Result<(RedirectUrl, Option<RedirectUrl>), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut url = |field: &str, text: &str| {
        let url = RedirectUrl::parse(text, &state.allowed_origins);
        url.map_err(|error| errors.push(FieldError::new(field, "invalid_url", error.to_string()))).ok()
    };
    let success_url = url("successUrl", success_url);
    let cancel_url = cancel_url.map(|text| url("cancelUrl", text));
    if let Err(error) = state.app.pricing.quote(credits) {
        errors.push(FieldError::new("credits", error.code(), error.to_string()));
    }
    match success_url {
        Some(success_url) if errors.is_empty() => Ok((success_url, cancel_url.flatten())),
        _ => Err(errors),
    }
}

/// How far a purchase is, for the page that the customer returns to.
///
/// If Stripe's webhook has not come yet, Stripe is asked, at most once per session in five seconds: a customer who comes
/// back sees the credits at once. An account that asks more often than that about many sessions hears what is known here.
#[utoipa::path(
    operation_id = "getCheckout",
    tag = "checkout",
    params(("id" = String, Path, description = "Stripe's session id", example = "cs_test_a1b2c3")),
    responses(
        (status = 200, description = "The purchase as it stands.", body = Session),
        (status = 404, description = "There is no such session that the caller may know of.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Tokens cannot be verified at the moment, or the service is too busy.", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/sessions/{id}")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Session>, ApiError> {
    let visible = match Caller::of(&request, &state).await? {
        Caller::Customer { is_admin: true, .. } => Visible::All,
        Caller::Customer { account, .. } => Visible::Account(account),
        Caller::Server(key) if !key.may(Scope::Read) && !key.may(Scope::Checkout) => {
            return Err(ApiError::forbidden("scope_missing", "this API key lacks the scope read or checkout"));
        }
        Caller::Server(key) => key.account.clone().map_or(Visible::All, Visible::Account),
    };
    let not_found = || ApiError::not_found("there is no such checkout session");
    let session = SessionId::parse(state.app.provider.name, path.into_inner()).map_err(|_| not_found())?;
    let app = state.app.clone();
    let check = async move { check_session(&app, &session, &visible).await };
    let topup = state.run(check).await??.ok_or_else(not_found)?;
    Session::try_from(topup).map(Json)
}
