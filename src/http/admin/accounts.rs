//! Single accounts for the operator: their balance, and whether they may spend.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::books::block_account::{AccountBlock, BlockAccount, block_account, read_block};
use crate::books::settle_account::balance_now;
use crate::domain::account::AccountId;
use crate::domain::ledger::Balance;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_json;
use crate::http::kit::fields::{account_id, is_reason};
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;

/// Why an account is blocked or unblocked.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockReason {
    /// The reason, for the record: 1 to 500 printable characters.
    #[validate(required(message = "is missing; say why"), custom(function = is_reason))]
    #[schema(required, nullable = false, example = "Its key was stolen")]
    reason: Option<String>,
}

/// An account, and whether it may spend.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountDetails {
    #[schema(example = "user_1")]
    account_id: String,
    /// Whether an operator has blocked it.
    #[schema(example = true)]
    blocked: bool,
    /// Why it was blocked or unblocked the last time; null if it never was.
    #[schema(example = "Its key was stolen")]
    block_reason: Option<String>,
    /// Who did so: an API key with its name, or a token's subject.
    #[schema(example = "API key key_019a0000000070008000000000000000 (back office)")]
    block_changed_by: Option<String>,
    /// When.
    #[schema(example = "2026-11-21T12:01:00Z")]
    block_changed_at: Option<String>,
    /// Its balance.
    #[schema(example = 250)]
    remaining_credits: i64,
    /// Credits that open holds reserve.
    #[schema(example = 50)]
    held_credits: i64,
    /// Credits that could be spent or reserved now if it is not blocked.
    #[schema(example = 200)]
    available_credits: i64,
    /// How far the balance is below zero; otherwise 0.
    #[schema(example = 0)]
    owed_credits: i64,
}

/// Returns an account: its balance, and whether it is blocked.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "getAccount",
    tag = "admin",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    responses(
        (status = 200, description = "The account.", body = AccountDetails),
        (status = 404, description = "The account never had credits (`unknown_account`).", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/accounts/{accountId}")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<AccountDetails>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let account = account_id(&path)?;
    let app = state.app.clone();
    let read = async move {
        let latest = read_block(&app, &account, &admin.operator).await?;
        Ok::<_, ApiError>((latest, balance_now(&app, &account).await?))
    };
    let (latest, balance) = state.run(read).await??;
    view(latest, &balance).map(Json)
}

/// Blocks an account: it begins nothing new.
///
/// Debits, holds and extensions get 403 `account_blocked`. Holds that are open can still be captured and released, and
/// credits can still be bought and given. Blocking it again changes nothing. Requires a token with the admin scope, or
/// an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "blockAccount",
    tag = "admin",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    request_body = BlockReason,
    responses(
        (status = 200, description = "The account is blocked.", body = AccountDetails),
        (status = 404, description = "The account never had credits (`unknown_account`).", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/accounts/{accountId}/block")]
pub async fn block(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<AccountDetails>, ApiError> {
    set_blocked(&request, &path, payload, &state, true).await
}

/// Lets a blocked account spend again.
///
/// An account that is not blocked is left as it is. Requires a token with the admin scope, or an API key with the scope
/// `admin`.
#[utoipa::path(
    operation_id = "unblockAccount",
    tag = "admin",
    params(("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1")),
    request_body = BlockReason,
    responses(
        (status = 200, description = "The account is not blocked.", body = AccountDetails),
        (status = 404, description = "The account never had credits (`unknown_account`).", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/accounts/{accountId}/unblock")]
pub async fn unblock(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<AccountDetails>, ApiError> {
    set_blocked(&request, &path, payload, &state, false).await
}

async fn set_blocked(
    request: &HttpRequest,
    path: &str,
    payload: Payload,
    state: &State,
    is_blocked: bool,
) -> Result<Json<AccountDetails>, ApiError> {
    let admin = Admin::of(request, state).await?;
    let body: BlockReason = read_json(request, payload, state).await?;
    let account: AccountId = account_id(path)?;
    let app = state.app.clone();
    let change = async move {
        let reason = body.reason.unwrap_or_default();
        let change = BlockAccount { account: account.clone(), is_blocked, reason, operator: admin.operator };
        let latest = block_account(&app, change).await?;
        Ok::<_, ApiError>((latest, balance_now(&app, &account).await?))
    };
    let (latest, balance) = state.run(change).await??;
    view(latest, &balance).map(Json)
}

fn view(latest: Option<AccountBlock>, balance: &Balance) -> Result<AccountDetails, ApiError> {
    let funds = balance.funds();
    let changed_at = latest.as_ref().map(|latest| rfc3339(latest.created_at)).transpose()?;
    let (reason, changed_by) = latest.map(|latest| (latest.reason, latest.made_by)).unzip();
    Ok(AccountDetails {
        account_id: balance.account.as_str().to_owned(),
        blocked: balance.is_blocked,
        block_reason: reason,
        block_changed_by: changed_by,
        block_changed_at: changed_at,
        remaining_credits: funds.remaining,
        held_credits: funds.held,
        available_credits: funds.available(),
        owed_credits: funds.owed(),
    })
}
