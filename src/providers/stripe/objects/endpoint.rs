//! The account, and its webhook endpoints.

use serde::Deserialize;

/// The account that an API key belongs to.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct Account {
    pub(in crate::providers::stripe) id: String,
    pub(in crate::providers::stripe) charges_enabled: bool,
    #[serde(default)]
    pub(in crate::providers::stripe) payouts_enabled: Option<bool>,
}

/// A webhook endpoint. Not `Debug`, because it may have its secret.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct WebhookEndpoint {
    pub(in crate::providers::stripe) id: String,
    pub(in crate::providers::stripe) url: String,
    pub(in crate::providers::stripe) enabled_events: Vec<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) status: Option<String>,
    #[serde(default)]
    pub(in crate::providers::stripe) api_version: Option<String>,
    /// Only in the response to its creation.
    #[serde(default)]
    pub(in crate::providers::stripe) secret: Option<String>,
}

/// When an event happened, in seconds since 1970.
#[derive(Deserialize)]
pub(in crate::providers::stripe) struct EventTime {
    pub(in crate::providers::stripe) created: i64,
}
