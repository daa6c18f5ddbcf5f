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
use crate::domain::refund_reason::RefundReason;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::idempotency_key::required_key;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::State;
use crate::purchases::refund::refund_topup::{RefundPreview, RefundTopup, Refunded, preview_refund, refund_topup};

/// What to refund: one of `credits`, `amount` and `unspent`. Without them, everything that is left is refunded, including
/// the fee line.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateRefund {
    /// Refund this many credits, at the price paid for them, which must be a whole amount unless these are all that are
    /// left. The fee line is not included, not even with the last credits; to refund it as well, omit `credits` and
    /// `amount`.
    #[validate(range(min = 1, message = "must be 1 or more"))]
    #[schema(example = 100)]
    credits: Option<i64>,
    /// Refund this amount, in minor units. It takes back the credits that it paid for; the fee line is refunded last.
    #[validate(range(min = 1, message = "must be 1 or more"))]
    #[schema(example = 100)]
    amount: Option<i64>,
    /// `true`: refund the price of what remains unspent of this top-up's credits, without the fee line. That is the
    /// largest amount that takes no other credits.
    #[schema(example = true)]
    unspent: Option<bool>,
    /// Stripe's reason for the refund: `requested_by_customer` (default), `duplicate` or `fraudulent`.
    #[validate(custom(function = is_reason))]
    #[schema(example = "requested_by_customer")]
    reason: Option<String>,
    /// A surplus payment of the top-up, whose refund takes no credits. Defaults to the payment that was credited.
    #[schema(example = "pi_3a1b2c3")]
    payment_id: Option<String>,
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "these are the API's names")]
pub struct Refund {
    /// Topup's id of the refund request.
    #[schema(example = "refund_019a0000000070008000000000000000")]
    id: String,
    /// Stripe's id of the refund.
    #[schema(example = "re_3a1b2c3")]
    refund_id: String,
    #[schema(example = "topup_019a0000000070008000000000000000")]
    topup_id: String,
    #[schema(example = "pi_3a1b2c3")]
    payment_id: String,
    /// The refunded amount, in minor units.
    #[schema(example = 100)]
    amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// Stripe's status of the refund when it was made. The refund can still fail later; the credits then return.
    #[schema(example = "succeeded")]
    status: String,
    /// The number of credits taken from the account.
    #[schema(example = 100)]
    credits_taken: i64,
    /// The part of the top-up's bonus that was taken with them.
    #[schema(example = 0)]
    bonus_credits_taken: i64,
    balance: BalanceAfter,
}

/// The balance of the account after the refund.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceAfter {
    #[schema(example = "user_1")]
    account_id: String,
    /// The credits that can be spent. Negative if credits were taken back after they had been spent.
    #[schema(example = 150)]
    remaining_credits: i64,
    /// How far the balance is below zero; otherwise 0.
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

/// The balance of the account after a refund that has not been made.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewedBalance {
    #[serde(flatten)]
    after: BalanceAfter,
    /// The credits that open holds reserve. A refund may take them; the captures then go below zero.
    #[serde(rename = "heldCredits")]
    #[schema(example = 0)]
    held_credits: i64,
}

/// The effect of a refund that has not been made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Whether the refund is possible according to Topup's own records. Stripe has the final decision.
    #[schema(example = true)]
    possible: bool,
    /// Why the refund is not possible, as the error code that a refund would return; null if it is possible.
    #[schema(example = json!(null))]
    code: Option<String>,
    /// The same in words; null if the refund is possible.
    #[schema(example = json!(null))]
    reason: Option<String>,
    /// The payment to refund; null if there is none.
    #[schema(example = "pi_3a1b2c3")]
    payment_id: Option<String>,
    /// The amount that would be refunded, in minor units; 0 if the refund is not possible.
    #[schema(example = 100)]
    amount: i64,
    /// The part of `amount` that refunds the fee line, in minor units.
    #[schema(example = 0)]
    fee_amount: i64,
    /// The part of the amount that is tax on top of the price and the fee line.
    #[schema(example = 0)]
    tax_amount: i64,
    #[schema(example = "usd")]
    currency: String,
    /// The number of credits that would be taken back.
    #[schema(example = 100)]
    credits: i64,
    /// The part of the top-up's bonus that would be taken back with them.
    #[schema(example = 0)]
    bonus_credits: i64,
    /// What remains unspent of this top-up's credits now, without its bonus.
    #[schema(example = 180)]
    unspent_credits: i64,
    /// The balance of the account afterwards.
    balance: PreviewedBalance,
    /// The largest amount that can be refunded while no dispute is open, in minor units.
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
    unspent: Option<bool>,
    payment_id: Option<String>,
}

fn is_reason(reason: &str) -> Result<(), ValidationError> {
    if RefundReason::parse(reason).is_some() {
        return Ok(());
    }
    let message = "must be requested_by_customer, duplicate or fraudulent";
    Err(ValidationError::new("unknown_reason").with_message(message.into()))
}

fn ask(credits: Option<i64>, amount: Option<i64>, unspent: Option<bool>) -> Result<RefundAsk, ApiError> {
    match (credits, amount, unspent.unwrap_or(false)) {
        (None, None, false) => Ok(RefundAsk::Everything),
        (None, None, true) => Ok(RefundAsk::Unspent),
        (Some(credits), None, false) => Ok(RefundAsk::Credits(credits)),
        (None, Some(amount), false) => Ok(RefundAsk::Amount(amount)),
        (_, _, is_unspent) => {
            let field = if is_unspent { "unspent" } else { "amount" };
            Err(ApiError::field(field, "ambiguous", "give one of credits, amount and unspent, or none for everything"))
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

/// Refunds a top-up, or part of it, through Stripe and takes back the credits that the refunded money paid for.
///
/// Requires a token with the admin scope, or an API key with the scope `admin`. A key bound to one account can refund
/// only that account's top-ups. Credits are taken back even if they were spent; the balance then falls below zero.
///
/// A request repeated with the same key and body returns the first refund, or continues it if it was interrupted; the
/// money goes back once. The key belongs to the top-up, whichever credentials are used. `GET …/refunds/preview` shows
/// what a refund would do.
#[utoipa::path(
    operation_id = "createRefund",
    tag = "admin",
    params(
        ("id" = String, Path, description = "The id of the top-up", example = "topup_019a0000000070008000000000000000"),
        ("idempotency-key" = String, Header, description = "1 to 255 printable ASCII characters; use a new key for each refund", example = "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ),
    request_body = CreateRefund,
    responses(
        (status = 200, description = "The refund was made.", body = Refund),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (
            status = 409,
            description = "The refund is not possible: `topup_not_paid`, `already_refunded`, `amount_too_large`, \
                `payment_disputed`, `nothing_unspent`, `surplus_has_no_credits`, \
                `insufficient_funds`. Or it is not possible yet: \
                `refund_in_progress`, `idempotency_key_in_use`.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
        (
            status = 422,
            description = "`refund_not_possible`: Stripe does not refund this payment; `detail` contains Stripe's \
                reason, and nothing was refunded. `idempotency_key_reused`: the key was already used with a different \
                refund of this top-up.",
            body = Problem,
            content_type = "application/problem+json"
        ),
        (
            status = 503,
            description = "It is not known whether the refund was made (`refund_unsettled`, `provider_unavailable`, \
                `provider_rate_limited`), or the service is too busy. Repeat the request with the same key; the \
                refund is made once.",
            body = Problem,
            content_type = "application/problem+json"
        ),
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
        ask: ask(body.credits, body.amount, body.unspent)?,
        payment: payment_id(state.app.provider.name, body.payment_id)?,
        reason: body.reason.unwrap_or_else(|| RefundReason::RequestedByCustomer.as_str().to_owned()),
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
        bonus_credits_taken: request.bonus_taken.unwrap_or_default(),
        balance: BalanceAfter::new(account, request.balance_after.unwrap_or_default())?,
    })
}

/// Shows what a refund would do, without making it.
///
/// Returns the amount, the credits and the balance afterwards, or why the refund is not possible. Moves nothing and does
/// not call Stripe. Requires a token with the admin scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "previewRefund",
    tag = "admin",
    params(
        ("id" = String, Path, description = "The id of the top-up", example = "topup_019a0000000070008000000000000000"),
        ("credits" = Option<i64>, Query, description = "Number of credits to refund, without the fee line", example = 100),
        ("amount" = Option<i64>, Query, description = "Amount to refund, in minor units; without `credits`, `amount` and `unspent`, everything that is left", example = 100),
        ("unspent" = Option<bool>, Query, description = "`true`: the price of what remains unspent of this top-up's credits", example = false),
        ("paymentId" = Option<String>, Query, description = "A surplus payment of the top-up; by default the credited payment", example = "pi_3a1b2c3"),
    ),
    responses((status = 200, description = "The effect of the refund.", body = Preview), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/topups/{id}/refunds/preview")]
pub async fn preview(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Preview>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let query: PreviewQuery = read_query(&request)?;
    let (topup, ask) = (topup_id(&path)?, ask(query.credits, query.amount, query.unspent)?);
    let payment = payment_id(state.app.provider.name, query.payment_id)?;
    let app = state.app.clone();
    let preview = async move { preview_refund(&app, &topup, payment.as_ref(), ask, &admin.operator).await };
    let found = state.run(preview).await??;
    let found = found.ok_or_else(|| ApiError::not_found("there is no such top-up or payment"))?;
    to_preview(found).map(Json)
}

fn to_preview(found: RefundPreview) -> Result<Preview, ApiError> {
    let RefundPreview { facts, plan, funds } = found;
    let refusal = plan.err();
    let plan = plan.ok();
    let (credits, bonus_credits) = plan.map_or((0, 0), |plan| (plan.credits, plan.bonus_credits));
    let account = facts.account.to_string();
    let missing = || ApiError::out_of_range(&account);
    let balance_after = funds.remaining.checked_sub(credits).and_then(|left| left.checked_sub(bonus_credits));
    let balance_after = balance_after.ok_or_else(missing)?;
    let (largest_amount, largest_credits) =
        facts.refundable.left_minor().zip(facts.refundable.left_credits()).ok_or_else(missing)?;
    Ok(Preview {
        possible: plan.is_some(),
        code: refusal.map(|refusal| refusal.code().to_owned()),
        reason: refusal.map(|refusal| refusal.to_string()),
        payment_id: facts.payment.map(|payment| payment.to_string()),
        amount: plan.map_or(0, |plan| plan.amount_minor),
        fee_amount: plan.map_or(0, |plan| plan.fee_minor),
        tax_amount: plan.map_or(0, |plan| plan.tax_minor),
        currency: facts.currency,
        credits,
        bonus_credits,
        unspent_credits: facts.refundable.unspent_credits,
        balance: PreviewedBalance { after: BalanceAfter::new(account, balance_after)?, held_credits: funds.held },
        largest_amount,
        largest_credits,
    })
}
