//! `expand[]`: replaces ids in an answer with their objects.

use serde_json::{Value, json};

use super::{
    State, balance,
    billing::{invoice_json, schedule, subscription_json, test_clock},
    connect, customer, dispute_json,
    error::ApiError,
    methods, payment_json, price, product, refund, session_json, setup_intent,
};

const MAX_DEPTH: usize = 4;
const REFUNDS_SHOWN: usize = 10;

/// Expands every path, or refuses the first that cannot be expanded.
pub(crate) fn expand(state: &State, base_url: &str, answer: &mut Value, paths: &[String]) -> Result<(), ApiError> {
    for path in paths {
        let segments: Vec<&str> = path.split('.').collect();
        if segments.len() > MAX_DEPTH {
            return Err(ApiError::invalid(format!("You cannot expand more than 4 levels of a property ({path})."))
                .param("expand"));
        }
        walk(state, base_url, answer, &segments, path)?;
    }
    Ok(())
}

fn walk(state: &State, base_url: &str, value: &mut Value, segments: &[&str], path: &str) -> Result<(), ApiError> {
    let Some((first, rest)) = segments.split_first() else {
        return Ok(());
    };
    if let Value::Array(elements) = value {
        for element in elements {
            walk(state, base_url, element, segments, path)?;
        }
        return Ok(());
    }
    let kind = value.get("object").and_then(Value::as_str).unwrap_or_default();
    if !expandable(kind).contains(first) {
        return Err(cannot(path));
    }
    if *first == "line_items" && value.get("line_items").is_none() {
        include_line_items(state, value);
    }
    // They are no objects themselves, and only lead to one.
    let only_leads = ["invoice_settings", "parent", "payment", "pricing", "price_details", "subscription_details"];
    if only_leads.contains(first) && rest.is_empty() {
        return Err(cannot(path));
    }
    if *first == "currency_options" && value.get("currency_options").is_none() {
        include(value, "currency_options", |id| state.prices.get(id).map(price::currency_options));
    }
    if *first == "sources" && value.get("sources").is_none() {
        include(value, "sources", |id| state.customers.get(id).map(customer::sources));
    }
    if *first == "payments" && value.get("payments").is_none() {
        include(value, "payments", |id| state.invoices.get(id).map(|_| invoice_json::payments(state, id)));
    }
    if *first == "confirmation_secret" && value.get("confirmation_secret").is_none() {
        include(value, "confirmation_secret", |id| {
            let secret = invoice_json::confirmation_secret(state, state.invoices.get(id)?);
            Some(secret.unwrap_or_default())
        });
    }
    if *first == "refunds" && value.get("refunds").is_none() {
        include_refunds(state, value);
    }
    // A property that is only present at times, such as a failure reason.
    let Some(member) = value.get_mut(*first) else {
        return Ok(());
    };
    if let Value::String(id) = member
        && let Some(object) = by_id(state, base_url, id)
    {
        *member = object;
    }
    if member.is_null() {
        return Ok(());
    }
    walk(state, base_url, member, rest, path)
}

/// Checks that the first segment of a path exists on objects of this kind, before the object is created.
pub(crate) fn check_first(kind: &str, path: &str) -> Result<(), ApiError> {
    let first = path.split('.').next().unwrap_or_default();
    if expandable(kind).contains(&first) {
        return Ok(());
    }
    Err(cannot(path))
}

fn cannot(path: &str) -> ApiError {
    ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand")
}

/// Members without objects of their own, by their names.
const OF_MEMBERS: &[&str] = &[
    "default_payment_method",
    "payment_intent",
    "price",
    "price_details",
    "product",
    "subscription",
    "subscription_details",
];

fn expandable(kind: &str) -> &'static [&'static str] {
    match kind {
        "checkout.session" => {
            &["line_items", "payment_intent", "customer", "invoice", "payment_link", "setup_intent", "subscription"]
        }
        "payment_intent" => &[
            "latest_charge",
            "payment_method",
            "application",
            "customer",
            "on_behalf_of",
            "payment_record",
            "review",
            "source",
        ],
        "charge" => &[
            "balance_transaction",
            "payment_intent",
            "application",
            "application_fee",
            "customer",
            "failure_balance_transaction",
            "on_behalf_of",
            "refunds",
            "review",
            "source_transfer",
            "transfer",
        ],
        "refund" => &[
            "balance_transaction",
            "charge",
            "customer",
            "failure_balance_transaction",
            "payment_intent",
            "payment_method",
            "source_transfer_reversal",
            "transfer_reversal",
        ],
        "customer" => &["default_source", "invoice_settings", "sources", "test_clock"],
        "payment_method" => &["customer"],
        "setup_intent" => &[
            "customer",
            "payment_method",
            "application",
            "latest_attempt",
            "mandate",
            "on_behalf_of",
            "single_use_mandate",
        ],
        "product" => &["default_price", "tax_code"],
        "" => OF_MEMBERS,
        "transfer" => &["balance_transaction", "destination", "destination_payment", "source_transaction"],
        "transfer_reversal" => &["balance_transaction", "transfer", "destination_payment_refund", "source_refund"],
        "payout" | "topup" => &["balance_transaction", "destination", "failure_balance_transaction"],
        "dispute" | "radar.early_fraud_warning" | "review" => &["charge", "payment_intent"],
        "balance_transaction" => &["source"],
        "subscription" => &[
            "customer",
            "default_payment_method",
            "default_source",
            "discounts",
            "items",
            "latest_invoice",
            "on_behalf_of",
            "pending_setup_intent",
            "schedule",
            "test_clock",
            "application",
        ],
        "subscription_item" => &["discounts", "plan", "price"],
        "plan" => &["product"],
        "invoice" => &[
            "charge",
            "confirmation_secret",
            "customer",
            "default_payment_method",
            "discounts",
            "lines",
            "parent",
            "payment_intent",
            "payments",
            "subscription",
            "test_clock",
            "total_discount_amounts",
        ],
        "line_item" => &["discounts", "pricing", "subscription"],
        "invoice_payment" => &["invoice", "payment"],
        "invoiceitem" => &["customer", "discounts", "invoice"],
        "credit_note" => &["customer", "invoice"],
        "subscription_schedule" => &["customer", "subscription", "test_clock"],
        "billing_portal.session" => &["configuration"],
        "quote" => &["customer", "invoice", "subscription"],
        "list" => &["data"],
        "item" => &["price"],
        "price" => &["currency_options", "product"],
        _ => &[],
    }
}

/// Adds a member that is shown only on request.
fn include(object: &mut Value, name: &str, member: impl Fn(&str) -> Option<Value>) {
    let found = object.get("id").and_then(Value::as_str).and_then(member);
    if let (Some(found), Some(members)) = (found, object.as_object_mut()) {
        members.insert(name.to_owned(), found);
    }
}

fn include_line_items(state: &State, session: &mut Value) {
    let Some(found) = session.get("id").and_then(Value::as_str).and_then(|id| state.sessions.get(id)) else {
        return;
    };
    let data: Vec<_> = found.line_items.iter().map(|item| session_json::line_item(found, item)).collect();
    let list = json!({
        "object": "list", "data": data, "has_more": false,
        "url": format!("/v1/checkout/sessions/{}/line_items", found.id),
    });
    if let Some(members) = session.as_object_mut() {
        members.insert("line_items".to_owned(), list);
    }
}

/// The newest ten, newest first.
fn include_refunds(state: &State, charge: &mut Value) {
    let Some(id) = charge.get("id").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    let mut all: Vec<_> = state
        .refunds
        .iter()
        .rev()
        .filter(|refund| refund.charge == id)
        .take(REFUNDS_SHOWN.saturating_add(1))
        .map(|found| refund::to_json(state, found))
        .collect();
    let has_more = all.len() > REFUNDS_SHOWN;
    all.truncate(REFUNDS_SHOWN);
    let list =
        json!({ "object": "list", "data": all, "has_more": has_more, "url": format!("/v1/charges/{id}/refunds") });
    if let Some(members) = charge.as_object_mut() {
        members.insert("refunds".to_owned(), list);
    }
}

fn by_id(state: &State, base_url: &str, id: &str) -> Option<Value> {
    payment_json::intent_by_id(state, base_url, id)
        .or_else(|| payment_json::charge_by_id(state, id))
        .or_else(|| methods::by_id(state, id))
        .or_else(|| customer::by_id(state, id))
        .or_else(|| setup_intent::by_id(state, base_url, id))
        .or_else(|| price::by_id(state, id))
        .or_else(|| connect::by_id(state, id))
        .or_else(|| state.balance_transactions.get(id).map(balance::to_json))
        .or_else(|| refund::by_id(state, id))
        .or_else(|| dispute_json::by_id(state, id))
        .or_else(|| product_of(state, id))
        .or_else(|| billing_object(state, base_url, id))
}

fn billing_object(state: &State, base_url: &str, id: &str) -> Option<Value> {
    subscription_json::by_id(state, id)
        .or_else(|| invoice_json::by_id(state, base_url, id))
        .or_else(|| schedule::by_id(state, id))
        .or_else(|| state.test_clocks.get(id).map(test_clock::to_json))
        .or_else(|| state.documents.get(id).map(|found| found.value.clone()))
}

fn product_of(state: &State, id: &str) -> Option<Value> {
    if let Some(found) = product::by_id(state, id) {
        return Some(found);
    }
    if !id.starts_with("prod_") {
        return None;
    }
    state.sessions.iter().rev().find_map(|session| {
        let item = session.line_items.iter().find(|item| item.product == id)?;
        Some(session_json::product(session, item))
    })
}
