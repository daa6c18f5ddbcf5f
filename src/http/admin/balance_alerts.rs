//! Below how many available credits the message `balance.low` is sent for an account.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, delete, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::account::AccountId;
use crate::domain::credit_unit::MAX_CREDITS;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_json;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::{HttpState, State};
use crate::outbox::balance_alerts::{balance_alert, set_threshold};

/// When an account's balance is low.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceAlert {
    #[schema(example = "user_1")]
    account_id: String,
    /// It is low when fewer credits are available; null: never.
    #[schema(example = 1_000)]
    low_credits: Option<i64>,
    /// Whether that is the account's own threshold, and not `LOW_BALANCE_CREDITS`.
    #[schema(example = true)]
    is_own: bool,
    /// Whether `balance.low` was sent last, and not `balance.recovered`.
    #[schema(example = false)]
    is_low: bool,
}

/// An account's own threshold.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetBalanceAlert {
    /// The balance is low when fewer credits are available; 0 for never.
    #[validate(
        required(message = "is missing; say below how many credits the balance is low"),
        range(min = 0, max = MAX_CREDITS, message = "must be 0 to 9007199254740991")
    )]
    #[schema(required, nullable = false, example = 1_000)]
    low_credits: Option<i64>,
}

async fn account_of(request: &HttpRequest, state: &HttpState, named: &str) -> Result<AccountId, ApiError> {
    let admin = Admin::of(request, state).await?;
    let account = account_id(named)?;
    if admin.operator.may_act_for(&account) {
        return Ok(account);
    }
    Err(ApiError::forbidden("account_forbidden", "these credentials are not for that account"))
}

async fn shown(state: &HttpState, account: AccountId) -> Result<Json<BalanceAlert>, ApiError> {
    let (app, account_id) = (state.app.clone(), account.to_string());
    let alert = state.run(async move { balance_alert(&app, &account).await }).await??;
    Ok(Json(BalanceAlert { account_id, low_credits: alert.low_credits, is_own: alert.is_own, is_low: alert.is_low }))
}

/// Returns when an account's balance is low.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "getBalanceAlert",
    tag = "messages",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    responses((status = 200, description = "The threshold.", body = BalanceAlert), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/accounts/{accountId}/alerts")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<BalanceAlert>, ApiError> {
    let account = account_of(&request, &state, &path).await?;
    shown(&state, account).await
}

/// Sets an account's own threshold.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`. The account need not have had credits
/// before. If its balance is low by the new threshold and was not before, `balance.low` is sent.
#[utoipa::path(
    operation_id = "setBalanceAlert",
    tag = "messages",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    request_body = SetBalanceAlert,
    responses(
        (status = 200, description = "The threshold.", body = BalanceAlert),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[put("/admin/accounts/{accountId}/alerts")]
pub async fn set(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<BalanceAlert>, ApiError> {
    let account = account_of(&request, &state, &path).await?;
    let body: SetBalanceAlert = read_json(&request, payload, &state).await?;
    change(&state, &account, body.low_credits).await?;
    shown(&state, account).await
}

/// Removes an account's own threshold, so that `LOW_BALANCE_CREDITS` counts again.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "removeBalanceAlert",
    tag = "messages",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    responses((status = 200, description = "The threshold of the settings.", body = BalanceAlert), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[delete("/admin/accounts/{accountId}/alerts")]
pub async fn remove(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<BalanceAlert>, ApiError> {
    let account = account_of(&request, &state, &path).await?;
    change(&state, &account, None).await?;
    shown(&state, account).await
}

async fn change(state: &HttpState, account: &AccountId, low_credits: Option<i64>) -> Result<(), ApiError> {
    let (app, account) = (state.app.clone(), account.clone());
    Ok(state.run(async move { set_threshold(&app, &account, low_credits).await }).await??)
}
