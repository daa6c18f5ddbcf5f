//! Acme, a provider that exists only in memory. It has only what every provider must have: it takes orders, gives money back
//! and sends events, in its own formats of ids, events and signatures.

mod app;
mod claims;
mod nameless;
mod ops;
mod orders;
mod webhooks;
mod world;

use std::sync::{Arc, Mutex, PoisonError};

use topup::domain::ids::TopupId;
use topup::domain::provider::ProviderName;
use topup::ports::Clock;
use topup::providers::port::Provider;

use self::orders::Account;
use self::webhooks::AcmeWebhooks;
pub use self::world::AcmeWorld;
use crate::support::clock::TestClock;

/// What it is called in the books.
pub const NAME: ProviderName = ProviderName::new("acme");
/// What it signs its deliveries with.
pub const SECRET: &str = "acme's secret of the tests";

/// Acme's side: every order and refund, and the deliveries that it has not sent yet.
pub struct Acme {
    account: Mutex<Account>,
    clock: Arc<TestClock>,
}

impl Acme {
    /// An account without orders.
    pub fn new(clock: Arc<TestClock>) -> Arc<Self> {
        Arc::new(Self { account: Mutex::default(), clock })
    }

    /// The provider as the service gets it.
    pub fn provider(self: &Arc<Self>) -> Provider {
        Provider::new(NAME, self.clone(), self.clone(), Arc::new(AcmeWebhooks { secret: SECRET }))
    }

    /// The customer pays.
    pub fn pay(&self, order: &str) {
        self.with(Account::pay, order);
    }

    /// The time to pay is over.
    pub fn expire(&self, order: &str) {
        self.with(Account::expire, order);
    }

    /// The operator gives money back in Acme's dashboard.
    pub fn refund_by_hand(&self, payment: &str, amount_minor: i64) {
        let mut account = self.lock();
        account.refund(payment, amount_minor, None).expect("there is as much");
    }

    /// The newest order of a top-up, and its payment's id.
    pub fn order_of(&self, topup: &TopupId) -> (String, Option<String>) {
        let account = self.lock();
        let order = account.newest_of(topup.as_str()).expect("an order");
        (order.number.clone(), order.payment.clone())
    }

    /// The bodies of the deliveries since the last call, oldest first.
    pub fn take_deliveries(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().outbox)
    }

    fn with(&self, change: fn(&mut Account, &str), order: &str) {
        change(&mut self.lock(), order);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
}
