//! Recurring billing over HTTP: subscriptions, invoices, test clocks, the portal.

mod checkout;
mod clocks;
mod dunning;
mod invoices;
mod pages;
mod previews;
mod schedules;
mod subscriptions;
mod tax;
mod versions;

use serde_json::{Value, json};

use crate::support::World;

pub const DAY: i64 = 86_400;

/// A customer, a monthly price of 20.00 USD and helpers around them.
pub struct Shop {
    pub world: World,
    pub customer: String,
    pub price: String,
}

impl Shop {
    /// A shop whose customer pays with this card by default; without one if it is empty.
    pub async fn open(card: &str) -> Self {
        Self::on_clock(card, "").await
    }

    /// The same, with a customer on a test clock.
    pub async fn on_clock(card: &str, clock: &str) -> Self {
        let world = crate::support::start().await;
        let customer = customer(&world, card, clock).await;
        let price = price(&world, "2000", "month").await;
        Self { world, customer, price }
    }

    pub async fn subscribe(&self, more: &[(&str, &str)]) -> Value {
        let mut params = vec![("customer", self.customer.as_str()), ("items[0][price]", self.price.as_str())];
        params.extend(more);
        made(&self.world, "/v1/subscriptions", &params).await
    }

    pub async fn subscription(&self, id: &Value) -> Value {
        self.world.get(&format!("/v1/subscriptions/{}", id.as_str().unwrap())).await.json()
    }

    pub async fn invoices(&self) -> Vec<Value> {
        let path = format!("/v1/invoices?customer={}&limit=100", self.customer);
        self.world.get(&path).await.json()["data"].as_array().unwrap().clone()
    }

    /// Moves the customer's time.
    pub async fn advance(&self, body: Value) {
        let path = format!("/_sandbox/customers/{}/advance", self.customer);
        let answer = self.world.control(&path, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub async fn advance_days(&self, days: i64) {
        self.advance(json!({ "seconds": days * DAY })).await;
    }

    /// Replaces the customer's default card.
    pub async fn use_card(&self, card: &str) {
        let path = format!("/v1/payment_methods/{card}/attach");
        let method = made(&self.world, &path, &[("customer", &self.customer)]).await;
        let id = method["id"].as_str().unwrap();
        let path = format!("/v1/customers/{}", self.customer);
        made(&self.world, &path, &[("invoice_settings[default_payment_method]", id)]).await;
    }

    /// The types of the events after the first `seen`, oldest first.
    pub async fn news(&self, seen: usize) -> Vec<String> {
        self.world.new_events(seen).await
    }

    pub async fn seen(&self) -> usize {
        self.world.event_types().await.len()
    }
}

pub async fn made(world: &World, path: &str, params: &[(&str, &str)]) -> Value {
    let answer = world.post(path, params).await;
    assert_eq!(answer.status, 200, "{path} {params:?}: {}", answer.text);
    answer.json()
}

pub async fn customer(world: &World, card: &str, clock: &str) -> String {
    let mut params = vec![("email", "ada@example.com"), ("name", "Ada")];
    if !card.is_empty() {
        params.extend([("payment_method", card), ("invoice_settings[default_payment_method]", card)]);
    }
    if !clock.is_empty() {
        params.push(("test_clock", clock));
    }
    made(world, "/v1/customers", &params).await["id"].as_str().unwrap().to_owned()
}

pub async fn price(world: &World, amount: &str, interval: &str) -> String {
    let product = made(world, "/v1/products", &[("name", "Plan")]).await;
    let params = [
        ("product", product["id"].as_str().unwrap()),
        ("currency", "usd"),
        ("unit_amount", amount),
        ("recurring[interval]", interval),
    ];
    made(world, "/v1/prices", &params).await["id"].as_str().unwrap().to_owned()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// How often each type occurs among these.
pub fn count(kinds: &[String], kind: &str) -> usize {
    kinds.iter().filter(|other| *other == kind).count()
}
