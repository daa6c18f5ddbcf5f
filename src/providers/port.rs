//! What a payment provider can do, as a contract: open a checkout, refund, answer questions, list what it has.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::checkout::PaymentReport;
use crate::domain::fees::RealFee;
use crate::domain::ids::{ChargeId, DisputeId, EventId, FeeId, PaymentId, SessionId, TopupId};
use crate::domain::provider::ProviderName;
use crate::domain::reversal::{DisputeReport, RefundReport};

/// The payment provider's time.
#[async_trait]
pub trait ProviderClock: Send + Sync {
    /// Milliseconds since 1970, UTC, to the second; `None` if the provider does not say.
    async fn now_ms(&self) -> Option<i64>;
}

/// Everything that is sent to Stripe to open a checkout. It is stored with the top-up before Stripe is called, so that
/// a repetition is the same request to the letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutRequest {
    /// The purchase, for the metadata.
    pub topup_id: String,
    /// Who buys, for the metadata and `client_reference_id`.
    pub account_id: String,
    /// How many credits: the quantity of the first line.
    pub credits: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// The price of one credit in minor units.
    pub credit_unit_amount_minor: i64,
    /// The fee line in minor units; no line when it is 0.
    pub fee_amount_minor: i64,
    /// What the fee line is called.
    pub fee_label: String,
    /// Where the customer goes after paying.
    pub success_url: String,
    /// Where the customer goes after leaving.
    pub cancel_url: Option<String>,
    /// When the checkout ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// Stripe's names of the payment methods to offer; empty means what Stripe's dashboard says.
    pub payment_methods: Vec<String>,
    /// The seal's terms, for the metadata; none in what an earlier version wrote down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The seal's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// A checkout that Stripe opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedCheckout {
    /// Stripe's id of it.
    pub session: SessionId,
    /// The hosted page. Stripe gives none when the session has ended meanwhile.
    pub url: Option<String>,
    /// When it ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// What Stripe says it opened, to be compared with what was agreed; `None` if it does not say that it is ours.
    pub report: Option<PaymentReport>,
}

/// What came of a call to Stripe that did not succeed. It says nothing about earlier calls of the same request; see
/// [`crate::domain::attempt`]. The texts are for the log, never for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Stripe understood and refused: this call did nothing, and the same request would be refused again.
    #[error("Stripe refused: {0}")]
    Refused(ProviderFailure),
    /// Stripe says that the charge is below what the account's settlement currency needs: final.
    #[error("Stripe finds the amount too small: {0}")]
    AmountTooSmall(ProviderFailure),
    /// Stripe failed with a 5xx: unknown whether anything was done, or will be done later. Stripe replays this answer under
    /// the same idempotency key.
    #[error("Stripe failed: {0}")]
    Failed(ProviderFailure),
    /// Stripe is not reachable, or answered with something that is not Stripe's: unknown whether anything was done.
    #[error("Stripe cannot be reached: {0}")]
    Unreachable(String),
    /// Too many requests, or something is locked: this call did nothing. Or an earlier call with the key is still running
    /// (`idempotency_key_in_use`).
    #[error("Stripe wants us to wait: {0}")]
    Limited(ProviderFailure),
    /// No answer in time: unknown whether anything was done.
    #[error("Stripe did not answer in time")]
    TimedOut,
    /// What Stripe was asked about does not exist there.
    #[error("Stripe does not know it: {0}")]
    Unknown(ProviderFailure),
}

impl ProviderError {
    /// Whether the key is not accepted at all.
    #[must_use]
    pub const fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Refused(ProviderFailure { status: 401, .. }))
    }

    /// Whether the key is accepted and may not do this: asking again does not help until the operator changes the key.
    #[must_use]
    pub const fn is_missing_permission(&self) -> bool {
        matches!(self, Self::Refused(ProviderFailure { status: 403, .. }))
    }

    /// The permission that would allow it, by Stripe's name (`rak_charge_read`), if Stripe's message has it.
    #[must_use]
    pub fn missing_permission(&self) -> Option<&str> {
        let Self::Refused(ProviderFailure { status: 403, message, .. }) = self else { return None };
        let rest = message.get(message.find("'rak_")?.saturating_add(1)..)?;
        rest.split('\'').next()
    }
}

/// A part of the provider's API that the key must be able to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Checkouts.
    CheckoutSessions,
    /// Payments.
    PaymentIntents,
    /// Refunds, and the charges that they give back.
    Refunds,
    /// Disputes.
    Disputes,
    /// Movements on the account's balance, which say what the provider kept.
    BalanceTransactions,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::CheckoutSessions, Self::PaymentIntents, Self::Refunds, Self::Disputes, Self::BalanceTransactions];

    /// The permission to add, as Stripe's dashboard calls it.
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::CheckoutSessions => "Checkout Sessions: Write",
            Self::PaymentIntents => "PaymentIntents: Read",
            Self::Refunds => "Charges and Refunds: Read",
            Self::Disputes => "Disputes: Read",
            Self::BalanceTransactions => "Balance transactions: Read",
        }
    }

    /// What does not work without it.
    #[must_use]
    pub const fn without_it(self) -> &'static str {
        match self {
            Self::CheckoutSessions => "nothing can be sold",
            Self::PaymentIntents => "refunds and disputes that come before their payment need a second question each",
            Self::Refunds => "refunds that no webhook brought are not found, and some are not understood",
            Self::Disputes => "disputes take no credits",
            Self::BalanceTransactions => "what Stripe really kept is not known",
        }
    }
}

/// What Stripe said about a failure, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFailure {
    /// The HTTP status.
    pub status: u16,
    /// Stripe's `code`, or its `type` when there is none.
    pub code: String,
    /// Stripe's message.
    pub message: String,
    /// Stripe's request id, by which its support and its dashboard find the call.
    pub request_id: Option<String>,
}

impl std::fmt::Display for ProviderFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let request = self.request_id.as_deref().unwrap_or("unknown");
        write!(formatter, "{} {}: {} (request {request})", self.status, self.code, self.message)
    }
}

/// A refund to be made. It is stored before Stripe is called, so that a repetition is the same request to the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// Our id of it, for the metadata.
    pub request_id: String,
    /// The payment.
    pub payment: PaymentId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Stripe's word for why; none if nothing is said.
    pub reason: Option<String>,
}

/// Whose payment it is, and what is known of its charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentOwner {
    /// The purchase that its metadata names.
    pub topup: TopupId,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The latest attempt to take the money.
    pub charge: Option<ChargeId>,
    /// What Stripe kept of it, once that is known.
    pub fee: Option<RealFee>,
}

/// The payment provider.
///
/// `Ok` is terminal. An error says whether the call may have been done; which idempotency key the next one has is decided by
/// [`crate::domain::attempt`]. A call takes a bounded time and tries once.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Its name.
    fn name(&self) -> ProviderName;

    /// Opens a checkout. The same key and request open it once, however often this is called.
    async fn open_checkout(&self, request: &CheckoutRequest, key: &str) -> Result<OpenedCheckout, ProviderError>;

    /// Reads as little as possible of a part of the API, to see whether the key may.
    async fn can_read(&self, resource: Resource) -> Result<(), ProviderError>;

    /// The checkout that was opened for a top-up within a time (from, to, in milliseconds since 1970); `None` if there is
    /// none. For when it is unknown whether a call has opened it.
    async fn find_checkout(
        &self,
        topup: &TopupId,
        within_ms: (i64, i64),
    ) -> Result<Option<OpenedCheckout>, ProviderError>;

    /// What the provider says of a checkout now; `None` if it is not one of ours.
    async fn read_checkout(&self, session: &SessionId) -> Result<Option<PaymentReport>, ProviderError>;

    /// Whose payment it is; `None` if it is not one of ours.
    async fn read_payment(&self, payment: &PaymentId) -> Result<Option<PaymentOwner>, ProviderError>;

    /// All refunds of a payment.
    async fn refunds_of(&self, payment: &PaymentId) -> Result<Vec<RefundReport>, ProviderError>;

    /// All disputes of a payment.
    async fn disputes_of(&self, payment: &PaymentId) -> Result<Vec<DisputeReport>, ProviderError>;

    /// What the provider says of a dispute now.
    async fn read_dispute(&self, dispute: &DisputeId) -> Result<DisputeReport, ProviderError>;

    /// An event as the provider keeps it, in JSON. It is to be read like a delivery whose signature holds.
    async fn read_event(&self, event: &EventId) -> Result<String, ProviderError>;

    /// What the provider kept, by the movement on the account's balance.
    async fn read_fee(&self, fee_id: &FeeId) -> Result<RealFee, ProviderError>;

    /// Gives money back. The same key and order do it once, however often this is called.
    async fn create_refund(&self, order: &RefundOrder, key: &str) -> Result<RefundReport, ProviderError>;

    /// The refund of a payment that was made for one of our requests; `None` if there is none. For when it is unknown
    /// whether a call has made it.
    async fn find_refund(&self, payment: &PaymentId, request_id: &str) -> Result<Option<RefundReport>, ProviderError>;

    /// A page of the checkouts opened since a time (seconds since 1970), newest first, beginning after the one named by
    /// `after`. Only ours are in it.
    async fn list_checkouts(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<PaymentReport>, ProviderError>;

    /// A page of the refunds made since a time. Those that are known to be others' are left out.
    async fn list_refunds(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<RefundReport>, ProviderError>;

    /// A page of the disputes opened since a time. Those that are known to be others' are left out.
    async fn list_disputes(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<DisputeReport>, ProviderError>;
}

/// A page of a list of the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage<T> {
    /// What is on it and concerns us.
    pub items: Vec<T>,
    /// What is on it and cannot be understood, each with its id and why.
    pub unreadable: Vec<String>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}
