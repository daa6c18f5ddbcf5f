//! Refunds of spends: credits given back, because the work failed or was charged by mistake.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::books::spend::refund_spend::{RefundSpend, RefundedSpend, refund_spend};
use crate::domain::ids::SpendId;
use crate::http::kit::body::read_json;
use crate::http::kit::fields::is_reason;
use crate::http::kit::idempotency_key::required_key;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem422, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::server::spending::caller::{Spender, not_found};
use crate::http::server::spending::debits::answer;
use crate::http::server::spending::fields::MAX_CREDITS;
use crate::http::server::spending::views::AccountBalance;
use crate::http::state::{State, in_time};

/// How many credits to give back, and why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateSpendRefund {
    /// The number of credits; by default all that were not given back yet.
    #[validate(range(min = 1, max = MAX_CREDITS, message = "must be 1 to 9007199254740991"))]
    #[schema(example = 5)]
    credits: Option<i64>,
    /// The reason, for the record: 1 to 500 printable characters.
    #[validate(custom(function = is_reason))]
    #[schema(example = "The image was not usable")]
    reason: Option<String>,
}

/// Spent credits that were given back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpendRefund {
    #[schema(example = "spendrefund_019a0000000070008000000000000000")]
    id: String,
    #[schema(example = "spend_019a0000000070008000000000000000")]
    spend_id: String,
    #[schema(example = "user_1")]
    account_id: String,
    /// The credits that were given back.
    #[schema(example = 5)]
    credits: i64,
    #[schema(example = "The image was not usable")]
    reason: Option<String>,
    #[schema(example = "2026-11-21T12:01:00Z")]
    created_at: String,
    /// The account's credits after this request.
    balance: AccountBalance,
}

/// Gives spent credits back.
///
/// Requires an API key with the scope `spend`. The credits go back to the grants that they came from, the last part
/// first; credits of a grant that has ended stay good for seven days. They first fill a negative balance. A request
/// repeated with the same key and body returns the first refund.
#[utoipa::path(
    operation_id = "refundDebit",
    tag = "spending",
    params(
        ("id" = String, Path, description = "The id of the spend", example = "spend_019a0000000070008000000000000000"),
        ("idempotency-key" = String, Header, description = "1 to 255 printable ASCII characters that name the refund", example = "refund_5f7c8ec7"),
    ),
    request_body = CreateSpendRefund,
    responses(
        (status = 200, description = "The credits were given back.", body = SpendRefund),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Everything was given back already (`nothing_to_refund`), or more is asked for than is left (`amount_too_large`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, Problem422, CallerProblems, Problem503,
    ),
    security(("apiKey" = [])),
)]
#[post("/credits/debits/{id}/refunds")]
pub async fn create(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<HttpResponse, ApiError> {
    let spender = Spender::of(&request, &state).await?;
    let key = required_key(request.headers())?;
    let body: CreateSpendRefund = read_json(&request, payload, &state).await?;
    let spend = SpendId::parse(&path).map_err(|_| not_found())?;
    let found = in_time(state.app.db.spend(&spend)).await??.ok_or_else(not_found)?;
    let account = spender.check_found(&found.account_id)?;
    let wanted = RefundSpend { spend, account, credits: body.credits, reason: body.reason, key };
    let app = state.app.clone();
    let RefundedSpend { refund, funds, is_replay } =
        state.run(async move { refund_spend(&app, wanted).await }).await??;
    let view = SpendRefund {
        balance: AccountBalance::of(&refund.account_id, funds),
        id: refund.id,
        spend_id: refund.spend_id,
        account_id: refund.account_id,
        credits: refund.credits,
        reason: refund.reason,
        created_at: rfc3339(refund.created_at)?,
    };
    Ok(answer(&view, is_replay))
}
