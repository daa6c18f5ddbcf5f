//! Customers: made for accounts, and read.

use std::collections::HashMap;

use stripe_core::customer::{CreateCustomer, RetrieveCustomer};

use crate::domain::account::AccountId;
use crate::domain::ids::CustomerId;
use crate::providers::port::{self, ProviderError};
use crate::providers::stripe::gateway::call::{ask, make};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::Customer;
use crate::providers::stripe::transport::Transport;

/// The account's id is what Stripe's dashboard shows, until the customer types a name or an e-mail address.
pub(super) async fn create(
    transport: &impl Transport,
    account: &AccountId,
    key: &str,
) -> Result<CustomerId, ProviderError> {
    let metadata = HashMap::from([("accountId".to_owned(), account.as_str().to_owned())]);
    let request = CreateCustomer::new().description(account.as_str()).metadata(metadata);
    let customer: Customer = make(transport, &request, key).await?;
    CustomerId::parse(NAME, customer.id).map_err(not_understood)
}

pub(super) async fn find(
    transport: &impl Transport,
    customer: &CustomerId,
) -> Result<Option<port::Customer>, ProviderError> {
    match ask::<Customer>(transport, &RetrieveCustomer::new(customer.as_str())).await {
        Ok(customer) => customer.existing().map_err(not_understood),
        Err(ProviderError::Unknown(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
