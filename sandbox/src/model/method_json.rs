//! Payment methods as Stripe's JSON.

use serde_json::{Value, json};

use super::{
    payment::{Card, PaymentMethod},
    sepa,
};

pub(crate) fn checks(card: &Card) -> Value {
    json!({
        "address_line1_check": null, "address_postal_code_check": null, "cvc_check": card.cvc_check,
    })
}

pub(crate) fn billing_details(method: Option<&PaymentMethod>) -> Value {
    json!({
        "address": method.and_then(|method| method.address.clone()).unwrap_or_default(),
        "email": method.and_then(|method| method.email.as_ref()),
        "name": method.and_then(|method| method.name.as_ref()),
        "phone": method.and_then(|method| method.phone.as_ref()),
        "tax_id": null,
    })
}

pub(crate) fn payment_method(method: &PaymentMethod) -> Value {
    let kind = method.kind();
    let details = match (&method.card, &method.sepa_debit) {
        (Some(card), _) => card_json(card),
        (None, Some(debit)) => sepa::method_details(debit),
        (None, None) if method.bank_transfer => json!({}),
        (None, None) => json!({
            "account_holder_type": "individual", "account_type": "checking",
            "bank_name": "STRIPE TEST BANK", "financial_connections_account": null,
            "fingerprint": null, "last4": "6789",
            "networks": { "preferred": "ach", "supported": ["ach"] },
            "routing_number": "110000000", "status_details": {},
        }),
    };
    let mut rendered = json!({
        "id": method.id,
        "object": "payment_method",
        "allow_redisplay": method.allow_redisplay,
        "billing_details": billing_details(Some(method)),
        "created": method.created,
        "customer": method.customer,
        "customer_account": null,
        "livemode": false,
        "metadata": method.metadata,
        "type": kind,
    });
    if let Some(members) = rendered.as_object_mut() {
        members.insert(kind.to_owned(), details);
    }
    rendered
}

fn card_json(card: &Card) -> Value {
    json!({
        "brand": card.brand,
        "checks": checks(card),
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": null,
        "last4": card.last4,
        "networks": { "available": [card.brand], "preferred": null },
        "regulated_status": "unregulated",
        "three_d_secure_usage": { "supported": true },
        "wallet": null,
    })
}
