//! Subscriptions and invoices in older API versions.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Shop, text};

async fn get(shop: &Shop, path: &str, version: &str) -> Value {
    shop.world.send(Method::GET, path, &[], &[("stripe-version", version)]).await.unwrap().json()
}

fn has(object: &Value, name: &str) -> bool {
    object.as_object().unwrap().contains_key(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_stood_on_the_subscription_and_the_invoice_named_it_before_basil() {
    let shop = Shop::open("pm_card_visa").await;
    let made = shop.subscribe(&[]).await;
    let path = format!("/v1/subscriptions/{}", text(&made["id"]));
    let old = get(&shop, &path, "2024-04-10").await;
    let item = &made["items"]["data"][0];
    assert_eq!(old["current_period_end"], item["current_period_end"]);
    assert_eq!(old["current_period_start"], item["current_period_start"]);
    assert!(!has(&old["items"]["data"][0], "current_period_end") && !has(&old, "billing_mode"), "{old:#}");
    let new = get(&shop, &path, "2025-03-31.basil").await;
    assert!(has(&new["items"]["data"][0], "current_period_end") && !has(&new, "current_period_end"));
    let path = format!("/v1/invoices/{}", text(&made["latest_invoice"]));
    let old = get(&shop, &path, "2024-04-10").await;
    assert_eq!((&old["subscription"], &old["paid"]), (&made["id"], &json!(true)), "{old:#}");
    assert!(text(&old["payment_intent"]).starts_with("pi_") && text(&old["charge"]).starts_with("ch_"));
    let line = &old["lines"]["data"][0];
    assert_eq!(
        (&line["price"]["id"], &line["proration"], &line["type"]),
        (&json!(shop.price), &json!(false), &json!("subscription"))
    );
    assert_eq!(line["price"]["recurring"]["interval"], json!("month"), "the whole price");
    assert!(!has(&old, "parent") && !has(&old, "total_taxes"));
    let intent = get(&shop, &format!("/v1/payment_intents/{}", text(&old["payment_intent"])), "2024-04-10").await;
    assert_eq!(intent["invoice"], made["latest_invoice"]);
    let charge = get(&shop, &format!("/v1/charges/{}", text(&old["charge"])), "2024-04-10").await;
    assert_eq!(charge["invoice"], made["latest_invoice"]);
    let new = get(&shop, &path, "2025-03-31.basil").await;
    assert_eq!(new["parent"]["subscription_details"]["subscription"], made["id"]);
    for gone in ["subscription", "paid", "payment_intent", "charge", "tax"] {
        assert!(!has(&new, gone), "{gone}");
    }
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_have_the_shape_of_their_endpoints_version() {
    use crate::support::{KEY, receiver::Receiver, start_with};
    let mut config = stripe_sandbox::Config::local(KEY);
    let mut receivers = Vec::new();
    for version in ["2024-04-10", "2025-09-30.clover"] {
        let receiver = Receiver::start().await;
        config.webhook_endpoints.push(stripe_sandbox::WebhookEndpoint {
            url: receiver.url.clone(),
            secret: "whsec_1".to_owned(),
            enabled_events: vec!["invoice.paid".to_owned()],
            api_version: Some(version.to_owned()),
            thin: false,
            standby: false,
        });
        receivers.push(receiver);
    }
    let world = start_with(config).await;
    let customer = super::customer(&world, "pm_card_visa", "").await;
    let price = super::price(&world, "2000", "month").await;
    let shop = Shop { world, customer, price };
    let made = shop.subscribe(&[]).await;
    shop.world.idle().await;
    let sent: Vec<Value> =
        receivers.iter().map(|receiver| receiver.received()[0].event()["data"]["object"].clone()).collect();
    assert_eq!((&sent[0]["subscription"], &sent[0]["paid"]), (&made["id"], &json!(true)), "{:#}", sent[0]);
    assert_eq!(sent[0]["lines"]["data"][0]["price"]["id"], json!(shop.price));
    assert!(text(&sent[0]["payment_intent"]).starts_with("pi_"));
    assert_eq!(sent[1]["parent"]["subscription_details"]["subscription"], made["id"]);
    assert!(!has(&sent[1], "prices_of_lines") && !has(&sent[0], "prices_of_lines"));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_billing_mode_follows_the_version_of_the_request() {
    for (version, mode) in [("2025-07-30.basil", "classic"), ("2025-09-30.clover", "flexible")] {
        let shop = Shop::open("pm_card_visa").await;
        let params = [("customer", shop.customer.as_str()), ("items[0][price]", shop.price.as_str())];
        let answer = shop.world.send(Method::POST, "/v1/subscriptions", &params, &[("stripe-version", version)]).await;
        let made = answer.unwrap().json();
        assert_eq!(made["billing_mode"]["type"], json!(mode), "{made:#}");
        // A new interval resets the dates of a classic subscription only.
        let yearly = super::price(&shop.world, "20000", "year").await;
        shop.advance_days(5).await;
        let item = text(&made["items"]["data"][0]["id"]).to_owned();
        let path = format!("/v1/subscriptions/{}", text(&made["id"]));
        let changed = super::made(&shop.world, &path, &[("items[0][id]", &item), ("items[0][price]", &yearly)]).await;
        let kept = changed["billing_cycle_anchor"] == made["billing_cycle_anchor"];
        assert_eq!(kept, mode == "flexible");
        assert_eq!(shop.invoices().await.len(), 2, "a new interval bills at once");
        shop.world.sandbox.stop().await;
    }
}
