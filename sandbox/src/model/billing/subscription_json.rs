//! Subscriptions and their items as Stripe's JSON, in the newest format.

use serde_json::{Map, Value, json};

use super::{
    catalog,
    subscription::{BillingMode, Item, PendingUpdate, Subscription},
};
use crate::model::State;

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.subscriptions.get(id).map(|found| subscription(state, found))
}

pub(crate) fn subscription(state: &State, found: &Subscription) -> Value {
    let mut members = Map::new();
    for part in [identity(state, found), dates(found), collection(found), settings(found)] {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    }
    if let Some((why, since)) = &found.paused {
        let details = json!({ "paused": {
            "subscription": { "type": why }, "transitioned_at": since, "type": "subscription",
        }});
        members.insert("status_details".to_owned(), details);
    }
    Value::Object(members)
}

fn identity(state: &State, found: &Subscription) -> Value {
    let items: Vec<Value> = found.items.iter().map(|row| item(state, &found.id, row)).collect();
    json!({
        "id": found.id,
        "object": "subscription",
        "created": found.created,
        "currency": found.currency,
        "customer": found.customer,
        "customer_account": null,
        "description": found.description,
        "items": {
            "object": "list", "data": items, "has_more": false,
            "url": format!("/v1/subscription_items?subscription={}", found.id),
        },
        "latest_invoice": found.latest_invoice,
        "livemode": false,
        "metadata": found.metadata,
        "pending_update": shown_update(state, found),
        "schedule": found.schedule,
        "status": found.status.as_str(),
        "test_clock": catalog::test_clock_of(state, &found.customer),
    })
}

fn dates(found: &Subscription) -> Value {
    let is_canceled = found.canceled_at.is_some() || found.cancellation.reason.is_some();
    json!({
        "billing_cycle_anchor": found.anchor,
        "billing_cycle_anchor_config": null,
        "cancel_at": found.ends_at_shown(),
        "cancel_at_period_end": found.cancel_at_period_end,
        "canceled_at": found.canceled_at,
        "cancellation_details": {
            "comment": found.cancellation.comment,
            "feedback": found.cancellation.feedback,
            "feedback_option": null,
            "reason": found.cancellation.reason.as_ref().filter(|_| is_canceled),
        },
        "ended_at": found.ended_at,
        "start_date": found.start_date,
        "trial_end": found.trial_end,
        "trial_start": found.trial_start,
        "trial_settings": { "end_behavior": {
            "billing_cycle_anchor": null, "missing_payment_method": found.missing_method.as_str(),
        }},
    })
}

fn collection(found: &Subscription) -> Value {
    json!({
        "automatic_tax": {
            "disabled_reason": null, "enabled": found.automatic_tax,
            "liability": found.automatic_tax.then(|| json!({ "type": "self" })),
        },
        "collection_method": found.collection_method,
        "days_until_due": found.days_until_due,
        "default_payment_method": found.default_payment_method,
        "default_source": null,
        "default_tax_rates": [],
        "invoice_settings": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null,
            "issuer": { "type": "self" },
        },
        "pause_collection": found.pause_collection.as_ref().map(|pause| json!({
            "behavior": pause.behavior, "resumes_at": pause.resumes_at,
        })),
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": found.payment_method_types,
            "save_default_payment_method": if found.saves_method { "on_subscription" } else { "off" },
        },
        "pending_setup_intent": null,
    })
}

fn settings(found: &Subscription) -> Value {
    let billing_mode = match found.billing_mode {
        BillingMode::Classic => json!({ "type": "classic", "flexible": null }),
        BillingMode::Flexible => json!({
            "type": "flexible", "flexible": { "proration_discounts": "included" },
        }),
    };
    json!({
        "application": null,
        "application_fee_percent": null,
        "billing_mode": billing_mode,
        "billing_schedules": [],
        "billing_thresholds": null,
        "discounts": [],
        "managed_payments": { "enabled": false },
        "next_pending_invoice_item_invoice": null,
        "on_behalf_of": null,
        "pending_invoice_item_interval": null,
        "transfer_data": null,
    })
}

impl Subscription {
    /// `cancel_at` as shown: with the classic flag, Stripe shows the end of the period there too.
    fn ends_at_shown(&self) -> Option<i64> {
        if self.is_ended() { self.cancel_at } else { self.ends_at() }
    }
}

fn shown_update(state: &State, found: &Subscription) -> Option<Value> {
    let pending = found.pending_update.as_ref().filter(|pending| pending.is_shown)?;
    Some(pending_update(state, &found.id, pending))
}

fn pending_update(state: &State, subscription: &str, pending: &PendingUpdate) -> Value {
    let items: Vec<Value> = pending.items.iter().map(|row| item(state, subscription, row)).collect();
    json!({
        "billing_cycle_anchor": pending.anchor,
        "cancel_at_period_end": null,
        "discount": null,
        "discounts": null,
        "expires_at": pending.expires_at,
        "metadata": null,
        "subscription_items": items,
        "trial_end": pending.trial_end,
        "trial_from_plan": null,
    })
}

/// A subscription item with its price, and the plan that older integrations read.
pub(crate) fn item(state: &State, subscription: &str, item: &Item) -> Value {
    let mut rendered = json!({
        "id": item.id,
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": item.created,
        "current_period_end": item.period.end,
        "current_period_start": item.period.start,
        "current_trial": null,
        "discounts": [],
        "metadata": item.metadata,
        "plan": catalog::plan_json(state, &item.price),
        "price": catalog::price_json(state, &item.price),
        "subscription": subscription,
        "tax_rates": [],
    });
    if let (Some(quantity), Some(members)) = (item.quantity, rendered.as_object_mut()) {
        members.insert("quantity".to_owned(), json!(quantity));
    }
    rendered
}
