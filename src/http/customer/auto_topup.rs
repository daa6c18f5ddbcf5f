//! Auto top-up: the customer turns it on, with rules and consent, and sees where it stands.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, get, post, put};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::account::AccountId;
use crate::domain::auto_topup::{Caps, ConsentVersion, MAX_PER_DAY};
use crate::domain::currency::Currency;
use crate::domain::ids::PaymentMethodId;
use crate::domain::payer::Payer;
use crate::domain::redirect::RedirectUrl;
use crate::http::auth::Caller;
use crate::http::customer::auto_topup_view::{AutoTopup, view};
use crate::http::customer::payment_methods::{OfAccount, account_of, pages};
use crate::http::customer::sessions::{CreatedSession, who_asks};
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::openapi::{CallerProblems, Problem503, ProviderProblems};
use crate::http::kit::problem::{ApiError, FieldError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::{HttpState, State};
use crate::purchases::account_currency::account_prices;
use crate::recurring::auto_topup::change::{turn_off, turn_on};
use crate::recurring::auto_topup::recovery::recovery_page;
use crate::recurring::auto_topup::settings::{Consent, Rules};
use crate::recurring::auto_topup::show;

/// The largest number that every JSON reader keeps exactly.
const MAX_NUMBER: i64 = 9_007_199_254_740_991;

/// What the customer agreed to. Kept as evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GivenConsent {
    /// The version of the text that the customer read and agreed to: 1 to 100 printable characters.
    #[schema(required, nullable = false, example = "2026-11-30")]
    text_version: Option<String>,
    /// From a server: the customer's address. From a customer, the address of the request is kept.
    #[schema(example = "203.0.113.7")]
    ip: Option<String>,
    /// From a server: the customer's user agent. From a customer, that of the request is kept.
    #[schema(example = "Mozilla/5.0")]
    user_agent: Option<String>,
}

/// When to buy credits by itself, how many, and how often at most.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetAutoTopup {
    /// Whether credits are bought. With false, nothing else is needed.
    #[validate(required(message = "is missing; true or false"))]
    #[schema(required, nullable = false, example = true)]
    enabled: Option<bool>,
    /// Credits are bought when fewer than this are available.
    #[validate(range(min = 1, max = MAX_NUMBER, message = "must be 1 to 9007199254740991"))]
    #[schema(example = 500)]
    threshold_credits: Option<i64>,
    /// How many credits are bought at a time: as for a checkout.
    #[schema(example = 1_000)]
    credits: Option<i64>,
    /// The most purchases in a day (UTC): 1 to 100.
    #[validate(range(min = 1, max = MAX_PER_DAY, message = "must be 1 to 100"))]
    #[schema(example = 3)]
    max_per_day: Option<i64>,
    /// The currency to pay in and of `maxPerMonthMinor`: one that credits are sold in. Defaults to the account's.
    #[schema(example = "usd")]
    currency: Option<String>,
    /// The most that is charged in a month (UTC), in minor units.
    #[validate(range(min = 1, max = MAX_NUMBER, message = "must be 1 to 9007199254740991"))]
    #[schema(example = 10_000)]
    max_per_month_minor: Option<i64>,
    /// The card to charge. By default that which is the customer's default at the time.
    #[schema(example = "pm_1a2b3c")]
    payment_method_id: Option<String>,
    /// Where the customer goes after confirming a payment that the bank asked about: an absolute URL on one of the
    /// `ALLOWED_ORIGINS`. Defaults to the first of them.
    #[schema(example = "https://app.example.com/billing")]
    return_url: Option<String>,
    /// The customer's consent; required to enable.
    consent: Option<GivenConsent>,
    /// The account. Defaults to the token's subject, or to the account that the API key is bound to.
    #[schema(example = "user_1")]
    account_id: Option<String>,
}

/// Where the customer goes after the page.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRecovery {
    /// Where the customer goes after paying: an absolute URL on one of the `ALLOWED_ORIGINS`.
    #[validate(required(message = "is missing; say where the customer goes afterwards"))]
    #[schema(required, nullable = false, example = "https://app.example.com/billing")]
    success_url: Option<String>,
    /// Where the customer goes after leaving the page without paying.
    #[schema(example = "https://app.example.com/billing?cancelled=1")]
    cancel_url: Option<String>,
    /// The account. Defaults to the token's subject, or to the account that the API key is bound to.
    #[schema(example = "user_1")]
    account_id: Option<String>,
}

async fn account_with(
    request: &HttpRequest,
    state: &HttpState,
    named: Option<String>,
) -> Result<(AccountId, Caller), ApiError> {
    let found = account_of(request, state, named).await?;
    if state.app.recurring.auto_topup { Ok(found) } else { Err(ApiError::auto_topup_off()) }
}

async fn shown(state: &HttpState, account: &AccountId) -> Result<Json<AutoTopup>, ApiError> {
    let (app, id) = (state.app.clone(), account.clone());
    let found = async move {
        let currency = account_prices(&app, &id).await?.currency();
        Ok::<_, ApiError>((currency, show::auto_topup(&app, &id).await?))
    };
    let (currency, found) = state.run(found).await??;
    view(account, found, currency).map(Json)
}

/// Returns an account's auto top-up: its rules, its state, and the last attempts.
///
/// Requires a customer's token, or an API key with the scope `checkout`.
#[utoipa::path(
    operation_id = "getAutoTopup",
    tag = "cards",
    params(("accountId" = Option<String>, Query, description = "The account; defaults to that of the credentials", example = "user_1")),
    responses(
        (status = 200, description = "The auto top-up; its state is `off` if it was never turned on.", body = AutoTopup),
        (status = 409, description = "No cards are saved (`saved_cards_off`) or charged (`auto_topup_off`) here.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/auto-topup")]
pub async fn read(request: HttpRequest, state: State) -> Result<Json<AutoTopup>, ApiError> {
    let query: OfAccount = read_query(&request)?;
    let (account, _) = account_with(&request, &state, query.account_id).await?;
    shown(&state, &account).await
}

/// Turns auto top-up on, with new rules and consent, or off.
///
/// Requires a customer's token, or an API key with the scope `checkout`. If fewer credits than the threshold are
/// available already, the first charge follows at once. Turning it on again ends a pause.
#[utoipa::path(
    operation_id = "setAutoTopup",
    tag = "cards",
    request_body = SetAutoTopup,
    responses(
        (status = 200, description = "The auto top-up.", body = AutoTopup),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            description = "There is no such saved card (`no_saved_card`), or it has expired (`card_expired`); or no cards \
                are saved (`saved_cards_off`) or charged (`auto_topup_off`) here.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[put("/auto-topup")]
pub async fn set(request: HttpRequest, payload: Payload, state: State) -> Result<Json<AutoTopup>, ApiError> {
    Caller::of(&request, &state).await?;
    let body: SetAutoTopup = read_json(&request, payload, &state).await?;
    let (account, caller) = account_with(&request, &state, body.account_id.clone()).await?;
    state.limits.check_account(&account)?;
    let (app, id) = (state.app.clone(), account.clone());
    if body.enabled == Some(true) {
        let asked_from = who_asks(&request, &state, &caller);
        let currency = match body.currency.as_deref() {
            Some(code) => app.pricing.by_code(Some(code))?.currency(),
            None => account_prices(&app, &id).await?.currency(),
        };
        let (rules, consent) = agreed(&state, &caller, (asked_from, currency), body)?;
        state.run(async move { turn_on(&app, &id, rules, consent).await }).await??;
    } else {
        state.run(async move { turn_off(&app, &id).await }).await??;
    }
    shown(&state, &account).await
}

/// The rules and the consent, if all of them are there and valid.
fn agreed(
    state: &HttpState,
    caller: &Caller,
    (asked_from, currency): (Payer, Currency),
    body: SetAutoTopup,
) -> Result<(Rules, Consent), ApiError> {
    let mut errors = Vec::new();
    let mut number = |field: &str, number: Option<i64>| {
        number.unwrap_or_else(|| {
            errors.push(FieldError::new(field, "required", "is missing; it is needed to enable auto top-up"));
            1
        })
    };
    let (threshold_credits, credits) =
        (number("thresholdCredits", body.threshold_credits), number("credits", body.credits));
    let caps = Caps {
        max_per_day: number("maxPerDay", body.max_per_day),
        max_per_month_minor: number("maxPerMonthMinor", body.max_per_month_minor),
    };
    let card = body.payment_method_id.map(|id| PaymentMethodId::parse(state.app.provider.name, id)).transpose();
    let card = card.unwrap_or_else(|_| {
        errors.push(FieldError::new("paymentMethodId", "invalid_id", "is not the id of a saved card"));
        None
    });
    let return_url = match body.return_url {
        Some(text) => match RedirectUrl::parse(&text, &state.allowed_origins) {
            Ok(url) => url.as_str().to_owned(),
            Err(error) => {
                errors.push(FieldError::new("returnUrl", "invalid_url", error.to_string()));
                String::new()
            }
        },
        None => state.allowed_origins.first().map_or_else(|| state.public_url.clone(), ToString::to_string),
    };
    let version = match body.consent.as_ref().and_then(|consent| consent.text_version.as_deref()) {
        None => {
            let message = "its textVersion is missing: a card is charged only with the customer's consent";
            errors.push(FieldError::new("consent", "required", message));
            None
        }
        Some(text) => match ConsentVersion::parse(text) {
            Ok(version) => Some(version),
            Err(error) => {
                errors.push(FieldError::new("consent.textVersion", "invalid_version", error.to_string()));
                None
            }
        },
    };
    let Some(version) = version.filter(|_| errors.is_empty()) else { return Err(ApiError::fields(errors)) };
    let consent = consent(caller, asked_from, version, body.consent);
    Ok((Rules { threshold_credits, credits, currency, caps, card, return_url }, consent))
}

/// What a customer's own request says cannot be said otherwise in its body.
fn consent(caller: &Caller, asked_from: Payer, version: ConsentVersion, given: Option<GivenConsent>) -> Consent {
    let (by, from) = match caller {
        Caller::Customer { .. } => ("customer".to_owned(), asked_from),
        Caller::Server(key) => {
            let (client_ip, user_agent) = given.map_or((None, None), |given| (given.ip, given.user_agent));
            (key.id.clone(), Payer { client_ip, user_agent, ..Payer::default() })
        }
    };
    let from = from.tidied();
    Consent { version, by, ip: from.client_ip, agent: from.user_agent }
}

/// Opens the page on which the customer confirms a payment that the bank asked about: a checkout for the same credits.
///
/// Requires a customer's token, or an API key with the scope `checkout`. If such a page is open already, it is returned.
#[utoipa::path(
    operation_id = "createAutoTopupRecovery",
    tag = "cards",
    request_body = CreateRecovery,
    responses(
        (status = 200, description = "The page is open.", body = CreatedSession),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            description = "No payment waits for the customer (`recovery_not_needed`); or no cards are saved \
                (`saved_cards_off`) or charged (`auto_topup_off`) here.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/auto-topup/recovery")]
pub async fn recover(request: HttpRequest, payload: Payload, state: State) -> Result<Json<CreatedSession>, ApiError> {
    Caller::of(&request, &state).await?;
    let body: CreateRecovery = read_json(&request, payload, &state).await?;
    let (account, _) = account_with(&request, &state, body.account_id).await?;
    state.limits.check_account(&account)?;
    let success_url = body.success_url.unwrap_or_default();
    let (success_url, cancel_url) = pages(&state, &success_url, body.cancel_url.as_deref())?;
    let app = state.app.clone();
    let opening = async move { Box::pin(recovery_page(&app, &account, success_url, cancel_url)).await };
    let page = state.run(opening).await??;
    Ok(Json(CreatedSession { id: page.session, url: page.url, expires_at: rfc3339(page.expires_at_ms)? }))
}
