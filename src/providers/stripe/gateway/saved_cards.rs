//! Stripe as the keeper of customers and their cards.

use async_trait::async_trait;

use crate::checkpoints;
use crate::domain::account::AccountId;
use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::{CustomerId, PaymentId, PaymentMethodId, SetupId, TopupId};
use crate::providers::port::{
    CardOps, CardSetupRequest, Charge, CheckoutRequest, Customer, CustomerOps, ListPage, OffSessionOps, OpenedSetup,
    ProviderError, SavedCard,
};
use crate::providers::stripe::gateway::{StripeGateway, cards, charges, customers};
use crate::providers::stripe::transport::Transport;

#[async_trait]
impl<T: Transport> CustomerOps for StripeGateway<T> {
    async fn create_customer(&self, account: &AccountId, key: &str) -> Result<CustomerId, ProviderError> {
        checkpoints::reach("call Stripe").await;
        let customer = customers::create(&self.transport, account, key).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(customer)
    }

    async fn read_customer(&self, customer: &CustomerId) -> Result<Option<Customer>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let found = customers::find(&self.transport, customer).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(found)
    }
}

#[async_trait]
impl<T: Transport> CardOps for StripeGateway<T> {
    async fn open_setup(&self, request: &CardSetupRequest, key: &str) -> Result<OpenedSetup, ProviderError> {
        cards::open_setup(&self.transport, request, key).await
    }

    async fn card_of_setup(&self, setup: &SetupId) -> Result<Option<PaymentMethodId>, ProviderError> {
        cards::card_of_setup(&self.transport, setup).await
    }

    async fn list_cards(&self, customer: &CustomerId) -> Result<Vec<SavedCard>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        cards::list(&self.transport, customer).await
    }

    async fn read_card(
        &self,
        customer: &CustomerId,
        card: &PaymentMethodId,
    ) -> Result<Option<SavedCard>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        cards::find(&self.transport, customer, card).await
    }

    async fn remove_card(&self, card: &PaymentMethodId) -> Result<(), ProviderError> {
        cards::remove(&self.transport, card).await
    }

    async fn set_default_card(&self, customer: &CustomerId, card: &PaymentMethodId) -> Result<(), ProviderError> {
        cards::set_default(&self.transport, customer, card).await
    }
}

#[async_trait]
impl<T: Transport> OffSessionOps for StripeGateway<T> {
    async fn charge_card(&self, request: &CheckoutRequest, key: &str) -> Result<Charge, ProviderError> {
        checkpoints::reach("call Stripe").await;
        let charge = charges::charge(&self.transport, request, key).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(charge)
    }

    async fn find_charge(
        &self,
        topup: &TopupId,
        customer: &CustomerId,
        within_ms: (i64, i64),
    ) -> Result<Option<Charge>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        let found = charges::find(&self.transport, topup, customer, within_ms).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(found)
    }

    async fn cancel_charge(&self, payment: &PaymentId) -> Result<Charge, ProviderError> {
        checkpoints::reach("call Stripe").await;
        let charge = charges::cancel(&self.transport, payment).await?;
        checkpoints::reach("Stripe answered").await;
        Ok(charge)
    }

    async fn list_charges(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<PurchaseReport>, ProviderError> {
        checkpoints::reach("ask Stripe").await;
        charges::list(&self.transport, since_seconds, after).await
    }
}
