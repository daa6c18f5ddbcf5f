//! Payments, charges, and balance transactions.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::auto_topup::Decline;
use crate::domain::checkout::{PurchaseProgress, PurchaseReport, Seal};
use crate::domain::fees::RealFee;
use crate::domain::ids::{CustomerId, FeeId, PaymentId, SessionId, TopupId};
use crate::domain::reversal::EventRef;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::{Expandable, Identified, SIGNATURE, TERMS, topup_in};

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct PaymentIntent {
    id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) livemode: Option<bool>,
    #[serde(default)]
    metadata: Option<Value>,
    #[serde(default)]
    customer: Option<Value>,
    #[serde(default)]
    pub(in crate::providers::stripe) latest_charge: Option<Expandable<Charge>>,
    #[serde(default)]
    pub(in crate::providers::stripe) last_payment_error: Option<PaymentError>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    amount_received: Option<i64>,
}

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct PaymentError {
    #[serde(default)]
    pub(in crate::providers::stripe) code: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) decline_code: Option<String>,
    #[serde(default)]
    advice_code: Option<String>,
}

impl PaymentError {
    /// Why the bank declined.
    pub(in crate::providers::stripe) fn decline(self) -> Decline {
        Decline { code: self.code, decline_code: self.decline_code, advice_code: self.advice_code }
    }
}

/// The metadata key that tells payments without a checkout session from those of sessions, and its value.
pub(in crate::providers::stripe) const ORIGIN: &str = "origin";
pub(in crate::providers::stripe) const AUTO_TOPUP: &str = "auto_topup";

impl PaymentIntent {
    /// The top-up named in the metadata, if its purpose is ours.
    pub(in crate::providers::stripe) fn topup(&self) -> Option<TopupId> {
        self.metadata.as_ref().and_then(topup_in)
    }

    /// Its customer, which each payment of a subscription's invoice has.
    pub(in crate::providers::stripe) fn customer(&self) -> Option<CustomerId> {
        let customer = self.customer.as_ref()?;
        let id = customer.as_str().or_else(|| customer.get("id")?.as_str())?;
        CustomerId::parse(NAME, id).ok()
    }

    /// Its id.
    pub(in crate::providers::stripe) fn id(&self) -> &str {
        &self.id
    }

    /// Its id.
    pub(in crate::providers::stripe) fn into_payment(self) -> Result<PaymentId, String> {
        PaymentId::parse(NAME, self.id).map_err(|error| error.to_string())
    }

    /// Whether the money has arrived or is on its way.
    pub(in crate::providers::stripe) fn brings_money(&self) -> bool {
        matches!(self.progress(), PurchaseProgress::Paid | PurchaseProgress::Processing)
    }

    /// Why it was declined. One that waits for the customer needs what nobody gives who is not there.
    pub(in crate::providers::stripe) fn decline(&self) -> Decline {
        let error = self.last_payment_error.as_ref();
        let waits = matches!(self.status.as_deref(), Some("requires_action" | "requires_confirmation"));
        let text = |text: &Option<String>| text.clone();
        Decline {
            code: error.and_then(|error| text(&error.code)).or_else(|| waits.then(|| NEEDS_CUSTOMER.to_owned())),
            decline_code: error.and_then(|error| text(&error.decline_code)),
            advice_code: error.and_then(|error| text(&error.advice_code)),
        }
    }

    fn progress(&self) -> PurchaseProgress {
        match self.status.as_deref() {
            Some("succeeded") => PurchaseProgress::Paid,
            Some("processing") => PurchaseProgress::Processing,
            Some("requires_payment_method") if self.last_payment_error.is_some() => PurchaseProgress::Failed,
            _ => PurchaseProgress::Nothing,
        }
    }

    /// The report of a payment without a checkout session: its own id stands where a session's id stands otherwise.
    /// `None` if it is not ours, or has a session, which tells of it.
    pub(in crate::providers::stripe) fn report(
        self,
        event: Option<EventRef>,
    ) -> Result<Option<PurchaseReport>, String> {
        let Some(topup) = self.topup() else { return Ok(None) };
        let metadata = self.metadata.as_ref().and_then(Value::as_object);
        let text = |key: &str| Some(metadata?.get(key)?.as_str()?.to_owned());
        if text(ORIGIN).as_deref() != Some(AUTO_TOPUP) {
            return Ok(None);
        }
        let progress = self.progress();
        let amount =
            if progress == PurchaseProgress::Paid { self.amount_received.or(self.amount) } else { self.amount };
        let seal = text(SIGNATURE).zip(text(TERMS)).map(|(signature, terms)| Box::new(Seal { terms, signature }));
        Ok(Some(PurchaseReport {
            event_created_ms: None,
            livemode: self.livemode.ok_or("the payment has no livemode")?,
            session: SessionId::parse(NAME, self.id.as_str()).map_err(|error| error.to_string())?,
            topup,
            progress,
            account: text("accountId"),
            // Only sessions have one; here the metadata say it for both.
            client_reference: text("accountId"),
            credits: text("credits"),
            bonus: text("bonusCredits"),
            expire_days: text("creditsExpireDays"),
            mode: Some("payment".to_owned()),
            currency: self.currency,
            amount_subtotal_minor: None,
            amount_total_minor: amount,
            amount_tax_minor: None,
            payment: Some(PaymentId::parse(NAME, self.id).map_err(|error| error.to_string())?),
            seal: seal.filter(|_| event.is_none()),
            event,
        }))
    }
}

/// The code for a payment that waits for the customer.
const NEEDS_CUSTOMER: &str = "authentication_required";

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
    #[serde(default)]
    pub(in crate::providers::stripe) receipt_url: Option<String>,
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
