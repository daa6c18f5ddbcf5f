//! Stripe's adapter: real requests over HTTP to the sandbox, and the events that the sandbox would deliver.

use secrecy::SecretString;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stripe_sandbox::Sandbox;
use topup::domain::ids::{CustomerId, PaymentId, PaymentMethodId, SessionId};
use topup::ports::Clock;
use topup::providers::port::Provider;
use topup::providers::stripe::StripeWebhooks;
use topup::providers::stripe::gateway::StripeGateway;
use topup::providers::stripe::signature::SignatureVerifier;

use crate::providers::world::{Bank, Delivery, World};
use crate::support::clock::TestClock;
use crate::support::stripe::{SECRET_KEY, Stripe, WEBHOOK_SECRET};

/// An account at the sandbox.
pub struct StripeWorld {
    sandbox: Sandbox,
    stripe: Stripe,
    provider: Provider,
    clock: TestClock,
    delivered: HashSet<String>,
}

impl StripeWorld {
    /// A new account.
    pub async fn start() -> Self {
        let sandbox = Sandbox::start(stripe_sandbox::Config::local(SECRET_KEY)).await.expect("the sandbox starts");
        let stripe = Stripe { url: sandbox.url() };
        let timeout = Duration::from_secs(5);
        let gateway =
            StripeGateway::new(&SecretString::from(SECRET_KEY), Some(&stripe.url), timeout).expect("a client");
        let verifier = SignatureVerifier::new(vec![SecretString::from(WEBHOOK_SECRET)]).expect("a secret");
        let provider = gateway.into_provider(Arc::new(StripeWebhooks::new(verifier)));
        Self { sandbox, stripe, provider, clock: TestClock::default(), delivered: HashSet::new() }
    }
}

impl World for StripeWorld {
    const SECRET: &'static str = WEBHOOK_SECRET;

    fn provider(&self) -> &Provider {
        &self.provider
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    async fn pay(&self, session: &SessionId) {
        let (status, body) = self.stripe.pay(session.as_str(), "pm_card_visa").await;
        assert_eq!(status, 200, "{body}");
    }

    async fn expire(&self, session: &SessionId) {
        let (status, body) = self.stripe.post(&format!("/v1/checkout/sessions/{session}/expire"), &[]).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn dispute(&self, payment: &PaymentId) {
        self.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({})).await;
    }

    async fn save_card(&self, customer: &CustomerId, bank: Bank) -> PaymentMethodId {
        let card = match bank {
            Bank::Pays => "pm_card_visa",
            Bank::Declines => "pm_card_chargeCustomerFail",
            Bank::AsksTheCustomer => "pm_card_authenticationRequired",
        };
        let form = [("customer", customer.as_str())];
        let (status, card) = self.stripe.post(&format!("/v1/payment_methods/{card}/attach"), &form).await;
        assert_eq!(status, 200, "{card}");
        PaymentMethodId::parse(self.provider.name, card["id"].as_str().expect("an id")).expect("an id")
    }

    async fn deliveries(&mut self) -> Vec<Delivery> {
        let list = self.stripe.get("/v1/events?limit=100").await;
        assert_eq!(list["has_more"], false, "a check with too many events");
        let events = list["data"].as_array().expect("a list").iter().rev();
        let id = |event: &Value| event["id"].as_str().expect("an id").to_owned();
        let new: Vec<String> =
            events.filter(|event| self.delivered.insert(id(event))).map(ToString::to_string).collect();
        new.into_iter().map(|body| Delivery { header: self.sign(Self::SECRET, &body, self.now_ms()), body }).collect()
    }

    fn sign(&self, secret: &str, body: &str, at_ms: i64) -> String {
        stripe_sandbox::sign(secret, at_ms.div_euclid(1_000), body.as_bytes())
    }

    fn unhandled_event(&self) -> String {
        json!({ "id": "evt_1", "object": "event", "type": "customer.created", "livemode": false,
            "data": { "object": { "id": "cus_1", "object": "customer" } } })
        .to_string()
    }

    fn unreadable(&self, paid: &str) -> String {
        let mut event: Value = serde_json::from_str(paid).expect("JSON");
        event["data"]["object"]["payment_status"] = json!("a status that does not exist yet");
        event.to_string()
    }

    async fn stop(self) {
        self.sandbox.stop().await;
    }
}
