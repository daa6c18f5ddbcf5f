//! Refunds: money returned to the customer, and the ways in which that can still fail.
//!
//! Invariants: the refunds of a charge that neither failed nor were canceled add up to its `amount_refunded`, which
//! never exceeds the charge. The API and the controls use the same functions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Context, State, balance,
    balance::{Entry, Movement},
    card::Aftermath,
    currency, dispute, dispute_lifecycle,
    error::ApiError,
    payment::{Charge, PaymentMethod},
    payment_json,
    table::Row,
};

/// How long a test card's refund stays in its first state, in seconds.
const NEXT_STEP_AFTER: i64 = 5;
const DEFAULT_FAILURE: &str = "expired_or_canceled_card";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    Pending,
    RequiresAction,
    Succeeded,
    Failed,
    Canceled,
}

impl RefundStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether the money came back to the account for good.
    fn is_undone(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled)
    }
}

/// A refund of a charge, in part or in full.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) status: RefundStatus,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) balance_transaction: String,
    pub(crate) failure_reason: Option<String>,
    pub(crate) failure_balance_transaction: Option<String>,
}

impl Row for Refund {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

/// The requested refund. Without an amount, everything that is left.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) amount: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Refund, ApiError> {
    state.refunds.get(id).ok_or_else(|| ApiError::not_found("refund", id, "id"))
}

/// The refundable charge of a payment intent.
pub(crate) fn charge_of_intent(state: &State, intent_id: &str) -> Result<String, ApiError> {
    let intent = state
        .payment_intents
        .get(intent_id)
        .ok_or_else(|| ApiError::missing_reference("payment_intent", intent_id, "payment_intent"))?;
    intent
        .latest_charge
        .as_deref()
        .and_then(|id| state.charges.get(id))
        .filter(|charge| charge.is_paid())
        .map(|charge| charge.id.clone())
        .ok_or_else(|| nothing_to_refund(intent_id))
}

/// Refunds a part of a payment intent, as a credit note does. Returns the refund's id.
pub(crate) fn of_intent(
    state: &mut State,
    context: &mut Context<'_>,
    intent_id: &str,
    amount: i64,
) -> Result<String, ApiError> {
    let charge = charge_of_intent(state, intent_id)?;
    create(state, context, &charge, Wanted { amount: Some(amount), reason: None, metadata: BTreeMap::new() })
}

fn nothing_to_refund(intent_id: &str) -> ApiError {
    let message = format!("This PaymentIntent ({intent_id}) does not have a successful charge to refund.");
    ApiError::invalid(message).executed()
}

/// Refunds a charge in part, or everything that is left. Returns the refund's id.
pub(crate) fn create(
    state: &mut State,
    context: &mut Context<'_>,
    charge_id: &str,
    wanted: Wanted,
) -> Result<String, ApiError> {
    let charge = state
        .charges
        .get(charge_id)
        .cloned()
        .ok_or_else(|| ApiError::missing_reference("charge", charge_id, "charge"))?;
    let amount = amount_of(state, &charge, wanted.amount)?;
    let after = state.payment_methods.get(&charge.payment_method).map(|method| method.after).unwrap_or_default();
    let is_card = charge.id.starts_with("ch_");
    let id = context.ids.next(if is_card { "re_3" } else { "pyr_1" }, 23);
    let what = if is_card { "CHARGE" } else { "PAYMENT" };
    let description = charge.description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    let entry = Entry {
        at_once: false,
        movement: Movement::Refund,
        amount: amount.saturating_neg(),
        fee: 0,
        currency: &charge.currency,
        source: &id,
        description: Some(format!("REFUND FOR {what}{description}")),
    };
    let balance_transaction = balance::book(state, context, entry);
    let pends = after == Aftermath::RefundsPend;
    state.refunds.insert(Refund {
        id: id.clone(),
        created: context.now(),
        amount,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        status: if pends { RefundStatus::Pending } else { RefundStatus::Succeeded },
        reason: wanted.reason,
        metadata: wanted.metadata,
        balance_transaction,
        failure_reason: None,
        failure_balance_transaction: None,
    });
    if pends || after == Aftermath::RefundsFail {
        state.due.insert((context.now().saturating_add(NEXT_STEP_AFTER), id.clone()), ());
    }
    if let Some(rendered) = by_id(state, &id) {
        state.emit(context, "refund.created", rendered);
    }
    lower(state, context, &charge, amount);
    Ok(id)
}

/// Lowers what is left of the charge and emits `charge.refunded`, for a partial refund too. After a full refund, open
/// inquiries are closed.
fn lower(state: &mut State, context: &mut Context<'_>, charge: &Charge, amount: i64) {
    let before = payment_json::charge(state, charge);
    if let Some(charge) = state.charges.get_mut(&charge.id) {
        charge.amount_refunded = charge.amount_refunded.saturating_add(amount);
    }
    if let Some(after) = payment_json::charge_by_id(state, &charge.id) {
        state.emit_diff(context, "charge.refunded", &before, after);
    }
    if charge.left() == amount {
        dispute_lifecycle::after_full_refund(state, context, &charge.id);
    }
}

/// The amount to refund, or Stripe's reason for refusing.
fn amount_of(state: &State, charge: &Charge, wanted: Option<i64>) -> Result<i64, ApiError> {
    if !charge.is_paid() {
        return Err(nothing_to_refund(&charge.payment_intent));
    }
    let lost = dispute::lost_amount(state, &charge.id);
    let left = charge.left().saturating_sub(lost).max(0);
    if dispute::blocks_refunds(state, &charge.id) || (lost > 0 && left == 0) {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
        return Err(ApiError::invalid(message).code("charge_disputed").executed());
    }
    if left == 0 {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(ApiError::invalid(message).code("charge_already_refunded").executed());
    }
    let amount = wanted.unwrap_or(left);
    if amount < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("amount"));
    }
    let step = currency::step(&charge.currency);
    if wanted.is_some() && amount.rem_euclid(step) != 0 {
        let message = format!("Invalid integer: amounts in {} must be evenly divisible by {step}.", charge.currency);
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("amount"));
    }
    if amount > left {
        let (what, most) = match charge.amount_refunded {
            0 if lost == 0 => ("charge amount", charge.amount),
            _ => ("unrefunded amount on charge", left),
        };
        let message = format!(
            "Refund amount ({}) is greater than {what} ({})",
            currency::format(amount, &charge.currency),
            currency::format(most, &charge.currency)
        );
        return Err(ApiError::invalid(message).param("amount").executed());
    }
    Ok(amount)
}

/// `POST …/cancel`: only a refund that waits for the customer can be canceled.
pub(crate) fn cancel(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let refund = find(state, id)?;
    if refund.status != RefundStatus::RequiresAction {
        return Err(ApiError::invalid(format!(
            "This refund has a status of `{}` and cannot be canceled. Only a refund with the status `requires_action` \
             can be canceled.",
            refund.status.as_str()
        ))
        .executed());
    }
    move_to(state, context, id, RefundStatus::Canceled, None)
}

/// Moves a refund to another state. Failed and canceled are final, and book the money back.
pub(crate) fn move_to(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    to: RefundStatus,
    failure_reason: Option<&str>,
) -> Result<(), ApiError> {
    let refund = find(state, id)?.clone();
    if refund.status.is_undone() || refund.status == to {
        let message = format!("The refund is {}; it cannot become {}.", refund.status.as_str(), to.as_str());
        return Err(ApiError::invalid(message));
    }
    let before = to_json(state, &refund);
    state.due.retain(|(_, due), ()| due != id);
    let returned = to.is_undone().then(|| give_back(state, context, &refund));
    if let Some(refund) = state.refunds.get_mut(id) {
        refund.status = to;
        refund.failure_balance_transaction = returned;
        refund.failure_reason = match to {
            RefundStatus::Failed => Some(failure_reason.unwrap_or(DEFAULT_FAILURE).to_owned()),
            RefundStatus::Canceled => Some("merchant_request".to_owned()),
            _ => None,
        };
    }
    report_change(state, context, id, &before);
    Ok(())
}

/// The money did not reach the customer: it is back in the account and can be refunded again.
fn give_back(state: &mut State, context: &mut Context<'_>, refund: &Refund) -> String {
    if let Some(charge) = state.charges.get_mut(&refund.charge) {
        charge.amount_refunded = charge.amount_refunded.saturating_sub(refund.amount);
    }
    let entry = Entry {
        at_once: false,
        movement: Movement::RefundFailure,
        amount: refund.amount,
        fee: 0,
        currency: &refund.currency,
        source: &refund.id,
        description: Some("REFUND FAILURE".to_owned()),
    };
    balance::book(state, context, entry)
}

/// The next automatic step of a test card's refund: pending succeeds, succeeded fails.
pub(crate) fn fall_due(state: &mut State, context: &mut Context<'_>, id: &str) {
    let to = match state.refunds.get(id).map(|refund| refund.status) {
        Some(RefundStatus::Pending) => RefundStatus::Succeeded,
        Some(RefundStatus::Succeeded) => RefundStatus::Failed,
        _ => return,
    };
    // This cannot fail: neither state is final.
    move_to(state, context, id, to, None).ok();
}

/// Replaces the metadata.
pub(crate) fn set_metadata(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    metadata: BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let before = to_json(state, find(state, id)?);
    if let Some(refund) = state.refunds.get_mut(id) {
        refund.metadata = metadata;
    }
    report_change(state, context, id, &before);
    Ok(())
}

/// Emits the events of a changed refund, under the new and the old event name.
fn report_change(state: &mut State, context: &mut Context<'_>, id: &str, before: &Value) {
    let Some(after) = by_id(state, id) else { return };
    if *before == after {
        return;
    }
    state.emit_diff(context, "refund.updated", before, after.clone());
    state.emit_diff(context, "charge.refund.updated", before, after.clone());
    let failed = after.get("status") == Some(&json!("failed"));
    if failed && before.get("status") != after.get("status") {
        state.emit(context, "refund.failed", after);
    }
}

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.refunds.get(id).map(|refund| to_json(state, refund))
}

pub(crate) fn to_json(state: &State, refund: &Refund) -> Value {
    let charge = state.charges.get(&refund.charge);
    let method = charge.and_then(|charge| state.payment_methods.get(&charge.payment_method));
    let mut members = Map::new();
    if let Value::Object(always) = json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": refund.balance_transaction,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "customer": null,
        "customer_account": null,
        "destination_details": destination(method),
        "metadata": refund.metadata,
        "payment_intent": refund.payment_intent,
        "payment_method": method.map(|method| &method.id),
        "reason": refund.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": refund.status.as_str(),
        "transfer_reversal": null,
    }) {
        members.extend(always);
    }
    for (name, value) in [
        ("failure_reason", &refund.failure_reason),
        ("failure_balance_transaction", &refund.failure_balance_transaction),
    ] {
        if let Some(value) = value {
            members.insert(name.to_owned(), json!(value));
        }
    }
    if refund.status == RefundStatus::Pending {
        members.insert("pending_reason".to_owned(), json!("processing"));
    }
    Value::Object(members)
}

/// The refund goes back to the original payment method.
fn destination(method: Option<&PaymentMethod>) -> Value {
    let transfer = json!({ "reference": null, "reference_status": null });
    match method {
        Some(method) if method.sepa_debit.is_some() => {
            json!({ "type": "eu_bank_transfer", "eu_bank_transfer": transfer })
        }
        Some(method) if method.card.is_none() => json!({ "type": "us_bank_transfer", "us_bank_transfer": transfer }),
        _ => json!({ "type": "card", "card": {
            "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
        }}),
    }
}
