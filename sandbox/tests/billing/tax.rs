//! Tax at the sandbox's one rate of 10 %, on checkouts, subscriptions and invoices.

use serde_json::{Value, json};

use super::{Shop, made, text};

const SUCCESS: (&str, &str) = ("success_url", "http://127.0.0.1:9/return");

fn line(amount: &'static str, behavior: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", amount),
        ("line_items[0][price_data][tax_behavior]", behavior),
        ("line_items[0][price_data][product_data][name]", "Credits"),
        ("line_items[0][quantity]", "1"),
    ]
}

async fn paid(shop: &Shop, behavior: &'static str) -> Value {
    let mut params = vec![("mode", "payment"), ("automatic_tax[enabled]", "true"), SUCCESS];
    params.extend(line("1100", behavior));
    let open = made(&shop.world, "/v1/checkout/sessions", &params).await;
    assert_eq!(open["total_details"]["amount_tax"], json!(0), "the address is not known yet");
    let path = format!("/v1/payment_pages/{}/confirm", text(&open["id"]));
    made(&shop.world, &path, &[("payment_method", "pm_card_visa"), ("expected_amount", "1100")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tax_is_added_to_a_checkout_or_contained_in_it() {
    let shop = Shop::open("").await;
    for (behavior, subtotal, tax, total) in [("exclusive", 1_100, 110, 1_210), ("inclusive", 1_100, 100, 1_100)] {
        let done = paid(&shop, behavior).await;
        assert_eq!(
            (&done["amount_subtotal"], &done["total_details"]["amount_tax"], &done["amount_total"]),
            (&json!(subtotal), &json!(tax), &json!(total)),
            "{behavior}"
        );
        let item = &done["line_items"]["data"][0];
        assert_eq!((&item["amount_tax"], &item["amount_total"]), (&json!(tax), &json!(total)));
    }
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_registration_the_tax_is_silently_nothing() {
    let shop = Shop::open("").await;
    let listed = shop.world.get("/v1/tax/registrations").await.json();
    assert_eq!(listed["data"][0]["status"], json!("active"));
    assert_eq!(shop.world.get("/v1/tax/settings").await.json()["status"], json!("active"));
    shop.world.control("/_sandbox/billing", r#"{"tax_registered": false}"#).await;
    assert_eq!(shop.world.get("/v1/tax/registrations").await.json()["data"], json!([]));
    assert_eq!(paid(&shop, "exclusive").await["amount_total"], json!(1_100));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taxed_subscription_is_taxed_at_each_renewal() {
    let shop = Shop::open("pm_card_visa").await;
    shop.subscribe(&[("automatic_tax[enabled]", "true")]).await;
    shop.advance(json!({ "to_renewal": true })).await;
    for invoice in shop.invoices().await {
        assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(2_000), &json!(2_200)));
        assert_eq!(invoice["total_taxes"][0]["amount"], json!(200));
        assert_eq!(invoice["amount_paid"], json!(2_200));
        let rate = text(&invoice["total_taxes"][0]["tax_rate_details"]["tax_rate"]).to_owned();
        assert_eq!(shop.world.get(&format!("/v1/tax_rates/{rate}")).await.json()["percentage"], json!(10));
    }
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tax_needs_a_place_to_keep_what_the_customer_enters() {
    let shop = Shop::open("").await;
    let mut params = vec![("mode", "payment"), ("customer", shop.customer.as_str()), SUCCESS];
    params.extend(line("1000", "exclusive"));
    let with = |more: &[(&'static str, &'static str)]| {
        let mut params = params.clone();
        params.extend(more);
        params
    };
    let tax = ("automatic_tax[enabled]", "true");
    let refused = shop.world.post("/v1/checkout/sessions", &with(&[tax])).await;
    assert_eq!(refused.error().1, "customer_tax_location_invalid", "{}", refused.text);
    let ids = ("tax_id_collection[enabled]", "true");
    let refused = shop.world.post("/v1/checkout/sessions", &with(&[ids])).await;
    assert_eq!(refused.error().2, "customer_update[name]");
    let all = with(&[tax, ids, ("customer_update[address]", "auto"), ("customer_update[name]", "auto")]);
    assert_eq!(shop.world.post("/v1/checkout/sessions", &all).await.status, 200);
    shop.world.sandbox.stop().await;
}
