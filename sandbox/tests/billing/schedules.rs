//! Schedules: a downgrade at the end of the period, phases, and their end.

use serde_json::json;

use super::{DAY, Shop, count, made, price, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_downgrade_by_schedule_is_billed_from_the_next_period_on() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let smaller = price(&shop.world, "500", "month").await;
    let id = text(&subscription["id"]);
    let schedule = made(&shop.world, "/v1/subscription_schedules", &[("from_subscription", id)]).await;
    assert_eq!((&schedule["status"], &schedule["subscription"]), (&json!("active"), &json!(id)));
    let phase = &schedule["phases"][0];
    let (start, end) = (phase["start_date"].to_string(), phase["end_date"].to_string());
    let params = [
        ("phases[0][items][0][price]", shop.price.as_str()),
        ("phases[0][start_date]", &start),
        ("phases[0][end_date]", &end),
        ("phases[1][items][0][price]", smaller.as_str()),
        ("phases[1][iterations]", "1"),
        ("proration_behavior", "none"),
    ];
    let path = format!("/v1/subscription_schedules/{}", text(&schedule["id"]));
    made(&shop.world, &path, &params).await;
    assert_eq!(shop.subscription(&subscription["id"]).await["items"]["data"][0]["price"]["id"], json!(shop.price));
    shop.advance(json!({ "to_renewal": true })).await;
    let renewal = &shop.invoices().await[0];
    assert_eq!((&renewal["total"], &renewal["status"]), (&json!(500), &json!("paid")));
    let seen = shop.seen().await;
    shop.advance(json!({ "to_renewal": true })).await;
    assert_eq!(count(&shop.news(seen).await, "subscription_schedule.completed"), 1);
    let released = shop.subscription(&subscription["id"]).await;
    assert_eq!((&released["schedule"], &released["status"]), (&json!(null), &json!("active")));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_starts_a_subscription_later_and_can_be_released_or_canceled() {
    let shop = Shop::open("pm_card_visa").await;
    let customer = shop.customer.as_str();
    let now = shop.world.get("/_sandbox/clock").await.json()["now"].as_i64().unwrap();
    let later = (now + 10 * DAY).to_string();
    let params = [
        ("customer", customer),
        ("start_date", &later),
        ("phases[0][items][0][price]", &shop.price),
        ("phases[0][iterations]", "2"),
    ];
    let schedule = made(&shop.world, "/v1/subscription_schedules", &params).await;
    assert_eq!((&schedule["status"], &schedule["subscription"]), (&json!("not_started"), &json!(null)));
    shop.advance_days(11).await;
    let path = format!("/v1/subscription_schedules/{}", text(&schedule["id"]));
    let started = shop.world.get(&path).await.json();
    assert_eq!(started["status"], json!("active"));
    assert_eq!(shop.subscription(&started["subscription"]).await["schedule"], schedule["id"]);
    let released = made(&shop.world, &format!("{path}/release"), &[]).await;
    assert_eq!(
        (&released["status"], &released["released_subscription"]),
        (&json!("released"), &started["subscription"])
    );
    assert_eq!(shop.world.post(&format!("{path}/cancel"), &[]).await.status, 400);
    let other =
        made(&shop.world, "/v1/subscription_schedules", &[params[0], ("start_date", "now"), params[2], params[3]])
            .await;
    let path = format!("/v1/subscription_schedules/{}", text(&other["id"]));
    let canceled = made(&shop.world, &format!("{path}/cancel"), &[]).await;
    assert_eq!(canceled["status"], json!("canceled"));
    assert_eq!(shop.subscription(&other["subscription"]).await["status"], json!("canceled"));
    shop.world.sandbox.stop().await;
}
