//! Early fraud warnings and reviews: what the card's network and Stripe say about payments that may be fraud.
//!
//! Invariant: a warning is actionable, and a review open, only while the charge is neither refunded in full nor
//! disputed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, State, error::ApiError, table::Row};

/// A warning by the card's network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EarlyFraudWarning {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) fraud_type: String,
    pub(crate) actionable: bool,
}

impl Row for EarlyFraudWarning {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl EarlyFraudWarning {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "radar.early_fraud_warning",
            "actionable": self.actionable,
            "charge": self.charge,
            "created": self.created,
            "fraud_type": self.fraud_type,
            "livemode": false,
            "payment_intent": self.payment_intent,
        })
    }
}

/// A payment that a person is to look at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) opened_reason: String,
    pub(crate) closed_reason: Option<String>,
}

impl Row for Review {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Review {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "review",
            "billing_zip": null,
            "charge": self.charge,
            "closed_reason": self.closed_reason,
            "created": self.created,
            "ip_address": null,
            "ip_address_location": null,
            "livemode": false,
            "open": self.closed_reason.is_none(),
            "opened_reason": self.opened_reason,
            "payment_intent": self.payment_intent,
            "reason": self.closed_reason.as_ref().unwrap_or(&self.opened_reason),
            "session": null,
        })
    }
}

/// A review that must exist.
pub(crate) fn find_review<'a>(state: &'a State, id: &str) -> Result<&'a Review, ApiError> {
    state.reviews.get(id).ok_or_else(|| ApiError::not_found("review", id, "review"))
}

/// Stripe's types of fraud.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FraudType {
    CardNeverReceived,
    FraudulentCardApplication,
    MadeWithCounterfeitCard,
    MadeWithLostCard,
    MadeWithStolenCard,
    Misc,
    UnauthorizedUseOfCard,
}

impl FraudType {
    fn as_str(self) -> &'static str {
        match self {
            Self::CardNeverReceived => "card_never_received",
            Self::FraudulentCardApplication => "fraudulent_card_application",
            Self::MadeWithCounterfeitCard => "made_with_counterfeit_card",
            Self::MadeWithLostCard => "made_with_lost_card",
            Self::MadeWithStolenCard => "made_with_stolen_card",
            Self::Misc => "misc",
            Self::UnauthorizedUseOfCard => "unauthorized_use_of_card",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Warn {
    fraud_type: Option<FraudType>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenReview {
    #[serde(default)]
    manual: bool,
}

/// The reasons with which Stripe closes a review.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClosedReason {
    Acknowledged,
    Approved,
    Canceled,
    Disputed,
    PaymentNeverSettled,
    Redacted,
    Refunded,
    RefundedAsFraud,
}

impl ClosedReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Approved => "approved",
            Self::Canceled => "canceled",
            Self::Disputed => "disputed",
            Self::PaymentNeverSettled => "payment_never_settled",
            Self::Redacted => "redacted",
            Self::Refunded => "refunded",
            Self::RefundedAsFraud => "refunded_as_fraud",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseReview {
    reason: ClosedReason,
}

fn wanted<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, ApiError> {
    T::deserialize(body).map_err(|error| ApiError::invalid(error.to_string()))
}

/// The card's network warns of a charge.
pub(crate) fn warn(
    state: &mut State,
    context: &mut Context<'_>,
    charge: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let fraud_type = wanted::<Warn>(body)?.fraud_type.unwrap_or(FraudType::UnauthorizedUseOfCard);
    after_charge(state, context, charge, fraud_type.as_str())
}

/// The test card that is reported as stolen.
pub(crate) fn after_payment(state: &mut State, context: &mut Context<'_>, charge_id: &str) {
    let method = state.charges.get(charge_id).and_then(|charge| state.payment_methods.get(&charge.payment_method));
    if method.is_some_and(|method| method.after == super::card::Aftermath::FraudWarning) {
        // This cannot fail: the charge was just paid.
        after_charge(state, context, charge_id, "made_with_stolen_card").ok();
    }
}

fn after_charge(
    state: &mut State,
    context: &mut Context<'_>,
    charge_id: &str,
    fraud_type: &str,
) -> Result<Value, ApiError> {
    let missing = || ApiError::not_found("charge", charge_id, "charge");
    let charge = state.charges.get(charge_id).cloned().ok_or_else(missing)?;
    if !charge.is_paid() {
        return Err(ApiError::invalid(format!("Charge {charge_id} is not paid, so nobody warns of it.")));
    }
    let warning = EarlyFraudWarning {
        id: context.ids.next("issfr_1", 23),
        created: context.now(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        fraud_type: fraud_type.to_owned(),
        actionable: charge.left() > 0 && !charge.disputed,
    };
    let rendered = warning.to_json();
    state.warnings.insert(warning);
    state.emit(context, "radar.early_fraud_warning.created", rendered.clone());
    Ok(rendered)
}

/// Radar holds a charge's payment for a person to look at.
pub(crate) fn open_review(
    state: &mut State,
    context: &mut Context<'_>,
    (intent, charge): (&str, String),
    body: &Value,
) -> Result<Value, ApiError> {
    let opening: OpenReview = wanted(body)?;
    if state.reviews.iter().any(|review| review.charge == charge && review.closed_reason.is_none()) {
        return Err(ApiError::invalid(format!("Charge {charge} has a review that is still open.")));
    }
    let review = Review {
        id: context.ids.next("prv_1", 23),
        created: context.now(),
        charge,
        payment_intent: intent.to_owned(),
        opened_reason: if opening.manual { "manual" } else { "rule" }.to_owned(),
        closed_reason: None,
    };
    let rendered = review.to_json();
    state.reviews.insert(review);
    state.emit(context, "review.opened", rendered.clone());
    Ok(rendered)
}

/// Closes a review.
pub(crate) fn close_review(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    reason: &str,
) -> Result<Value, ApiError> {
    if find_review(state, id)?.closed_reason.is_some() {
        return Err(ApiError::invalid("This review is already closed"));
    }
    let missing = || ApiError::not_found("review", id, "review");
    let review = state.reviews.get_mut(id).ok_or_else(missing)?;
    review.closed_reason = Some(reason.to_owned());
    let rendered = review.to_json();
    state.emit(context, "review.closed", rendered.clone());
    Ok(rendered)
}

/// A control closes a review.
pub(crate) fn close_by_control(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    body: &Value,
) -> Result<Value, ApiError> {
    let closing: CloseReview = wanted(body)?;
    close_review(state, context, id, closing.reason.as_str())
}

/// A charge was refunded in full or disputed: nothing can be done about its warnings and reviews any more. `reason` is
/// Stripe's for closing a review.
pub(crate) fn settle(state: &mut State, context: &mut Context<'_>, charge_id: &str, reason: &str) {
    let is_open = |warning: &&EarlyFraudWarning| warning.charge == charge_id && warning.actionable;
    let warnings: Vec<String> = state.warnings.iter().filter(is_open).map(|warning| warning.id.clone()).collect();
    for id in warnings {
        let Some(warning) = state.warnings.get_mut(&id) else { continue };
        let before = warning.to_json();
        warning.actionable = false;
        let after = warning.to_json();
        state.emit_diff(context, "radar.early_fraud_warning.updated", &before, after);
    }
    let is_open = |review: &&Review| review.charge == charge_id && review.closed_reason.is_none();
    let reviews: Vec<String> = state.reviews.iter().filter(is_open).map(|review| review.id.clone()).collect();
    for id in reviews {
        // This cannot fail: it is open.
        close_review(state, context, &id, reason).ok();
    }
}
