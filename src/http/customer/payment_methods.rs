//! Saved cards: a customer saves, sees, chooses and removes them.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::domain::account::AccountId;
use crate::domain::ids::PaymentMethodId;
use crate::domain::redirect::RedirectUrl;
use crate::http::auth::Caller;
use crate::http::customer::sessions::CreatedSession;
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem404, ProviderProblems};
use crate::http::kit::problem::{ApiError, FieldError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::{HttpState, State};
use crate::recurring::cards::keep_cards::{self, Cards};
use crate::recurring::cards::open_setup::open_setup;

/// Where the customer goes after the page.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateCardSetup {
    /// Where the customer goes after saving the card: an absolute URL on one of the `ALLOWED_ORIGINS`.
    #[validate(required(message = "is missing; say where the customer goes afterwards"))]
    #[schema(required, nullable = false, example = "https://app.example.com/billing")]
    success_url: Option<String>,
    /// Where the customer goes after leaving the page without saving a card.
    #[schema(example = "https://app.example.com/billing?cancelled=1")]
    cancel_url: Option<String>,
    /// The account. Defaults to the token's subject, or to the account that the API key is bound to.
    #[schema(example = "user_1")]
    account_id: Option<String>,
}

/// Which card is charged where none is named.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetDefaultCard {
    /// The card.
    #[validate(required(message = "is missing; say which card"))]
    #[schema(required, nullable = false, example = "pm_1a2b3c")]
    payment_method_id: Option<String>,
    /// The account. Defaults to the token's subject, or to the account that the API key is bound to.
    #[schema(example = "user_1")]
    account_id: Option<String>,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfAccount {
    pub(super) account_id: Option<String>,
}

/// A saved card.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedCard {
    #[schema(example = "pm_1a2b3c")]
    id: String,
    /// The brand, in Stripe's word.
    #[schema(example = "visa")]
    brand: String,
    /// The last four digits.
    #[schema(example = "4242")]
    last4: String,
    /// The country that issued it, as two letters, if Stripe says so. Its fee may depend on it: `cardCountry` of a quote.
    #[schema(example = "US")]
    country: Option<String>,
    /// The month in which it ends.
    #[schema(example = 12, minimum = 1, maximum = 12)]
    exp_month: i64,
    /// The year in which it ends.
    #[schema(example = 2030)]
    exp_year: i64,
    /// Whether its last month is over.
    #[schema(example = false)]
    is_expired: bool,
    /// Whether it is charged where no card is named.
    #[schema(example = true)]
    is_default: bool,
    #[schema(example = "2026-11-21T12:00:00Z")]
    created_at: String,
}

/// An account's saved cards.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedCards {
    /// Newest first.
    data: Vec<SavedCard>,
}

/// The account of a request, if the caller may act for it and cards are saved here at all.
pub(super) async fn account_of(
    request: &HttpRequest,
    state: &HttpState,
    named: Option<String>,
) -> Result<(AccountId, Caller), ApiError> {
    let caller = Caller::of(request, state).await?;
    let named = named.map(|text| account_id(&text)).transpose()?;
    let account = caller.account(named, Scope::Checkout)?;
    if !state.app.recurring.saves_cards {
        return Err(ApiError::saved_cards_off());
    }
    Ok((account, caller))
}

/// Checks the pages to which the customer is sent.
pub(super) fn pages(
    state: &HttpState,
    success_url: &str,
    cancel_url: Option<&str>,
) -> Result<(RedirectUrl, Option<RedirectUrl>), ApiError> {
    let mut errors = Vec::new();
    let mut url = |field: &str, text: &str| {
        let url = RedirectUrl::parse(text, &state.allowed_origins);
        url.map_err(|error| errors.push(FieldError::new(field, "invalid_url", error.to_string()))).ok()
    };
    let (success_url, cancel_url) = (url("successUrl", success_url), cancel_url.map(|text| url("cancelUrl", text)));
    match success_url {
        Some(success_url) if errors.is_empty() => Ok((success_url, cancel_url.flatten())),
        _ => Err(ApiError::fields(errors)),
    }
}

fn card_id(state: &HttpState, text: &str) -> Option<PaymentMethodId> {
    PaymentMethodId::parse(state.app.provider.name, text).ok()
}

fn shown(state: &HttpState, cards: Cards) -> Result<Json<SavedCards>, ApiError> {
    let Cards { cards, default } = cards;
    let now_ms = state.app.clock.now_ms();
    let data = cards.into_iter().map(|card| {
        Ok(SavedCard {
            is_expired: card.facts.is_expired(now_ms),
            is_default: default.as_ref() == Some(&card.id),
            id: card.id.as_str().to_owned(),
            brand: card.facts.brand,
            last4: card.facts.last4,
            country: card.facts.country,
            exp_month: card.facts.exp_month,
            exp_year: card.facts.exp_year,
            created_at: rfc3339(card.created_ms)?,
        })
    });
    Ok(Json(SavedCards { data: data.collect::<Result<_, ApiError>>()? }))
}

/// Lists the saved cards of an account.
///
/// Requires a customer's token, or an API key with the scope `checkout`. Stripe is asked each time, because cards change
/// there by themselves.
#[utoipa::path(
    operation_id = "listPaymentMethods",
    tag = "cards",
    params(("accountId" = Option<String>, Query, description = "The account; defaults to that of the credentials", example = "user_1")),
    responses(
        (status = 200, description = "The cards.", body = SavedCards),
        (status = 409, description = "No cards are saved here (`saved_cards_off`).", body = Problem, content_type = "application/problem+json"),
        CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/payment-methods")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<SavedCards>, ApiError> {
    let query: OfAccount = read_query(&request)?;
    let (account, _) = account_of(&request, &state, query.account_id).await?;
    state.limits.check_question(&account)?;
    let app = state.app.clone();
    let cards = state.run(async move { keep_cards::cards(&app, &account).await }).await??;
    shown(&state, cards)
}

/// Opens a page on which the customer saves a card without buying anything.
///
/// Requires a customer's token, or an API key with the scope `checkout`. The saved card becomes the default.
#[utoipa::path(
    operation_id = "createCardSetup",
    tag = "cards",
    request_body = CreateCardSetup,
    responses(
        (status = 200, description = "The page is open.", body = CreatedSession),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No cards are saved here (`saved_cards_off`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/payment-methods/sessions")]
pub async fn open(request: HttpRequest, payload: Payload, state: State) -> Result<Json<CreatedSession>, ApiError> {
    // Who asks comes before what is asked for.
    Caller::of(&request, &state).await?;
    let body: CreateCardSetup = read_json(&request, payload, &state).await?;
    let (account, _) = account_of(&request, &state, body.account_id).await?;
    state.limits.check_account(&account)?;
    let success_url = body.success_url.unwrap_or_default();
    let (success_url, cancel_url) = pages(&state, &success_url, body.cancel_url.as_deref())?;
    let app = state.app.clone();
    let opening = async move { open_setup(&app, &account, &success_url, cancel_url.as_ref()).await };
    let opened = state.run(opening).await??;
    Ok(Json(CreatedSession {
        id: opened.session.as_str().to_owned(),
        url: opened.url,
        expires_at: rfc3339(opened.expires_at_seconds.saturating_mul(1_000))?,
    }))
}

/// Makes a card the one that is charged where none is named.
///
/// Requires a customer's token, or an API key with the scope `checkout`. An auto top-up that is paused because there was
/// no card goes on.
#[utoipa::path(
    operation_id = "setDefaultPaymentMethod",
    tag = "cards",
    request_body = SetDefaultCard,
    responses(
        (status = 200, description = "The cards.", body = SavedCards),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No cards are saved here (`saved_cards_off`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem404, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[put("/payment-methods/default")]
pub async fn set_default(request: HttpRequest, payload: Payload, state: State) -> Result<Json<SavedCards>, ApiError> {
    Caller::of(&request, &state).await?;
    let body: SetDefaultCard = read_json(&request, payload, &state).await?;
    let (account, _) = account_of(&request, &state, body.account_id).await?;
    state.limits.check_account(&account)?;
    let card = card_id(&state, &body.payment_method_id.unwrap_or_default()).ok_or_else(ApiError::no_such_card)?;
    let app = state.app.clone();
    let cards = state.run(async move { keep_cards::set_default(&app, &account, &card).await }).await??;
    shown(&state, cards)
}

/// Removes a saved card for good.
///
/// Requires a customer's token, or an API key with the scope `checkout`. An auto top-up that names the card pauses.
#[utoipa::path(
    operation_id = "removePaymentMethod",
    tag = "cards",
    params(
        ("id" = String, Path, description = "The id of the card", example = "pm_1a2b3c"),
        ("accountId" = Option<String>, Query, description = "The account; defaults to that of the credentials", example = "user_1"),
    ),
    responses(
        (status = 204, description = "The card is removed."),
        (status = 409, description = "No cards are saved here (`saved_cards_off`).", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem404, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[delete("/payment-methods/{id}")]
pub async fn remove(request: HttpRequest, path: Path<String>, state: State) -> Result<HttpResponse, ApiError> {
    let query: OfAccount = read_query(&request)?;
    let (account, _) = account_of(&request, &state, query.account_id).await?;
    state.limits.check_account(&account)?;
    let card = card_id(&state, &path).ok_or_else(ApiError::no_such_card)?;
    let app = state.app.clone();
    state.run(async move { keep_cards::remove(&app, &account, &card).await }).await??;
    Ok(HttpResponse::NoContent().finish())
}
