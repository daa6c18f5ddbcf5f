//! Controls for refunds and disputes: what banks, customers and users of Stripe's dashboard do without an API request.
//! They use the same functions as the API.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Context, State, confirm, dispute,
    dispute::DisputeStatus,
    dispute_json,
    dispute_lifecycle::{self, Opening},
    error::ApiError,
    intent, payment_json, radar, refund,
    refund::{RefundStatus, Wanted},
    settle,
};

/// Runs a control. Returns the object as it is afterwards, or `None` if there is no such control here.
pub(crate) fn handle(
    state: &mut State,
    context: &mut Context<'_>,
    segments: &[&str],
    body: &Value,
) -> Option<Result<Value, ApiError>> {
    Some(match segments {
        ["refunds", id] => move_refund(state, context, id, body),
        ["disputes", id] => move_dispute(state, context, id, body),
        ["disputes", id, "movement"] => correct_dispute(state, context, id, body),
        ["payment_intents", id, "settle"] => settle(state, context, id, body),
        ["payment_intents", id, "challenge"] => challenge(state, context, id, body),
        ["payment_intents", id, "refund"] => refund_payment(state, context, id, body),
        ["payment_intents", id, "dispute"] => dispute_payment(state, context, id, body),
        ["payment_intents", id, "fraud_warning"] => {
            refund::charge_of_intent(state, id).and_then(|charge| radar::warn(state, context, &charge, body))
        }
        ["payment_intents", id, "review"] => refund::charge_of_intent(state, id)
            .and_then(|charge| radar::open_review(state, context, (id, charge), body)),
        ["reviews", id] => radar::close_by_control(state, context, id, body),
        _ => return None,
    })
}

pub(crate) fn read<T: DeserializeOwned>(body: &Value) -> Result<T, ApiError> {
    T::deserialize(body).map_err(|error| ApiError::invalid(error.to_string()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settle {
    pub(crate) outcome: Settled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Settled {
    Succeeded,
    Failed,
}

/// The delayed payment of an intent succeeds or fails, with or without a session.
fn settle(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: Settle = read(body)?;
    intent::find(state, id)?;
    settle::settle_intent(state, context, id, wanted.outcome == Settled::Succeeded)?;
    show_intent(state, context, id)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Challenge {
    pub(crate) outcome: Challenged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Challenged {
    Passed,
    Failed,
}

/// The customer passes or fails 3-D Secure. A decline is a valid result.
fn challenge(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: Challenge = read(body)?;
    intent::find(state, id)?;
    let answered = confirm::answer_challenge(state, context, id, wanted.outcome == Challenged::Passed);
    match answered {
        Err(error) if error.code == Some("payment_intent_unexpected_state") => Err(error),
        _ => show_intent(state, context, id),
    }
}

fn show_intent(state: &State, context: &Context<'_>, id: &str) -> Result<Value, ApiError> {
    intent::find(state, id).map(|found| payment_json::payment_intent(state, found, context.base_url))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundTo {
    status: RefundStatus,
    failure_reason: Option<String>,
}

/// Moves a refund to its next state: paid out, returned by the bank, or waiting.
fn move_refund(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: RefundTo = read(body)?;
    refund::move_to(state, context, id, wanted.status, wanted.failure_reason.as_deref())?;
    refund::find(state, id).map(|found| refund::to_json(state, found))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeTo {
    to: Next,
    /// For a dispute that is won: how much comes back; everything if unset.
    reinstated: Option<i64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    Won,
    Lost,
    UnderReview,
    NeedsResponse,
    WarningClosed,
    Withdrawn,
}

/// The bank's decision. `needs_response` escalates an inquiry; `withdrawn` takes the money of a won dispute again.
fn move_dispute(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: DisputeTo = read(body)?;
    let inquiry = dispute::find(state, id)?.status.is_inquiry();
    let to = match wanted.to {
        Next::Won => DisputeStatus::Won,
        Next::Lost => DisputeStatus::Lost,
        Next::UnderReview if inquiry => DisputeStatus::WarningUnderReview,
        Next::UnderReview => DisputeStatus::UnderReview,
        Next::NeedsResponse => DisputeStatus::NeedsResponse,
        Next::WarningClosed => DisputeStatus::WarningClosed,
        Next::Withdrawn => DisputeStatus::AppealUnderReview,
    };
    dispute_lifecycle::decide(state, context, id, to, wanted.reinstated)?;
    dispute::find(state, id).map(|found| dispute_json::dispute(state, found))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Correction {
    amount: i64,
}

/// Stripe books a correction of a dispute, even one that is already lost.
fn correct_dispute(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: Correction = read(body)?;
    dispute_lifecycle::correct(state, context, id, wanted.amount)?;
    dispute::find(state, id).map(|found| dispute_json::dispute(state, found))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundPayment {
    amount: Option<i64>,
}

/// A user of the dashboard refunds a payment: no API key, no idempotency key.
fn refund_payment(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: RefundPayment = read(body)?;
    let charge = refund::charge_of_intent(state, id)?;
    let wanted =
        Wanted { amount: wanted.amount, reason: Some("requested_by_customer".to_owned()), ..Wanted::default() };
    let refund_id = refund::create(state, context, &charge, wanted)?;
    refund::find(state, &refund_id).map(|found| refund::to_json(state, found))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputePayment {
    amount: Option<i64>,
    #[serde(default)]
    inquiry: bool,
    reason: Option<Reason>,
}

/// The reasons for a dispute, with Stripe's names.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    CreditNotProcessed,
    Duplicate,
    Fraudulent,
    General,
    ProductNotReceived,
    ProductUnacceptable,
    SubscriptionCanceled,
    Unrecognized,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::CreditNotProcessed => "credit_not_processed",
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::General => "general",
            Self::ProductNotReceived => "product_not_received",
            Self::ProductUnacceptable => "product_unacceptable",
            Self::SubscriptionCanceled => "subscription_canceled",
            Self::Unrecognized => "unrecognized",
        }
    }
}

/// The customer disputes a payment at the bank.
fn dispute_payment(state: &mut State, context: &mut Context<'_>, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: DisputePayment = read(body)?;
    let charge = refund::charge_of_intent(state, id)?;
    let reason = wanted.reason.unwrap_or(Reason::Fraudulent).as_str();
    let opening = Opening { amount: wanted.amount, inquiry: wanted.inquiry, reason };
    let dispute_id = dispute_lifecycle::open(state, context, &charge, &opening)?;
    dispute::find(state, &dispute_id).map(|found| dispute_json::dispute(state, found))
}
