//! Payments, charges, and balance transactions.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::fees::RealFee;
use crate::domain::ids::{FeeId, TopupId};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::{Expandable, Identified, topup_in};

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct PaymentIntent {
    id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) livemode: Option<bool>,
    #[serde(default)]
    metadata: Option<Value>,
    #[serde(default)]
    pub(in crate::providers::stripe) latest_charge: Option<Expandable<Charge>>,
    #[serde(default)]
    pub(in crate::providers::stripe) last_payment_error: Option<PaymentError>,
}

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct PaymentError {
    #[serde(default)]
    pub(in crate::providers::stripe) code: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) decline_code: Option<String>,
}

impl PaymentIntent {
    /// The top-up named in the metadata, if its purpose is ours.
    pub(in crate::providers::stripe) fn topup(&self) -> Option<TopupId> {
        self.metadata.as_ref().and_then(topup_in)
    }
}

impl Identified for PaymentIntent {
    fn into_id(self) -> String {
        self.id
    }
}

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Charge {
    pub(in crate::providers::stripe) id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_intent: Option<Expandable>,
    #[serde(default)]
    pub(in crate::providers::stripe) balance_transaction: Option<Expandable<BalanceTransaction>>,
}

impl Identified for Charge {
    fn into_id(self) -> String {
        self.id
    }
}

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct BalanceTransaction {
    id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) amount: Option<i64>,
    #[serde(default)]
    fee: Option<i64>,
    #[serde(default)]
    pub(in crate::providers::stripe) currency: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) reporting_category: Option<String>,
    #[serde(default, rename = "type")]
    pub(in crate::providers::stripe) kind: Option<String>,
}

impl BalanceTransaction {
    /// Stripe's fee for a payment.
    pub(in crate::providers::stripe) fn real_fee(self) -> Result<RealFee, String> {
        Ok(RealFee {
            fee_id: FeeId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            amount_minor: self.fee.ok_or("the balance transaction has no fee")?,
            currency: self.currency.ok_or("the balance transaction has no currency")?,
        })
    }
}

impl Identified for BalanceTransaction {
    fn into_id(self) -> String {
        self.id
    }
}
