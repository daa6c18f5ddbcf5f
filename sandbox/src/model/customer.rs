//! Customers: who pays, with their default payment method. Their cards are `methods` and `sources`.
//!
//! Invariants: a deleted customer stays as its id only, and accepts nothing. The default payment method is attached to
//! the customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, State, address::Address, edit, error::ApiError, source, source::Source, table::Row};

/// A customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) profile: Profile,
    pub(crate) invoice_prefix: String,
    pub(crate) next_invoice_sequence: i64,
    pub(crate) test_clock: Option<String>,
    /// Fixed by the first recurring payment.
    pub(crate) currency: Option<String>,
    /// The latest automatic charge of an invoice failed.
    pub(crate) delinquent: bool,
    pub(crate) deleted: bool,
    pub(crate) default_source: Option<String>,
    pub(crate) sources: Vec<Source>,
    /// Money from bank transfers, by currency.
    #[serde(default)]
    pub(crate) cash_balance: BTreeMap<String, i64>,
    /// The number of a business, as its customer typed it: it owes the tax itself.
    #[serde(default)]
    pub(crate) tax_id: Option<String>,
}

impl Customer {
    /// The tax ids as a session and an invoice show them.
    pub(crate) fn shown_tax_ids(tax_id: Option<&String>) -> Value {
        json!(tax_id.map(|value| json!({ "type": "eu_vat", "value": value })).into_iter().collect::<Vec<_>>())
    }
}

/// Whether the customer owes the tax, so that none is collected.
pub(crate) fn owes_tax_itself(state: &State, customer: Option<&str>) -> bool {
    customer.and_then(|id| state.customers.get(id)).is_some_and(|customer| customer.tax_id.is_some())
}

/// What a request sets, with Stripe's names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) address: Option<Address>,
    pub(crate) shipping: Option<Shipping>,
    pub(crate) balance: i64,
    pub(crate) preferred_locales: Vec<String>,
    pub(crate) tax_exempt: Option<String>,
    pub(crate) business_name: Option<String>,
    pub(crate) individual_name: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) invoice_settings: InvoiceSettings,
}

/// Where goods are sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Shipping {
    pub(crate) address: Address,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
}

/// The customer's defaults for invoices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct InvoiceSettings {
    pub(crate) default_payment_method: Option<String>,
    pub(crate) custom_fields: Option<Value>,
    pub(crate) footer: Option<String>,
    pub(crate) rendering_options: Option<Value>,
}

impl Row for Customer {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Customer {
    /// A new customer without cards.
    pub(crate) fn new(context: &mut Context<'_>, profile: Profile) -> Self {
        Self {
            id: context.ids.next("cus_", 14),
            created: context.now(),
            profile,
            invoice_prefix: context.ids.next("", 8).to_ascii_uppercase(),
            next_invoice_sequence: 1,
            test_clock: None,
            currency: None,
            delinquent: false,
            deleted: false,
            default_source: None,
            sources: Vec::new(),
            cash_balance: BTreeMap::new(),
            tax_id: None,
        }
    }
}

/// A customer named by the path. A deleted one is not found.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Customer, ApiError> {
    live(state, id).ok_or_else(|| ApiError::not_found("customer", id, "id"))
}

/// A customer named by a parameter. A deleted one is not found.
pub(crate) fn referenced<'a>(state: &'a State, id: &str, param: &str) -> Result<&'a Customer, ApiError> {
    live(state, id).ok_or_else(|| ApiError::missing_reference("customer", id, param))
}

fn live<'a>(state: &'a State, id: &str) -> Option<&'a Customer> {
    state.customers.get(id).filter(|customer| !customer.deleted)
}

/// Adds a customer.
pub(crate) fn add(state: &mut State, context: &mut Context<'_>, customer: Customer) -> String {
    let (id, rendered) = (customer.id.clone(), to_json(&customer));
    state.customers.insert(customer);
    state.emit(context, "customer.created", rendered);
    id
}

/// Changes a customer, and emits `customer.updated` if that changed anything.
pub(crate) fn change(state: &mut State, context: &mut Context<'_>, id: &str, change: impl FnOnce(&mut Customer)) {
    let Some(customer) = state.customers.get_mut(id) else { return };
    let before = to_json(customer);
    change(customer);
    let after = to_json(customer);
    if before != after {
        state.emit_diff(context, "customer.updated", &before, after);
    }
}

/// The profile after an update. `invoice_settings` is merged; every other object is replaced.
pub(crate) fn edited_profile(current: &Profile, changes: &Value) -> Result<Profile, ApiError> {
    let mut profile: Profile = edit::edited(current, &without(changes, "invoice_settings"))?;
    if let Some(settings) = changes.get("invoice_settings") {
        profile.invoice_settings = edit::edited(&current.invoice_settings, settings)?;
    }
    Ok(profile)
}

fn without(changes: &Value, name: &str) -> Value {
    let mut rest = changes.clone();
    if let Some(members) = rest.as_object_mut() {
        members.remove(name);
    }
    rest
}

/// Deletes a customer. Its cards are detached without events, as on Stripe.
pub(crate) fn delete(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<Value, ApiError> {
    let rendered = to_json(find(state, id)?);
    let attached: Vec<String> = state
        .payment_methods
        .iter()
        .filter(|method| method.customer.as_deref() == Some(id))
        .map(|method| method.id.clone())
        .collect();
    for method in &attached {
        if let Some(method) = state.payment_methods.get_mut(method) {
            method.customer = None;
            method.spent = true;
        }
    }
    if let Some(customer) = state.customers.get_mut(id) {
        customer.deleted = true;
        customer.sources = Vec::new();
    }
    state.emit(context, "customer.deleted", rendered);
    Ok(tombstone(id))
}

fn tombstone(id: &str) -> Value {
    json!({ "id": id, "object": "customer", "deleted": true })
}

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.customers.get(id).map(to_json)
}

/// A customer as Stripe's JSON; of a deleted one only that it is deleted.
pub(crate) fn to_json(customer: &Customer) -> Value {
    if customer.deleted {
        return tombstone(&customer.id);
    }
    let profile = &customer.profile;
    let mut rendered = json!({
        "id": customer.id,
        "object": "customer",
        "address": profile.address,
        "balance": profile.balance,
        "created": customer.created,
        "currency": customer.currency,
        "customer_account": null,
        "default_source": customer.default_source,
        "delinquent": customer.delinquent,
        "description": profile.description,
        "discount": null,
        "email": profile.email,
        "invoice_prefix": customer.invoice_prefix,
        "invoice_settings": invoice_settings(&profile.invoice_settings),
        "livemode": false,
        "metadata": profile.metadata,
        "name": profile.name,
        "next_invoice_sequence": customer.next_invoice_sequence,
        "phone": profile.phone,
        "preferred_locales": profile.preferred_locales,
        "shipping": profile.shipping,
        "tax_exempt": profile.tax_exempt.as_deref().unwrap_or("none"),
        "test_clock": customer.test_clock,
    });
    if let Some(members) = rendered.as_object_mut() {
        for (name, value) in [("business_name", &profile.business_name), ("individual_name", &profile.individual_name)]
        {
            members.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
        }
    }
    rendered
}

/// The settings with every member of what is in them.
fn invoice_settings(settings: &InvoiceSettings) -> Value {
    let rendering = settings.rendering_options.as_ref().map(|given| {
        let member = |name: &str| given.get(name).cloned().unwrap_or_default();
        json!({ "amount_tax_display": member("amount_tax_display"), "template": member("template") })
    });
    json!({
        "custom_fields": settings.custom_fields,
        "default_payment_method": settings.default_payment_method,
        "footer": settings.footer,
        "rendering_options": rendering,
    })
}

/// The list of a customer's cards of the older kind, as `expand[]=sources` shows it.
pub(crate) fn sources(customer: &Customer) -> Value {
    let data: Vec<Value> = customer.sources.iter().map(|source| source::to_json(source, &customer.id)).collect();
    json!({
        "object": "list", "data": data, "has_more": false,
        "url": format!("/v1/customers/{}/sources", customer.id),
    })
}
