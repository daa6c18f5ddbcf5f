//! The provider's portal, on which customers look after their cards, invoices and subscriptions.

use async_trait::async_trait;

use super::{ProviderError, Unsupported};
use crate::domain::ids::{CustomerId, PriceId, SubscriptionId};

/// What the portal offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortalContent {
    /// The products whose prices customers may change between; empty if they may not change their plan there.
    pub products: Vec<PortalProduct>,
}

/// A product and its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalProduct {
    /// The product.
    pub product: String,
    /// Its prices.
    pub prices: Vec<PriceId>,
}

/// What a customer wants to do on the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortalFlow {
    /// To look around.
    Home,
    /// To replace the card.
    PaymentMethodUpdate,
    /// To end a subscription.
    SubscriptionCancel(SubscriptionId),
    /// To change the plan of a subscription.
    SubscriptionUpdate(SubscriptionId),
}

/// A visit to the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalVisit {
    /// Whose.
    pub customer: CustomerId,
    /// The configuration.
    pub configuration: String,
    /// Where the customer goes afterwards.
    pub return_url: String,
    /// What the customer wants to do.
    pub flow: PortalFlow,
}

/// Opens the portal.
#[async_trait]
pub trait PortalOps: Send + Sync {
    /// Makes a configuration, or brings an earlier one to this content. Returns its id.
    async fn put_configuration(&self, content: &PortalContent, earlier: Option<&str>) -> Result<String, ProviderError>;

    /// Opens the portal for one visitor. Returns its address, which is good for a short time.
    async fn open_portal(&self, visit: &PortalVisit) -> Result<String, ProviderError>;
}

const NO_PORTAL: ProviderError = ProviderError::Unsupported("to open a portal");

#[async_trait]
impl PortalOps for Unsupported {
    async fn put_configuration(&self, _: &PortalContent, _: Option<&str>) -> Result<String, ProviderError> {
        Err(NO_PORTAL)
    }

    async fn open_portal(&self, _: &PortalVisit) -> Result<String, ProviderError> {
        Err(NO_PORTAL)
    }
}
