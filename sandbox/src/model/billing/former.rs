//! Billing objects in the formats of older API versions (BASIL, CLOVER; docs: "Changelog").
//!
//! Invariants: the stored objects have the newest format. What an older format shows of other objects is passed in, as
//! it was when the object was rendered.

use serde_json::{Map, Value, json};

use super::catalog;
use crate::model::State;

/// Since this version invoices name their subscription in `parent`, and items have periods of their own.
const BASIL: &str = "2025-03-31";
/// Since this version there is a `billing_mode`.
const BILLING_MODE: &str = "2025-06-30";
/// Under this name an event keeps the prices of its invoice's lines.
const PRICES: &str = "prices_of_lines";

/// What versions before basil show of other objects: the payment of an invoice, and the invoice of a payment.
pub(crate) fn former_members(state: &State, object: &Value) -> Map<String, Value> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut members = Map::new();
    match text("object") {
        "invoice" => {
            let intent = state.invoices.get(text("id")).and_then(|found| found.payment_intent.clone());
            let charge = intent.as_deref().and_then(|intent| state.payment_intents.get(intent)?.latest_charge.clone());
            members.insert("charge".to_owned(), json!(charge));
            members.insert("payment_intent".to_owned(), json!(intent));
            members.insert(PRICES.to_owned(), Value::Object(prices_of(state, object)));
        }
        "payment_intent" => {
            let invoice = state.payment_intents.get(text("id")).and_then(|found| found.invoice.clone());
            members.insert("invoice".to_owned(), json!(invoice));
        }
        "charge" => {
            let of = state.charges.get(text("id")).and_then(|found| state.payment_intents.get(&found.payment_intent));
            members.insert("invoice".to_owned(), json!(of.and_then(|intent| intent.invoice.clone())));
        }
        _ => {}
    }
    members
}

/// The whole prices of an invoice's lines, which older formats show on the lines.
fn prices_of(state: &State, invoice: &Value) -> Map<String, Value> {
    let lines = invoice.pointer("/lines/data").and_then(Value::as_array);
    let names = lines.into_iter().flatten().filter_map(|line| line.pointer("/pricing/price_details/price")?.as_str());
    names.map(|id| (id.to_owned(), catalog::price_json(state, id))).collect()
}

/// Adds the former members to an object of a version before basil, before the objects in it get their older format.
pub(crate) fn prepare(members: &mut Map<String, Value>, mut former: Map<String, Value>) {
    let prices = former.remove(PRICES).unwrap_or_default();
    for (name, value) in former {
        members.entry(name).or_insert(value);
    }
    match members.get("object").and_then(Value::as_str) {
        Some("subscription") => keep_period(members),
        Some("invoice") => {
            let lines = members.get_mut("lines").and_then(|lines| lines.pointer_mut("/data")?.as_array_mut());
            for line in lines.into_iter().flatten() {
                let id = line.pointer("/pricing/price_details/price").and_then(Value::as_str);
                let price = id.and_then(|id| prices.get(id)).cloned();
                if let (Some(price), Some(line)) = (price, line.as_object_mut()) {
                    line.insert("price".to_owned(), price);
                }
            }
        }
        _ => {}
    }
}

/// Gives an object its older format.
pub(crate) fn reshape(members: &mut Map<String, Value>, kind: &str, api_version: &str) {
    if api_version < BILLING_MODE && matches!(kind, "subscription" | "subscription_schedule") {
        members.remove("billing_mode");
    }
    if api_version >= BASIL {
        return;
    }
    match kind {
        "subscription" => subscription(members),
        "subscription_item" => {
            members.remove("current_period_start");
            members.remove("current_period_end");
        }
        "invoice" => invoice(members),
        "line_item" => line(members),
        "invoiceitem" => invoice_item(members),
        _ => {}
    }
}

/// The period stood on the subscription. Its items have lost theirs by now: inner objects are reshaped first.
fn subscription(members: &mut Map<String, Value>) {
    for name in ["billing_schedules", "managed_payments"] {
        members.remove(name);
    }
    members.entry("discount").or_insert(Value::Null);
    let quantity = members.get("items").and_then(|items| items.pointer("/data/0/quantity")).cloned();
    let plan = members.get("items").and_then(|items| items.pointer("/data/0/plan")).cloned();
    members.insert("quantity".to_owned(), quantity.unwrap_or(Value::Null));
    members.insert("plan".to_owned(), plan.unwrap_or(Value::Null));
}

/// The period of the first item, which an older format shows on the subscription itself.
fn keep_period(members: &mut Map<String, Value>) {
    let first = |name: &str| members.get("items").and_then(|items| items.pointer(&format!("/data/0/{name}"))).cloned();
    let period = ["current_period_start", "current_period_end"].map(|name| (name, first(name)));
    for (name, value) in period {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    }
}

fn invoice(members: &mut Map<String, Value>) {
    let is = |members: &Map<String, Value>, status: &str| members.get("status") == Some(&json!(status));
    let parent = members.remove("parent").unwrap_or_default();
    let details = parent.pointer("/subscription_details").cloned().unwrap_or_default();
    let subscription = details.get("subscription").cloned().unwrap_or_default();
    let metadata = json!({ "metadata": details.get("metadata").cloned().unwrap_or_default() });
    let quote = parent.pointer("/quote_details/quote").cloned().unwrap_or_default();
    let tax = tax_of(members);
    let off_stripe = members.remove("amount_paid_off_stripe").is_some_and(|amount| amount != json!(0));
    let paid = is(members, "paid");
    for name in ["total_taxes", "confirmation_secret", "amount_overpaid"] {
        members.remove(name);
    }
    let payments = members.remove("payments");
    let of_payments = payments.and_then(|payments| payments.pointer("/data/0/payment/payment_intent").cloned());
    let more = [
        ("subscription", subscription.clone()),
        ("subscription_details", if subscription.is_null() { json!({ "metadata": null }) } else { metadata }),
        ("quote", quote),
        ("paid", json!(paid)),
        ("paid_out_of_band", json!(off_stripe)),
        ("tax", tax),
        ("total_tax_amounts", json!([])),
        ("discount", Value::Null),
        ("application_fee_amount", Value::Null),
        ("transfer_data", Value::Null),
    ];
    members.extend(more.map(|(name, value)| (name.to_owned(), value)));
    members.entry("payment_intent").or_insert(of_payments.unwrap_or_default());
    members.entry("charge").or_insert(Value::Null);
}

/// The sum of all taxes; null without any.
fn tax_of(members: &Map<String, Value>) -> Value {
    let taxes = members.get("total_taxes").and_then(Value::as_array);
    let amounts = taxes.into_iter().flatten().filter_map(|tax| tax.get("amount").and_then(Value::as_i64));
    let amounts: Vec<i64> = amounts.collect();
    if amounts.is_empty() { Value::Null } else { json!(amounts.into_iter().fold(0_i64, i64::saturating_add)) }
}

/// Lines had their price, their plan and their origin on themselves.
fn line(members: &mut Map<String, Value>) {
    let parent = members.remove("parent").unwrap_or_default();
    let by_item = parent.pointer("/subscription_item_details").filter(|details| details.is_object());
    let details = by_item.or_else(|| parent.pointer("/invoice_item_details")).cloned().unwrap_or_default();
    let member = |name: &str| details.get(name).cloned().unwrap_or_default();
    let pricing = members.remove("pricing").unwrap_or_default();
    let price = pricing.pointer("/price_details/price").cloned().unwrap_or_default();
    let product = pricing.pointer("/price_details/product").cloned().unwrap_or_default();
    let is_subscription = details.get("invoice_item").is_none_or(Value::is_null) && by_item.is_some();
    let price = if let Some(whole) = members.remove("price") {
        whole
    } else if price.is_null() {
        Value::Null
    } else {
        json!({
            "id": price, "object": "price", "product": product,
            "unit_amount_decimal": pricing.get("unit_amount_decimal"),
        })
    };
    for name in ["taxes", "quantity_decimal", "subtotal"] {
        members.remove(name);
    }
    let excluding = members.get("amount").cloned().unwrap_or_default();
    let more = [
        ("price", price),
        ("plan", Value::Null),
        ("proration", member("proration")),
        ("proration_details", member("proration_details")),
        ("subscription_item", member("subscription_item")),
        ("invoice_item", member("invoice_item")),
        ("type", json!(if is_subscription { "subscription" } else { "invoiceitem" })),
        ("amount_excluding_tax", excluding),
        ("tax_amounts", json!([])),
        ("tax_rates", json!([])),
    ];
    members.extend(more.map(|(name, value)| (name.to_owned(), value)));
}

fn invoice_item(members: &mut Map<String, Value>) {
    let parent = members.remove("parent").unwrap_or_default();
    let details = parent.pointer("/subscription_details").cloned().unwrap_or_default();
    let member = |name: &str| details.get(name).cloned().unwrap_or_default();
    let pricing = members.remove("pricing").unwrap_or_default();
    let price = pricing.pointer("/price_details/price").cloned().unwrap_or_default();
    for name in ["net_amount", "quantity_decimal", "proration_details"] {
        members.remove(name);
    }
    members.insert("subscription".to_owned(), member("subscription"));
    members.insert(
        "price".to_owned(),
        if price.is_null() { Value::Null } else { json!({ "id": price, "object": "price" }) },
    );
    members.insert("unit_amount".to_owned(), members.get("amount").cloned().unwrap_or_default());
}
