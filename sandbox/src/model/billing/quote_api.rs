//! `/v1/quotes`: an offer that becomes a subscription when it is accepted. Quotes are kept and shown; only accepting
//! one does something.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    agenda, catalog,
    document::{self, Sort},
    invoice::BillingReason,
    start::{self, FirstPayment, NewItem, Wanted},
    subscription_params::{EXPAND, RECURRING_PRICE, TEXT},
    wanted_items::WantedItem,
};
use crate::model::{
    Context, State, customer,
    error::ApiError,
    metadata,
    params::Params,
    request::{Method, Request, read, unrecognized},
    spec::{self, Field, Kind, optional, unsupported},
};

const QUOTE: Sort = Sort { object: "quote", name: "quote", url: "/v1/quotes" };
const A_MONTH: i64 = 30 * 86_400;

const ITEM: &[Field] = &[
    optional("price", TEXT),
    optional("price_data", Kind::Object(RECURRING_PRICE)),
    optional("quantity", Kind::Integer(0)),
    unsupported("discounts"),
    unsupported("tax_rates"),
];

const CREATE: &[Field] = &[
    optional("customer", TEXT),
    optional("description", Kind::Text(500)),
    optional("expires_at", Kind::Integer(0)),
    optional("footer", Kind::Text(500)),
    optional("header", Kind::Text(50)),
    optional("line_items", Kind::List(20, &Kind::Object(ITEM))),
    optional("metadata", Kind::Metadata),
    EXPAND,
    unsupported("application_fee_amount"),
    unsupported("application_fee_percent"),
    unsupported("automatic_tax"),
    unsupported("collection_method"),
    unsupported("customer_account"),
    unsupported("default_tax_rates"),
    unsupported("discounts"),
    unsupported("from_quote"),
    unsupported("invoice_settings"),
    unsupported("on_behalf_of"),
    unsupported("subscription_data"),
    unsupported("test_clock"),
    unsupported("transfer_data"),
];

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    match (request.method, rest) {
        (Method::Post, []) => create(state, context, params),
        (Method::Get, []) => {
            document::list(state, QUOTE, params, &[optional("customer", TEXT), optional("status", TEXT)])
        }
        (Method::Get, [id]) => {
            spec::check(params, &[EXPAND])?;
            document::find(state, QUOTE, id).map(|found| found.value.clone())
        }
        (Method::Post, [id]) => {
            let fields = [optional("description", Kind::Text(500)), optional("expires_at", Kind::Integer(0))];
            document::update(state, context, (QUOTE, id), params, &fields)
        }
        (Method::Post, [id, "finalize"]) => {
            spec::check(params, &[optional("expires_at", Kind::Integer(0)), EXPAND])?;
            finalize(state, context, id)
        }
        (Method::Post, [id, "cancel"]) => {
            spec::check(params, &[EXPAND])?;
            move_to(state, context, id, (&["draft", "open"], "canceled"), |_| ())
        }
        (Method::Post, [id, "accept"]) => {
            spec::check(params, &[EXPAND])?;
            accept(state, context, id)
        }
        _ => Err(unrecognized(request)),
    }
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Creation {
        customer: Option<String>,
        description: Option<String>,
        expires_at: Option<i64>,
        footer: Option<String>,
        header: Option<String>,
        #[serde(default)]
        line_items: Vec<WantedItem>,
    }
    let wanted: Creation = read(params, CREATE)?;
    let customer = wanted.customer.ok_or_else(|| ApiError::missing_param("customer"))?;
    customer::referenced(state, &customer, "customer")?;
    let metadata = metadata::changed(&BTreeMap::new(), params)?;
    let mut items = Vec::new();
    let (mut total, mut currency) = (0_i64, None);
    for (place, item) in wanted.line_items.iter().enumerate() {
        let at = format!("line_items[{place}]");
        let price = item.price_id(state, context, &at)?;
        let price = price.ok_or_else(|| ApiError::missing_param(&format!("{at}[price]")))?;
        let found = catalog::price(state, &price).ok_or_else(|| ApiError::internal("the price is gone"))?;
        let quantity = item.quantity.unwrap_or(1);
        total = total.saturating_add(found.amount(quantity));
        currency.get_or_insert(found.currency);
        items.push(json!({ "price": price, "quantity": quantity }));
    }
    let now = context.now();
    let sums = json!({
        "amount_subtotal": total, "amount_total": total,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
    });
    let value = json!({
        "id": context.ids.next("qt_1", 23),
        "object": "quote",
        "amount_subtotal": total,
        "amount_total": total,
        "application": null,
        "application_fee_amount": null,
        "application_fee_percent": null,
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "collection_method": "charge_automatically",
        "computed": { "recurring": sums, "upfront": sums },
        "created": now,
        "currency": currency,
        "customer": customer,
        "customer_account": null,
        "default_tax_rates": [],
        "description": wanted.description,
        "discounts": [],
        "expires_at": wanted.expires_at.unwrap_or_else(|| now.saturating_add(A_MONTH)),
        "footer": wanted.footer,
        "from_quote": null,
        "header": wanted.header,
        "invoice": null,
        "invoice_settings": { "days_until_due": null, "issuer": { "type": "self" } },
        "livemode": false,
        "metadata": metadata,
        "number": null,
        "on_behalf_of": null,
        "status": "draft",
        "status_transitions": { "accepted_at": null, "canceled_at": null, "finalized_at": null },
        "subscription": null,
        "subscription_data": {
            "billing_mode": { "type": "flexible", "flexible": { "proration_discounts": "included" } },
            "description": null, "effective_date": null, "metadata": null, "trial_period_days": null,
        },
        "subscription_schedule": null,
        "test_clock": catalog::test_clock_of(state, &customer),
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "transfer_data": null,
        "wanted_items": items,
    });
    let shown = shown(&value);
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    document::add(state, context, QUOTE, shown.clone());
    // What it is for is kept beside what is shown.
    state.quoted.insert(id, items_of(&value));
    Ok(shown)
}

/// A quote without what only the sandbox keeps.
fn shown(value: &Value) -> Value {
    let mut shown = value.clone();
    if let Some(members) = shown.as_object_mut() {
        members.remove("wanted_items");
    }
    shown
}

fn items_of(value: &Value) -> Vec<(String, i64)> {
    let items = value.get("wanted_items").and_then(Value::as_array);
    let item = |item: &Value| Some((item.get("price")?.as_str()?.to_owned(), item.get("quantity")?.as_i64()?));
    items.into_iter().flatten().filter_map(item).collect()
}

fn move_to(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    (from, to): (&[&str], &str),
    change: impl FnOnce(&mut Value),
) -> Result<Value, ApiError> {
    let found = document::find(state, QUOTE, id)?.value.clone();
    let status = found.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !from.contains(&status.as_str()) {
        let message = format!("This quote cannot be {to}: it is {status}.");
        return Err(ApiError::invalid(message));
    }
    let now = context.now();
    let mut value = found;
    document::merge(&mut value, &json!({ "status": to, "status_transitions": { stamp(to): now } }));
    change(&mut value);
    if let Some(found) = state.documents.get_mut(id) {
        found.value = value.clone();
    }
    let kind = if to == "open" { "quote.finalized".to_owned() } else { format!("quote.{to}") };
    state.emit(context, &kind, value.clone());
    Ok(value)
}

fn stamp(status: &str) -> &'static str {
    match status {
        "open" => "finalized_at",
        "accepted" => "accepted_at",
        _ => "canceled_at",
    }
}

fn finalize(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<Value, ApiError> {
    let number = format!("QT-SANDBOX-{:04}", state.documents.len());
    move_to(state, context, id, (&["draft"], "open"), |value| document::merge(value, &json!({ "number": number })))
}

/// The customer accepts: recurring prices become a subscription, whose first invoice is a draft.
fn accept(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<Value, ApiError> {
    let found = document::find(state, QUOTE, id)?.value.clone();
    let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if text("status") != "open" {
        return Err(ApiError::invalid(format!("This quote cannot be accepted: it is {}.", text("status"))));
    }
    let (customer, currency) = (text("customer"), text("currency"));
    let items = state.quoted.get(id).cloned().unwrap_or_default();
    let recurring = |price: &str| catalog::price(state, price).is_some_and(|price| price.interval.is_some());
    let items: Vec<NewItem> = items
        .into_iter()
        .filter(|(price, _)| recurring(price))
        .map(|(price, quantity)| NewItem { price, quantity: Some(quantity), metadata: BTreeMap::new() })
        .collect();
    let made = if items.is_empty() {
        None
    } else {
        let wanted = Wanted {
            first_payment: FirstPayment::Later,
            reason: BillingReason::QuoteAccept,
            ..Wanted::new(&customer, &currency, items)
        };
        Some(agenda::at_customers_time(state, context, &customer, |state, context| {
            start::start(state, context, wanted)
        })?)
    };
    let invoice = made.as_ref().and_then(|id| state.subscriptions.get(id)?.latest_invoice.clone());
    move_to(state, context, id, (&["open"], "accepted"), |value| {
        document::merge(value, &json!({ "subscription": made, "invoice": invoice }));
    })
}
