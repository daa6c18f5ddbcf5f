//! The events that a provider delivers, and how they are verified and parsed.

use crate::domain::checkout::{Declined, PurchaseProgress, PurchaseReport};
use crate::domain::fraud::FraudSignal;
use crate::domain::ids::{
    ChargeId, CustomerId, DisputeId, FeeId, InvoiceId, PaymentId, SessionId, SetupId, SubscriptionCheckoutId,
    SubscriptionId, TopupId,
};
use crate::domain::payer::Payer;
use crate::domain::reversal::{EventRef, RefundReport};

/// A verified webhook event in provider-neutral terms. Each provider maps its own events to these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderEvent {
    /// A top-up has been paid.
    PurchasePaid(Box<PurchaseReport>),
    /// The customer has completed the checkout, but the payment is not there yet.
    PurchaseProcessing(Box<PurchaseReport>),
    /// A delayed payment failed.
    PurchaseFailed(Box<PurchaseReport>),
    /// The checkout session ended without a payment.
    PurchaseExpired(Box<PurchaseReport>),
    /// An event about a top-up that changes nothing here.
    PurchaseUnchanged(Box<PurchaseReport>),
    /// A payment attempt was declined; the checkout session stays open.
    PaymentDeclined(Declined),
    /// One refund changed. The event does not name the top-up.
    RefundChanged {
        /// The event.
        event: EventRef,
        /// Whether it is about real money.
        livemode: bool,
        /// The refund.
        refund: RefundReport,
    },
    /// A payment was refunded in full or in part.
    PaymentRefunded(PaymentRefunded),
    /// A dispute changed. Its state has to be fetched.
    DisputeChanged {
        /// The event.
        event: EventRef,
        /// Whether it is about real money.
        livemode: bool,
        /// The dispute.
        dispute: DisputeId,
        /// The disputed payment.
        payment: PaymentId,
    },
    /// A payment may be fraud.
    FraudSignalled(FraudSignalled),
    /// The provider's fee for a payment may be known now.
    FeeKnown(FeeKnown),
    /// A subscription changed. Its state has to be fetched.
    SubscriptionChanged(SubscriptionNotice),
    /// An invoice changed. It has to be fetched, with its subscription.
    InvoiceChanged(InvoiceNotice),
    /// A checkout that begins a subscription was completed, or ended without one.
    SubscriptionCheckoutEnded(CheckoutNotice),
    /// A customer has saved a card on a page.
    CardSaved(CardSaved),
    /// The provider no longer has a customer.
    CustomerDeleted {
        /// The event.
        event: EventRef,
        /// Whether it is about real money.
        livemode: bool,
        /// The customer.
        customer: CustomerId,
    },
    /// A thin event, which only names what happened. The details have to be fetched.
    Announced(ThinEvent),
    /// An event of a connected account. Top-ups are sold on the account itself, so it never has an effect.
    OfAccount {
        /// The connected account.
        account: String,
        /// The event as it would be read on the account itself.
        event: Box<ProviderEvent>,
    },
    /// The event does not concern us: another event type or another application.
    Foreign {
        /// Why, for the log.
        reason: &'static str,
    },
}

impl ProviderEvent {
    /// Wraps a report about a top-up by its progress.
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

    /// The report about a top-up, if the event has one.
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

    /// The event's id and type, if it concerns us.
    #[must_use]
    pub fn event(&self) -> Option<&EventRef> {
        match self {
            Self::PurchasePaid(report)
            | Self::PurchaseProcessing(report)
            | Self::PurchaseFailed(report)
            | Self::PurchaseExpired(report)
            | Self::PurchaseUnchanged(report) => report.event.as_ref(),
            Self::PaymentDeclined(declined) => Some(&declined.event),
            Self::RefundChanged { event, .. }
            | Self::DisputeChanged { event, .. }
            | Self::CustomerDeleted { event, .. } => Some(event),
            Self::PaymentRefunded(refunded) => Some(&refunded.event),
            Self::FraudSignalled(signalled) => Some(&signalled.event),
            Self::FeeKnown(known) => Some(&known.event),
            Self::SubscriptionChanged(notice) => Some(&notice.event),
            Self::InvoiceChanged(notice) => Some(&notice.event),
            Self::SubscriptionCheckoutEnded(notice) => Some(&notice.event),
            Self::CardSaved(saved) => Some(&saved.event),
            Self::Announced(thin) => Some(&thin.event),
            Self::OfAccount { event, .. } => event.event(),
            Self::Foreign { .. } => None,
        }
    }

    /// The subject, as far as the event names it.
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
            Self::FraudSignalled(signalled) => Some(of_payment(&signalled.signal.payment)),
            Self::FeeKnown(known) => Some(of_topup(&known.topup)),
            Self::OfAccount { event, .. } => event.subject(),
            Self::SubscriptionChanged(_)
            | Self::InvoiceChanged(_)
            | Self::SubscriptionCheckoutEnded(_)
            | Self::Announced(_)
            | Self::CardSaved(_)
            | Self::CustomerDeleted { .. }
            | Self::Foreign { .. } => None,
        }
    }
}

/// News of a subscription. Nothing but its names is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionNotice {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Whose it is, if the event says so.
    pub customer: Option<CustomerId>,
    /// Whether its trial ends soon.
    pub trial_ends: bool,
}

/// News of an invoice of a subscription. Nothing but its names is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceNotice {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The invoice.
    pub invoice: InvoiceId,
    /// The subscription that it bills.
    pub subscription: SubscriptionId,
    /// Whose it is, if the event says so.
    pub customer: Option<CustomerId>,
    /// Whether the customer has to do something so that it is paid.
    pub needs_action: bool,
}

/// News of a checkout that begins a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutNotice {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// Our checkout, which its metadata names.
    pub checkout: SubscriptionCheckoutId,
    /// The subscription that came of it; `None` if it ended without one.
    pub subscription: Option<SubscriptionId>,
}

/// A page on which a customer has saved a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardSaved {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The account in the metadata, as text.
    pub account: String,
    /// The customer.
    pub customer: CustomerId,
    /// What saved the card.
    pub setup: SetupId,
}

/// A refunded charge: the total refunded amount, and the refunds if the event contains them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRefunded {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The payment. Charges without a payment are not ours.
    pub payment: PaymentId,
    /// The top-up named in the charge's metadata. A charge has a copy of its payment's metadata.
    pub topup: Option<TopupId>,
    /// How much had been refunded at the time of the event, in minor units, if the charge says it.
    pub amount_refunded_minor: Option<i64>,
    /// All refunds, if the event contains them all. Newer versions of Stripe's API leave them out.
    pub refunds: Option<Vec<RefundReport>>,
}

/// A warning of fraud, or a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FraudSignalled {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The warning or review.
    pub signal: FraudSignal,
}

/// A charge with a known balance transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeKnown {
    /// The event.
    pub event: EventRef,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The top-up named in its metadata.
    pub topup: TopupId,
    /// The payment.
    pub payment: PaymentId,
    /// The charge.
    pub charge: ChargeId,
    /// The balance transaction, which shows the provider's fee.
    pub fee_id: FeeId,
}

/// A thin event of a handled type: it names the snapshot event that other destinations would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinEvent {
    /// The snapshot event's id, or the thin event's own id if no snapshot is named; with the event type.
    pub event: EventRef,
    /// Whether a snapshot event is named.
    pub has_snapshot: bool,
    /// The checkout session it is about; `None` if it is about something else.
    pub session: Option<SessionId>,
    /// The account that Stripe must be asked for, if it is not our own.
    pub context: Option<String>,
}

/// The subject of an event, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSubject {
    /// The top-up named in its metadata.
    Topup(TopupId),
    /// A payment; the top-up is not named.
    Payment(PaymentId),
}

/// Why a delivery cannot be verified or parsed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The signature is invalid, missing or malformed.
    #[error("{0}")]
    Signature(&'static str),
    /// The header is well-formed, but its time is too far from ours. The signature was not compared.
    #[error(
        "the signature's time is {} s {} this server's clock, and at most {tolerance_seconds} s are accepted; was the \
        delivery held in a queue, or is the clock wrong?",
        .ahead_seconds.saturating_abs(), if *.ahead_seconds < 0 { "behind" } else { "ahead of" }
    )]
    Untimely {
        /// How far the signature's time is ahead of ours, in seconds; negative if it is behind.
        ahead_seconds: i64,
        /// The accepted difference in either direction, in seconds.
        tolerance_seconds: i64,
    },
    /// The signature is valid, but the body is not an event.
    #[error("the body is not an event of Stripe's")]
    NotAnEvent(#[source] serde_json::Error),
    /// The signature is valid and the event type is handled, but a required field cannot be read.
    #[error("event {event_id} ({event_type}) cannot be read: {reason}")]
    Unreadable {
        /// The event's id.
        event_id: String,
        /// Its type.
        event_type: String,
        /// The reason.
        reason: String,
        /// The subject; `None` if not even that can be read.
        subject: Option<EventSubject>,
    },
}

/// Verifies and parses the provider's deliveries.
pub trait WebhookReader: Send + Sync {
    /// Checks the header's form and time, before the body is read.
    ///
    /// # Errors
    /// [`WebhookError::Signature`] or [`WebhookError::Untimely`], if no body could be valid with this header.
    fn check_header(&self, header: Option<&str>, now_ms: i64) -> Result<(), WebhookError>;

    /// Verifies the signature over the raw bytes and parses the event.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read(&self, header: Option<&str>, body: &[u8], now_ms: i64) -> Result<ProviderEvent, WebhookError>;

    /// Like [`Self::read`], but ignores the signature's time. For deliveries that cannot be accepted.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_untimely(&self, header: Option<&str>, body: &[u8]) -> Result<ProviderEvent, WebhookError>;

    /// What a verified delivery says about the person who pays for a top-up; `None` if it says nothing.
    fn payer_in(&self, _body: &[u8]) -> Option<(TopupId, Payer)> {
        None
    }

    /// Parses an event whose signature was verified when it arrived.
    ///
    /// # Errors
    /// See [`WebhookError`].
    fn read_verified(&self, body: &[u8]) -> Result<ProviderEvent, WebhookError>;

    /// The type of an event as a word of a bounded vocabulary: itself if it is handled, otherwise `other`.
    fn known_type(&self, _event_type: &str) -> &'static str {
        "other"
    }
}
