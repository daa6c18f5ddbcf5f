//! Products and prices at the provider, for plans.

use async_trait::async_trait;

use super::{ProviderError, Unsupported};
use crate::domain::ids::PriceId;
use crate::domain::plan::Interval;
use crate::domain::tax::{TaxBehavior, TaxCode};

/// A product that is sold: a plan, or the fee beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSpec {
    /// Its id at the provider, which we choose.
    pub id: String,
    /// What customers read.
    pub name: String,
    /// Whether it is sold.
    pub is_active: bool,
    /// What kind of thing it is, which decides its tax; `None` leaves that to the provider's account.
    pub tax_code: Option<TaxCode>,
}

/// A recurring price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSpec {
    /// The name by which it is found again. It belongs to one price at a time.
    pub lookup_key: String,
    /// The product.
    pub product: String,
    /// The currency, in lower case.
    pub currency: String,
    /// What a period costs, in minor units.
    pub amount_minor: i64,
    /// The length of a period.
    pub interval: Interval,
    /// Whether it contains tax; `None` without tax.
    pub tax: Option<TaxBehavior>,
}

/// A price that the provider has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPrice {
    /// The price.
    pub id: PriceId,
    /// Whether it is exactly the one that was asked for.
    pub fits: bool,
}

/// Makes products and prices.
#[async_trait]
pub trait PlanOps: Send + Sync {
    /// Makes a product, or brings it to this state.
    async fn put_product(&self, product: &ProductSpec) -> Result<(), ProviderError>;

    /// The active price with the lookup key of this one; `None` if there is none.
    async fn find_price(&self, price: &PriceSpec) -> Result<Option<FoundPrice>, ProviderError>;

    /// Makes a price, which takes its lookup key over from a former one. The same key and price make one, however often
    /// this is called.
    async fn create_price(&self, price: &PriceSpec, key: &str) -> Result<PriceId, ProviderError>;
}

const NO_PLANS: ProviderError = ProviderError::Unsupported("to sell plans");

#[async_trait]
impl PlanOps for Unsupported {
    async fn put_product(&self, _: &ProductSpec) -> Result<(), ProviderError> {
        Err(NO_PLANS)
    }

    async fn find_price(&self, _: &PriceSpec) -> Result<Option<FoundPrice>, ProviderError> {
        Err(NO_PLANS)
    }

    async fn create_price(&self, _: &PriceSpec, _: &str) -> Result<PriceId, ProviderError> {
        Err(NO_PLANS)
    }
}
