//! What a provider's deliveries say, and how they are read and believed.

use crate::domain::checkout::{Declined, PurchaseProgress, PurchaseReport};
use crate::domain::ids::{ChargeId, DisputeId, FeeId, PaymentId, SessionId, TopupId};
use crate::domain::reversal::{EventRef, RefundReport};

/// What a webhook delivery says, once its signature holds, in our words. A provider only maps its own events to these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderEvent {
    /// The money for a purchase is there.
    PurchasePaid(Box<PurchaseReport>),
    /// The customer is done, and the money is not there yet.
    PurchaseProcessing(Box<PurchaseReport>),
    /// A delayed payment did not come through.
    PurchaseFailed(Box<PurchaseReport>),
    /// The checkout session ended without a payment.
    PurchaseExpired(Box<PurchaseReport>),
    /// Something about a purchase that changes nothing here.
    PurchaseUnchanged(Box<PurchaseReport>),
    /// An attempt to pay was declined; the checkout session stays open.
    PaymentDeclined(Declined),
    /// One refund changed. The event does not say whose payment it is.
    RefundChanged {
        /// The event.
        event: EventRef,
        /// Whether it is about real money.
        livemode: bool,
        /// The refund.
        refund: RefundReport,
    },
    /// Something of a payment was refunded.
    PaymentRefunded(PaymentRefunded),
    /// A dispute changed. How, the provider is asked.
    DisputeChanged {
        /// The event.
        event: EventRef,
        /// Whether it is about real money.
        livemode: bool,
        /// The dispute.
        dispute: DisputeId,
        /// The payment that is disputed.
        payment: PaymentId,
    },
    /// What the provider kept of a payment may be known now.
    FeeKnown(FeeKnown),
    /// The event only names what happened. What it says, the provider is asked.
    Announced(ThinEvent),
    /// An event of a connected account. Purchases are made on the account itself, so it never has an effect.
    OfAccount {
        /// The connected account.
        account: String,
        /// What it would be if it were the account's own.
        event: Box<ProviderEvent>,
    },
    /// It is about something else: another type of event, another application.
    Foreign {
        /// Why, for the log.
        reason: &'static str,
    },
}

impl ProviderEvent {
    /// News about a purchase, by how far it has come.
    #[must_use]
    pub fn purchase(report: PurchaseReport) -> Self {
        let (progress, report) = (report.progress, Box::new(report));
        match progress {
            PurchaseProgress::Paid => Self::PurchasePaid(report),
            PurchaseProgress::Processing => Self::PurchaseProcessing(report),
            PurchaseProgress::Failed => Self::PurchaseFailed(report),
            PurchaseProgress::Expired => Self::PurchaseExpired(report),
            PurchaseProgress::Nothing => Self::PurchaseUnchanged(report),
        }
    }

    /// What it reports about a purchase, if it is about one.
    #[must_use]
    pub fn report(&self) -> Option<&PurchaseReport> {
        match self {
            Self::PurchasePaid(report)
            | Self::PurchaseProcessing(report)
            | Self::PurchaseFailed(report)
            | Self::PurchaseExpired(report)
            | Self::PurchaseUnchanged(report) => Some(report),
            _ => None,
        }
    }

    /// The event's id and type, as far as it is about something here.
    #[must_use]
    pub fn event(&self) -> Option<&EventRef> {
        match self {
            Self::PurchasePaid(report)
            | Self::PurchaseProcessing(report)
            | Self::PurchaseFailed(report)
            | Self::PurchaseExpired(report)
            | Self::PurchaseUnchanged(report) => report.event.as_ref(),
            Self::PaymentDeclined(declined) => Some(&declined.event),
            Self::RefundChanged { event, .. } | Self::DisputeChanged { event, .. } => Some(event),
            Self::PaymentRefunded(refunded) => Some(&refunded.event),
            Self::FeeKnown(known) => Some(&known.event),
            Self::Announced(thin) => Some(&thin.event),
            Self::OfAccount { event, .. } => event.event(),
            Self::Foreign { .. } => None,
        }
    }

    /// What it is about, as far as it says so.
    #[must_use]
    pub fn subject(&self) -> Option<EventSubject> {
        let of_topup = |topup: &TopupId| EventSubject::Topup(topup.clone());
        let of_payment = |payment: &PaymentId| EventSubject::Payment(payment.clone());
        match self {
            Self::PurchasePaid(report)
            | Self::PurchaseProcessing(report)
            | Self::PurchaseFailed(report)
            | Self::PurchaseExpired(report)
            | Self::PurchaseUnchanged(report) => Some(of_topup(&report.topup)),
            Self::PaymentDeclined(declined) => Some(of_topup(&declined.topup)),
            Self::RefundChanged { refund, .. } => refund.payment.as_ref().map(of_payment),
            Self::DisputeChanged { payment, .. } => Some(of_payment(payment)),
            Self::PaymentRefunded(refunded) => {
                Some(refunded.topup.as_ref().map_or_else(|| of_payment(&refunded.payment), of_topup))
            }
            Self::FeeKnown(known) => Some(of_topup(&known.topup)),
            Self::OfAccount { event, .. } => event.subject(),
            Self::Announced(_) | Self::Foreign { .. } => None,
        }
    }
}

/// A charge of which something was refunded: how much in all, and the refunds as far as the event carries them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRefunded {
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
pub struct FeeKnown {
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
    fn read(&self, header: Option<&str>, body: &[u8], now_ms: i64) -> Result<ProviderEvent, WebhookError>;

    /// The same for a delivery that cannot be taken, whatever the signature's time.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_untimely(&self, header: Option<&str>, body: &[u8]) -> Result<ProviderEvent, WebhookError>;

    /// Reads an event whose signature was verified when it came.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_verified(&self, body: &[u8]) -> Result<ProviderEvent, WebhookError>;
}
