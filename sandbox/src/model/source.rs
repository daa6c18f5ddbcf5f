//! Cards of the older kind: the sources of a customer (docs: "Sources", deprecated). They are kept and shown, and no
//! payment uses them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::payment::Card;

/// A card that was added with a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) card: Card,
    pub(crate) name: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// The brand as this older object writes it.
fn brand(card: &Card) -> &str {
    match card.brand.as_str() {
        "visa" => "Visa",
        "mastercard" => "MasterCard",
        "amex" => "American Express",
        "discover" => "Discover",
        "diners" => "Diners Club",
        "jcb" => "JCB",
        "unionpay" => "UnionPay",
        _ => "Unknown",
    }
}

pub(crate) fn to_json(source: &Source, customer: &str) -> Value {
    let card = &source.card;
    json!({
        "id": source.id,
        "object": "card",
        "address_city": null,
        "address_country": null,
        "address_line1": null,
        "address_line1_check": null,
        "address_line2": null,
        "address_state": null,
        "address_zip": null,
        "address_zip_check": null,
        "allow_redisplay": "unspecified",
        "brand": brand(card),
        "country": card.country,
        "customer": customer,
        "cvc_check": card.cvc_check,
        "dynamic_last4": null,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "last4": card.last4,
        "metadata": source.metadata,
        "name": source.name,
        "regulated_status": "unregulated",
        "tokenization_method": null,
    })
}
