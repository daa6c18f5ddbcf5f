//! Whether an account could spend. The answer promises nothing; a hold does.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::books::limit::show_limits::{Which, limits_now};
use crate::domain::account::AccountId;
use crate::http::auth::Caller;
use crate::http::kit::body::read_query;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::server::spending::fields::{MAX_CREDITS, is_subject};
use crate::http::server::spending::limits::{Limit, limit};
use crate::http::state::State;

#[derive(Debug, Deserialize, Validate)]
struct AccessQuery {
    #[validate(range(min = 1, max = MAX_CREDITS, message = "must be 1 to 9007199254740991"))]
    credits: Option<i64>,
    #[validate(custom(function = is_subject))]
    subject: Option<String>,
}

/// Whether an account could spend.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Whether a debit of so many credits would succeed now.
    #[schema(example = true)]
    allowed: bool,
    /// The code of the problem that a debit would get: `spend_limit_reached`, `insufficient_credits`, `credits_held` or
    /// `account_blocked`; null if it would succeed.
    #[schema(example = "insufficient_credits")]
    code: Option<&'static str>,
    /// Credits that can be spent or reserved now.
    #[schema(example = 200)]
    available_credits: i64,
    /// Credits that open holds reserve.
    #[schema(example = 50)]
    held_credits: i64,
    /// The limits that the debit would meet: the account's and the subject's.
    limits: Vec<Limit>,
}

/// Says whether the caller's account could spend.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account. The answer promises
/// nothing: reserve the credits with a hold if the work depends on them.
#[utoipa::path(
    operation_id = "getAccess",
    tag = "spending",
    params(
        ("credits" = Option<i64>, Query, description = "How many credits; default 1", example = 12),
        ("subject" = Option<String>, Query, description = "The part of the account that would spend", example = "team-a"),
    ),
    responses((status = 200, description = "Whether it could.", body = Access), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/access")]
pub async fn read_own(request: HttpRequest, state: State) -> Result<Json<Access>, ApiError> {
    access(&request, &state, None).await
}

/// Says whether an account could spend.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`. The answer
/// promises nothing: reserve the credits with a hold if the work depends on them.
#[utoipa::path(
    operation_id = "getAccountAccess",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("credits" = Option<i64>, Query, description = "How many credits; default 1", example = 12),
        ("subject" = Option<String>, Query, description = "The part of the account that would spend", example = "team-a"),
    ),
    responses((status = 200, description = "Whether it could.", body = Access), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/access")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Access>, ApiError> {
    access(&request, &state, Some(account_id(&path)?)).await
}

async fn access(request: &HttpRequest, state: &State, named: Option<AccountId>) -> Result<Json<Access>, ApiError> {
    let account = Caller::of(request, state).await?.account(named, Scope::Read)?;
    let query: AccessQuery = read_query(request)?;
    let credits = query.credits.unwrap_or(1);
    let app = state.app.clone();
    let which = Which::MetBy(query.subject.unwrap_or_default());
    let (balance, limits) = state.run(async move { limits_now(&app, &account, which).await }).await??;
    let funds = balance.funds();
    let code = if balance.is_blocked {
        Some("account_blocked")
    } else if limits.iter().any(|limit| limit.room() < credits) {
        Some("spend_limit_reached")
    } else if funds.available() >= credits {
        None
    } else if funds.remaining >= credits {
        Some("credits_held")
    } else {
        Some("insufficient_credits")
    };
    Ok(Json(Access {
        allowed: code.is_none(),
        code,
        available_credits: funds.available(),
        held_credits: funds.held,
        limits: limits.into_iter().map(limit).collect::<Result<_, _>>()?,
    }))
}
