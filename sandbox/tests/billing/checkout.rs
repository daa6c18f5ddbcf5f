//! Checkout in subscription mode, and the invoices of one-time checkouts.

use serde_json::{Value, json};

use super::{DAY, Shop, count, made, text};
use crate::support::World;

const SUCCESS: (&str, &str) = ("success_url", "http://127.0.0.1:9/return");

async fn confirm(world: &World, session: &Value, method: &str) -> Value {
    let total = session["amount_total"].to_string();
    let path = format!("/v1/payment_pages/{}/confirm", text(&session["id"]));
    made(world, &path, &[("payment_method", method), ("expected_amount", &total)]).await
}

async fn session(shop: &Shop, more: &[(&str, &str)]) -> Value {
    let mut params = vec![
        ("mode", "subscription"),
        ("line_items[0][price]", shop.price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("subscription_data[metadata][plan]", "pro"),
        SUCCESS,
    ];
    params.extend(more);
    made(&shop.world, "/v1/checkout/sessions", &params).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_checkout_makes_a_subscription_with_a_paid_invoice_in_stripes_order() {
    let shop = Shop::open("").await;
    let open = session(&shop, &[("customer", &shop.customer)]).await;
    assert_eq!((&open["mode"], &open["amount_total"]), (&json!("subscription"), &json!(2_000)));
    let seen = shop.seen().await;
    let done = confirm(&shop.world, &open, "pm_card_visa").await;
    assert_eq!((&done["status"], &done["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(done["payment_intent"], json!(null), "that belongs to the invoice");
    let subscription = shop.subscription(&done["subscription"]).await;
    assert_eq!((&subscription["status"], &subscription["metadata"]["plan"]), (&json!("active"), &json!("pro")));
    assert_eq!(subscription["latest_invoice"], done["invoice"]);
    assert!(subscription["default_payment_method"].is_string(), "the card is saved for renewals");
    let invoice = &shop.invoices().await[0];
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(2_000)));
    let kinds: Vec<String> = shop.news(seen).await.into_iter().filter(|kind| kind != "charge.updated").collect();
    assert_eq!(
        kinds,
        [
            "charge.succeeded",
            "payment_method.attached",
            "checkout.session.completed",
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
    let events = shop.world.events().await;
    let completed = events.iter().find(|event| event["type"] == "checkout.session.completed").unwrap();
    assert_eq!(completed["data"]["object"]["subscription"], done["subscription"]);
    // The renewal uses the saved card.
    shop.advance(json!({ "to_renewal": true })).await;
    assert_eq!(shop.invoices().await[0]["billing_reason"], json!("subscription_cycle"));
    assert_eq!(shop.invoices().await[0]["status"], json!("paid"));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_starts_with_a_zero_invoice_and_its_end_is_paid_with_the_saved_card() {
    let shop = Shop::open("").await;
    let open = session(&shop, &[("customer", &shop.customer), ("subscription_data[trial_period_days]", "7")]).await;
    assert_eq!(open["amount_total"], json!(0));
    let seen = shop.seen().await;
    let done = confirm(&shop.world, &open, "pm_card_visa").await;
    assert_eq!(done["payment_status"], json!("no_payment_required"));
    let trial = shop.subscription(&done["subscription"]).await;
    assert_eq!(trial["status"], json!("trialing"));
    let zero = &shop.invoices().await[0];
    assert_eq!(
        (&zero["status"], &zero["total"], &zero["lines"]["data"][0]["amount"]),
        (&json!("paid"), &json!(0), &json!(0))
    );
    let kinds = shop.news(seen).await;
    assert_eq!((count(&kinds, "invoice.paid"), count(&kinds, "charge.succeeded")), (1, 0), "{kinds:?}");
    let seen = shop.seen().await;
    shop.advance_days(4).await;
    assert_eq!(shop.news(seen).await, ["customer.subscription.trial_will_end"]);
    let seen = shop.seen().await;
    shop.advance(json!({ "seconds": 3 * DAY })).await;
    assert_eq!(shop.subscription(&done["subscription"]).await["status"], json!("active"), "before it is paid");
    assert_eq!(shop.news(seen).await, ["customer.subscription.updated", "invoice.created"]);
    shop.advance(json!({ "seconds": 3_600 })).await;
    let paid = &shop.invoices().await[0];
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(2_000)));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_leaves_the_session_open_and_makes_no_subscription() {
    let shop = Shop::open("").await;
    let open = session(&shop, &[("customer", &shop.customer)]).await;
    let path = format!("/v1/payment_pages/{}/confirm", text(&open["id"]));
    let params = [("payment_method", "pm_card_visa_chargeDeclined"), ("expected_amount", "2000")];
    assert_eq!(shop.world.post(&path, &params).await.status, 402);
    let listed = shop.world.get("/v1/subscriptions?status=all").await.json();
    assert_eq!(listed["data"], json!([]));
    assert_eq!(confirm(&shop.world, &open, "pm_card_visa").await["status"], json!("complete"));
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_line_recurs_if_its_inline_price_does_and_a_new_customer_is_made() {
    let shop = Shop::open("").await;
    let fee = [
        ("line_items[1][price_data][currency]", "usd"),
        ("line_items[1][price_data][unit_amount]", "90"),
        ("line_items[1][price_data][recurring][interval]", "month"),
        ("line_items[1][price_data][product_data][name]", "Processing fee"),
        ("line_items[1][quantity]", "1"),
        ("line_items[2][price_data][currency]", "usd"),
        ("line_items[2][price_data][unit_amount]", "500"),
        ("line_items[2][price_data][product_data][name]", "Set-up"),
        ("line_items[2][quantity]", "1"),
    ];
    let open = session(&shop, &fee).await;
    assert_eq!(open["amount_total"], json!(2_590));
    let done = confirm(&shop.world, &open, "pm_card_visa").await;
    let subscription = shop.subscription(&done["subscription"]).await;
    assert_eq!(subscription["items"]["data"].as_array().unwrap().len(), 2, "what is paid once is no item");
    let customer = text(&done["customer"]).to_owned();
    let path = format!("/_sandbox/customers/{customer}/advance");
    shop.world.control(&path, r#"{"to_renewal": true}"#).await;
    let invoices = shop.world.get(&format!("/v1/invoices?customer={customer}")).await.json();
    let totals: Vec<&Value> = invoices["data"].as_array().unwrap().iter().map(|invoice| &invoice["total"]).collect();
    assert_eq!(totals, [&json!(2_090), &json!(2_590)]);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_and_prices_must_fit() {
    let shop = Shop::open("").await;
    let price = ("line_items[0][price]", shop.price.as_str());
    let quantity = ("line_items[0][quantity]", "1");
    let refused = shop.world.post("/v1/checkout/sessions", &[("mode", "payment"), price, quantity, SUCCESS]).await;
    assert!(refused.error().3.contains("recurring price"), "{}", refused.text);
    let once = [
        ("mode", "subscription"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "500"),
        ("line_items[0][price_data][product_data][name]", "Credits"),
        quantity,
        SUCCESS,
    ];
    assert_eq!(shop.world.post("/v1/checkout/sessions", &once).await.status, 400);
    let params = [("mode", "subscription"), price, quantity, SUCCESS, ("payment_intent_data[description]", "x")];
    assert_eq!(shop.world.post("/v1/checkout/sessions", &params).await.error().2, "payment_intent_data");
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_without_a_card_is_paused_or_canceled_as_its_settings_say() {
    for (missing, status, event) in
        [("pause", "paused", "customer.subscription.paused"), ("cancel", "canceled", "customer.subscription.deleted")]
    {
        let shop = Shop::open("").await;
        let more = [
            ("customer", shop.customer.as_str()),
            ("payment_method_collection", "if_required"),
            ("subscription_data[trial_period_days]", "5"),
            ("subscription_data[trial_settings][end_behavior][missing_payment_method]", missing),
        ];
        let open = session(&shop, &more).await;
        let path = format!("/v1/payment_pages/{}/confirm", text(&open["id"]));
        let done = made(&shop.world, &path, &[("expected_amount", "0")]).await;
        let seen = shop.seen().await;
        shop.advance_days(6).await;
        assert_eq!(shop.subscription(&done["subscription"]).await["status"], json!(status));
        assert_eq!(count(&shop.news(seen).await, event), 1);
        shop.world.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_checkout_makes_a_paid_invoice_without_a_subscription_if_asked() {
    let shop = Shop::open("").await;
    let params = [
        ("mode", "payment"),
        ("customer", shop.customer.as_str()),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "500"),
        ("line_items[0][price_data][product_data][name]", "Credits"),
        ("line_items[0][quantity]", "2"),
        ("invoice_creation[enabled]", "true"),
        ("invoice_creation[invoice_data][description]", "Thank you"),
        SUCCESS,
    ];
    let open = made(&shop.world, "/v1/checkout/sessions", &params).await;
    let done = confirm(&shop.world, &open, "pm_card_visa").await;
    let invoice = shop.world.get(&format!("/v1/invoices/{}", text(&done["invoice"]))).await.json();
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"], &invoice["parent"], &invoice["total"]),
        (&json!("paid"), &json!("manual"), &json!(null), &json!(1_000))
    );
    assert_eq!(invoice["description"], json!("Thank you"));
    let kinds = shop.world.event_types().await;
    assert_eq!(count(&kinds, "invoice.paid"), 1);
    shop.world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_asks_for_the_customer_starts_it_after_the_challenge_and_then_renews_alone() {
    let shop = Shop::open("").await;
    let open = session(&shop, &[("customer", &shop.customer)]).await;
    let waiting = confirm(&shop.world, &open, "pm_card_authenticationRequiredOnSetup").await;
    assert_eq!((&waiting["status"], &waiting["subscription"]), (&json!("open"), &json!(null)));
    let path = format!("/_sandbox/sessions/{}/challenge", text(&open["id"]));
    let done = shop.world.control(&path, r#"{"outcome": "passed"}"#).await.json();
    assert_eq!(shop.subscription(&done["subscription"]).await["status"], json!("active"));
    shop.advance(json!({ "to_renewal": true })).await;
    assert_eq!(shop.invoices().await[0]["status"], json!("paid"), "it was set up for charges off session");
    shop.world.sandbox.stop().await;
}
