//! Customers: whom the provider keeps cards for.

use async_trait::async_trait;

use super::{ProviderError, Unsupported};
use crate::domain::account::AccountId;
use crate::domain::ids::{CustomerId, PaymentMethodId};

/// A customer as the provider has it. What it knows of the person is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer.
    pub id: CustomerId,
    /// The card that is charged where none is named.
    pub default_card: Option<PaymentMethodId>,
}

/// Makes customers and reads them.
#[async_trait]
pub trait CustomerOps: Send + Sync {
    /// Makes a customer for an account. The same key and account make one, however often this is called.
    async fn create_customer(&self, account: &AccountId, key: &str) -> Result<CustomerId, ProviderError>;

    /// A customer; `None` if the provider does not have it, or has deleted it.
    async fn read_customer(&self, customer: &CustomerId) -> Result<Option<Customer>, ProviderError>;
}

const NO_CUSTOMERS: ProviderError = ProviderError::Unsupported("to keep customers");

#[async_trait]
impl CustomerOps for Unsupported {
    async fn create_customer(&self, _: &AccountId, _: &str) -> Result<CustomerId, ProviderError> {
        Err(NO_CUSTOMERS)
    }

    async fn read_customer(&self, _: &CustomerId) -> Result<Option<Customer>, ProviderError> {
        Err(NO_CUSTOMERS)
    }
}
