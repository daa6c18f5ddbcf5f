//! Limits of spending, for an account and for subjects within it.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, delete, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::api_keys::Scope;
use crate::books::limit::set_limit::{LimitKey, remove_limit, set_limit};
use crate::books::limit::show_limits::{Which, limits_now};
use crate::domain::account::AccountId;
use crate::domain::spend_limit::{Period, SpendLimit};
use crate::http::auth::Caller;
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::server::spending::caller::Spender;
use crate::http::server::spending::fields::{MAX_CREDITS, is_subject};
use crate::http::state::{HttpState, State};

/// A limit of spending.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// The part of the account that it is for; null for the whole account.
    #[schema(example = "team-a")]
    subject: Option<String>,
    /// `day`, `month` (both of UTC) or `total`.
    #[schema(example = "month")]
    period: &'static str,
    /// The most credits that may be spent in the period.
    #[schema(example = 10_000)]
    credits: i64,
    /// The credits spent in the period, less what was given back of them.
    #[schema(example = 9_000)]
    used_credits: i64,
    /// The credits that open holds reserve, whenever they were made.
    #[schema(example = 200)]
    held_credits: i64,
    /// The credits that can still be spent or reserved; at least 0.
    #[schema(example = 800)]
    left_credits: i64,
    /// When `usedCredits` begins at 0 again; null for `total`.
    #[schema(example = "2026-12-01T00:00:00Z")]
    resets_at: Option<String>,
}

/// A page of limits, ordered by subject and period.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    data: Vec<Limit>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "month_team-a")]
    next_cursor: Option<String>,
}

/// How many credits may be spent.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetLimit {
    /// The most credits that may be spent in the period; 0 stops all spending.
    #[validate(range(min = 0, max = MAX_CREDITS, message = "must be 0 to 9007199254740991"))]
    #[schema(example = 10_000)]
    credits: i64,
}

#[derive(Debug, Deserialize, Validate)]
struct SubjectQuery {
    #[validate(custom(function = is_subject))]
    subject: Option<String>,
}

#[derive(Debug, Deserialize, Validate)]
struct LimitsQuery {
    #[validate(custom(function = is_subject))]
    subject: Option<String>,
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

fn period(text: &str) -> Result<Period, ApiError> {
    Period::parse(text)
        .ok_or_else(|| ApiError::field("period", "invalid_period", "must be day, month or total, as in …/limits/month"))
}

/// Limits as the caller sees them.
///
/// # Errors
/// 500 when a stored time is corrupt.
pub(super) fn limit(limit: SpendLimit) -> Result<Limit, ApiError> {
    Ok(Limit {
        left_credits: limit.room(),
        resets_at: limit.resets_at_ms().map(rfc3339).transpose()?,
        subject: Some(limit.subject).filter(|subject| !subject.is_empty()),
        period: limit.period.as_str(),
        credits: limit.credits,
        used_credits: limit.used,
        held_credits: limit.held,
    })
}

/// Lists the limits of the caller's account.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account.
#[utoipa::path(
    operation_id = "listLimits",
    tag = "spending",
    params(
        ("subject" = Option<String>, Query, description = "Only those of this subject", example = "team-a"),
        ("limit" = Option<i64>, Query, description = "Limits per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "month_team-a"),
    ),
    responses((status = 200, description = "A page of limits.", body = Limits), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/limits")]
pub async fn list_own(request: HttpRequest, state: State) -> Result<Json<Limits>, ApiError> {
    limits(&request, &state, None).await
}

/// Lists the limits of an account.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "listAccountLimits",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("subject" = Option<String>, Query, description = "Only those of this subject", example = "team-a"),
        ("limit" = Option<i64>, Query, description = "Limits per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "month_team-a"),
    ),
    responses((status = 200, description = "A page of limits.", body = Limits), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/limits")]
pub async fn list(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Limits>, ApiError> {
    limits(&request, &state, Some(account_id(&path)?)).await
}

async fn limits(request: &HttpRequest, state: &HttpState, named: Option<AccountId>) -> Result<Json<Limits>, ApiError> {
    let account = Caller::of(request, state).await?.account(named, Scope::Read)?;
    let query: LimitsQuery = read_query(request)?;
    let limit_of_page = query.limit.unwrap_or(20);
    let (after_period, after_subject) = match query.cursor.as_deref() {
        None => (String::new(), String::new()),
        Some(cursor) => place(cursor)?,
    };
    // A subject has at most three limits, which are one page.
    let is_page = query.subject.is_none();
    let which = match query.subject {
        Some(subject) => Which::Of(subject),
        None => Which::After(after_subject, after_period, limit_of_page.saturating_add(1)),
    };
    let app = state.app.clone();
    let (_, mut found) = state.run(async move { limits_now(&app, &account, which).await }).await??;
    let fits = usize::try_from(limit_of_page).unwrap_or(usize::MAX);
    let has_more = is_page && found.len() > fits;
    if has_more {
        found.truncate(fits);
    }
    let last = found.last().filter(|_| has_more);
    let next_cursor = last.map(|last| format!("{}_{}", last.period.as_str(), last.subject));
    Ok(Json(Limits { data: found.into_iter().map(limit).collect::<Result<_, _>>()?, next_cursor }))
}

/// A cursor is a period and a subject.
fn place(cursor: &str) -> Result<(String, String), ApiError> {
    let place =
        cursor.split_once('_').filter(|(period, subject)| Period::parse(period).is_some() && !subject.contains('\0'));
    let (period, subject) = place
        .ok_or_else(|| ApiError::field("cursor", "invalid_cursor", "must be the nextCursor of the page before"))?;
    Ok((period.to_owned(), subject.to_owned()))
}

/// Returns a limit of the caller's account.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account.
#[utoipa::path(
    operation_id = "getLimit",
    tag = "spending",
    params(
        ("period" = String, Path, description = "`day`, `month` or `total`", example = "month"),
        ("subject" = Option<String>, Query, description = "The part of the account; none for the whole account", example = "team-a"),
    ),
    responses((status = 200, description = "The limit.", body = Limit), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/limits/{period}")]
pub async fn read_own(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Limit>, ApiError> {
    let account = Caller::of(&request, &state).await?.account(None, Scope::Read)?;
    shown(&request, &state, account, &path).await.map(Json)
}

/// Returns a limit.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "getAccountLimit",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("period" = String, Path, description = "`day`, `month` or `total`", example = "month"),
        ("subject" = Option<String>, Query, description = "The part of the account; none for the whole account", example = "team-a"),
    ),
    responses((status = 200, description = "The limit.", body = Limit), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/limits/{period}")]
pub async fn read(request: HttpRequest, path: Path<(String, String)>, state: State) -> Result<Json<Limit>, ApiError> {
    let (account, period) = path.into_inner();
    let account = Caller::of(&request, &state).await?.account(Some(account_id(&account)?), Scope::Read)?;
    shown(&request, &state, account, &period).await.map(Json)
}

/// The limit of the period in the path, and of the subject in the query.
async fn shown(request: &HttpRequest, state: &HttpState, account: AccountId, named: &str) -> Result<Limit, ApiError> {
    let period = period(named)?;
    let query: SubjectQuery = read_query(request)?;
    let which = Which::Of(query.subject.unwrap_or_default());
    let app = state.app.clone();
    let (_, found) = state.run(async move { limits_now(&app, &account, which).await }).await??;
    found.into_iter().find(|limit| limit.period == period).map_or_else(|| Err(no_limit()), limit)
}

fn no_limit() -> ApiError {
    ApiError::not_found("there is no such limit")
}

/// Sets a limit.
///
/// Requires an API key with the scope `spend`. What was spent in the running period and what open holds reserve count
/// against it. The account need not have had credits before. A lower limit takes nothing back.
#[utoipa::path(
    operation_id = "setAccountLimit",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("period" = String, Path, description = "`day`, `month` or `total`", example = "month"),
        ("subject" = Option<String>, Query, description = "The part of the account; none for the whole account", example = "team-a"),
    ),
    request_body = SetLimit,
    responses(
        (status = 200, description = "The limit.", body = Limit),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[put("/accounts/{accountId}/credits/limits/{period}")]
pub async fn set(
    request: HttpRequest,
    path: Path<(String, String)>,
    payload: Payload,
    state: State,
) -> Result<Json<Limit>, ApiError> {
    let key = limit_key(&request, &state, &path).await?;
    let body: SetLimit = read_json(&request, payload, &state).await?;
    let (app, account, named) = (state.app.clone(), key.account.clone(), path.1.clone());
    state.run(async move { set_limit(&app, key, body.credits).await }).await??;
    shown(&request, &state, account, &named).await.map(Json)
}

/// Removes a limit.
///
/// Requires an API key with the scope `spend`. Removing a limit that is not there changes nothing.
#[utoipa::path(
    operation_id = "removeAccountLimit",
    tag = "spending",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("period" = String, Path, description = "`day`, `month` or `total`", example = "month"),
        ("subject" = Option<String>, Query, description = "The part of the account; none for the whole account", example = "team-a"),
    ),
    responses((status = 204, description = "There is no such limit any more."), CallerProblems, Problem503),
    security(("apiKey" = [])),
)]
#[delete("/accounts/{accountId}/credits/limits/{period}")]
pub async fn remove(
    request: HttpRequest,
    path: Path<(String, String)>,
    state: State,
) -> Result<HttpResponse, ApiError> {
    let key = limit_key(&request, &state, &path).await?;
    let app = state.app.clone();
    state.run(async move { remove_limit(&app, key).await }).await??;
    Ok(HttpResponse::NoContent().finish())
}

async fn limit_key(request: &HttpRequest, state: &HttpState, path: &(String, String)) -> Result<LimitKey, ApiError> {
    let account = Spender::of(request, state).await?.account(&path.0)?;
    let period = period(&path.1)?;
    let query: SubjectQuery = read_query(request)?;
    Ok(LimitKey { account, subject: query.subject.unwrap_or_default(), period })
}
