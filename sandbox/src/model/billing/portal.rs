//! The customer portal: its configurations and sessions (docs: "Customer portal").

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::document::Sort;
use crate::model::{State, error::ApiError, table::Row};

pub(crate) const CONFIGURATION: Sort =
    Sort { object: "billing_portal.configuration", name: "configuration", url: "/v1/billing_portal/configurations" };

/// A session of the portal: a link for one customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PortalSession {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) configuration: String,
    pub(crate) flow: Option<Value>,
    pub(crate) return_url: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) on_behalf_of: Option<String>,
}

impl Row for PortalSession {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

pub(crate) fn to_json(session: &PortalSession, base_url: &str) -> Value {
    json!({
        "id": session.id,
        "object": "billing_portal.session",
        "after_expiration": null,
        "configuration": session.configuration,
        "created": session.created,
        "customer": session.customer,
        "customer_account": null,
        "flow": session.flow,
        "livemode": false,
        "locale": session.locale,
        "on_behalf_of": session.on_behalf_of,
        "return_url": session.return_url,
        "url": format!("{base_url}/p/session/{}", session.id),
    })
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a PortalSession, ApiError> {
    state.portal_sessions.get(id).ok_or_else(|| ApiError::not_found("portal session", id, "id"))
}

/// The features of a configuration; of one that is gone, none.
pub(crate) fn features(state: &State, configuration: &str) -> Value {
    let found = state.documents.get(configuration);
    found.and_then(|found| found.value.get("features")).cloned().unwrap_or_default()
}

/// Whether a feature is on.
pub(crate) fn is_on(features: &Value, name: &str) -> bool {
    features.get(name).and_then(|feature| feature.get("enabled")).and_then(Value::as_bool).unwrap_or(false)
}

/// The prices that a subscription may be changed to.
pub(crate) fn offered_prices(features: &Value) -> Vec<String> {
    let products = features.pointer("/subscription_update/products").and_then(Value::as_array);
    let prices = products.into_iter().flatten().filter_map(|product| product.get("prices")?.as_array());
    prices.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The features with everything off, as Stripe shows what a configuration does not mention.
pub(crate) fn no_features() -> Value {
    json!({
        "customer_update": { "allowed_updates": [], "enabled": false },
        "invoice_history": { "enabled": false },
        "payment_method_update": { "enabled": false, "payment_method_configuration": null },
        "subscription_cancel": {
            "cancellation_reason": {
                "enabled": false,
                "feedback_options": null,
                "options": [],
            },
            "enabled": false,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {
            "duration": { "interval_options": [], "type": "indefinite" },
            "enabled": false,
        },
        "subscription_update": {
            "billing_cycle_anchor": null,
            "default_allowed_updates": [],
            "enabled": false,
            "products": [],
            "proration_behavior": "none",
            "schedule_at_period_end": { "conditions": [] },
            "trial_update_behavior": "end_trial",
        },
    })
}
