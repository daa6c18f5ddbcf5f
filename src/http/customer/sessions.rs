//! Checkouts: opens one, and reports its state.

use actix_web::http::header::USER_AGENT;
use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::access::caller_key::CallerKey;
use crate::domain::account::AccountId;
use crate::domain::account::Visible;
use crate::domain::auto_topup::shown_code;
use crate::domain::checkout::TopupState;
use crate::domain::expiry::ExpiryDays;
use crate::domain::ids::SessionId;
use crate::domain::payer::Payer;
use crate::domain::price_list::NotSoldIn;
use crate::domain::pricing::Pricing;
use crate::domain::redirect::RedirectUrl;
use crate::domain::tax::TaxBehavior;
use crate::http::auth::Caller;
use crate::http::kit::body::read_json;
use crate::http::kit::client_address::client_address;
use crate::http::kit::idempotency_key::idempotency_key;
use crate::http::kit::openapi::{CallerProblems, Problem409, Problem422, ProviderProblems};
use crate::http::kit::problem::{ApiError, FieldError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::{HttpState, State};
use crate::purchases::account_currency::account_prices;
use crate::purchases::checkout::check_session::check_session;
use crate::purchases::checkout::create_checkout::{AskedFor, CreateCheckout, create_checkout, repeat_checkout};
use crate::purchases::topups::Topup;

/// What to buy, and where Stripe sends the customer afterwards.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateSession {
    /// The number of credits to buy, an integer: a multiple of the quote's `creditUnitCredits`.
    #[validate(required(message = "is missing; say how many credits"))]
    #[schema(required, nullable = false, example = 250)]
    credits: Option<i64>,
    /// The currency to pay in: one that credits are sold in, in lower case. Defaults to the account's.
    #[schema(example = "usd")]
    currency: Option<String>,
    /// Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`. Stripe replaces
    /// `{CHECKOUT_SESSION_ID}` with the id of the checkout session.
    #[validate(required(message = "is missing; say where the customer goes after paying"))]
    #[schema(required, nullable = false, example = "https://app.example.com/credits?session_id={CHECKOUT_SESSION_ID}")]
    success_url: Option<String>,
    /// Where the customer goes after leaving the payment page without paying: an absolute URL on one of the
    /// `ALLOWED_ORIGINS`.
    #[schema(example = "https://app.example.com/credits?cancelled=1")]
    cancel_url: Option<String>,
    /// The account that receives the credits. Defaults to the token's subject, or to the account that the API key is
    /// bound to; required for an API key that is not bound to an account.
    #[schema(example = "user_1")]
    account_id: Option<String>,
    /// Whether the customer's card is saved, so that it can be charged later without the customer (`PUT /auto-topup`).
    /// Requires `SAVED_CARDS=on`. Defaults to false. Stripe's page says that the card is saved.
    #[schema(example = false)]
    save_card: Option<bool>,
}

/// An open checkout session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSession {
    /// The id of the checkout session.
    #[schema(example = "cs_test_a1b2c3")]
    pub(super) id: String,
    /// The payment page. Send the customer there.
    #[schema(example = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3")]
    pub(super) url: String,
    /// When the checkout session expires.
    #[schema(example = "2026-11-21T13:00:00Z")]
    pub(super) expires_at: String,
}

impl CreatedSession {
    /// An open checkout session.
    pub(crate) const fn new(id: String, url: String, expires_at: String) -> Self {
        Self { id, url, expires_at }
    }
}

/// The state of a top-up.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// The customer can pay.
    Open,
    /// The customer has completed the checkout; the payment is not confirmed yet.
    Processing,
    /// The payment succeeded and the credits were added.
    Paid,
    /// The checkout session expired without a payment.
    Expired,
    /// The payment failed.
    Failed,
}

/// The current state of a top-up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The id of the checkout session.
    #[schema(example = "cs_test_a1b2c3")]
    id: String,
    /// The id of the top-up.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    topup_id: String,
    /// The account that receives the credits.
    #[schema(example = "user_1")]
    account_id: String,
    state: SessionState,
    /// The number of credits.
    #[schema(example = 250)]
    credits: i64,
    /// The credits given on top when it is paid.
    #[schema(example = 0)]
    bonus_credits: i64,
    /// For how many days from the payment the credits are good; null if they never end.
    #[schema(example = 365)]
    credits_expire_days: Option<i64>,
    /// When they end; null before the payment, and if they never end.
    #[schema(example = "2027-11-21T12:01:00Z")]
    credits_expire_at: Option<String>,
    /// The currency of all amounts.
    #[schema(example = "usd")]
    currency: String,
    /// The price of the credits, in minor units.
    #[schema(example = 250)]
    credits_amount: i64,
    /// The fee line, in minor units.
    #[schema(example = 39)]
    fee_amount: i64,
    /// What the customer pays, in minor units, before tax that comes on top.
    #[schema(example = 289)]
    total_amount: i64,
    /// `exclusive`: tax comes on top of `totalAmount`. `inclusive`: it contains it. null: no tax was agreed.
    #[schema(example = "exclusive")]
    tax_behavior: Option<&'static str>,
    /// The tax in the charge, in minor units; null before the payment, and if no tax was agreed.
    #[schema(example = 55)]
    tax_amount: Option<i64>,
    #[schema(example = "2026-11-21T12:00:00Z")]
    created_at: String,
    #[schema(example = "2026-11-21T13:00:00Z")]
    expires_at: String,
    /// When the top-up was paid; null before.
    #[schema(example = "2026-11-21T12:01:00Z")]
    paid_at: Option<String>,
    /// Stripe's decline code of the last declined payment attempt; null if no attempt was declined, and once the top-up
    /// is paid. The customer can try again while the checkout session is open.
    #[schema(example = "insufficient_funds")]
    decline_code: Option<String>,
}

impl TryFrom<Topup> for Session {
    type Error = ApiError;

    fn try_from(topup: Topup) -> Result<Self, ApiError> {
        let credits_expire_at = topup.credits_expire_at_ms().map(rfc3339).transpose()?;
        let tax_amount = topup.charged_tax_minor();
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
            bonus_credits: topup.bonus_credits,
            credits_expire_days: topup.expiry.map(ExpiryDays::get),
            credits_expire_at,
            currency: topup.currency.as_str().to_owned(),
            credits_amount: topup.credits_amount_minor,
            fee_amount: topup.fee_amount_minor,
            total_amount: topup.total_amount_minor,
            tax_behavior: topup.tax.map(TaxBehavior::as_str),
            tax_amount,
            created_at: rfc3339(topup.created_at_ms)?,
            expires_at: rfc3339(topup.expires_at_ms)?,
            paid_at: topup.paid_at_ms.map(rfc3339).transpose()?,
            decline_code: topup
                .decline_code
                .filter(|_| topup.state != TopupState::Paid)
                .map(|code| shown_code(&code).to_owned()),
        })
    }
}

/// Opens a checkout session for credits and returns the payment page.
///
/// Requires a customer's token, or an API key with the scope `checkout`. With an `Idempotency-Key`, the same request
/// repeated within one day returns the first checkout session instead of opening a second one. The key belongs to the
/// account, whichever credentials are used.
#[utoipa::path(
    operation_id = "createCheckout",
    tag = "checkout",
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 printable ASCII characters; use a new key for each top-up", example = "8e03978e-40d5-43dd-bc93-6894a57f9324")),
    request_body = CreateSession,
    responses(
        (status = 200, description = "The checkout session is open.", body = CreatedSession),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem409, Problem422, CallerProblems, ProviderProblems,
        (
            status = 429,
            description = "The account opens too many checkouts per minute (`rate_limited`) or has too many open ones \
                (`too_many_open_checkouts`); or there were too many requests without valid credentials \
                (`rate_limited`). `Retry-After` says when to try again.",
            body = Problem,
            content_type = "application/problem+json"
        ),
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/credits/sessions")]
pub async fn create(request: HttpRequest, payload: Payload, state: State) -> Result<Json<CreatedSession>, ApiError> {
    let caller = Caller::of(&request, &state).await?;
    let body: CreateSession = read_json(&request, payload, &state).await?;
    let (asked, key) = asked_for(&request, &state, &caller, body)?;
    let payer = who_asks(&request, &state, &caller);
    let app = state.app.clone();
    if asked.saves_card && !state.app.recurring.saves_cards {
        return Err(ApiError::field("saveCard", "saved_cards_off", "no cards are saved here (SAVED_CARDS=off)"));
    }
    let prices = prices(&state, &asked).await?;
    let currency = prices.as_ref().ok().filter(|_| asked.currency.is_some()).map(|prices| prices.currency());
    let urls = (asked.success_url.as_str(), asked.cancel_url.as_deref());
    let checkout = match check(&state, asked.credits, urls, prices) {
        Ok((success_url, cancel_url)) => {
            state.limits.check_account(&asked.account)?;
            let AskedFor { account, credits, saves_card, .. } = asked;
            let command =
                CreateCheckout { account, credits, currency, success_url, cancel_url, saves_card, idempotency: key };
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
    state.app.payers.note(&checkout.topup, payer);
    Ok(Json(CreatedSession { id: checkout.session, url: checkout.url, expires_at: rfc3339(checkout.expires_at_ms)? }))
}

/// From where a customer asks. A server's address says nothing about its customer.
pub(super) fn who_asks(request: &HttpRequest, state: &HttpState, caller: &Caller) -> Payer {
    if matches!(caller, Caller::Server(_)) {
        return Payer::default();
    }
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    Payer {
        client_ip: client_address(request, &state.trusted_proxies).map(|address| address.to_string()),
        user_agent: agent.map(str::to_owned),
        ..Payer::default()
    }
}

/// Parses the request and checks the caller's permission. Whether it can be fulfilled is checked later.
fn asked_for(
    request: &HttpRequest,
    state: &HttpState,
    caller: &Caller,
    body: CreateSession,
) -> Result<(AskedFor, Option<CallerKey>), ApiError> {
    let (credits, currency, cancel_url) = (body.credits.unwrap_or_default(), body.currency, body.cancel_url);
    let saves_card = body.save_card.unwrap_or_default();
    let success_url = body.success_url.unwrap_or_default();
    let named = body.account_id.map(AccountId::parse).transpose().map_err(|error| {
        // The other mistakes are named with it, as far as they do not depend on the account.
        let prices = state.app.pricing.by_code(currency.as_deref());
        let mut errors = check(state, credits, (&success_url, cancel_url.as_deref()), prices).err().unwrap_or_default();
        errors.push(FieldError::new("accountId", "invalid_account", error.to_string()));
        ApiError::fields(errors)
    })?;
    let account = caller.account(named, Scope::Checkout)?;
    let key = idempotency_key(request.headers())?.map(|key| CallerKey::of_checkout(&account, key));
    Ok((AskedFor { account, credits, currency, success_url, cancel_url, saves_card }, key))
}

/// The prices of the purchase: without a currency, they are those of the account.
async fn prices<'s>(state: &'s State, asked: &AskedFor) -> Result<Result<&'s Pricing, NotSoldIn>, ApiError> {
    match asked.currency.as_deref() {
        Some(code) => Ok(state.app.pricing.by_code(Some(code))),
        None => Ok(Ok(account_prices(&state.app, &asked.account).await?)),
    }
}

/// Checks the request against the current settings. Returns both URLs.
fn check(
    state: &HttpState,
    credits: i64,
    (success_url, cancel_url): (&str, Option<&str>),
    prices: Result<&Pricing, NotSoldIn>,
) -> Result<(RedirectUrl, Option<RedirectUrl>), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut url = |field: &str, text: &str| {
        let url = RedirectUrl::parse(text, &state.allowed_origins);
        url.map_err(|error| errors.push(FieldError::new(field, "invalid_url", error.to_string()))).ok()
    };
    let success_url = url("successUrl", success_url);
    let cancel_url = cancel_url.map(|text| url("cancelUrl", text));
    match prices {
        Err(error) => errors.push(FieldError::new("currency", "unknown_currency", error.to_string())),
        Ok(prices) => {
            if let Err(error) = prices.quote(credits) {
                errors.push(FieldError::new("credits", error.code(), error.to_string()));
            }
        }
    }
    match success_url {
        Some(success_url) if errors.is_empty() => Ok((success_url, cancel_url.flatten())),
        _ => Err(errors),
    }
}

/// Returns the state of a top-up, for the page that the customer returns to.
///
/// Requires a customer's token, which shows that customer's top-ups only; a token with the admin scope; or an API key
/// with the scope `read` or `checkout`.
///
/// If the webhook has not arrived yet, Topup asks Stripe, at most once per checkout session in five seconds, so that a
/// returning customer sees the credits at once. If an account polls many sessions too often, the answer is what Topup
/// has recorded.
#[utoipa::path(
    operation_id = "getCheckout",
    tag = "checkout",
    params(("id" = String, Path, description = "The id of the checkout session", example = "cs_test_a1b2c3")),
    responses(
        (status = 200, description = "The current state of the top-up.", body = Session),
        (status = 404, description = "There is no such checkout session, or it is not visible to the caller.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Tokens cannot be verified at the moment, or the service is too busy; try again later.", body = Problem, content_type = "application/problem+json"),
        CallerProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/sessions/{id}")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Session>, ApiError> {
    let visible = visible_to(&request, &state).await?;
    let not_found = || ApiError::not_found("there is no such checkout session");
    let session = SessionId::parse(state.app.provider.name, path.into_inner()).map_err(|_| not_found())?;
    let app = state.app.clone();
    let check = async move { check_session(&app, &session, &visible).await };
    let topup = state.run(check).await??.ok_or_else(not_found)?;
    Session::try_from(topup).map(Json)
}

/// Which sessions the caller may see.
///
/// # Errors
/// 401 and 403 without credentials that may see any.
pub(super) async fn visible_to(request: &HttpRequest, state: &State) -> Result<Visible, ApiError> {
    let caller = Caller::of(request, state).await?;
    if let Caller::Server(key) = &caller
        && !key.may(Scope::Read)
        && !key.may(Scope::Checkout)
    {
        return Err(ApiError::forbidden("scope_missing", "this API key lacks the scope read or checkout"));
    }
    Ok(caller.visible())
}
