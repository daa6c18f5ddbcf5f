//! Disputes in API responses. Of a dispute in an event only the id is read.

use serde::Deserialize;

use crate::domain::ids::DisputeId;
use crate::domain::reversal::{DisputeMovement, DisputeReport, amount, word};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::{Expandable, payment_intent};
use crate::providers::stripe::objects::payment::{BalanceTransaction, PaymentIntent};

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Dispute {
    id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<Expandable<PaymentIntent>>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    balance_transactions: Option<Vec<BalanceTransaction>>,
    #[serde(default)]
    evidence_details: Option<EvidenceDetails>,
    #[serde(default)]
    livemode: Option<bool>,
    #[serde(default)]
    created: Option<i64>,
}

#[derive(Deserialize)]
struct EvidenceDetails {
    #[serde(default)]
    due_by: Option<i64>,
}

impl Dispute {
    /// The dispute's money, as Stripe shows it. Only [`DisputeReport`] draws conclusions from it.
    pub(in crate::providers::stripe) fn report(self) -> Result<DisputeReport, String> {
        let mut movements = Vec::new();
        for moved in self.balance_transactions.ok_or("the dispute has no list of balance transactions")? {
            movements.extend(movement(moved)?);
        }
        Ok(DisputeReport {
            stranger: None,
            id: DisputeId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            payment: payment_intent(self.payment_intent)?,
            amount_minor: self.amount.and_then(amount).ok_or("the dispute has no amount")?,
            currency: self.currency.ok_or("the dispute has no currency")?,
            status: word(&self.status.ok_or("the dispute has no status")?),
            reason: self.reason.as_deref().map(word),
            evidence_due_seconds: self.evidence_details.and_then(|details| details.due_by),
            movements,
            livemode: self.livemode.ok_or("the dispute has no livemode")?,
            created_seconds: self.created.ok_or("the dispute has no time")?,
        })
    }
}

/// The movement of a balance transaction. `None` for Stripe's dispute fees and their return, which are not the
/// customer's money.
fn movement(moved: BalanceTransaction) -> Result<Option<DisputeMovement>, String> {
    let category = moved.reporting_category.ok_or("a balance transaction of the dispute has no category")?;
    let kind = moved.kind.ok_or("a balance transaction of the dispute has no type")?;
    let is_fee = matches!(category.as_str(), "fee" | "tax" | "network_cost")
        || matches!(kind.as_str(), "stripe_fee" | "stripe_fx_fee" | "tax_fee" | "fee_credit_funding");
    if is_fee {
        return Ok(None);
    }
    Ok(Some(DisputeMovement {
        amount_minor: moved.amount.ok_or("a balance transaction of the dispute has no amount")?,
        currency: moved.currency.ok_or("a balance transaction of the dispute has no currency")?,
    }))
}
