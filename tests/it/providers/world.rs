//! What happens outside of the service: customers pay, banks dispute, the provider delivers events.

use topup::domain::ids::{CustomerId, PaymentId, PaymentMethodId, SessionId};
use topup::providers::port::Provider;

/// A webhook delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The signature header's value.
    pub header: String,
    /// The body as it was sent.
    pub body: String,
}

/// What a card's bank says to charges without the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bank {
    /// It pays.
    Pays,
    /// It declines.
    Declines,
    /// The customer has to confirm.
    AsksTheCustomer,
}

/// A provider with an account of its own, and the means to act as customers, banks and the provider itself.
pub trait World {
    /// The secret that it signs its deliveries with.
    const SECRET: &'static str;

    /// The provider under test. Its webhook reader has [`Self::SECRET`].
    fn provider(&self) -> &Provider;

    /// The provider's time, in milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The customer pays. The money is there at once.
    async fn pay(&self, session: &SessionId);

    /// The time to pay is over.
    async fn expire(&self, session: &SessionId);

    /// The customer's bank disputes a payment. Called only for a provider that tells of disputes.
    async fn dispute(&self, payment: &PaymentId);

    /// A customer saves a card whose bank does so. Called only for a provider that keeps cards.
    async fn save_card(&self, customer: &CustomerId, bank: Bank) -> PaymentMethodId;

    /// What the provider has delivered since the last call, oldest first.
    async fn deliveries(&mut self) -> Vec<Delivery>;

    /// Signs a body as the provider does: the header's value.
    fn sign(&self, secret: &str, body: &str, at_ms: i64) -> String;

    /// The body of an event that no use case handles.
    fn unhandled_event(&self) -> String;

    /// The body of the delivery of a payment, changed so that what we need cannot be read from it.
    fn unreadable(&self, paid: &str) -> String;

    /// Stops what runs.
    async fn stop(self);
}
