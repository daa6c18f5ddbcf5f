//! Checkout sessions, line items, prices and products as Stripe's JSON.

use serde_json::{Map, Value, json};

use super::{
    Context, State,
    customer::Customer,
    session::{CustomerDetails, LineItem, Mode, Session},
};

/// A session with every field that Stripe's schema requires. `url` is present only while the session is open.
pub(crate) fn session(session: &Session, base_url: &str) -> Value {
    let mut members = Map::new();
    for part in [identity(session, base_url), money(session), customer(session), settings(session), unused()] {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    }
    if session.name_collection.is_none() {
        members.remove("name_collection");
    }
    Value::Object(members)
}

/// The session as it is now, for an event.
pub(crate) fn snapshot(state: &State, context: &Context<'_>, id: &str) -> Option<Value> {
    state.sessions.get(id).map(|found| session(found, context.base_url))
}

fn identity(session: &Session, base_url: &str) -> Value {
    let url = session.is_open().then(|| format!("{base_url}/c/pay/{}", session.id));
    json!({
        "id": session.id,
        "object": "checkout.session",
        "created": session.created,
        "expires_at": session.expires_at,
        "livemode": false,
        "mode": session.mode.as_str(),
        "status": session.status.as_str(),
        "payment_status": payment_status(session),
        // That of a subscription belongs to its invoice.
        "payment_intent": session.payment_intent.as_ref().filter(|_| session.mode != Mode::Subscription),
        "success_url": session.success_url,
        "cancel_url": session.cancel_url,
        "url": url,
        "client_reference_id": session.client_reference_id,
        "metadata": session.metadata,
    })
}

fn payment_status(session: &Session) -> &'static str {
    match (session.mode, session.paid) {
        (Mode::Setup, _) => "no_payment_required",
        (Mode::Subscription, _) if session.amount_total == 0 => "no_payment_required",
        (_, true) => "paid",
        (_, false) => "unpaid",
    }
}

fn money(session: &Session) -> Value {
    let has_total = session.mode != Mode::Setup;
    json!({
        "adaptive_pricing": { "enabled": session.adaptive_pricing },
        "allow_promotion_codes": session.allow_promotion_codes,
        "amount_subtotal": has_total.then(|| session.amount_total.saturating_sub(session.tax).saturating_add(session.tax_inclusive)),
        "amount_total": has_total.then_some(session.amount_total),
        "automatic_tax": {
            "enabled": session.automatic_tax,
            "liability": session.automatic_tax.then(|| json!({ "type": "self" })),
            "provider": session.automatic_tax.then_some("stripe"),
            "status": session.automatic_tax.then_some(if session.paid { "complete" } else { "requires_location_inputs" }),
        },
        "currency": (!session.currency.is_empty()).then_some(&session.currency),
        "currency_conversion": null,
        "discounts": [],
        "total_details": has_total.then(|| json!({
            "amount_discount": 0, "amount_shipping": 0, "amount_tax": session.tax,
        })),
    })
}

fn customer(session: &Session) -> Value {
    let details = session
        .customer
        .clone()
        .or_else(|| session.customer_email.clone().map(|email| CustomerDetails { email: Some(email), name: None }));
    let collected = session.customer.is_some();
    json!({
        "collected_information": collected.then(|| json!({
            "business_name": null, "individual_name": null, "shipping_details": null,
        })),
        "customer": session.customer_id,
        "customer_account": null,
        "customer_creation": (!session.customer_was_given).then_some(&session.customer_creation),
        "customer_details": details.map(|details| json!({
            "address": collected.then(empty_address),
            "business_name": null,
            "email": details.email,
            "individual_name": null,
            "name": details.name,
            "phone": null,
            "tax_exempt": "none",
            "tax_ids": collected.then(|| Customer::shown_tax_ids(session.tax_id.as_ref())),
        })),
        "customer_email": session.customer_email.as_ref().filter(|_| !session.customer_was_given),
    })
}

fn settings(session: &Session) -> Value {
    json!({
        "allowed_payment_method_types": session.allowed_payment_method_types,
        "billing_address_collection": session.billing_address_collection,
        "custom_fields": [],
        "custom_text": custom_text(session),
        "invoice_creation": (session.mode != Mode::Subscription).then(|| invoice_creation(session)),
        "locale": session.locale,
        "payment_method_collection": session.payment_method_collection.as_deref().unwrap_or(match session.mode {
            Mode::Payment => "if_required",
            Mode::Setup | Mode::Subscription => "always",
        }),
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": session.payment_method_types,
        "after_expiration": session.after_expiration,
        "consent_collection": session.consent_collection,
        "managed_payments": { "enabled": session.managed_payments },
        "name_collection": session.name_collection,
        "phone_number_collection": { "enabled": session.phone_number_collection },
        "tax_id_collection": { "enabled": session.tax_id_collection, "required": "never" },
        "saved_payment_method_options": session.saved_payment_method_options,
        "setup_intent": session.setup_intent.as_ref().filter(|_| session.mode == Mode::Setup),
        "subscription": session.subscription,
        "invoice": session.invoice,
        "wallet_options": session.wallet_options,
        "submit_type": session.submit_type,
        "ui_mode": "hosted_page",
    })
}

fn invoice_creation(session: &Session) -> Value {
    let data = &session.invoice_data;
    json!({
        "enabled": session.invoice_creation,
        "invoice_data": {
            "account_tax_ids": null, "custom_fields": data.custom_fields, "description": data.description,
            "footer": data.footer, "issuer": session.invoice_creation.then(|| json!({ "type": "self" })),
            "metadata": data.metadata, "rendering_options": null,
        },
    })
}

/// The texts that the shop adds to the page, with every member.
fn custom_text(session: &Session) -> Value {
    let mut texts = json!({
        "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
    });
    if let (Some(texts), Some(Value::Object(given))) = (texts.as_object_mut(), session.custom_text.clone()) {
        texts.extend(given);
    }
    texts
}

/// Fields of features that the sandbox does not have.
fn unused() -> Value {
    json!({
        "client_secret": null,
        "consent": null,
        "integration_identifier": null,
        "origin_context": null,
        "payment_link": null,
        "payment_method_configuration_details": null,
        "permissions": null,
        "recovered_from": null,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
    })
}

/// An address without data.
pub(crate) fn empty_address() -> Value {
    json!({
        "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
    })
}

pub(crate) fn line_item(session: &Session, item: &LineItem) -> Value {
    json!({
        "id": item.id,
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": 0,
        "amount_subtotal": item.amount,
        "amount_tax": item.tax,
        "amount_total": if item.tax_behavior == "inclusive" { item.amount } else { item.amount.saturating_add(item.tax) },
        "currency": session.currency,
        "description": item.name,
        "metadata": item.metadata,
        "price": price(session, item),
        "quantity": item.quantity,
    })
}

/// A price created from `price_data` is never active: it cannot be reused.
fn price(session: &Session, item: &LineItem) -> Value {
    if let Some(listed) = &item.listed_price {
        return listed.clone();
    }
    let exact = item.unit_amount_decimal.clone();
    json!({
        "id": item.price,
        "object": "price",
        "active": false,
        "billing_scheme": "per_unit",
        "created": session.created,
        "currency": session.currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": item.product,
        "recurring": null,
        "tax_behavior": item.tax_behavior,
        "tiers_mode": null,
        "transform_quantity": null,
        "type": "one_time",
        "unit_amount": exact.is_none().then_some(item.unit_amount),
        "unit_amount_decimal": exact.unwrap_or_else(|| item.unit_amount.to_string()),
    })
}

pub(crate) fn product(session: &Session, item: &LineItem) -> Value {
    let mut product = json!({
        "id": item.product,
        "object": "product",
        "active": false,
        "created": session.created,
        "description": item.description,
        "images": item.images,
        "livemode": false,
        "marketing_features": [],
        "metadata": item.product_metadata,
        "name": item.name,
        "package_dimensions": null,
        "shippable": null,
        "tax_code": item.tax_code,
        "tax_details": null,
        "type": "service",
        "updated": session.created,
        "url": null,
    });
    if let (Some(label), Some(members)) = (&item.unit_label, product.as_object_mut()) {
        members.insert("unit_label".to_owned(), json!(label));
    }
    product
}
