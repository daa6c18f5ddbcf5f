//! Promotions: credits that an operator gives, and ends early.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::books::grant::promote::{Promote, promote};
use crate::books::grant::void_grant::void_grant;
use crate::domain::burn::{Category, DEFAULT_PRIORITY, NEVER_MS};
use crate::http::admin::adjustments::number_of_credits;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_json;
use crate::http::kit::fields::{account_id, is_reason};
use crate::http::kit::idempotency_key::required_key;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem422, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::parse_time;
use crate::http::server::grants::{Grant, grant};
use crate::http::state::State;

/// Whether money was paid for the credits.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GrantCategory {
    /// Given for free.
    Promotional,
    /// Paid for elsewhere.
    Paid,
}

/// How many credits to give, for how long, and why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateGrant {
    /// The number of credits: at least 1, and at most 1,000,000,000 units of `CREDIT_UNIT_CREDITS`.
    #[validate(required(message = "is missing; say how many credits"), range(min = 1, message = "must be at least 1"))]
    #[schema(required, nullable = false, example = 100)]
    credits: Option<i64>,
    /// `promotional` (the default), or `paid` for credits that were paid for elsewhere.
    #[schema(nullable = false)]
    category: Option<GrantCategory>,
    /// 0 to 100; lower numbers are spent first. Default 50.
    #[validate(range(min = 0, max = 100, message = "must be 0 to 100"))]
    #[schema(example = 50)]
    priority: Option<i64>,
    /// When what is left of them ends, in the future; by default never.
    #[schema(example = "2027-01-01T00:00:00Z")]
    expires_at: Option<String>,
    /// The reason, which the customer can see: 1 to 500 printable characters.
    #[validate(required(message = "is missing; say why"), custom(function = is_reason))]
    #[schema(required, nullable = false, example = "Welcome")]
    reason: Option<String>,
    /// `true` permits an account that never had credits. Otherwise such an account returns 404 `unknown_account`.
    #[schema(example = false)]
    create: Option<bool>,
}

/// Why a grant is ended.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoidGrant {
    /// The reason, for the record: 1 to 500 printable characters.
    #[validate(required(message = "is missing; say why"), custom(function = is_reason))]
    #[schema(required, nullable = false, example = "The campaign was abused")]
    reason: Option<String>,
}

/// Gives credits to an account.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`. The credits first fill a negative balance.
/// A request repeated with the same key and body returns the first grant.
#[utoipa::path(
    operation_id = "createGrant",
    tag = "admin",
    params(
        ("accountId" = String, Path, description = "The account id, percent-encoded", example = "user_1"),
        ("idempotency-key" = String, Header, description = "1 to 255 printable ASCII characters; use a new key for each grant", example = "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ),
    request_body = CreateGrant,
    responses(
        (status = 200, description = "The credits were given.", body = Grant),
        (status = 404, description = "The account never had credits, and `create` is not `true` (`unknown_account`).", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem422, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/accounts/{accountId}/grants")]
pub async fn create(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Grant>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let key = required_key(request.headers())?;
    let body: CreateGrant = read_json(&request, payload, &state).await?;
    let new = Promote {
        account: account_id(&path)?,
        credits: number_of_credits(body.credits.unwrap_or_default(), state.app.pricing.unit_credits())?,
        category: match body.category {
            Some(GrantCategory::Paid) => Category::Paid,
            Some(GrantCategory::Promotional) | None => Category::Promotional,
        },
        priority: body.priority.unwrap_or(DEFAULT_PRIORITY),
        expires_at_ms: body.expires_at.as_deref().map_or(Ok(NEVER_MS), |end| parse_time("expiresAt", end))?,
        reason: body.reason.unwrap_or_default(),
        create: body.create.unwrap_or(false),
        operator: admin.operator,
        key,
    };
    let app = state.app.clone();
    grant(state.run(async move { promote(&app, new).await }).await??).map(Json)
}

/// Ends a grant early.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`. What is left of the grant is taken from
/// the account, except what open holds reserve. Credits that were bought cannot be ended; refund the top-up instead.
#[utoipa::path(
    operation_id = "voidGrant",
    tag = "admin",
    params(("id" = String, Path, description = "The id of the grant", example = "grant_019a0000000070008000000000000000")),
    request_body = VoidGrant,
    responses(
        (status = 200, description = "The grant has ended.", body = Grant),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The credits were bought (`grant_bought`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/grants/{id}/void")]
pub async fn void(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Grant>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let body: VoidGrant = read_json(&request, payload, &state).await?;
    let (id, reason) = (path.into_inner(), body.reason.unwrap_or_default());
    if id.contains('\0') {
        return Err(ApiError::not_found("there is no such grant"));
    }
    let app = state.app.clone();
    let ended = state.run(async move { void_grant(&app, &id, &reason, &admin.operator).await }).await??;
    grant(ended).map(Json)
}
