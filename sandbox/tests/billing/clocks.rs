//! Test clocks, and the customers whose time a control moves.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{DAY, Shop, count, customer, made, text};
use crate::support::{World, start};

async fn clock(world: &World, at: i64) -> String {
    let made = made(world, "/v1/test_helpers/test_clocks", &[("frozen_time", &at.to_string())]).await;
    text(&made["id"]).to_owned()
}

/// Advances a clock and waits until it is ready.
async fn advance(world: &World, clock: &str, to: i64) -> Value {
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let answer = made(world, &format!("{path}/advance"), &[("frozen_time", &to.to_string())]).await;
    assert_eq!(answer["status"], json!("advancing"));
    assert_eq!(answer["status_details"]["advancing"]["target_frozen_time"], json!(to));
    ready(world, clock).await
}

async fn ready(world: &World, clock: &str) -> Value {
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let deadline = std::time::Instant::now() + Duration::from_mins(2);
    loop {
        let found = world.get(&path).await.json();
        if found["status"] == "ready" {
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "{found:#}");
        tokio::task::yield_now().await;
    }
}

const START: i64 = 1_577_836_800; // 2020-01-01

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_renews_with_a_draft_an_hour_and_a_payment() {
    let world = start().await;
    let clock = clock(&world, START).await;
    let shop = Shop {
        customer: customer(&world, "pm_card_visa", &clock).await,
        price: super::price(&world, "2000", "month").await,
        world,
    };
    let subscription = shop.subscribe(&[]).await;
    assert_eq!((&subscription["created"], &subscription["test_clock"]), (&json!(START), &json!(clock)));
    let end = START + 31 * DAY;
    assert_eq!(subscription["items"]["data"][0]["current_period_end"], json!(end), "January has 31 days");
    let seen = shop.seen().await;
    advance(&shop.world, &clock, end - 1).await;
    let kinds = shop.news(seen).await;
    assert_eq!(kinds, ["test_helpers.test_clock.advancing", "invoice.upcoming", "test_helpers.test_clock.ready"]);
    let seen = shop.seen().await;
    advance(&shop.world, &clock, end).await;
    let draft = &shop.invoices().await[0];
    assert_eq!((&draft["status"], &draft["created"]), (&json!("draft"), &json!(end)));
    assert_eq!(draft["automatically_finalizes_at"], json!(end + 3_600));
    assert_eq!(shop.news(seen).await[1..3], ["customer.subscription.updated", "invoice.created"]);
    let seen = shop.seen().await;
    let now = advance(&shop.world, &clock, end + 3_600).await;
    assert_eq!(now["frozen_time"], json!(end + 3_600));
    let paid = &shop.invoices().await[0];
    assert_eq!((&paid["status"], &paid["status_transitions"]["paid_at"]), (&json!("paid"), &json!(end + 3_600)));
    let kinds: Vec<String> = shop.news(seen).await;
    for kind in
        ["invoice.finalized", "charge.succeeded", "invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"]
    {
        assert_eq!(count(&kinds, kind), 1, "{kind} in {kinds:?}");
    }
    let at = |kind: &str| kinds.iter().position(|other| other == kind);
    assert!(at("invoice.finalized") < at("charge.succeeded") && at("charge.succeeded") < at("invoice.paid"));
    let event = shop.world.events().await.pop().unwrap();
    assert!(event["created"].as_i64().unwrap() > START + 365 * DAY, "events carry the time at which they are sent");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_goes_forward_by_two_intervals_at_most_and_takes_its_customers_with_it() {
    let world = start().await;
    let clock = clock(&world, START).await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let shop = Shop {
        customer: customer(&world, "pm_card_visa", &clock).await,
        price: super::price(&world, "2000", "month").await,
        world,
    };
    let subscription = shop.subscribe(&[]).await;
    for wrong in [START, START - 1, START + 63 * DAY] {
        let refused = shop.world.post(&format!("{path}/advance"), &[("frozen_time", &wrong.to_string())]).await;
        assert_eq!((refused.status, refused.error().2.as_str()), (400, "frozen_time"), "{}", refused.text);
    }
    advance(&shop.world, &clock, START + 61 * DAY).await;
    assert_eq!(shop.invoices().await.len(), 3, "two renewals in one move");
    let listed = shop.world.get("/v1/test_helpers/test_clocks").await.json();
    assert_eq!(listed["data"][0]["id"], json!(clock));
    let gone = shop.world.send(Method::DELETE, &path, &[], &[]).await.unwrap().json();
    assert_eq!(gone["deleted"], json!(true));
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("canceled"));
    let customer = shop.world.get(&format!("/v1/customers/{}", shop.customer)).await.json();
    assert_eq!(customer["deleted"], json!(true));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandboxes_own_clock_renews_customers_without_a_clock() {
    let shop = Shop::open("pm_card_visa").await;
    shop.subscribe(&[]).await;
    let body = json!({ "advance_seconds": 32 * DAY }).to_string();
    assert_eq!(shop.world.control("/_sandbox/clock", &body).await.status, 200);
    let invoices = shop.invoices().await;
    assert_eq!((invoices.len(), &invoices[0]["status"]), (2, &json!("paid")));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_moved_ahead_stays_ahead_and_alone() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let other = customer(&shop.world, "pm_card_visa", "").await;
    let params = [("customer", other.as_str()), ("items[0][price]", shop.price.as_str())];
    made(&shop.world, "/v1/subscriptions", &params).await;
    for renewals in 1..=3 {
        shop.advance(json!({ "to_renewal": true })).await;
        assert_eq!(shop.invoices().await.len(), renewals + 1);
    }
    let moved = shop.subscription(&subscription["id"]).await;
    assert!(moved["items"]["data"][0]["current_period_start"].as_i64() > subscription["created"].as_i64());
    let alone = shop.world.get(&format!("/v1/invoices?customer={other}")).await.json();
    assert_eq!(alone["data"].as_array().unwrap().len(), 1);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_renewals_at_one_move_are_worked_off_in_portions_and_none_is_lost() {
    const MANY: usize = 300;
    let world = start().await;
    let clock = clock(&world, START).await;
    let price = super::price(&world, "2000", "month").await;
    for _ in 0..MANY {
        let customer = customer(&world, "pm_card_visa", &clock).await;
        made(&world, "/v1/subscriptions", &[("customer", &customer), ("items[0][price]", &price)]).await;
    }
    advance(&world, &clock, START + 32 * DAY).await;
    let (mut renewed, mut after) = (0, String::new());
    loop {
        let page = world.get(&format!("/v1/invoices?limit=100&status=paid{after}")).await.json();
        let rows = page["data"].as_array().unwrap();
        renewed += rows.iter().filter(|row| row["billing_reason"] == "subscription_cycle").count();
        let Some(last) = rows.last().filter(|_| page["has_more"] == json!(true)) else { break };
        after = format!("&starting_after={}", text(&last["id"]));
    }
    assert_eq!(renewed, MANY);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_subscriptions_and_what_is_due_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = stripe_sandbox::Config::local(crate::support::KEY);
    config.state_file = Some(folder.path().join("sandbox.json"));
    let world = crate::support::start_with(config.clone()).await;
    let clock = clock(&world, START).await;
    let shop = Shop {
        customer: customer(&world, "pm_card_visa", &clock).await,
        price: super::price(&world, "2000", "month").await,
        world,
    };
    let subscription = shop.subscribe(&[]).await;
    advance(&shop.world, &clock, START + 10 * DAY).await;
    let Shop { world, customer, price } = shop;
    world.sandbox.stop().await;
    let shop = Shop { world: crate::support::start_with(config).await, customer, price };
    assert_eq!(shop.subscription(&subscription["id"]).await, subscription);
    advance(&shop.world, &clock, START + 32 * DAY).await;
    assert_eq!(shop.invoices().await[0]["status"], json!("paid"));
    shop.world.sandbox.stop().await;
}
