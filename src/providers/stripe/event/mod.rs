//! Parses Stripe's events, from any API version.
//!
//! Their objects are parsed by `objects/`. Nothing in an event is trusted: it is compared with the stored agreement. An
//! event of a handled type that cannot be parsed is an error and never ignored.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::checkout::PurchaseProgress;
use crate::domain::ids::{EventId, PaymentId, TopupId};
use crate::domain::reversal::EventRef;
use crate::providers::event::{EventSubject, ProviderEvent, WebhookError};
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{Marked, Occasion, OfPayment, Session, payment_intent};

mod card;
mod fraud;
mod money;
pub(super) mod payer;
mod subscription;
mod thin;

/// The event types that an endpoint has to subscribe to.
pub const EVENT_TYPES: [&str; 36] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
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
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.updated",
    "invoice.voided",
    "radar.early_fraud_warning.created",
    "radar.early_fraud_warning.updated",
    "review.opened",
    "review.closed",
];

#[derive(Deserialize)]
struct Envelope<'e> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, rename = "type")]
    event_type: Option<String>,
    #[serde(default)]
    livemode: Option<bool>,
    /// Only measured, so it is no mistake whatever it is.
    #[serde(default, borrow)]
    created: Option<&'e RawValue>,
    #[serde(default, borrow)]
    account: Option<&'e RawValue>,
    #[serde(default, borrow)]
    data: Data<'e>,
}

/// The event's object, if present. Parsed only if the event is ours, because other applications' objects may have any
/// content. It is most of the event, so it is captured during the first pass instead of being scanned twice.
#[derive(Default)]
struct Data<'e> {
    object: Option<&'e RawValue>,
}

impl<'de: 'e, 'e> Deserialize<'de> for Data<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

/// A value that is not an object is not an error yet; neither is a missing one.
impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data<'de>, A::Error> {
        let mut data = Data::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "object" {
                data.object = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(data)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Data<'de>, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Data::default())
    }

    fn visit_unit<E>(self) -> Result<Data<'de>, E> {
        Ok(Data::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Data<'de>, E> {
        Ok(Data::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Data<'de>, E> {
        Ok(Data::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Data<'de>, E> {
        Ok(Data::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Data<'de>, E> {
        Ok(Data::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Data<'de>, E> {
        Ok(Data::default())
    }
}

/// Why an event of a handled type cannot be parsed, and its subject as far as known.
#[derive(Debug)]
struct Unreadable {
    reason: String,
    subject: Option<EventSubject>,
}

impl From<String> for Unreadable {
    fn from(reason: String) -> Self {
        Self { reason, subject: None }
    }
}

impl Unreadable {
    fn about(subject: EventSubject) -> impl FnOnce(String) -> Self {
        |reason| Self { reason, subject: Some(subject) }
    }
}

/// Parses an event whose signature has been verified.
///
/// # Errors
/// When it is not a JSON object, or is of a handled type and cannot be parsed.
pub fn read(body: &[u8]) -> Result<ProviderEvent, WebhookError> {
    // serde also deserializes a struct from an array, field by field.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(WebhookError::NotAnEvent(serde::de::Error::custom("not a JSON object")));
    }
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(WebhookError::NotAnEvent)?;
    let foreign = |reason| Ok(ProviderEvent::Foreign { reason });
    let event_type = envelope.event_type.as_deref().unwrap_or_default();
    if !EVENT_TYPES.contains(&event_type) {
        return thin::read(event_type, body).unwrap_or_else(|| foreign("a type that is not handled"));
    }
    let account = envelope.account.filter(|account| account.get() != "null");
    match (read_object(&envelope, event_type), account) {
        (Ok(foreign @ ProviderEvent::Foreign { .. }), _) => Ok(foreign),
        (Ok(event), None) => Ok(event),
        (Ok(event), Some(account)) => {
            let account = serde_json::from_str(account.get()).unwrap_or_else(|_| account.get().to_owned());
            Ok(ProviderEvent::OfAccount { account, event: Box::new(event) })
        }
        // Only an event that names a top-up can be identified here: our API key cannot ask about another account.
        (Err(Unreadable { subject: None | Some(EventSubject::Payment(_)), .. }), Some(_)) => {
            foreign("a connected account's event")
        }
        (Err(Unreadable { reason, subject }), _) => Err(WebhookError::Unreadable {
            event_id: envelope.id.clone().unwrap_or_default(),
            event_type: event_type.to_owned(),
            reason,
            subject,
        }),
    }
}

fn read_object(envelope: &Envelope<'_>, event_type: &str) -> Result<ProviderEvent, Unreadable> {
    let object = envelope.data.object.ok_or_else(|| "data.object is missing".to_owned())?.get();
    let head = || envelope.head(event_type);
    match event_type {
        "payment_intent.succeeded" => read_marked(object, &head, card::charged),
        "customer.deleted" => Ok(card::customer_deleted(object, &head)?),
        "payment_intent.payment_failed" => read_marked(object, &head, money::declined),
        "charge.succeeded" | "charge.updated" => read_marked(object, &head, money::charge),
        "charge.refunded" => money::charge_refunded(object, &head),
        "charge.refund.updated" | "refund.created" | "refund.updated" | "refund.failed" => {
            read_of_payment(object, &head, money::refund)
        }
        _ if event_type.starts_with("customer.subscription.") => subscription::changed(object, &head, event_type),
        _ if event_type.starts_with("invoice.") => subscription::invoice(object, &head, event_type),
        _ if event_type.starts_with("radar.early_fraud_warning.") => read_of_payment(object, &head, fraud::warning),
        "review.opened" | "review.closed" => read_of_payment(object, &head, fraud::review),
        _ if event_type.starts_with("charge.dispute.") => read_of_payment(object, &head, money::dispute),
        _ => read_session(object, &head),
    }
}

/// The fields that every event has.
struct Head {
    event: EventRef,
    created_ms: Option<i64>,
    livemode: bool,
}

impl Envelope<'_> {
    fn head(&self, event_type: &str) -> Result<Head, String> {
        let event = self.id.clone().ok_or("id is missing")?;
        let event = EventId::parse(NAME, event).map_err(|error| error.to_string())?;
        let created = self.created.and_then(|created| created.get().parse::<i64>().ok());
        Ok(Head {
            event: (event, event_type.to_owned()),
            created_ms: created.and_then(|seconds| seconds.checked_mul(1_000)),
            livemode: self.livemode.ok_or("livemode is missing")?,
        })
    }
}

/// Parses an object if it carries our metadata. Other applications' metadata may have any content.
fn read_marked(
    object: &str,
    head: &dyn Fn() -> Result<Head, String>,
    read: fn(&str, TopupId, Head) -> Result<ProviderEvent, String>,
) -> Result<ProviderEvent, Unreadable> {
    let Some(topup) = from_object::<Marked<'_>>(object)?.topup() else { return Ok(NO_TOPUP_OF_OURS) };
    let subject = EventSubject::Topup(topup.clone());
    head().and_then(|head| read(object, topup, head)).map_err(Unreadable::about(subject))
}

/// Parses an object if it names its payment. The payment's top-up is found later.
fn read_of_payment(
    object: &str,
    head: &dyn Fn() -> Result<Head, String>,
    read: fn(&str, PaymentId, Head) -> Result<ProviderEvent, String>,
) -> Result<ProviderEvent, Unreadable> {
    let payment = payment_intent(from_object::<OfPayment>(object)?.payment_intent)?;
    let Some(payment) = payment else { return Ok(NO_PAYMENT) };
    let subject = EventSubject::Payment(payment.clone());
    head().and_then(|head| read(object, payment, head)).map_err(Unreadable::about(subject))
}

/// Parses a session. Almost all sessions are ours and valid, so everything is parsed at once.
fn read_session(object: &str, head: &dyn Fn() -> Result<Head, String>) -> Result<ProviderEvent, Unreadable> {
    let read = |object: &str, topup, head| report(from_object(object)?, topup, head);
    let Ok(session) = from_object::<Session>(object) else { return read_marked(object, head, read) };
    let Some(topup) = session.topup() else {
        return match subscription::checkout(object, head)? {
            ProviderEvent::Foreign { .. } => Ok(card::saved(session, head)?),
            event => Ok(event),
        };
    };
    match head().and_then(|head| report(session, topup, head)) {
        Ok(event) => Ok(event),
        // Parsed again to find the subject.
        Err(_) => read_marked(object, head, read),
    }
}

const NO_TOPUP_OF_OURS: ProviderEvent = ProviderEvent::Foreign { reason: "no top-up of ours" };
const NO_PAYMENT: ProviderEvent = ProviderEvent::Foreign { reason: "no payment intent, as every payment of ours has" };

fn from_object<'o, T: Deserialize<'o>>(object: &'o str) -> Result<T, String> {
    serde_json::from_str(object).map_err(|error| format!("data.object: {error}"))
}

fn report(session: Session, topup: TopupId, head: Head) -> Result<ProviderEvent, String> {
    let progress = progress(&head.event.1, session.payment_status.as_deref())?;
    let Head { event, created_ms: event_created_ms, livemode } = head;
    let occasion = Occasion { event: Some(event), event_created_ms, livemode, topup, progress };
    Ok(ProviderEvent::purchase(session.report(occasion)?))
}

/// The payment progress in an event. `checkout.session.completed` alone proves nothing: only a `payment_status` of
/// `paid` credits, and `no_payment_required` never does.
fn progress(event_type: &str, payment_status: Option<&str>) -> Result<PurchaseProgress, String> {
    match (event_type, payment_status) {
        ("checkout.session.expired", _) => Ok(PurchaseProgress::Expired),
        ("checkout.session.async_payment_failed", _) => Ok(PurchaseProgress::Failed),
        (_, Some("paid")) => Ok(PurchaseProgress::Paid),
        (_, Some("unpaid")) => Ok(PurchaseProgress::Processing),
        (_, Some("no_payment_required")) => Ok(PurchaseProgress::Nothing),
        // For a new, unknown status a retry and an operator's look are better than a guess.
        (_, other) => Err(format!("payment_status is {}", other.unwrap_or("missing"))),
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
