//! What a payment provider can do, as a contract. It is split by ability: a provider implements what it has, and says what it
//! lacks in its [`Capabilities`] and by [`ProviderError::Unsupported`]. The same suite of tests runs on every provider
//! (`tests/it/providers/contract/`).
//!
//! For every call: `Ok` is terminal. An error says whether the call may have been done; which idempotency key the next one has
//! is decided by [`crate::domain::attempt`]. A call takes a bounded time and tries once.

mod card;
mod checkout;
mod customer;
mod endpoint;
mod error;
mod invoice;
mod plan;
mod portal;
mod resource;
mod subscription;

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::checkout::PurchaseReport;
use crate::domain::fees::RealFee;
use crate::domain::ids::{ChargeId, DisputeId, EventId, FeeId, PaymentId, SessionId, TopupId};
use crate::domain::provider::ProviderName;
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::providers::event::WebhookReader;

pub use card::{CardOps, CardSetupRequest, Charge, OffSessionOps, OpenedSetup, SavedCard};
pub use checkout::{CheckoutRequest, OpenedCheckout, TaxRequest};
pub use customer::{Customer, CustomerOps};
pub use endpoint::{
    AccountOps, CreatedEndpoint, DeliveryEndpoint, EndpointOps, ProviderAccount, TaxSetup, UndeliveredEvent, VersionFit,
};
pub use error::{ProviderError, ProviderFailure};
pub use invoice::InvoiceOps;
pub use plan::{FoundPrice, PlanOps, PriceSpec, ProductSpec};
pub use portal::{PortalContent, PortalFlow, PortalOps, PortalProduct, PortalVisit};
pub use resource::Resource;
pub use subscription::{
    ChangePreview, FeeChange, ItemChange, OpenedSubscriptionCheckout, PriceChange, SubscriptionCheckoutRequest,
    SubscriptionOps,
};

/// A payment provider: its name, and each of its abilities.
#[derive(Clone)]
pub struct Provider {
    /// Its name in the books.
    pub name: ProviderName,
    /// What it has, beyond what every provider has.
    pub capabilities: Capabilities,
    /// Opens checkouts.
    pub checkouts: Arc<dyn CheckoutOps>,
    /// Tells whose a payment is and what it cost.
    pub payments: Arc<dyn PaymentOps>,
    /// Gives money back.
    pub refunds: Arc<dyn RefundOps>,
    /// Tells of disputes.
    pub disputes: Arc<dyn DisputeOps>,
    /// Lists what it has, for the comparison of the books.
    pub lists: Arc<dyn ListOps>,
    /// Gives events that it keeps.
    pub events: Arc<dyn EventOps>,
    /// Tells what the key may do.
    pub access: Arc<dyn AccessOps>,
    /// Tells what the account may do.
    pub account: Arc<dyn AccountOps>,
    /// Manages the endpoints to which it delivers.
    pub endpoints: Arc<dyn EndpointOps>,
    /// Makes customers.
    pub customers: Arc<dyn CustomerOps>,
    /// Makes the products and prices of plans.
    pub plans: Arc<dyn PlanOps>,
    /// Begins subscriptions, reads and changes them.
    pub subscriptions: Arc<dyn SubscriptionOps>,
    /// Reads their invoices.
    pub invoices: Arc<dyn InvoiceOps>,
    /// Opens the portal for customers.
    pub portal: Arc<dyn PortalOps>,
    /// Saves cards.
    pub cards: Arc<dyn CardOps>,
    /// Charges saved cards without the customer.
    pub off_session: Arc<dyn OffSessionOps>,
    /// Reads its deliveries.
    pub webhooks: Arc<dyn WebhookReader>,
}

impl Provider {
    /// A provider with the abilities that none can do without: it opens checkouts, gives money back, and delivers events.
    #[must_use]
    pub fn new(
        name: ProviderName,
        checkouts: Arc<dyn CheckoutOps>,
        refunds: Arc<dyn RefundOps>,
        webhooks: Arc<dyn WebhookReader>,
    ) -> Self {
        let lacks = Arc::new(Unsupported);
        Self {
            name,
            capabilities: Capabilities::default(),
            checkouts,
            payments: lacks.clone(),
            refunds,
            disputes: lacks.clone(),
            lists: lacks.clone(),
            events: lacks.clone(),
            access: lacks.clone(),
            account: lacks.clone(),
            endpoints: lacks.clone(),
            customers: lacks.clone(),
            plans: lacks.clone(),
            subscriptions: lacks.clone(),
            invoices: lacks.clone(),
            portal: lacks.clone(),
            cards: lacks.clone(),
            off_session: lacks,
            webhooks,
        }
    }
}

impl Provider {
    /// All disputes of a payment; none if the provider does not tell of disputes.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn disputes_of(&self, payment: &PaymentId) -> Result<Vec<DisputeReport>, ProviderError> {
        if self.capabilities.disputes { self.disputes.disputes_of(payment).await } else { Ok(Vec::new()) }
    }
}

/// What a provider has besides checkouts, refunds and deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each ability is there or not, whatever the others are")]
pub struct Capabilities {
    /// It can be asked whose a payment is, and what it kept of it.
    pub payments: bool,
    /// It tells of disputes.
    pub disputes: bool,
    /// It lists checkouts, refunds and disputes.
    pub lists: bool,
    /// It keeps events, which can be asked for.
    pub events: bool,
    /// It tells what the key may do.
    pub access: bool,
    /// It tells what the account may do.
    pub account: bool,
    /// Its endpoints can be managed.
    pub endpoints: bool,
    /// It keeps customers.
    pub customers: bool,
    /// It keeps subscriptions, with their plans, invoices and a portal.
    pub subscriptions: bool,
    /// It saves cards.
    pub cards: bool,
    /// It charges saved cards without the customer.
    pub off_session: bool,
}

/// Opens checkouts.
#[async_trait]
pub trait CheckoutOps: Send + Sync {
    /// Opens a checkout. The same key and request open it once, however often this is called.
    async fn open_checkout(&self, request: &CheckoutRequest, key: &str) -> Result<OpenedCheckout, ProviderError>;

    /// The checkout that was opened for a top-up within a time (from, to, in milliseconds since 1970); `None` if there is
    /// none. For when it is unknown whether a call has opened it.
    async fn find_checkout(
        &self,
        topup: &TopupId,
        within_ms: (i64, i64),
    ) -> Result<Option<OpenedCheckout>, ProviderError>;

    /// What the provider says of a checkout now; `None` if it is another application's.
    async fn read_checkout(&self, session: &SessionId) -> Result<Option<PurchaseReport>, ProviderError>;
}

/// Tells about payments.
#[async_trait]
pub trait PaymentOps: Send + Sync {
    /// Whose payment it is; `None` if it is another application's.
    async fn read_payment(&self, payment: &PaymentId) -> Result<Option<PaymentOwner>, ProviderError>;

    /// What the provider kept of a payment.
    async fn read_fee(&self, fee: &FeeId) -> Result<RealFee, ProviderError>;

    /// The page with the customer's receipt of a payment; `None` if it has none.
    async fn read_receipt(&self, payment: &PaymentId) -> Result<Option<String>, ProviderError>;
}

/// Gives money back.
#[async_trait]
pub trait RefundOps: Send + Sync {
    /// Gives money back. The same key and order do it once, however often this is called.
    async fn create_refund(&self, order: &RefundOrder, key: &str) -> Result<RefundReport, ProviderError>;

    /// The refund of a payment that was made for one of our requests; `None` if there is none. For when it is unknown
    /// whether a call has made it.
    async fn find_refund(&self, payment: &PaymentId, request_id: &str) -> Result<Option<RefundReport>, ProviderError>;

    /// All refunds of a payment.
    async fn refunds_of(&self, payment: &PaymentId) -> Result<Vec<RefundReport>, ProviderError>;
}

/// Tells of disputes.
#[async_trait]
pub trait DisputeOps: Send + Sync {
    /// All disputes of a payment.
    async fn disputes_of(&self, payment: &PaymentId) -> Result<Vec<DisputeReport>, ProviderError>;

    /// What the provider says of a dispute now.
    async fn read_dispute(&self, dispute: &DisputeId) -> Result<DisputeReport, ProviderError>;
}

/// Lists what the provider has, for the comparison of the books: a page at a time, newest first, beginning after the item
/// named by `after`. What is known to be another application's is left out.
#[async_trait]
pub trait ListOps: Send + Sync {
    /// A page of the checkouts opened since a time (seconds since 1970).
    async fn list_checkouts(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<PurchaseReport>, ProviderError>;

    /// A page of the refunds made since a time.
    async fn list_refunds(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<RefundReport>, ProviderError>;

    /// A page of the disputes opened since a time.
    async fn list_disputes(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<DisputeReport>, ProviderError>;
}

/// Gives events that the provider keeps.
#[async_trait]
pub trait EventOps: Send + Sync {
    /// An event, as the body of a delivery. It is to be read like a delivery whose signature holds.
    async fn read_event(&self, event: &EventId) -> Result<String, ProviderError>;
}

/// Tells what the key may do.
#[async_trait]
pub trait AccessOps: Send + Sync {
    /// Reads as little as possible of a part of the API, to see whether the key may.
    async fn can_read(&self, resource: Resource) -> Result<(), ProviderError>;
}

/// The payment provider's time.
#[async_trait]
pub trait ProviderClock: Send + Sync {
    /// Milliseconds since 1970, UTC, to the second; `None` if the provider does not say.
    async fn now_ms(&self) -> Option<i64>;
}

/// A refund to be made. It is stored before the provider is called, so that a repetition is the same request to the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// Our id of it, for the metadata.
    pub request_id: String,
    /// The payment.
    pub payment: PaymentId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The provider's word for why; none if nothing is said.
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
    /// What the provider kept of it, once that is known.
    pub fee: Option<RealFee>,
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

/// An ability that a provider does not have: each call of it says so.
#[derive(Debug, Clone, Copy)]
pub struct Unsupported;

#[async_trait]
impl PaymentOps for Unsupported {
    async fn read_payment(&self, _: &PaymentId) -> Result<Option<PaymentOwner>, ProviderError> {
        Err(ProviderError::Unsupported("to tell whose a payment is"))
    }

    async fn read_fee(&self, _: &FeeId) -> Result<RealFee, ProviderError> {
        Err(ProviderError::Unsupported("to tell what it kept of a payment"))
    }

    async fn read_receipt(&self, _: &PaymentId) -> Result<Option<String>, ProviderError> {
        Err(ProviderError::Unsupported("to show a receipt"))
    }
}

#[async_trait]
impl DisputeOps for Unsupported {
    async fn disputes_of(&self, _: &PaymentId) -> Result<Vec<DisputeReport>, ProviderError> {
        Err(ProviderError::Unsupported("to tell of disputes"))
    }

    async fn read_dispute(&self, _: &DisputeId) -> Result<DisputeReport, ProviderError> {
        Err(ProviderError::Unsupported("to tell of disputes"))
    }
}

#[async_trait]
impl ListOps for Unsupported {
    async fn list_checkouts(&self, _: i64, _: Option<&str>) -> Result<ListPage<PurchaseReport>, ProviderError> {
        Err(ProviderError::Unsupported("to list checkouts"))
    }

    async fn list_refunds(&self, _: i64, _: Option<&str>) -> Result<ListPage<RefundReport>, ProviderError> {
        Err(ProviderError::Unsupported("to list refunds"))
    }

    async fn list_disputes(&self, _: i64, _: Option<&str>) -> Result<ListPage<DisputeReport>, ProviderError> {
        Err(ProviderError::Unsupported("to list disputes"))
    }
}

#[async_trait]
impl EventOps for Unsupported {
    async fn read_event(&self, _: &EventId) -> Result<String, ProviderError> {
        Err(ProviderError::Unsupported("to give events again"))
    }
}

#[async_trait]
impl AccessOps for Unsupported {
    async fn can_read(&self, _: Resource) -> Result<(), ProviderError> {
        Err(ProviderError::Unsupported("to tell what the key may do"))
    }
}
