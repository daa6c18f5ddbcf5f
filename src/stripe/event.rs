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
use crate::domain::reversal::EventRef;
use crate::ports::{WebhookError, WebhookEvent};

mod money;

/// The event types that an endpoint has to subscribe to.
pub const EVENT_TYPES: [&str; 17] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "charge.updated",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
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
    let object = data.object.get();
    let head = || envelope.head(event_type).map_err(unreadable);
    match event_type {
        "payment_intent.payment_failed" => read_marked(object, &head, money::declined),
        "charge.succeeded" | "charge.updated" => read_marked(object, &head, money::charge),
        "charge.refunded" => money::charge_refunded(object, head()?).map_err(unreadable),
        "charge.refund.updated" | "refund.created" | "refund.updated" | "refund.failed" => {
            money::refund(object, head()?).map_err(unreadable)
        }
        _ if event_type.starts_with("charge.dispute.") => money::dispute(object, head()?).map_err(unreadable),
        _ => read_marked(object, &head, session),
    }
    .map_err(|error| match error {
        // The reader of an object does not know the event that it came in.
        WebhookError::Unreadable { reason, .. } => unreadable(reason),
        error => error,
    })
}

/// What every event says, whatever it is about.
struct Head {
    event: EventRef,
    livemode: bool,
}

impl Envelope<'_> {
    fn head(&self, event_type: &str) -> Result<Head, String> {
        let event = self.id.clone().ok_or("id is missing")?;
        let event = EventId::parse(event).map_err(|error| error.to_string())?;
        Ok(Head { event: (event, event_type.to_owned()), livemode: self.livemode.ok_or("livemode is missing")? })
    }
}

/// Reads an object that carries our metadata, if it does. What others have in theirs is their business.
fn read_marked(
    object: &str,
    head: &dyn Fn() -> Result<Head, WebhookError>,
    read: fn(&str, TopupId, Head) -> Result<WebhookEvent, String>,
) -> Result<WebhookEvent, WebhookError> {
    let unreadable = |reason| WebhookError::Unreadable { event_id: String::new(), event_type: String::new(), reason };
    let marked: Marked = from_object(object).map_err(unreadable)?;
    match marked.metadata.as_ref().and_then(topup_of) {
        Some(topup) => read(object, topup, head()?).map_err(unreadable),
        None => Ok(WebhookEvent::Foreign { reason: "no top-up of ours" }),
    }
}

fn from_object<'o, T: Deserialize<'o>>(object: &'o str) -> Result<T, String> {
    serde_json::from_str(object).map_err(|error| format!("data.object: {error}"))
}

fn session(object: &str, topup: TopupId, head: Head) -> Result<WebhookEvent, String> {
    let session: Session = from_object(object)?;
    let progress = progress(&head.event.1, session.payment_status.as_deref())?;
    let metadata = session.metadata.unwrap_or_default();
    Ok(WebhookEvent::Payment(Box::new(PaymentReport {
        event: Some(head.event),
        livemode: head.livemode,
        session: SessionId::parse(session.id).map_err(|error| error.to_string())?,
        topup,
        progress,
        account: metadata.get("accountId").cloned(),
        client_reference: session.client_reference_id,
        credits: metadata.get("credits").cloned(),
        mode: session.mode,
        currency: session.currency,
        amount_total_minor: session.amount_total,
        payment_intent: payment_intent(session.payment_intent)?,
    })))
}

fn payment_intent(reference: Option<Reference>) -> Result<Option<PaymentIntentId>, String> {
    let id = reference.map(|reference| PaymentIntentId::parse(reference.into_id())).transpose();
    id.map_err(|error| error.to_string())
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
