//! Reading Stripe's events, whatever API version rendered them.
//!
//! Only the fields that we need are read; enums are open, unknown fields are passed over, a reference may be an id or a
//! whole object. What is read is not believed: it is compared with what was stored. An event of a type that we handle
//! and cannot read is an error, never silence.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::checkout::{PURPOSE, PaymentProgress, PaymentReport};
use crate::domain::ids::{EventId, PaymentIntentId, SessionId, TopupId};
use crate::ports::{WebhookError, WebhookEvent};

/// The event types that an endpoint has to subscribe to.
pub const EVENT_TYPES: [&str; 4] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
];

#[derive(Deserialize)]
struct Envelope<'e> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, rename = "type")]
    event_type: Option<String>,
    #[serde(default)]
    livemode: Option<bool>,
    #[serde(default, borrow)]
    account: Option<&'e RawValue>,
    /// Read only when the event is one of ours: what others have in it is their business.
    #[serde(default, borrow)]
    data: Option<&'e RawValue>,
}

#[derive(Deserialize)]
struct Data<'e> {
    #[serde(borrow)]
    object: &'e RawValue,
}

/// A reference to another object: its id, or the object itself.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Id(String),
    Object { id: String },
}

impl Reference {
    fn into_id(self) -> String {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

#[derive(Deserialize)]
struct Session {
    id: String,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    payment_status: Option<String>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    amount_total: Option<i64>,
    #[serde(default)]
    client_reference_id: Option<String>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
    #[serde(default)]
    payment_intent: Option<Reference>,
}

/// Only the metadata: enough to see whether a session is ours, before the rest of it is read.
#[derive(Deserialize)]
struct Marked {
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

/// Which top-up metadata names, if it is one of our purpose.
pub(super) fn topup_of(metadata: &HashMap<String, String>) -> Option<TopupId> {
    if metadata.get("purpose").map(String::as_str) != Some(PURPOSE) {
        return None;
    }
    TopupId::parse(metadata.get("topupId")?).ok()
}

/// Reads an event whose signature holds.
///
/// # Errors
/// When it is no JSON object, or one of our types that cannot be read.
pub fn read(body: &[u8]) -> Result<WebhookEvent, WebhookError> {
    // serde reads a struct from an array too, field by field.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(WebhookError::NotAnEvent(serde::de::Error::custom("not a JSON object")));
    }
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(WebhookError::NotAnEvent)?;
    let foreign = |reason| Ok(WebhookEvent::Foreign { reason });
    let Some(event_type) = envelope.event_type.as_deref().filter(|event_type| EVENT_TYPES.contains(event_type)) else {
        return foreign("a type that is not handled");
    };
    if envelope.account.is_some_and(|account| account.get() != "null") {
        return foreign("a connected account's event");
    }
    let unreadable = |reason: String| WebhookError::Unreadable {
        event_id: envelope.id.clone().unwrap_or_default(),
        event_type: event_type.to_owned(),
        reason,
    };
    let data = envelope.data.ok_or_else(|| unreadable("data.object is missing".to_owned()))?;
    let data: Data<'_> = serde_json::from_str(data.get()).map_err(|error| unreadable(format!("data: {error}")))?;
    let marked: Marked =
        serde_json::from_str(data.object.get()).map_err(|error| unreadable(format!("data.object: {error}")))?;
    let Some(topup) = marked.metadata.as_ref().and_then(topup_of) else {
        return foreign("no top-up of ours");
    };
    let report = read_session(&envelope, event_type, topup, data.object.get()).map_err(unreadable)?;
    Ok(WebhookEvent::Payment(Box::new(report)))
}

fn read_session(
    envelope: &Envelope<'_>,
    event_type: &str,
    topup: TopupId,
    object: &str,
) -> Result<PaymentReport, String> {
    let session: Session = serde_json::from_str(object).map_err(|error| format!("data.object: {error}"))?;
    let event = envelope.id.clone().ok_or("id is missing")?;
    let metadata = session.metadata.unwrap_or_default();
    Ok(PaymentReport {
        event: Some((EventId::parse(event).map_err(|error| error.to_string())?, event_type.to_owned())),
        livemode: envelope.livemode.ok_or("livemode is missing")?,
        session: SessionId::parse(session.id).map_err(|error| error.to_string())?,
        topup,
        progress: progress(event_type, session.payment_status.as_deref())?,
        account: metadata.get("accountId").cloned(),
        client_reference: session.client_reference_id,
        credits: metadata.get("credits").cloned(),
        mode: session.mode,
        currency: session.currency,
        amount_total_minor: session.amount_total,
        payment_intent: session
            .payment_intent
            .map(|reference| PaymentIntentId::parse(reference.into_id()))
            .transpose()
            .map_err(|error| error.to_string())?,
    })
}

/// What an event says about the money. `checkout.session.completed` alone says nothing: only a `payment_status` of
/// `paid` credits, and `no_payment_required` never does.
fn progress(event_type: &str, payment_status: Option<&str>) -> Result<PaymentProgress, String> {
    match (event_type, payment_status) {
        ("checkout.session.expired", _) => Ok(PaymentProgress::Expired),
        ("checkout.session.async_payment_failed", _) => Ok(PaymentProgress::Failed),
        (_, Some("paid")) => Ok(PaymentProgress::Paid),
        (_, Some("unpaid")) => Ok(PaymentProgress::Processing),
        (_, Some("no_payment_required")) => Ok(PaymentProgress::Nothing),
        // A status that does not exist yet: better tried again and looked at than guessed.
        (_, other) => Err(format!("payment_status is {}", other.unwrap_or("missing"))),
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
