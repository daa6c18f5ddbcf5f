//! Grants: where an account's credits came from, what remains of each, and when it ends.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::api_keys::Scope;
use crate::books::grant::grant_list::{Grant as StoredGrant, grants_now};
use crate::domain::account::AccountId;
use crate::domain::burn::{Category, NEVER_MS};
use crate::http::auth::Caller;
use crate::http::kit::body::read_query;
use crate::http::kit::fields::account_id;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::paging::{before, page};
use crate::http::kit::problem::ApiError;
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;

/// Credits of one origin.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The id of the top-up or adjustment that brought the credits; for a bonus, the top-up's with `:bonus` at its end;
    /// for a promotion an id of its own.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// `purchase`, `bonus`, `promotion`, `adjustment`, `subscription`, or `returned`: credits given back that their first grant could not
    /// take.
    #[schema(example = "purchase")]
    kind: String,
    /// The top-up of a purchase or bonus; null for other kinds.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    topup_id: Option<String>,
    /// `paid` or `promotional`.
    #[schema(example = "paid")]
    category: &'static str,
    /// Lower numbers are spent first. Of equal ones, what ends first is; then promotional credits, then the oldest.
    #[schema(example = 50)]
    priority: i64,
    /// The credits at first.
    #[schema(example = 250)]
    credits: i64,
    /// What remains of them.
    #[schema(example = 180)]
    remaining_credits: i64,
    /// When the rest ends; null for never.
    #[schema(example = "2027-11-21T12:01:00Z")]
    expires_at: Option<String>,
    /// Why an operator gave them; null for other kinds.
    #[schema(example = "Welcome")]
    reason: Option<String>,
    /// When an operator ended it early; null otherwise.
    #[schema(example = "2026-12-01T09:00:00Z")]
    voided_at: Option<String>,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
}

/// A page of grants, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grants {
    data: Vec<Grant>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "41_topup_019a0000000070008000000000000000")]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, Validate)]
struct GrantsQuery {
    #[validate(custom(function = is_state))]
    state: Option<String>,
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

fn is_state(state: &str) -> Result<(), ValidationError> {
    if matches!(state, "open" | "all") {
        return Ok(());
    }
    Err(ValidationError::new("invalid_state").with_message("must be open or all".into()))
}

/// Lists the caller's grants, newest first.
///
/// Requires a customer's token, or an API key with the scope `read` that is bound to one account.
#[utoipa::path(
    operation_id = "listGrants",
    tag = "credits",
    params(
        ("state" = Option<String>, Query, description = "`open` (the default): those with credits left; `all`", example = "open"),
        ("limit" = Option<i64>, Query, description = "Grants per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "41_topup_019a0000000070008000000000000000"),
    ),
    responses((status = 200, description = "A page of grants.", body = Grants), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/grants")]
pub async fn list_own(request: HttpRequest, state: State) -> Result<Json<Grants>, ApiError> {
    grants(&request, &state, None).await
}

/// Lists the grants of an account, newest first.
///
/// Requires the account's own token, a token with the admin scope, or an API key with the scope `read`.
#[utoipa::path(
    operation_id = "listAccountGrants",
    tag = "credits",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("state" = Option<String>, Query, description = "`open` (the default): those with credits left; `all`", example = "open"),
        ("limit" = Option<i64>, Query, description = "Grants per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "41_topup_019a0000000070008000000000000000"),
    ),
    responses((status = 200, description = "A page of grants.", body = Grants), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/accounts/{accountId}/credits/grants")]
pub async fn list(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Grants>, ApiError> {
    grants(&request, &state, Some(account_id(&path)?)).await
}

async fn grants(request: &HttpRequest, state: &State, named: Option<AccountId>) -> Result<Json<Grants>, ApiError> {
    let account = Caller::of(request, state).await?.account(named, Scope::Read)?;
    let query: GrantsQuery = read_query(request)?;
    let limit = query.limit.unwrap_or(20);
    let only_open = query.state.as_deref() != Some("all");
    let (sequence, id) = before(query.cursor.as_deref())?;
    let app = state.app.clone();
    let read = async move { grants_now(&app, &account, only_open, (sequence, &id), limit.saturating_add(1)).await };
    let (stored, next_cursor) = page(state.run(read).await??, limit, |grant| (grant.sequence, grant.id.clone()));
    Ok(Json(Grants { data: stored.into_iter().map(grant).collect::<Result<_, _>>()?, next_cursor }))
}

/// A grant as the caller sees it.
///
/// # Errors
/// 500 when the stored row is corrupt.
pub fn grant(stored: StoredGrant) -> Result<Grant, ApiError> {
    let category = Category::of_number(stored.category).ok_or_else(|| ApiError::out_of_range("a category"))?;
    let expires_at = if stored.expires_at == NEVER_MS { None } else { Some(rfc3339(stored.expires_at)?) };
    Ok(Grant {
        id: stored.id,
        account_id: stored.account_id,
        kind: stored.kind,
        topup_id: stored.topup_id,
        category: category.as_str(),
        priority: stored.priority,
        credits: stored.credits,
        remaining_credits: stored.remaining,
        expires_at,
        reason: stored.reason,
        voided_at: stored.voided_at.map(rfc3339).transpose()?,
        created_at: rfc3339(stored.created_at)?,
    })
}
