//! Webhook endpoints: their enabled events and signing secrets.

use crate::model::request;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Context, State, accepted, error::ApiError, params::Params, spec, table::Row, version};
use crate::config::{MAX_WEBHOOK_ENDPOINTS, WebhookEndpoint, is_deliverable};

/// A webhook endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) enabled_events: Vec<String>,
    pub(crate) api_version: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) disabled: bool,
    /// Gets thin payloads.
    #[serde(default)]
    pub(crate) thin: bool,
}

#[derive(Debug, Deserialize)]
struct EndpointParams {
    url: Option<String>,
    enabled_events: Option<Vec<String>>,
    api_version: Option<String>,
    description: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    disabled: Option<bool>,
}

impl Row for Endpoint {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Endpoint {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        !self.disabled && self.enabled_events.iter().any(|wanted| wanted == "*" || wanted == kind)
    }

    /// Without the secret, which is shown only once, at creation.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        })
    }
}

impl State {
    /// Makes sure that a configured endpoint exists. An endpoint with the same URL is updated, not added twice.
    pub(crate) fn ensure_endpoint(&mut self, context: &mut Context<'_>, wanted: &WebhookEndpoint) {
        let known =
            self.endpoints.iter().find(|endpoint| endpoint.url == wanted.url).map(|endpoint| endpoint.id.clone());
        if let Some(endpoint) = known.and_then(|id| self.endpoints.get_mut(&id)) {
            endpoint.secret.clone_from(&wanted.secret);
            endpoint.enabled_events.clone_from(&wanted.enabled_events);
            endpoint.api_version.clone_from(&wanted.api_version);
            endpoint.disabled = false;
            endpoint.thin = wanted.thin;
            return;
        }
        self.endpoints.insert(Endpoint {
            id: context.ids.next("we_1", 23),
            created: context.now(),
            url: wanted.url.clone(),
            secret: wanted.secret.clone(),
            enabled_events: wanted.enabled_events.clone(),
            api_version: wanted.api_version.clone(),
            description: None,
            metadata: BTreeMap::new(),
            disabled: false,
            thin: wanted.thin,
        });
    }
}

/// `POST /v1/webhook_endpoints`. Only this answer shows the secret.
pub(crate) fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<Value, ApiError> {
    let wanted = read(params, accepted::CREATE_ENDPOINT)?;
    if state.endpoints.len() >= MAX_WEBHOOK_ENDPOINTS {
        return Err(ApiError::invalid("You have reached the maximum of 16 test webhook endpoints."));
    }
    let endpoint = Endpoint {
        id: context.ids.next("we_1", 23),
        created: context.now(),
        url: wanted.url.unwrap_or_default(),
        secret: context.ids.next("whsec_", 32),
        enabled_events: wanted.enabled_events.unwrap_or_default(),
        api_version: wanted.api_version,
        description: wanted.description,
        metadata: wanted.metadata.unwrap_or_default(),
        disabled: false,
        thin: false,
    };
    let mut answer = endpoint.to_json();
    if let Some(members) = answer.as_object_mut() {
        members.insert("secret".to_owned(), json!(endpoint.secret));
    }
    state.endpoints.insert(endpoint);
    Ok(answer)
}

/// `POST /v1/webhook_endpoints/{id}`.
pub(crate) fn update(state: &mut State, id: &str, params: &Params) -> Result<Value, ApiError> {
    let endpoint = state.endpoints.get_mut(id).ok_or_else(|| missing(id))?;
    let wanted = read(params, accepted::UPDATE_ENDPOINT)?;
    endpoint.url = wanted.url.unwrap_or_else(|| endpoint.url.clone());
    endpoint.disabled = wanted.disabled.unwrap_or(endpoint.disabled);
    if let Some(enabled_events) = wanted.enabled_events {
        endpoint.enabled_events = enabled_events;
    }
    if wanted.description.is_some() {
        endpoint.description = wanted.description;
    }
    endpoint.metadata.extend(wanted.metadata.unwrap_or_default());
    Ok(endpoint.to_json())
}

/// `DELETE /v1/webhook_endpoints/{id}`. Drops its pending deliveries.
pub(crate) fn delete(state: &mut State, id: &str) -> Result<Value, ApiError> {
    state.endpoints.remove(id).ok_or_else(|| missing(id))?;
    state.deliveries.retain(|_, delivery| delivery.endpoint != id);
    Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
}

pub(crate) fn missing(id: &str) -> ApiError {
    ApiError::not_found("webhook endpoint", id, "webhook_endpoint")
}

fn read(params: &Params, fields: &[spec::Field]) -> Result<EndpointParams, ApiError> {
    let wanted: EndpointParams = request::read(params, fields)?;
    if let Some(api_version) = &wanted.api_version {
        version::check(api_version)?;
    }
    if let Some(url) = &wanted.url
        && !is_deliverable(url)
    {
        let message =
            "Invalid URL: the sandbox delivers webhooks by plain http only, so the URL must begin with http://";
        return Err(ApiError::invalid(message).code("url_invalid").param("url"));
    }
    Ok(wanted)
}
