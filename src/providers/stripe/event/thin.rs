//! Parses thin events, which name what happened and contain no details.
//!
//! Stripe prefixes the types of snapshot events with `v1.`, and names in `snapshot_event` the event that a destination
//! for snapshots would get. It is applied once under that id, whichever of the two arrives first.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::ids::{EventId, SessionId};
use crate::providers::event::{ProviderEvent, ThinEvent, WebhookError};
use crate::providers::stripe::event::EVENT_TYPES;
use crate::providers::stripe::name::NAME;

#[derive(Deserialize)]
struct Envelope<'e> {
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    snapshot_event: Option<String>,
    #[serde(default, borrow)]
    context: Option<&'e RawValue>,
    #[serde(default)]
    related_object: Option<RelatedObject>,
}

#[derive(Deserialize)]
struct RelatedObject {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, rename = "type")]
    object_type: Option<String>,
}

/// Parses a thin event of a handled type; `None` for any other event.
pub(super) fn read(event_type: &str, body: &[u8]) -> Option<Result<ProviderEvent, WebhookError>> {
    let event_type = event_type.strip_prefix("v1.").filter(|event_type| EVENT_TYPES.contains(event_type))?;
    let unreadable = |event_id: Option<String>, reason: String| WebhookError::Unreadable {
        event_id: event_id.unwrap_or_default(),
        event_type: event_type.to_owned(),
        reason,
        subject: None,
    };
    let envelope: Envelope<'_> = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(error) => return Some(Err(unreadable(None, error.to_string()))),
    };
    if envelope.object.as_deref() != Some("v2.core.event") {
        return None;
    }
    let name = envelope.snapshot_event.as_ref().or(envelope.id.as_ref()).cloned().unwrap_or_default();
    let Ok(event) = EventId::parse(NAME, name) else {
        return Some(Err(unreadable(envelope.id, "neither snapshot_event nor id names an event".to_owned())));
    };
    let is_session = |related: &RelatedObject| related.object_type.as_deref() == Some("checkout.session");
    let session = envelope.related_object.filter(is_session).and_then(|related| related.id);
    let context = envelope.context.filter(|context| context.get() != "null");
    Some(Ok(ProviderEvent::Announced(ThinEvent {
        event: (event, event_type.to_owned()),
        has_snapshot: envelope.snapshot_event.is_some(),
        session: session.and_then(|id| SessionId::parse(NAME, id).ok()),
        context: context
            .map(|context| serde_json::from_str(context.get()).unwrap_or_else(|_| context.get().to_owned())),
    })))
}
