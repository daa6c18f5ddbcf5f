//! The account and its webhook endpoints. Source: Stripe's API reference, "Accounts", "Webhook Endpoints", "Events".
//!
//! Destinations with thin payloads are not webhook endpoints, so Stripe does not list them here.

use serde::Serialize;
use serde_json::value::RawValue;
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::ids::EventId;
use crate::providers::event::EventSubject;
use crate::providers::port::{
    CreatedEndpoint, DeliveryEndpoint, ProviderAccount, ProviderError, UndeliveredEvent, VersionFit,
};
use crate::providers::stripe::event::{self, EVENT_TYPES};
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::events::read_event;
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::gateway::money::PAGE;
use crate::providers::stripe::objects::{Account, EventTime, List, WebhookEndpoint};
use crate::providers::stripe::transport::Transport;

/// The oldest API version whose events this program is tested with.
pub const OLDEST_TESTED: &str = "2020-08-27";
/// The newest one.
pub const NEWEST_TESTED: &str = "2026-10-28.endive";

const ENDPOINTS: &str = "/webhook_endpoints";
/// Subscribes an endpoint to all types of events.
const ALL_TYPES: &str = "*";
const DESCRIPTION: &str = "Topup: credits what customers pay";

pub(super) async fn read_account(transport: &impl Transport) -> Result<ProviderAccount, ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Get, "/account");
    let account: Account = read(&answer_to(transport, request, None).await?)?;
    Ok(ProviderAccount {
        takes_payments: account.charges_enabled,
        pays_out: account.payouts_enabled.unwrap_or(true),
        id: account.id,
    })
}

#[derive(Serialize)]
struct Page {
    limit: i64,
}

pub(super) async fn list(transport: &impl Transport) -> Result<Vec<DeliveryEndpoint>, ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Get, ENDPOINTS).query(&Page { limit: PAGE });
    let page: List<WebhookEndpoint> = read(&answer_to(transport, request, None).await?)?;
    if page.has_more {
        return Err(not_understood("an account with more webhook endpoints than Stripe allows"));
    }
    Ok(page.data.into_iter().map(compared).collect())
}

#[derive(Serialize)]
struct NewEndpoint<'u> {
    url: &'u str,
    enabled_events: &'static [&'static str],
    api_version: &'u str,
    description: &'static str,
}

pub(super) async fn create(transport: &impl Transport, url: &str, key: &str) -> Result<CreatedEndpoint, ProviderError> {
    let version = stripe_client_core::VERSION;
    let (api_version, enabled_events) = (version.as_str(), &EVENT_TYPES[..]);
    let new = NewEndpoint { url, enabled_events, api_version, description: DESCRIPTION };
    let request = RequestBuilder::new(StripeMethod::Post, ENDPOINTS).form(&new);
    let mut created: WebhookEndpoint = read(&answer_to(transport, request, Some(key.to_owned())).await?)?;
    let secret = created.secret.take().ok_or_else(|| not_understood("the new endpoint has no secret"))?;
    Ok(CreatedEndpoint { endpoint: compared(created), secret: secret.into() })
}

#[derive(Serialize)]
struct Repair {
    enabled_events: &'static [&'static str],
    disabled: bool,
}

pub(super) async fn repair(transport: &impl Transport, id: &str, key: &str) -> Result<DeliveryEndpoint, ProviderError> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(not_understood("the endpoint's id"));
    }
    let repair = Repair { enabled_events: &EVENT_TYPES, disabled: false };
    let request = RequestBuilder::new(StripeMethod::Post, format!("{ENDPOINTS}/{id}")).form(&repair);
    let repaired: WebhookEndpoint = read(&answer_to(transport, request, Some(key.to_owned())).await?)?;
    Ok(compared(repaired))
}

fn compared(endpoint: WebhookEndpoint) -> DeliveryEndpoint {
    let types = endpoint.enabled_events;
    let sends_all = types.iter().any(|subscribed| subscribed == ALL_TYPES);
    let is_missing = |handled: &&str| !sends_all && !types.iter().any(|subscribed| subscribed == handled);
    let missing_types = EVENT_TYPES.into_iter().filter(is_missing).map(str::to_owned).collect();
    let is_extra = |subscribed: &String| !EVENT_TYPES.contains(&subscribed.as_str());
    DeliveryEndpoint {
        missing_types,
        extra_types: types.into_iter().filter(is_extra).collect(),
        is_enabled: endpoint.status.as_deref() != Some("disabled"),
        version_fit: version_fit(endpoint.api_version.as_deref()),
        api_version: endpoint.api_version,
        id: endpoint.id,
        url: endpoint.url,
    }
}

/// Versions begin with their date, so they are in the order of their texts.
fn version_fit(version: Option<&str>) -> VersionFit {
    match version {
        Some(version) if version < OLDEST_TESTED => VersionFit::Older,
        Some(version) if version > NEWEST_TESTED => VersionFit::Newer,
        _ => VersionFit::Tested,
    }
}

/// The event types that name their top-up. Stripe lists events of at most 20 types at once.
const NAMING_TYPES: [&str; 8] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "charge.updated",
    "charge.refunded",
];

#[derive(Serialize)]
struct Undelivered {
    delivery_success: bool,
    limit: i64,
    created: Since,
    types: [&'static str; NAMING_TYPES.len()],
}

#[derive(Serialize)]
struct Since {
    gte: i64,
}

/// The newest page. Events of other applications, and those that do not name their top-up, are left out.
pub(super) async fn undelivered(
    transport: &impl Transport,
    since_seconds: i64,
) -> Result<Vec<UndeliveredEvent>, ProviderError> {
    let created = Since { gte: since_seconds };
    let filter = Undelivered { delivery_success: false, limit: PAGE, created, types: NAMING_TYPES };
    let request = RequestBuilder::new(StripeMethod::Get, "/events").query(&filter);
    let page: List<Box<RawValue>> = read(&answer_to(transport, request, None).await?)?;
    Ok(page.data.iter().filter_map(|event| about_topup(event.get())).collect())
}

fn about_topup(text: &str) -> Option<UndeliveredEvent> {
    let read = event::read(text.as_bytes()).ok()?;
    let Some(EventSubject::Topup(topup)) = read.subject() else { return None };
    let (event, event_type) = read.event()?.clone();
    let EventTime { created } = serde_json::from_str(text).ok()?;
    Some(UndeliveredEvent { event, event_type, created_ms: created.saturating_mul(1_000), topup })
}

pub(super) async fn event_time_ms(transport: &impl Transport, event: &EventId) -> Result<i64, ProviderError> {
    let text = read_event(transport, event).await?;
    let EventTime { created } = serde_json::from_str(&text).map_err(not_understood)?;
    Ok(created.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn endpoint(changes: &Value) -> DeliveryEndpoint {
        let mut endpoint = json!({ "id": "we_1", "url": "https://a.example/webhooks/stripe", "status": "enabled",
            "enabled_events": EVENT_TYPES[..], "api_version": null });
        endpoint.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        compared(serde_json::from_value(endpoint).unwrap())
    }

    #[test]
    fn an_endpoint_is_compared_with_what_is_handled() {
        let good = endpoint(&json!({}));
        assert!(good.is_enabled && good.missing_types.is_empty() && good.extra_types.is_empty());
        let all = endpoint(&json!({ "enabled_events": ["*"] }));
        assert_eq!((all.missing_types, all.extra_types), (Vec::new(), vec!["*".to_owned()]));
        let some = endpoint(&json!({ "enabled_events": ["charge.updated", "customer.created"], "status": "disabled" }));
        assert_eq!((some.missing_types.len(), some.is_enabled), (EVENT_TYPES.len() - 1, false));
        assert_eq!(some.extra_types, ["customer.created"]);
    }

    #[test]
    fn a_version_is_older_or_newer_by_its_date() {
        let fit = |version: &str| endpoint(&json!({ "api_version": version })).version_fit;
        for version in [OLDEST_TESTED, "2024-06-20", "2026-09-30.endive", NEWEST_TESTED] {
            assert_eq!(fit(version), VersionFit::Tested, "{version}");
        }
        assert_eq!(fit("2020-03-02"), VersionFit::Older);
        assert_eq!(fit("2027-03-31.fir"), VersionFit::Newer);
        assert_eq!(endpoint(&json!({})).version_fit, VersionFit::Tested, "the account's default is not known");
    }
}
