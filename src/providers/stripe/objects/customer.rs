//! Customers.

use serde::Deserialize;

use crate::domain::ids::{CustomerId, PaymentMethodId};
use crate::providers::port;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::fields::Expandable;

/// A customer. A deleted one has only its id and `deleted`.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Customer {
    pub(in crate::providers::stripe) id: String,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    invoice_settings: Option<InvoiceSettings>,
}

#[derive(Deserialize)]
struct InvoiceSettings {
    #[serde(default)]
    default_payment_method: Option<Expandable>,
}

impl Customer {
    /// The customer, unless it was deleted.
    pub(in crate::providers::stripe) fn existing(self) -> Result<Option<port::Customer>, String> {
        if self.deleted {
            return Ok(None);
        }
        let default_card = self.invoice_settings.and_then(|settings| settings.default_payment_method);
        let default_card = default_card.map(|card| PaymentMethodId::parse(NAME, card.into_id())).transpose();
        Ok(Some(port::Customer {
            id: CustomerId::parse(NAME, self.id).map_err(|error| error.to_string())?,
            default_card: default_card.map_err(|error| error.to_string())?,
        }))
    }
}
