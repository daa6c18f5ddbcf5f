//! Previews: they say what a change costs, and change nothing.

use serde_json::json;

use super::{DAY, Shop, made, price, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_what_the_change_then_costs() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let bigger = price(&shop.world, "6000", "month").await;
    shop.advance_days(10).await;
    let item = text(&subscription["items"]["data"][0]["id"]).to_owned();
    let start = subscription["items"]["data"][0]["current_period_start"].as_i64().unwrap();
    let at = (start + 10 * DAY).to_string();
    let id = text(&subscription["id"]);
    let seen = shop.seen().await;
    let params = [
        ("subscription", id),
        ("subscription_details[items][0][id]", &item),
        ("subscription_details[items][0][price]", &bigger),
        ("subscription_details[proration_behavior]", "always_invoice"),
        ("subscription_details[proration_date]", &at),
    ];
    let preview = made(&shop.world, "/v1/invoices/create_preview", &params).await;
    assert!(text(&preview["id"]).starts_with("upcoming_in_"));
    assert_eq!(preview["parent"]["subscription_details"]["subscription_proration_date"], json!(start + 10 * DAY));
    assert_eq!(shop.seen().await, seen, "nothing happened");
    let change = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", &bigger),
        ("proration_behavior", "always_invoice"),
        ("proration_date", &at),
    ];
    made(&shop.world, &format!("/v1/subscriptions/{id}"), &change).await;
    assert_eq!(shop.invoices().await[0]["total"], preview["total"]);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_renewal_is_previewed_with_what_waits_for_it() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let params = [("customer", shop.customer.as_str()), ("amount", "300"), ("currency", "usd")];
    made(&shop.world, "/v1/invoiceitems", &params).await;
    let id = text(&subscription["id"]);
    let preview = made(&shop.world, "/v1/invoices/create_preview", &[("subscription", id)]).await;
    assert_eq!((&preview["total"], &preview["billing_reason"]), (&json!(2_300), &json!("upcoming")));
    assert_eq!(preview["lines"]["data"][1]["period"]["start"], subscription["items"]["data"][0]["current_period_end"]);
    let items = [
        ("customer", shop.customer.as_str()),
        ("subscription_details[items][0][price]", shop.price.as_str()),
        ("subscription_details[items][0][quantity]", "3"),
    ];
    let new = made(&shop.world, "/v1/invoices/create_preview", &items).await;
    assert_eq!((&new["total"], &new["parent"]), (&json!(6_000), &json!(null)));
    shop.world.sandbox.stop().await;
}
