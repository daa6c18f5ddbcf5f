//! Saved cards, and the setups that save them.

use serde::Deserialize;

use crate::domain::auto_topup::CardFacts;
use crate::domain::ids::PaymentMethodId;
use crate::providers::port::SavedCard;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::Expandable;

#[derive(Deserialize)]
pub(in crate::providers::stripe) struct PaymentMethod {
    id: String,
    #[serde(default)]
    created: Option<i64>,
    #[serde(default)]
    customer: Option<Expandable>,
    #[serde(default)]
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    brand: Option<String>,
    #[serde(default)]
    last4: Option<String>,
    exp_month: i64,
    exp_year: i64,
    #[serde(default)]
    country: Option<String>,
}

impl PaymentMethod {
    /// Whose it is; `None` after it was removed.
    pub(in crate::providers::stripe) fn customer(&mut self) -> Option<String> {
        self.customer.take().map(Expandable::into_id)
    }

    /// The card; `None` if it is another way to pay.
    pub(in crate::providers::stripe) fn card(self) -> Result<Option<SavedCard>, String> {
        let Some(card) = self.card else { return Ok(None) };
        Ok(Some(SavedCard {
            id: PaymentMethodId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            facts: CardFacts {
                brand: card.brand.unwrap_or_else(|| "card".to_owned()),
                last4: card.last4.unwrap_or_default(),
                exp_month: card.exp_month,
                exp_year: card.exp_year,
                country: card.country,
            },
            created_ms: self.created.unwrap_or_default().saturating_mul(1_000),
        }))
    }
}

/// What saves a card on a page.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct SetupIntent {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    payment_method: Option<Expandable>,
}

impl SetupIntent {
    /// The card that was saved.
    pub(in crate::providers::stripe) fn saved_card(self) -> Result<Option<PaymentMethodId>, String> {
        let card = self.payment_method.filter(|_| self.status.as_deref() == Some("succeeded"));
        let card = card.map(|card| PaymentMethodId::parse(NAME, card.into_id())).transpose();
        card.map_err(|error| error.to_string())
    }
}
