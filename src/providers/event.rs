//! What a provider's deliveries say, and how they are read and believed.

use crate::domain::checkout::{Declined, PaymentReport};
use crate::domain::ids::{ChargeId, DisputeId, FeeId, PaymentId, SessionId, TopupId};
use crate::domain::reversal::{EventRef, RefundReport};

/// What a webhook delivery is, once its signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookEvent {
    /// News about a checkout of ours, as far as its metadata says so.
    Payment(Box<PaymentReport>),
    /// An attempt to pay was declined; the checkout stays open.
    Decline(Declined),
    /// News about one refund. Whose payment it is, it does not say.
    Refund {
        /// The event.
        event: EventRef,
        /// Whether it is about real money.
        livemode: bool,
        /// The refund.
        refund: RefundReport,
    },
    /// Something of a payment was refunded.
    ChargeRefunded(ChargeRefunded),
    /// Something happened to a dispute. What, Stripe is asked.
    Dispute {
        /// The event.
        event: EventRef,
        /// Whether it is about real money.
        livemode: bool,
        /// The dispute.
        dispute: DisputeId,
        /// The payment that is disputed.
        payment: PaymentId,
    },
    /// A charge of ours whose fee may be known now.
    Charge(ChargeSettled),
    /// An event that only names what happened. What it says, Stripe is asked.
    Thin(ThinEvent),
    /// An event of a connected account. Purchases are made on the account itself, so it never has an effect.
    OfAccount {
        /// The connected account.
        account: String,
        /// What it would be if it were the account's own.
        event: Box<WebhookEvent>,
    },
    /// Nothing of ours: another type, another purpose.
    Foreign {
        /// Why, for the log.
        reason: &'static str,
    },
}

/// A charge of which something was refunded: how much in all, and the refunds as far as the event carries them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRefunded {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The payment; a charge without one is not ours.
    pub payment: PaymentId,
    /// The purchase that the charge's metadata names. A charge has its payment's metadata.
    pub topup: Option<TopupId>,
    /// How much of it had been refunded when this happened, in minor units, if the charge says it.
    pub amount_refunded_minor: Option<i64>,
    /// All of its refunds, if they are all in the event. Newer versions of Stripe's API leave them out.
    pub refunds: Option<Vec<RefundReport>>,
}

/// A charge whose movement on the account's balance is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeSettled {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The purchase that its metadata names.
    pub topup: TopupId,
    /// The payment.
    pub payment: PaymentId,
    /// The charge.
    pub charge: ChargeId,
    /// The movement, which says what Stripe kept.
    pub fee_id: FeeId,
}

/// A thin event of one of our types: it names the event that a destination with snapshots would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinEvent {
    /// The event that it stands for, under the id that a snapshot of it has; its own if Stripe names no other.
    pub event: EventRef,
    /// Whether Stripe names an event with a snapshot.
    pub has_snapshot: bool,
    /// The checkout session that it is about; none if it is about something else.
    pub session: Option<SessionId>,
    /// The account that Stripe must be asked for, if it is not the account itself.
    pub context: Option<String>,
}

/// What an event is about, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSubject {
    /// The purchase that its metadata names.
    Topup(TopupId),
    /// A payment, whose purchase is not named.
    Payment(PaymentId),
}

/// Why a delivery is not believed or not understood.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The signature does not hold, is missing or malformed.
    #[error("{0}")]
    Signature(&'static str),
    /// The header is well-formed, but its time is too far from ours. No signature was compared.
    #[error(
        "the signature's time is {} s {} this server's clock, and at most {tolerance_seconds} s are accepted; was the \
        delivery held in a queue, or is the clock wrong?",
        .ahead_seconds.saturating_abs(), if *.ahead_seconds < 0 { "behind" } else { "ahead of" }
    )]
    Untimely {
        /// How far the signature's time is ahead of ours, in seconds; negative when it is behind.
        ahead_seconds: i64,
        /// How far it may be, either way.
        tolerance_seconds: i64,
    },
    /// It is signed, but not an event.
    #[error("the body is not an event of Stripe's")]
    NotAnEvent(#[source] serde_json::Error),
    /// It is signed and of a type that we handle, but what we need cannot be read from it.
    #[error("event {event_id} ({event_type}) cannot be read: {reason}")]
    Unreadable {
        /// The event's id.
        event_id: String,
        /// Its type.
        event_type: String,
        /// What is wrong.
        reason: String,
        /// What it is about; none if not even that can be read.
        subject: Option<EventSubject>,
    },
}

/// Reads the provider's deliveries.
pub trait WebhookReader: Send + Sync {
    /// Checks what can be checked before the body is read: the header's form and its time.
    ///
    /// # Errors
    /// [`WebhookError::Signature`] or [`WebhookError::Untimely`], when no body could make this header hold.
    fn check_header(&self, header: Option<&str>, now_ms: i64) -> Result<(), WebhookError>;

    /// Verifies the signature over the raw bytes and reads the event.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read(&self, header: Option<&str>, body: &[u8], now_ms: i64) -> Result<WebhookEvent, WebhookError>;

    /// The same for a delivery that cannot be taken, whatever the signature's time.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_untimely(&self, header: Option<&str>, body: &[u8]) -> Result<WebhookEvent, WebhookError>;

    /// Reads an event whose signature was verified when it came.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_verified(&self, body: &[u8]) -> Result<WebhookEvent, WebhookError>;
}
