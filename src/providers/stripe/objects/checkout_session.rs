//! Checkout sessions.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::checkout::{PurchaseProgress, PurchaseReport};
use crate::domain::ids::{CustomerId, SessionId, SetupId, TopupId};
use crate::domain::reversal::EventRef;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::{Expandable, payment_intent, topup_of};

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Session {
    pub(in crate::providers::stripe) id: String,
    #[serde(default)]
    pub(in crate::providers::stripe) livemode: Option<bool>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) status: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) payment_status: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) url: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) expires_at: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    /// Only compared where tax was agreed, so another form of it in a later version spoils nothing else.
    #[serde(default, deserialize_with = "number_if_any")]
    amount_subtotal: Option<i64>,
    #[serde(default)]
    amount_total: Option<i64>,
    #[serde(default)]
    total_details: Option<TotalDetails>,
    #[serde(default)]
    client_reference_id: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) metadata: Option<HashMap<String, String>>,
    #[serde(default)]
    payment_intent: Option<Expandable>,
    #[serde(default)]
    customer: Option<Expandable>,
    #[serde(default)]
    setup_intent: Option<Expandable>,
}

/// The metadata's purpose of a session that saves a card.
pub(in crate::providers::stripe) const CARD_SETUP: &str = "card_setup";

/// A session on which a customer saved a card.
pub(in crate::providers::stripe) struct CardSetup {
    pub(in crate::providers::stripe) account: String,
    pub(in crate::providers::stripe) customer: CustomerId,
    pub(in crate::providers::stripe) setup: SetupId,
}

#[derive(Deserialize)]
struct TotalDetails {
    #[serde(default)]
    amount_tax: Option<i64>,
}

fn number_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_i64())
}

/// The parts of a report that the session does not contain, or that differ between an event and a later read.
pub(in crate::providers::stripe) struct Occasion {
    pub(in crate::providers::stripe) event: Option<EventRef>,
    pub(in crate::providers::stripe) event_created_ms: Option<i64>,
    pub(in crate::providers::stripe) livemode: bool,
    pub(in crate::providers::stripe) topup: TopupId,
    pub(in crate::providers::stripe) progress: PurchaseProgress,
}

impl Session {
    /// The top-up named in the metadata, if its purpose is ours.
    pub(in crate::providers::stripe) fn topup(&self) -> Option<TopupId> {
        self.metadata.as_ref().and_then(topup_of)
    }

    /// Whether it is one of our pages that save a card.
    pub(in crate::providers::stripe) fn is_card_setup(&self) -> bool {
        let purpose = self.metadata.as_ref().and_then(|metadata| metadata.get("purpose"));
        self.mode.as_deref() == Some("setup") && purpose.map(String::as_str) == Some(CARD_SETUP)
    }

    /// The card setup that a completed page was.
    pub(in crate::providers::stripe) fn card_setup(self) -> Result<CardSetup, String> {
        let metadata = self.metadata.unwrap_or_default();
        let customer = self.customer.ok_or("customer is missing")?.into_id();
        let setup = self.setup_intent.ok_or("setup_intent is missing")?.into_id();
        Ok(CardSetup {
            account: metadata.get("accountId").cloned().ok_or("metadata.accountId is missing")?,
            customer: CustomerId::parse(NAME, customer).map_err(|error| error.to_string())?,
            setup: SetupId::parse(NAME, setup).map_err(|error| error.to_string())?,
        })
    }

    /// The session's report, without the seal.
    pub(in crate::providers::stripe) fn report(self, occasion: Occasion) -> Result<PurchaseReport, String> {
        let Occasion { event, event_created_ms, livemode, topup, progress } = occasion;
        let metadata = self.metadata.unwrap_or_default();
        Ok(PurchaseReport {
            event,
            event_created_ms,
            livemode,
            session: SessionId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            topup,
            progress,
            account: metadata.get("accountId").cloned(),
            client_reference: self.client_reference_id,
            credits: metadata.get("credits").cloned(),
            bonus: metadata.get("bonusCredits").cloned(),
            expire_days: metadata.get("creditsExpireDays").cloned(),
            mode: self.mode,
            currency: self.currency,
            amount_subtotal_minor: self.amount_subtotal,
            amount_total_minor: self.amount_total,
            amount_tax_minor: self.total_details.and_then(|details| details.amount_tax),
            payment: payment_intent(self.payment_intent)?,
            seal: None,
        })
    }
}
