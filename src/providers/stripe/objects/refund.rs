//! Refunds.

use std::collections::HashMap;

use serde::Deserialize;

use crate::domain::ids::RefundId;
use crate::domain::reversal::{REFUND_REQUEST_ID, RefundReport, RefundStatus, amount, word};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::{Expandable, payment_intent};
use crate::providers::stripe::objects::payment::PaymentIntent;

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Refund {
    pub(in crate::providers::stripe) id: String,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<Expandable<PaymentIntent>>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

impl Refund {
    /// The id of the refund request that it was made for.
    pub(in crate::providers::stripe) fn request(&self) -> Option<&str> {
        self.metadata.as_ref().and_then(|metadata| metadata.get(REFUND_REQUEST_ID)).map(String::as_str)
    }

    pub(in crate::providers::stripe) fn report(self) -> Result<RefundReport, String> {
        let request = self.request().map(word);
        let status = self.status.ok_or("the refund has no status")?;
        Ok(RefundReport {
            stranger: None,
            id: RefundId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            payment: payment_intent(self.payment_intent)?,
            amount_minor: self.amount.and_then(amount).ok_or("the refund has no amount")?,
            currency: self.currency.ok_or("the refund has no currency")?,
            // For a new, unknown status a retry and an operator's look are better than a guess.
            status: RefundStatus::parse(&status).ok_or_else(|| format!("the refund's status is {status}"))?,
            reason: self.reason.as_deref().map(word),
            request,
        })
    }
}
