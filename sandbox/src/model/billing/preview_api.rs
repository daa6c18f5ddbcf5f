//! `POST /v1/invoices/create_preview`: what a change of a subscription would cost, or its next renewal.

use serde::Deserialize;
use serde_json::Value;

use super::{
    agenda, catalog,
    invoice::{BillingReason, Invoice},
    invoice_json,
    invoice_params::PREVIEW,
    lines, preview,
    subscription::{BillingMode, Cancellation, MissingMethod, Status, Subscription},
    subscription_params::{Switch, time, with_plain_anchor},
    subscription_update::item_changes,
    update_plan::{self, PlanChange, Proration},
    wanted_items::WantedItem,
};
use crate::model::{
    Context, State, customer,
    error::ApiError,
    params::{Param, Params},
    request::{precheck_expansions, read},
};

#[derive(Debug, Deserialize)]
struct Wanted {
    customer: Option<String>,
    subscription: Option<String>,
    #[serde(default)]
    subscription_details: Details,
    automatic_tax: Option<Switch>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    items: Vec<WantedItem>,
    billing_cycle_anchor: Option<String>,
    cancel_at_period_end: Option<bool>,
    cancel_now: Option<bool>,
    proration_behavior: Option<String>,
    proration_date: Option<i64>,
    trial_end: Option<String>,
}

/// Computes a preview.
pub(crate) fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let mut plain = params.clone();
    if let Some(Param::Nested(details)) = plain.0.get_mut("subscription_details") {
        *details = with_plain_anchor(details);
    }
    let wanted: Wanted = read(&plain, PREVIEW)?;
    precheck_expansions(params, "invoice")?;
    let of = match &wanted.subscription {
        Some(id) => {
            let found = state.subscriptions.get(id).cloned();
            Some(found.ok_or_else(|| ApiError::missing_reference("subscription", id, "subscription"))?)
        }
        None => None,
    };
    let customer = of.as_ref().map(|of| of.customer.clone()).or_else(|| wanted.customer.clone());
    let customer = customer.ok_or_else(|| ApiError::missing_param("customer"))?;
    customer::referenced(state, &customer, "customer")?;
    let invoice = agenda::at_customers_time(state, context, &customer, |state, context| match of {
        Some(found) => of_change(state, context, found, &wanted),
        None => of_new(state, context, &customer, &wanted),
    })?;
    Ok(invoice_json::invoice(state, &invoice, context.base_url))
}

/// A change of a running subscription, or its next renewal if nothing is changed.
fn of_change(
    state: &mut State,
    context: &mut Context<'_>,
    mut found: Subscription,
    wanted: &Wanted,
) -> Result<Invoice, ApiError> {
    let details = &wanted.subscription_details;
    let now = context.now();
    if found.is_ended() {
        let message = "No upcoming invoices: the subscription has ended.";
        return Err(ApiError::invalid(message).code("invoice_upcoming_none"));
    }
    if let Some(tax) = &wanted.automatic_tax {
        found.automatic_tax = tax.enabled;
    }
    let trial_end = match &details.trial_end {
        Some(text) => Some(time(text, now, "subscription_details[trial_end]")?),
        None => None,
    };
    let change = PlanChange {
        items: item_changes(state, context, &details.items)?,
        proration: Proration::parse(details.proration_behavior.as_deref()),
        proration_date: details.proration_date,
        restarts: details.billing_cycle_anchor.as_deref() == Some("now"),
        trial_end,
    };
    let planned = update_plan::plan(state, context, &found, &change)?;
    let waiting = lines::waiting(state, &found.customer, Some(&found.id), &found.currency);
    let mut items = waiting;
    items.extend(planned.prorations.clone());
    if planned.bills_now && !(planned.prorations.is_empty() && planned.service.is_empty()) {
        let mut made: Vec<_> = items.iter().map(|item| lines::of_invoice_item(context, item)).collect();
        made.extend(planned.service);
        let mut invoice = preview::preview_of(state, context, &found, made, (BillingReason::SubscriptionUpdate, now));
        invoice.proration_date = planned.prorations.first().map(|_| details.proration_date.unwrap_or(now));
        return Ok(invoice);
    }
    let next = Subscription { items: planned.items, anchor: planned.anchor, ..found };
    let next = Subscription {
        cancel_at_period_end: details.cancel_at_period_end.unwrap_or(next.cancel_at_period_end),
        cancel_at: details.cancel_now.unwrap_or(false).then_some(now).or(next.cancel_at),
        ..next
    };
    let mut invoice = preview::next_invoice(state, context, &next, &items);
    invoice.proration_date = planned.prorations.first().map(|_| details.proration_date.unwrap_or(now));
    Ok(invoice)
}

/// The first invoice of a subscription that does not exist.
fn of_new(state: &mut State, context: &mut Context<'_>, customer: &str, wanted: &Wanted) -> Result<Invoice, ApiError> {
    let changes = item_changes(state, context, &wanted.subscription_details.items)?;
    let now = context.now();
    let first = changes.iter().find_map(|change| change.price.clone());
    let currency = first
        .and_then(|price| catalog::price(state, &price))
        .map(|price| price.currency)
        .ok_or_else(|| ApiError::missing_param("subscription_details[items]"))?;
    let blank = blank(customer, &currency, now, wanted.automatic_tax.as_ref().is_some_and(|tax| tax.enabled));
    let plan = PlanChange { items: changes, restarts: true, ..PlanChange::default() };
    let planned = update_plan::plan(state, context, &blank, &plan)?;
    let mut made = planned.service;
    for line in &mut made {
        line.subscription = None;
    }
    Ok(preview::preview_of(state, context, &blank, made, (BillingReason::SubscriptionCreate, now)))
}

fn blank(customer: &str, currency: &str, now: i64, automatic_tax: bool) -> Subscription {
    Subscription {
        id: String::new(),
        created: now,
        customer: customer.to_owned(),
        status: Status::Active,
        currency: currency.to_owned(),
        billing_mode: BillingMode::Flexible,
        anchor: now,
        start_date: now,
        items: Vec::new(),
        trial_start: None,
        trial_end: None,
        missing_method: MissingMethod::default(),
        cancel_at: None,
        cancel_at_period_end: false,
        canceled_at: None,
        ended_at: None,
        cancellation: Cancellation::default(),
        collection_method: "charge_automatically".to_owned(),
        days_until_due: None,
        default_payment_method: None,
        description: None,
        metadata: std::collections::BTreeMap::new(),
        latest_invoice: None,
        pause_collection: None,
        pending_update: None,
        automatic_tax,
        saves_method: false,
        payment_method_types: None,
        schedule: None,
        trial_announced: false,
        announced: 0,
        paused: None,
    }
}
