//! Refunds.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::caller_key::CallerKey;
use crate::domain::ids::{PaymentId, TopupId};
use crate::domain::provider::ProviderName;
use crate::domain::refund::RefundAsk;
use crate::http::admin::caller::{Admin, required_key};
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::State;
use crate::purchases::refund::refund_topup::{RefundPreview, RefundTopup, Refunded, preview_refund, refund_topup};

/// What to give back: `credits` or `amount`; neither means all that is left, the fee included.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRefund {
    /// So many credits, at the price that was paid for each. The fee is not refunded with them, not even with the last
    /// ones: ask for everything to refund it, too.
    #[validate(range(min = 1, message = "must be 1 or more"))]
    #[schema(example = 100)]
    credits: Option<i64>,
    /// So much money, in minor units. It takes the credits that it paid for; the fee is refunded last.
    #[validate(range(min = 1, message = "must be 1 or more"))]
    #[schema(example = 100)]
    amount: Option<i64>,
    /// Why, in Stripe's word: `requested_by_customer` (default), `duplicate` or `fraudulent`.
    #[validate(custom(function = is_reason))]
    #[schema(example = "requested_by_customer")]
    reason: Option<String>,
    /// A payment of the top-up that came besides the one that paid for it; its refund takes no credits. The payment that
    /// paid if it is left out.
    #[schema(example = "pi_3a1b2c3")]
    payment_id: Option<String>,
}

/// A refund that was made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "these are the API's names")]
pub struct Refund {
    /// Our id of the request.
    #[schema(example = "refund_019a0000000070008000000000000000")]
    id: String,
    /// Stripe's id of the refund.
    #[schema(example = "re_3a1b2c3")]
    refund_id: String,
    #[schema(example = "topup_019a0000000070008000000000000000")]
    topup_id: String,
    #[schema(example = "pi_3a1b2c3")]
    payment_id: String,
    /// How much, in minor units.
    #[schema(example = 100)]
    amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// Stripe's word for how far the refund was when it was made. It can still fail, and then the credits return.
    #[schema(example = "succeeded")]
    status: String,
    /// How many credits it took from the account.
    #[schema(example = 100)]
    credits_taken: i64,
    balance: BalanceAfter,
}

/// What an account has with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceAfter {
    #[schema(example = "user_1")]
    account_id: String,
    /// What can be spent. Negative when the credits that were taken had been spent.
    #[schema(example = 150)]
    remaining_credits: i64,
    /// What is missing to zero.
    #[schema(example = 0)]
    owed_credits: i64,
}

impl BalanceAfter {
    pub(crate) fn new(account: String, remaining_credits: i64) -> Result<Self, ApiError> {
        let owed_credits = if remaining_credits < 0 { remaining_credits.checked_neg() } else { Some(0) };
        let owed_credits = owed_credits.ok_or_else(|| ApiError::out_of_range(&account))?;
        Ok(Self { account_id: account, remaining_credits, owed_credits })
    }
}

/// What a refund would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Whether it can be made, as far as is known here. Stripe has the last word.
    #[schema(example = true)]
    possible: bool,
    /// Why not, as the code of the problem that a refund would be answered with; null if it can be made.
    #[schema(example = json!(null))]
    code: Option<String>,
    /// Why not, in words; null if it can be made.
    #[schema(example = json!(null))]
    reason: Option<String>,
    /// The payment; null if there is none.
    #[schema(example = "pi_3a1b2c3")]
    payment_id: Option<String>,
    /// The money that it would move, in minor units; 0 if it cannot be made.
    #[schema(example = 100)]
    amount: i64,
    /// How much of it is the fee line, in minor units.
    #[schema(example = 0)]
    fee_amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// The credits that it would take.
    #[schema(example = 100)]
    credits: i64,
    /// The account afterwards.
    balance: BalanceAfter,
    /// The largest amount that can be refunded, in minor units, while no dispute is open.
    #[schema(example = 289)]
    largest_amount: i64,
    /// The largest number of credits that can be refunded.
    #[schema(example = 250)]
    largest_credits: i64,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PreviewQuery {
    #[validate(range(min = 1, message = "must be 1 or more"))]
    credits: Option<i64>,
    #[validate(range(min = 1, message = "must be 1 or more"))]
    amount: Option<i64>,
    payment_id: Option<String>,
}

const DEFAULT_REASON: &str = "requested_by_customer";

fn is_reason(reason: &str) -> Result<(), ValidationError> {
    if [DEFAULT_REASON, "duplicate", "fraudulent"].contains(&reason) {
        return Ok(());
    }
    let message = "must be requested_by_customer, duplicate or fraudulent";
    Err(ValidationError::new("unknown_reason").with_message(message.into()))
}

fn ask(credits: Option<i64>, amount: Option<i64>) -> Result<RefundAsk, ApiError> {
    match (credits, amount) {
        (None, None) => Ok(RefundAsk::Everything),
        (Some(credits), None) => Ok(RefundAsk::Credits(credits)),
        (None, Some(amount)) => Ok(RefundAsk::Amount(amount)),
        (Some(_), Some(_)) => {
            Err(ApiError::field("amount", "ambiguous", "give either credits or amount, or neither for everything"))
        }
    }
}

pub(crate) fn topup_id(text: &str) -> Result<TopupId, ApiError> {
    TopupId::parse(text).map_err(|_| ApiError::not_found("there is no such top-up"))
}

fn payment_id(provider: ProviderName, text: Option<String>) -> Result<Option<PaymentId>, ApiError> {
    let payment = text.map(|text| PaymentId::parse(provider, text)).transpose();
    payment.map_err(|_| ApiError::field("paymentId", "invalid_id", "must be the id of a payment at the provider"))
}

/// Refunds a purchase, or a part of it, through Stripe, and takes back the credits that the money paid for.
///
/// Credits that were spent leave the balance below zero. The same key and body are answered with the first refund, and go
/// on with what was interrupted: the money goes back once. The key belongs to the top-up, with whatever credentials it
/// comes. See the preview for what a refund would do.
#[utoipa::path(
    operation_id = "createRefund",
    tag = "admin",
    params(
        ("id" = String, Path, description = "The top-up", example = "topup_019a0000000070008000000000000000"),
        ("idempotency-key" = String, Header, description = "1 to 255 printable characters, new for each refund", example = "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ),
    request_body = CreateRefund,
    responses(
        (status = 200, description = "The refund is made.", body = Refund),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It cannot be made: `topup_not_paid`, `already_refunded`, `amount_too_large`, `payment_disputed`, `surplus_has_no_credits`, `insufficient_funds`; or not now: `refund_in_progress`, `idempotency_key_in_use`.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
        (status = 422, description = "`refund_not_possible`: Stripe does not refund this payment, and the detail says why in its words; nothing was refunded. Or `idempotency_key_reused`: the key came with another refund of this top-up before.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Whether the refund was made is not known (`refund_unsettled`, `provider_unavailable`, `provider_rate_limited`), or the service is too busy; repeat the request with the same key, and it is made once.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/topups/{id}/refunds")]
pub async fn create(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Refund>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let key = required_key(request.headers())?;
    let body: CreateRefund = read_json(&request, payload, &state).await?;
    let topup = topup_id(&path)?;
    let command = RefundTopup {
        key: CallerKey::of_refund(&topup, key),
        topup,
        ask: ask(body.credits, body.amount)?,
        payment: payment_id(state.app.provider.name, body.payment_id)?,
        reason: body.reason.unwrap_or_else(|| DEFAULT_REASON.to_owned()),
        operator: admin.operator,
    };
    let app = state.app.clone();
    let refunded = state.run(async move { Box::pin(refund_topup(&app, command)).await }).await??;
    refund(refunded).map(Json)
}

fn refund(refunded: Refunded) -> Result<Refund, ApiError> {
    let Refunded { request, account } = refunded;
    Ok(Refund {
        id: request.id,
        refund_id: request.provider_refund_id.unwrap_or_default(),
        topup_id: request.topup_id,
        payment_id: request.provider_payment_id,
        amount: request.amount,
        currency: request.currency,
        status: request.refund_status.unwrap_or_default(),
        credits_taken: request.credits_taken.unwrap_or_default(),
        balance: BalanceAfter::new(account, request.balance_after.unwrap_or_default())?,
    })
}

/// Shows what a refund would move.
///
/// Money, credits, and the balance afterwards; or why the refund cannot be made. Nothing is changed.
#[utoipa::path(
    operation_id = "previewRefund",
    tag = "admin",
    params(
        ("id" = String, Path, description = "The top-up", example = "topup_019a0000000070008000000000000000"),
        ("credits" = Option<i64>, Query, description = "So many credits, without the fee", example = 100),
        ("amount" = Option<i64>, Query, description = "So much money, in minor units; neither means everything", example = 100),
        ("paymentId" = Option<String>, Query, description = "A surplus payment of the top-up", example = "pi_3a1b2c3"),
    ),
    responses((status = 200, description = "What it would do.", body = Preview), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/topups/{id}/refunds/preview")]
pub async fn preview(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Preview>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let query: PreviewQuery = read_query(&request)?;
    let (topup, ask) = (topup_id(&path)?, ask(query.credits, query.amount)?);
    let payment = payment_id(state.app.provider.name, query.payment_id)?;
    let app = state.app.clone();
    let preview = async move { preview_refund(&app, &topup, payment.as_ref(), ask, &admin.operator).await };
    let found = state.run(preview).await??;
    let found = found.ok_or_else(|| ApiError::not_found("there is no such top-up or payment"))?;
    to_preview(found).map(Json)
}

fn to_preview(found: RefundPreview) -> Result<Preview, ApiError> {
    let RefundPreview { facts, plan, balance } = found;
    let refusal = plan.err();
    let plan = plan.ok();
    let credits = plan.map_or(0, |plan| plan.credits);
    let account = facts.account.to_string();
    let missing = || ApiError::out_of_range(&account);
    let balance_after = balance.checked_sub(credits).ok_or_else(missing)?;
    let (largest_amount, largest_credits) =
        facts.refundable.left_minor().zip(facts.refundable.left_credits()).ok_or_else(missing)?;
    Ok(Preview {
        possible: plan.is_some(),
        code: refusal.map(|refusal| refusal.code().to_owned()),
        reason: refusal.map(|refusal| refusal.to_string()),
        payment_id: facts.payment.map(|payment| payment.to_string()),
        amount: plan.map_or(0, |plan| plan.amount_minor),
        fee_amount: plan.map_or(0, |plan| plan.fee_minor),
        currency: facts.currency,
        credits,
        balance: BalanceAfter::new(account, balance_after)?,
        largest_amount,
        largest_credits,
    })
}
