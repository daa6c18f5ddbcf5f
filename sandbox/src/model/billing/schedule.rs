//! Subscription schedules: phases of a subscription, one after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{catalog, subscription::BillingMode};
use crate::model::{State, error::ApiError, table::Row};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScheduleStatus {
    NotStarted,
    Active,
    Completed,
    Released,
    Canceled,
}

impl ScheduleStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Released => "released",
            Self::Canceled => "canceled",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Released | Self::Canceled)
    }
}

/// An item of a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PhaseItem {
    pub(crate) price: String,
    pub(crate) quantity: Option<i64>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Phase {
    pub(crate) items: Vec<PhaseItem>,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) proration: String,
    #[serde(default)]
    pub(crate) trial_end: Option<i64>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) status: ScheduleStatus,
    pub(crate) phases: Vec<Phase>,
    /// `release` or `cancel`.
    pub(crate) end_behavior: String,
    pub(crate) billing_mode: BillingMode,
    pub(crate) collection_method: Option<String>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) released_subscription: Option<String>,
    /// The start of the phase that is applied now.
    pub(crate) phase_start: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) completed_at: Option<i64>,
    pub(crate) released_at: Option<i64>,
    /// `subscription_schedule.expiring` was sent.
    pub(crate) announced: bool,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Row for Schedule {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Schedule {
    pub(crate) fn end(&self) -> i64 {
        self.phases.last().map_or(self.created, |phase| phase.end)
    }

    /// The phase of a time.
    pub(crate) fn phase_at(&self, at: i64) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.start <= at && at < phase.end)
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Schedule, ApiError> {
    state.schedules.get(id).ok_or_else(|| ApiError::not_found("subscription schedule", id, "schedule"))
}

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.schedules.get(id).map(|found| to_json(state, found))
}

pub(crate) fn to_json(state: &State, found: &Schedule) -> Value {
    let current = found
        .phase_start
        .filter(|_| found.status == ScheduleStatus::Active)
        .and_then(|start| found.phases.iter().find(|phase| phase.start == start))
        .map(|phase| json!({ "start_date": phase.start, "end_date": phase.end }));
    let billing_mode = match found.billing_mode {
        BillingMode::Classic => json!({ "type": "classic", "flexible": null }),
        BillingMode::Flexible => {
            json!({ "type": "flexible", "flexible": { "proration_discounts": "included" } })
        }
    };
    let phases: Vec<Value> = found.phases.iter().map(|phase| phase_json(state, found, phase)).collect();
    json!({
        "id": found.id,
        "object": "subscription_schedule",
        "application": null,
        "billing_mode": billing_mode,
        "canceled_at": found.canceled_at,
        "completed_at": found.completed_at,
        "created": found.created,
        "current_phase": current,
        "customer": found.customer,
        "customer_account": null,
        "default_settings": {
            "application_fee_percent": null,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": null,
            "collection_method": found.collection_method.as_deref().unwrap_or("charge_automatically"),
            "default_payment_method": found.default_payment_method,
            "description": null,
            "invoice_settings": {
                "account_tax_ids": null, "custom_fields": null, "days_until_due": null, "description": null,
                "footer": null, "issuer": { "type": "self" },
            },
            "on_behalf_of": null,
            "transfer_data": null,
        },
        "end_behavior": found.end_behavior,
        "livemode": false,
        "metadata": found.metadata,
        "pause_schedules": [],
        "phases": phases,
        "released_at": found.released_at,
        "released_subscription": found.released_subscription,
        "status": found.status.as_str(),
        "subscription": found.subscription,
        "test_clock": catalog::test_clock_of(state, &found.customer),
    })
}

fn phase_json(state: &State, found: &Schedule, phase: &Phase) -> Value {
    let currency = phase.items.first().and_then(|item| catalog::price(state, &item.price)).map(|price| price.currency);
    let items: Vec<Value> = phase
        .items
        .iter()
        .map(|item| {
            let mut rendered = json!({
                "billing_thresholds": null, "discounts": [], "metadata": item.metadata, "plan": item.price,
                "price": item.price, "tax_rates": [],
            });
            if let (Some(quantity), Some(members)) = (item.quantity, rendered.as_object_mut()) {
                members.insert("quantity".to_owned(), json!(quantity));
            }
            rendered
        })
        .collect();
    json!({
        "add_invoice_items": [],
        "application_fee_percent": null,
        "billing_cycle_anchor": null,
        "billing_thresholds": null,
        "collection_method": found.collection_method,
        "currency": currency.unwrap_or_else(|| "usd".to_owned()),
        "default_payment_method": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "end_date": phase.end,
        "invoice_settings": null,
        "items": items,
        "metadata": phase.metadata,
        "on_behalf_of": null,
        "proration_behavior": phase.proration,
        "start_date": phase.start,
        "transfer_data": null,
        "trial_end": phase.trial_end,
    })
}
