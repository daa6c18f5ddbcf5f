//! Disputes as Stripe's JSON.

use serde_json::{Map, Value, json};

use super::{
    State, balance,
    dispute::{Dispute, DisputeStatus},
};

/// The text fields of evidence.
pub(crate) const EVIDENCE_TEXTS: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
];

/// The file fields of evidence, which the sandbox does not accept.
pub(crate) const EVIDENCE_FILES: &[&str] = &[
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
];

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.disputes.get(id).map(|found| dispute(state, found))
}

/// Renders a dispute. Its balance transactions are whole objects, as on Stripe.
pub(crate) fn dispute(state: &State, dispute: &Dispute) -> Value {
    let transactions: Vec<Value> = dispute
        .balance_transactions
        .iter()
        .filter_map(|id| state.balance_transactions.get(id))
        .map(balance::to_json)
        .collect();
    let mut rendered = json!({
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": transactions,
        "charge": dispute.charge,
        "created": dispute.created,
        "currency": dispute.currency,
        "enhanced_eligibility_types": [],
        "evidence": evidence(dispute),
        "evidence_details": {
            "due_by": dispute.due_by,
            "enhanced_eligibility": {},
            "has_evidence": !dispute.evidence.is_empty(),
            "past_due": false,
            "submission_count": dispute.submission_count,
            "submission_method": if dispute.submission_count > 0 { "manual" } else { "not_submitted" },
        },
        "intended_submission_method": null,
        "is_charge_refundable": is_charge_refundable(state, dispute),
        "livemode": false,
        "metadata": dispute.metadata,
        "network_reason_code": reason_code(&dispute.reason),
        "payment_intent": dispute.payment_intent,
        "reason": dispute.reason,
        "status": dispute.status.as_str(),
    });
    if let (Some(details), Some(members)) = (card_details(state, dispute), rendered.as_object_mut()) {
        members.insert("payment_method_details".to_owned(), details);
    }
    rendered
}

fn is_charge_refundable(state: &State, dispute: &Dispute) -> bool {
    let allowed = dispute.status.is_inquiry() || dispute.status == DisputeStatus::Won;
    allowed && state.charges.get(&dispute.charge).is_some_and(|charge| charge.left() > 0)
}

fn evidence(dispute: &Dispute) -> Value {
    let mut members = Map::new();
    for name in EVIDENCE_TEXTS.iter().chain(EVIDENCE_FILES) {
        members.insert((*name).to_owned(), json!(dispute.evidence.get(*name)));
    }
    members.insert("enhanced_evidence".to_owned(), json!({}));
    Value::Object(members)
}

/// Payment method details; only cards have any.
fn card_details(state: &State, dispute: &Dispute) -> Option<Value> {
    let charge = state.charges.get(&dispute.charge)?;
    let card = state.payment_methods.get(&charge.payment_method)?.card.as_ref()?;
    Some(json!({ "type": "card", "card": {
        "brand": card.brand,
        "case_type": if dispute.status.is_inquiry() { "inquiry" } else { "chargeback" },
        "network": card.brand,
        "network_reason_code": reason_code(&dispute.reason),
    }}))
}

/// The network's reason code, by Visa's numbers.
fn reason_code(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "fraudulent" | "general" => "10.4",
        "product_not_received" => "13.1",
        "subscription_canceled" => "13.2",
        "product_unacceptable" => "13.3",
        "credit_not_processed" => "13.6",
        "duplicate" => "12.6.1",
        _ => return None,
    })
}
