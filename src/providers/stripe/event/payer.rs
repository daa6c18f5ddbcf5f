//! Reads who paid from events: the address and name that the customer typed on Stripe's page, and the card of the charge.
//!
//! Nothing depends on it, so what cannot be read is left out.

use serde::Deserialize;

use crate::domain::ids::TopupId;
use crate::domain::payer::Payer;
use crate::providers::stripe::objects::topup_in;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

/// A checkout session or a charge: each has some of these.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    metadata: Option<serde_json::Value>,
    #[serde(default)]
    customer_details: Option<Person>,
    #[serde(default)]
    payment_method_details: Option<Method>,
}

#[derive(Deserialize)]
struct Person {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Method {
    #[serde(default)]
    card: Option<Card>,
    #[serde(default)]
    sepa_debit: Option<Debit>,
}

#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    brand: Option<String>,
    #[serde(default)]
    last4: Option<String>,
    #[serde(default)]
    country: Option<String>,
}

#[derive(Deserialize)]
struct Debit {
    #[serde(default)]
    last4: Option<String>,
    #[serde(default)]
    country: Option<String>,
}

/// The payer named in an event about one of our top-ups.
pub(in crate::providers::stripe) fn read(body: &[u8]) -> Option<(TopupId, Payer)> {
    let event: Event = serde_json::from_slice(body).ok()?;
    if !event.kind.starts_with("checkout.session.") && !event.kind.starts_with("charge.") {
        return None;
    }
    let Object { metadata, customer_details, payment_method_details } = event.data.object;
    let topup = topup_in(&metadata?)?;
    // A charge repeats what was typed, or has what a wallet says instead; which comes last is chance.
    let (email, name) = customer_details.map_or((None, None), |person| (person.email, person.name));
    let method = payment_method_details.map(|method| (method.card, method.sepa_debit));
    let (card_brand, card_last4, card_country) = match method {
        Some((Some(card), _)) => (card.brand, card.last4, card.country),
        Some((None, Some(debit))) => (Some("SEPA debit".to_owned()), debit.last4, debit.country),
        _ => (None, None, None),
    };
    let payer = Payer { email, name, card_brand, card_last4, card_country, ..Payer::default() };
    (!payer.is_empty()).then_some((topup, payer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(event: &serde_json::Value) -> Option<(TopupId, Payer)> {
        read(event.to_string().as_bytes())
    }

    #[test]
    fn the_session_has_the_person_and_the_charge_the_card() {
        let id = TopupId::from_bits(7);
        let metadata = json!({ "purpose": "credits_topup", "topupId": id.as_str() });
        let session = json!({ "type": "checkout.session.completed", "data": { "object": { "metadata": metadata,
            "customer_details": { "email": "Ann@b.example", "name": "Ann" } } } });
        let (topup, payer) = read_json(&session).expect("a payer");
        assert_eq!((topup, payer.email.as_deref(), payer.card_last4), (id.clone(), Some("Ann@b.example"), None));
        let charge = json!({ "type": "charge.succeeded", "data": { "object": { "metadata": metadata, "billing_details": { "name": "A" },
            "payment_method_details": { "card": { "brand": "visa", "last4": "4242", "country": "US" } } } } });
        let (_, payer) = read_json(&charge).expect("a payer");
        assert_eq!(
            (
                payer.card_brand.as_deref(),
                payer.card_last4.as_deref(),
                payer.card_country.as_deref(),
                payer.name.as_deref()
            ),
            (Some("visa"), Some("4242"), Some("US"), None)
        );
    }

    #[test]
    fn other_events_and_strange_ones_say_nothing() {
        let ours = json!({ "purpose": "credits_topup", "topupId": TopupId::from_bits(7).as_str() });
        for event in [
            json!({}),
            json!([]),
            json!({ "type": "charge.succeeded", "data": { "object": { "billing_details": { "email": "a@b.example" } } } }),
            json!({ "type": "charge.succeeded", "data": { "object": { "metadata": ours, "billing_details": 7 } } }),
            json!({ "type": "invoice.paid", "data": { "object": { "metadata": ours, "customer_details": { "email": "a@b.example" } } } }),
            json!({ "type": "charge.succeeded", "data": { "object": { "metadata": ours, "customer_details": null } } }),
        ] {
            assert!(read_json(&event).is_none(), "{event}");
        }
    }
}
