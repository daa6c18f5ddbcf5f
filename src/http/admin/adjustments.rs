//! Adjustments: credits that an operator grants or takes.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::caller_key::CallerKey;
use crate::books::adjust_account::{AdjustAccount, adjust_account};
use crate::books::adjustments::Adjustment as Stored;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::fields::{account_id, is_reason};
use crate::http::kit::idempotency_key::required_key;
use crate::http::kit::openapi::{CallerProblems, Problem422, Problem503};
use crate::http::kit::paging::{before, page};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;

/// More units of credits are certainly a typing error.
const MAX_UNITS: i64 = 1_000_000_000;

/// How many credits to grant or take, and why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateAdjustment {
    /// The number of credits: positive to grant, negative to take; not 0, and at most 1,000,000,000 units of
    /// `CREDIT_UNIT_CREDITS` either way.
    #[validate(required(message = "is missing; say how many credits"))]
    #[schema(required, nullable = false, example = -50)]
    credits: Option<i64>,
    /// The reason, for the record: 1 to 500 printable characters.
    #[validate(required(message = "is missing; say why"), custom(function = is_reason))]
    #[schema(required, nullable = false, example = "Goodwill for the outage of 21 November")]
    reason: Option<String>,
    /// `true` permits an account that never had credits. Otherwise such an account returns 404 `unknown_account`, so
    /// that a mistyped account id does not credit a stranger.
    #[schema(example = false)]
    create: Option<bool>,
}

/// Credits that an operator granted or took.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// The id of the adjustment, which is also the `source` of its ledger entry.
    #[schema(example = "adjustment_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// The number of credits; negative if they were taken.
    #[schema(example = -50)]
    credits: i64,
    #[schema(example = "Goodwill for the outage of 21 November")]
    reason: String,
    /// Who made the adjustment: an API key with its name, or a token's subject.
    #[schema(example = "API key key_019a0000000070008000000000000000 (back office)")]
    made_by: String,
    /// The balance of the account after the adjustment.
    #[schema(example = 200)]
    balance_after: i64,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
}

/// A page of adjustments, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Adjustments {
    data: Vec<Adjustment>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "1795262400000_adjustment_019a0000000070008000000000000000")]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, Validate)]
struct PageQuery {
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// The number of credits, if an adjustment may have so many.
pub(crate) fn number_of_credits(credits: i64, unit_credits: i64) -> Result<i64, ApiError> {
    // At most 10^15: both factors are bounded.
    let most = unit_credits * MAX_UNITS;
    if credits != 0 && (-most..=most).contains(&credits) {
        return Ok(credits);
    }
    Err(ApiError::field("credits", "out_of_range", format!("must be 1 to {most}, or as many below zero")))
}

/// Grants credits to an account or takes them.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`. A key bound to one account can adjust
/// only that account. An adjustment never takes a balance below zero; granted credits first fill a negative balance. A
/// request repeated with the same key and body returns the first adjustment.
#[utoipa::path(
    operation_id = "createAdjustment",
    tag = "admin",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("idempotency-key" = String, Header, description = "1 to 255 printable ASCII characters; use a new key for each adjustment", example = "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ),
    request_body = CreateAdjustment,
    responses(
        (status = 200, description = "The adjustment was made.", body = Adjustment),
        (status = 404, description = "The account never had credits, and `create` is not `true` (`unknown_account`).", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The account has fewer credits than requested to take (`insufficient_credits`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem422, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/accounts/{accountId}/adjustments")]
pub async fn create(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Adjustment>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let key = required_key(request.headers())?;
    let body: CreateAdjustment = read_json(&request, payload, &state).await?;
    let account = account_id(&path)?;
    let command = AdjustAccount {
        key: CallerKey::of_adjustment(&account, key),
        account,
        credits: number_of_credits(body.credits.unwrap_or_default(), state.app.pricing.unit_credits())?,
        reason: body.reason.unwrap_or_default(),
        create: body.create.unwrap_or(false),
        operator: admin.operator,
    };
    let app = state.app.clone();
    let made = state.run(async move { adjust_account(&app, command).await }).await??;
    adjustment(made).map(Json)
}

/// Lists the adjustments of an account, newest first.
///
/// Each entry says how many credits were granted or taken, by whom and why. Requires a token with the admin scope, or
/// an API key with the scope `admin`. A key bound to one account can list only that account's adjustments.
#[utoipa::path(
    operation_id = "listAdjustments",
    tag = "admin",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("limit" = Option<i64>, Query, description = "Adjustments per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "1795262400000_adjustment_019a0000000070008000000000000000"),
    ),
    responses((status = 200, description = "A page of adjustments.", body = Adjustments), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/accounts/{accountId}/adjustments")]
pub async fn list(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Adjustments>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let account = account_id(&path)?;
    if !admin.operator.may_act_for(&account) {
        return Err(ApiError::forbidden("account_forbidden", "these credentials are not for that account"));
    }
    let query: PageQuery = read_query(&request)?;
    let (time, id) = before(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(20);
    let app = state.app.clone();
    let read = async move { app.db.adjustments_of(&account, (time, &id), limit.saturating_add(1)).await };
    let (data, next_cursor) = page(state.run(read).await??, limit, |stored| (stored.created_at, stored.id.clone()));
    Ok(Json(Adjustments { data: data.into_iter().map(adjustment).collect::<Result<_, _>>()?, next_cursor }))
}

fn adjustment(stored: Stored) -> Result<Adjustment, ApiError> {
    Ok(Adjustment {
        id: stored.id,
        account_id: stored.account_id,
        credits: stored.credits,
        reason: stored.reason,
        made_by: stored.made_by,
        balance_after: stored.balance_after,
        created_at: rfc3339(stored.created_at)?,
    })
}
