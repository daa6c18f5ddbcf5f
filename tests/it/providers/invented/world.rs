//! The outside of Acme.

use std::sync::Arc;

use serde_json::{Value, json};
use topup::domain::ids::{CustomerId, PaymentId, PaymentMethodId, SessionId};
use topup::ports::Clock;
use topup::providers::port::Provider;

use super::webhooks::sign;
use super::{Acme, SECRET};
use crate::providers::world::{Bank, Delivery, World};
use crate::support::clock::TestClock;

/// An account at Acme.
pub struct AcmeWorld {
    acme: Arc<Acme>,
    provider: Provider,
    clock: Arc<TestClock>,
}

impl AcmeWorld {
    /// A new account.
    pub fn start() -> Self {
        let clock = Arc::new(TestClock::default());
        let acme = Acme::new(clock.clone());
        Self { provider: acme.provider(), acme, clock }
    }
}

impl World for AcmeWorld {
    const SECRET: &'static str = SECRET;

    fn provider(&self) -> &Provider {
        &self.provider
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    async fn pay(&self, session: &SessionId) {
        self.acme.pay(session.as_str());
    }

    async fn expire(&self, session: &SessionId) {
        self.acme.expire(session.as_str());
    }

    async fn dispute(&self, _: &PaymentId) {
        unreachable!("Acme has no disputes");
    }

    async fn save_card(&self, _: &CustomerId, _: Bank) -> PaymentMethodId {
        unreachable!("Acme keeps no cards");
    }

    async fn deliveries(&mut self) -> Vec<Delivery> {
        let sent = |body: String| Delivery { header: self.sign(SECRET, &body, self.now_ms()), body };
        self.acme.take_deliveries().into_iter().map(sent).collect()
    }

    fn sign(&self, secret: &str, body: &str, at_ms: i64) -> String {
        sign(secret, body, at_ms.div_euclid(1_000))
    }

    fn unhandled_event(&self) -> String {
        json!({ "news": "news-1", "about": "holiday", "real": false, "holiday": "Easter" }).to_string()
    }

    fn unreadable(&self, paid: &str) -> String {
        let mut news: Value = serde_json::from_str(paid).expect("JSON");
        news["order"]["total"] = json!("a lot");
        news.to_string()
    }

    async fn stop(self) {}
}
