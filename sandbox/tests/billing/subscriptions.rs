//! Subscriptions through the API: how they start, change and end.

use reqwest::Method;
use serde_json::{Value, json};

use super::{DAY, Shop, count, made, price, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_starts_paid_with_the_events_in_stripes_order() {
    let shop = Shop::open("pm_card_visa").await;
    let seen = shop.seen().await;
    let made = shop.subscribe(&[("metadata[account]", "a-1")]).await;
    assert_eq!((&made["status"], &made["billing_mode"]["type"]), (&json!("active"), &json!("flexible")), "{made:#}");
    let item = &made["items"]["data"][0];
    let days = (item["current_period_end"].as_i64().unwrap() - item["current_period_start"].as_i64().unwrap()) / DAY;
    assert!((28..=31).contains(&days), "a month has {days} days");
    let path = format!("/v1/invoices/{}?expand[]=payments.data.payment.payment_intent", text(&made["latest_invoice"]));
    let invoice = shop.world.get(&path).await.json();
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"], &invoice["amount_paid"]),
        (&json!("paid"), &json!("subscription_create"), &json!(2_000))
    );
    let details = &invoice["parent"]["subscription_details"];
    assert_eq!((&details["subscription"], &details["metadata"]["account"]), (&made["id"], &json!("a-1")));
    let line = &invoice["lines"]["data"][0];
    assert_eq!(line["period"]["end"], item["current_period_end"]);
    assert_eq!(line["parent"]["subscription_item_details"]["proration"], json!(false));
    assert_eq!(line["pricing"]["price_details"]["price"], json!(shop.price));
    let payment = &invoice["payments"]["data"][0]["payment"]["payment_intent"];
    assert_eq!((&payment["status"], &payment["customer"]), (&json!("succeeded"), &json!(shop.customer)));
    let kinds: Vec<String> = shop.news(seen).await.into_iter().filter(|kind| kind != "charge.updated").collect();
    assert_eq!(
        kinds,
        [
            "charge.succeeded",
            "customer.subscription.created",
            "payment_intent.created",
            "payment_intent.succeeded",
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
            "invoice_payment.paid",
        ]
    );
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_payment_that_fails_leaves_it_incomplete_and_it_expires_after_a_day() {
    let shop = Shop::open("pm_card_chargeCustomerFail").await;
    let made = shop.subscribe(&[]).await;
    assert_eq!(made["status"], json!("incomplete"));
    let seen = shop.seen().await;
    shop.advance(json!({ "seconds": 23 * 3_600 })).await;
    let expired = shop.subscription(&made["id"]).await;
    assert_eq!(expired["status"], json!("incomplete_expired"));
    assert_eq!(shop.invoices().await[0]["status"], json!("void"));
    let kinds = shop.news(seen).await;
    assert_eq!((count(&kinds, "invoice.voided"), count(&kinds, "customer.subscription.updated")), (1, 1), "{kinds:?}");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_one_becomes_active_once_its_invoice_is_paid() {
    let shop = Shop::open("pm_card_chargeCustomerFail").await;
    let made = shop.subscribe(&[]).await;
    shop.use_card("pm_card_visa").await;
    let path = format!("/v1/invoices/{}/pay", text(&made["latest_invoice"]));
    assert_eq!(super::made(&shop.world, &path, &[]).await["status"], json!("paid"));
    assert_eq!(shop.subscription(&made["id"]).await["status"], json!("active"));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_start_leaves_nothing_behind() {
    let shop = Shop::open("").await;
    let params = [("customer", shop.customer.as_str()), ("items[0][price]", shop.price.as_str())];
    let refused = shop.world.post("/v1/subscriptions", &params).await;
    assert_eq!((refused.status, refused.error().1.as_str()), (400, "resource_missing"), "{}", refused.text);
    shop.use_card("pm_card_chargeCustomerFail").await;
    let mut strict = params.to_vec();
    strict.push(("payment_behavior", "error_if_incomplete"));
    let refused = shop.world.post("/v1/subscriptions", &strict).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    let listed = shop.world.get("/v1/subscriptions?status=all").await.json();
    assert_eq!(listed["data"], json!([]));
    let waits = shop.subscribe(&[("payment_behavior", "default_incomplete")]).await;
    assert_eq!(waits["status"], json!("incomplete"), "its payment is not even tried");
    shop.world.sandbox.stop().await;
}

async fn change(shop: &Shop, id: &Value, params: &[(&str, &str)]) -> Value {
    made(&shop.world, &format!("/v1/subscriptions/{}", text(id)), params).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_in_the_middle_of_a_period_is_prorated_to_the_second_and_billed_at_once_if_asked() {
    let shop = Shop::open("pm_card_visa").await;
    let made = shop.subscribe(&[]).await;
    let bigger = price(&shop.world, "6000", "month").await;
    let item = text(&made["items"]["data"][0]["id"]).to_owned();
    shop.advance_days(10).await;
    let period = &made["items"]["data"][0];
    let (start, end) =
        (period["current_period_start"].as_i64().unwrap(), period["current_period_end"].as_i64().unwrap());
    let at = (start + 10 * DAY).to_string();
    let changed = change(
        &shop,
        &made["id"],
        &[
            ("items[0][id]", &item),
            ("items[0][price]", &bigger),
            ("proration_behavior", "always_invoice"),
            ("proration_date", &at),
        ],
    )
    .await;
    assert_eq!(changed["items"]["data"][0]["price"]["id"], json!(bigger));
    assert_eq!(changed["items"]["data"][0]["current_period_end"], json!(end), "the dates stay");
    let invoice = &shop.invoices().await[0];
    assert_eq!((&invoice["billing_reason"], &invoice["status"]), (&json!("subscription_update"), &json!("paid")));
    let amounts: Vec<i64> =
        invoice["lines"]["data"].as_array().unwrap().iter().map(|line| line["amount"].as_i64().unwrap()).collect();
    let rest = |amount: i64| (amount * (end - start - 10 * DAY) * 2 + (end - start)) / (2 * (end - start));
    assert_eq!(amounts, [-rest(2_000), rest(6_000)]);
    assert!(invoice["lines"]["data"][0]["parent"]["subscription_item_details"]["proration"].as_bool().unwrap());
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_prorations_wait_for_the_renewal() {
    let shop = Shop::open("pm_card_visa").await;
    let made = shop.subscribe(&[]).await;
    let bigger = price(&shop.world, "6000", "month").await;
    let item = text(&made["items"]["data"][0]["id"]).to_owned();
    shop.advance_days(10).await;
    change(&shop, &made["id"], &[("items[0][id]", &item), ("items[0][price]", &bigger)]).await;
    assert_eq!(shop.invoices().await.len(), 1);
    shop.advance(json!({ "to_renewal": true })).await;
    let renewal = &shop.invoices().await[0];
    let lines = renewal["lines"]["data"].as_array().unwrap();
    assert_eq!((lines.len(), &renewal["status"]), (3, &json!("paid")), "{renewal:#}");
    assert!(renewal["amount_paid"].as_i64().unwrap() > 6_000);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_update_applies_only_once_it_is_paid_or_expires() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let bigger = price(&shop.world, "6000", "month").await;
    let item = text(&subscription["items"]["data"][0]["id"]).to_owned();
    let wanted = [
        ("items[0][id]", item.as_str()),
        ("items[0][price]", bigger.as_str()),
        ("proration_behavior", "always_invoice"),
        ("payment_behavior", "pending_if_incomplete"),
    ];
    shop.advance_days(3).await;
    shop.use_card("pm_card_chargeCustomerFail").await;
    let pending = change(&shop, &subscription["id"], &wanted).await;
    assert_eq!(pending["items"]["data"][0]["price"]["id"], json!(shop.price), "the old price stays");
    assert_eq!(pending["pending_update"]["subscription_items"][0]["price"]["id"], json!(bigger));
    assert_eq!(pending["status"], json!("active"), "the failure is not the subscription's");
    let seen = shop.seen().await;
    shop.use_card("pm_card_visa").await;
    let invoice = text(&pending["latest_invoice"]).to_owned();
    made(&shop.world, &format!("/v1/invoices/{invoice}/pay"), &[]).await;
    let applied = shop.subscription(&subscription["id"]).await;
    assert_eq!(
        (&applied["items"]["data"][0]["price"]["id"], &applied["pending_update"]),
        (&json!(bigger), &json!(null))
    );
    assert_eq!(count(&shop.news(seen).await, "customer.subscription.pending_update_applied"), 1);
    // And one that is never paid.
    shop.use_card("pm_card_chargeCustomerFail").await;
    let back = [("items[0][quantity]", "3")];
    let mut wanted = wanted.to_vec();
    wanted.extend(back);
    let pending = change(&shop, &subscription["id"], &wanted).await;
    assert!(pending["pending_update"].is_object(), "{pending:#}");
    let seen = shop.seen().await;
    shop.advance_days(1).await;
    let expired = shop.subscription(&subscription["id"]).await;
    assert_eq!((&expired["pending_update"], &expired["items"]["data"][0]["quantity"]), (&json!(null), &json!(1)));
    let kinds = shop.news(seen).await;
    assert_eq!(count(&kinds, "customer.subscription.pending_update_expired"), 1, "{kinds:?}");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_flags_end_it_with_its_period_and_clearing_both_keeps_it() {
    let shop = Shop::open("pm_card_visa").await;
    let made = shop.subscribe(&[]).await;
    let ending = change(&shop, &made["id"], &[("cancel_at_period_end", "true")]).await;
    assert_eq!(ending["cancel_at"], made["items"]["data"][0]["current_period_end"]);
    assert_eq!(ending["cancellation_details"]["reason"], json!("cancellation_requested"));
    let kept = change(&shop, &made["id"], &[("cancel_at_period_end", "false"), ("cancel_at", "")]).await;
    assert_eq!((&kept["cancel_at"], &kept["canceled_at"]), (&json!(null), &json!(null)));
    change(&shop, &made["id"], &[("cancel_at_period_end", "true")]).await;
    let seen = shop.seen().await;
    shop.advance(json!({ "to_renewal": true })).await;
    assert_eq!(shop.subscription(&made["id"]).await["status"], json!("canceled"));
    assert_eq!(shop.news(seen).await, ["customer.subscription.deleted"]);
    assert_eq!(shop.invoices().await.len(), 1, "there is no renewal");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_ends_it_at_once_and_for_good() {
    let shop = Shop::open("pm_card_visa").await;
    let made = shop.subscribe(&[]).await;
    let path = format!("/v1/subscriptions/{}", text(&made["id"]));
    let gone = shop.world.send(Method::DELETE, &path, &[], &[]).await.unwrap().json();
    assert_eq!((&gone["status"], &gone["id"]), (&json!("canceled"), &made["id"]));
    let again = shop.world.send(Method::DELETE, &path, &[], &[]).await.unwrap();
    assert_eq!(again.status, 404);
    let refused = shop.world.post(&path, &[("items[0][quantity]", "2")]).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let listed = shop.world.get(&format!("/v1/subscriptions?customer={}", shop.customer)).await.json();
    assert_eq!(listed["data"], json!([]), "canceled ones are listed only on request");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_is_deleted_loses_its_subscriptions() {
    let shop = Shop::open("pm_card_visa").await;
    let made = shop.subscribe(&[]).await;
    let path = format!("/v1/customers/{}", shop.customer);
    shop.world.send(Method::DELETE, &path, &[], &[]).await.unwrap();
    assert_eq!(shop.subscription(&made["id"]).await["status"], json!("canceled"));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_added_changed_and_removed_one_by_one() {
    let shop = Shop::open("pm_card_visa").await;
    let subscription = shop.subscribe(&[]).await;
    let id = text(&subscription["id"]);
    let seats = price(&shop.world, "500", "month").await;
    let params = [("subscription", id), ("price", &seats), ("quantity", "3"), ("proration_behavior", "none")];
    let item = made(&shop.world, "/v1/subscription_items", &params).await;
    assert_eq!((&item["quantity"], &item["subscription"]), (&json!(3), &json!(id)));
    let path = format!("/v1/subscription_items/{}", text(&item["id"]));
    let changed = made(&shop.world, &path, &[("quantity", "5"), ("proration_behavior", "none")]).await;
    assert_eq!(changed["quantity"], json!(5));
    let listed = shop.world.get(&format!("/v1/subscription_items?subscription={id}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let gone = shop.world.send(Method::DELETE, &format!("{path}?proration_behavior=none"), &[], &[]).await.unwrap();
    assert_eq!(gone.json()["deleted"], json!(true), "{}", gone.text);
    let first = format!("/v1/subscription_items/{}", text(&subscription["items"]["data"][0]["id"]));
    let refused = shop.world.send(Method::DELETE, &first, &[], &[]).await.unwrap();
    assert_eq!(refused.status, 400, "the last item stays");
    assert_eq!(shop.invoices().await.len(), 1, "nothing was billed");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_makes_no_invoices_until_it_is_resumed() {
    let shop = Shop::open("pm_card_visa").await;
    let made = shop.subscribe(&[]).await;
    let path = format!("/v1/subscriptions/{}", text(&made["id"]));
    let paused = super::made(&shop.world, &format!("{path}/pause"), &[]).await;
    assert_eq!(paused["status"], json!("paused"));
    assert_eq!(paused["status_details"]["paused"]["subscription"]["type"], json!("pause_requested"));
    shop.advance_days(70).await;
    assert_eq!(shop.invoices().await.len(), 1);
    let resumed = super::made(&shop.world, &format!("{path}/resume"), &[]).await;
    assert_eq!(resumed["status"], json!("active"));
    assert_eq!(shop.invoices().await.len(), 2);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_collection_goes_on_with_its_periods_and_collects_nothing() {
    for (behavior, status) in [("void", "void"), ("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible")] {
        let shop = Shop::open("pm_card_visa").await;
        let made = shop.subscribe(&[]).await;
        change(&shop, &made["id"], &[("pause_collection[behavior]", behavior)]).await;
        shop.advance(json!({ "to_renewal": true })).await;
        let invoices = shop.invoices().await;
        assert_eq!((invoices.len(), &invoices[0]["status"]), (2, &json!(status)), "{behavior}");
        assert_eq!(shop.subscription(&made["id"]).await["status"], json!("active"));
        change(&shop, &made["id"], &[("pause_collection", "")]).await;
        shop.advance(json!({ "to_renewal": true })).await;
        assert_eq!(shop.invoices().await[0]["status"], json!("paid"));
        shop.world.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_that_are_sent_wait_for_the_customer() {
    let shop = Shop::open("").await;
    let made = shop.subscribe(&[("collection_method", "send_invoice"), ("days_until_due", "14")]).await;
    assert_eq!(made["status"], json!("active"));
    let invoice = &shop.invoices().await[0];
    let due = invoice["due_date"].as_i64().unwrap() - invoice["created"].as_i64().unwrap();
    assert_eq!((&invoice["status"], due), (&json!("open"), 14 * DAY));
    shop.world.sandbox.stop().await;
}
