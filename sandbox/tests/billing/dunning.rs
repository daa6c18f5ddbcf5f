//! Renewals that fail: the attempts, what follows the last one, and 3-D Secure on a renewal.

use serde_json::json;

use super::{Shop, count, made, text};

async fn failing() -> (Shop, serde_json::Value) {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    shop.use_card("pm_card_chargeCustomerFail").await;
    (shop, subscription)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_renewal_is_retried_by_the_schedule_and_then_the_subscription_ends() {
    let (shop, subscription) = failing().await;
    let seen = shop.seen().await;
    shop.advance(json!({ "to_renewal": true })).await;
    let late = shop.subscription(&subscription["id"]).await;
    assert_eq!(late["status"], json!("past_due"));
    let invoice = &shop.invoices().await[0];
    assert_eq!((&invoice["status"], &invoice["attempt_count"]), (&json!("open"), &json!(1)));
    assert!(invoice["next_payment_attempt"].is_i64());
    let kinds = shop.news(seen).await;
    for kind in ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"] {
        assert_eq!(count(&kinds, kind), 1, "{kind} in {kinds:?}");
    }
    let failed = shop.world.events().await;
    let failed = failed.iter().find(|event| event["type"] == "invoice.payment_failed").unwrap();
    assert!(failed["data"]["object"]["next_payment_attempt"].is_i64());
    for (days, attempts) in [(3, 2), (2, 3)] {
        shop.advance_days(days).await;
        assert_eq!(shop.invoices().await[0]["attempt_count"], json!(attempts));
    }
    let seen = shop.seen().await;
    shop.advance_days(2).await;
    let ended = shop.subscription(&subscription["id"]).await;
    assert_eq!(ended["cancellation_details"]["reason"], json!("payment_failed"));
    let invoice = &shop.invoices().await[0];
    assert_eq!((&invoice["attempt_count"], &invoice["next_payment_attempt"]), (&json!(4), &json!(null)));
    assert_eq!(count(&shop.news(seen).await, "customer.subscription.deleted"), 1);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboards_setting_decides_what_follows_the_last_attempt() {
    for (after, status) in [("unpaid", "unpaid"), ("past_due", "past_due")] {
        let (shop, subscription) = failing().await;
        let body = json!({ "retry_days": [1], "after_retries": after }).to_string();
        assert_eq!(shop.world.control("/_sandbox/billing", &body).await.status, 200);
        shop.advance(json!({ "to_renewal": true })).await;
        shop.advance_days(2).await;
        assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!(status));
        shop.advance(json!({ "to_renewal": true })).await;
        let next = if after == "unpaid" { "draft" } else { "open" };
        assert_eq!(shop.invoices().await[0]["status"], json!(next), "{after}");
        shop.world.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paying_the_latest_invoice_ends_the_arrears() {
    let (shop, subscription) = failing().await;
    shop.advance(json!({ "to_renewal": true })).await;
    shop.use_card("pm_card_visa").await;
    let seen = shop.seen().await;
    let invoice = text(&shop.invoices().await[0]["id"]).to_owned();
    made(&shop.world, &format!("/v1/invoices/{invoice}/pay"), &[]).await;
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("active"));
    let kinds = shop.news(seen).await;
    assert_eq!((count(&kinds, "invoice.paid"), count(&kinds, "customer.subscription.updated")), (1, 1), "{kinds:?}");
    let again = shop.world.post(&format!("/v1/invoices/{invoice}/pay"), &[("off_session", "true")]).await;
    assert_eq!((again.status, again.error().1.as_str()), (400, "invoice_already_paid"));
    shop.advance_days(8).await;
    assert_eq!(count(&shop.world.event_types().await, "invoice.paid"), 2, "the planned attempt is gone");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_needs_the_customer_says_so_and_is_paid_after_the_challenge() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    shop.use_card("pm_card_authenticationRequired").await;
    let seen = shop.seen().await;
    shop.advance(json!({ "to_renewal": true })).await;
    let kinds = shop.news(seen).await;
    assert_eq!(count(&kinds, "invoice.payment_action_required"), 1, "{kinds:?}");
    assert_eq!(count(&kinds, "invoice.payment_failed"), 1, "both are sent for one attempt");
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("past_due"));
    let invoice = shop.invoices().await[0].clone();
    assert!(text(&invoice["hosted_invoice_url"]).starts_with(&shop.world.sandbox.url()));
    let path = format!("/_sandbox/invoices/{}/challenge", text(&invoice["id"]));
    let paid = shop.world.control(&path, r#"{"outcome": "passed"}"#).await.json();
    assert_eq!(paid["status"], json!("paid"), "{paid:#}");
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("active"));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_card_fails_the_renewal_without_a_charge() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let customer = shop.world.get(&format!("/v1/customers/{}", shop.customer)).await.json();
    let method = text(&customer["invoice_settings"]["default_payment_method"]).to_owned();
    made(&shop.world, &format!("/v1/payment_methods/{method}/detach"), &[]).await;
    let seen = shop.seen().await;
    shop.advance(json!({ "to_renewal": true })).await;
    assert_eq!(shop.subscription(&subscription["id"]).await["status"], json!("past_due"));
    let kinds = shop.news(seen).await;
    assert_eq!((count(&kinds, "invoice.payment_failed"), count(&kinds, "charge.failed")), (1, 0), "{kinds:?}");
    shop.world.sandbox.stop().await;
}
