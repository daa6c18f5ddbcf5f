//! The exact parameters of the request that opens a checkout.

use serde_json::{Value, json};

use crate::support::app::SUCCESS_URL;
use crate::support::{Backend, Options, TestApp};

/// Opens one checkout. Returns the request that Stripe got.
async fn asked(options: Options, credits: i64) -> Value {
    let app = TestApp::start_with(Backend::Sqlite, options).await;
    app.checkout("user_1", credits).await.expect(200);
    let request = app.stripe.checkout_requests().await.remove(0);
    app.finish().await;
    request["params"].clone()
}

fn line(name: &str, unit_amount: &str, quantity: &str, currency: &str) -> Value {
    json!({
        "price_data": { "currency": currency, "product_data": { "name": name }, "unit_amount": unit_amount },
        "quantity": quantity,
    })
}

#[tokio::test]
async fn stripe_is_asked_for_exactly_what_was_agreed() {
    let app = TestApp::start(Backend::Sqlite).await;
    let now = topup::ports::Clock::now_ms(&*app.clock) / 1_000;
    let opened = app.checkout("user_1", 250).await.expect(200);
    let requests = app.stripe.requests().await;
    assert_eq!(requests.len(), 1, "nothing else is called");
    let mut params = requests[0]["params"].clone();
    let topup = params["metadata"]["topupId"].as_str().expect("an id").to_owned();
    assert_eq!(requests[0]["idempotency_key"], format!("{topup}-1"));
    let expires_at: i64 = params["expires_at"].as_str().expect("a time").parse().expect("a number");
    assert!((now + 3_600..=now + 3_660).contains(&expires_at), "{expires_at} is not in an hour");
    params.as_object_mut().expect("an object").remove("expires_at");
    let seal = |key: &str| params["metadata"][key].as_str().expect("a seal").to_owned();
    let (terms, signature) = (seal("terms"), seal("signature"));
    let metadata = json!({ "accountId": "user_1", "credits": "250", "purpose": "credits_topup", "topupId": topup,
        "terms": terms, "signature": signature });
    assert!(
        terms.contains("\"unit\":1,\"per\":1,\"fee\":39,\"mode\":\"gross_up\",\"rate\":\"2.9\",\"fixed\":30"),
        "{terms}"
    );
    // All parameters: a new one must be added here, and none may change the total.
    let expected = json!({
        "mode": "payment",
        "line_items": { "0": line("Credits", "1", "250", "usd"), "1": line("Processing fee", "39", "1", "usd") },
        "client_reference_id": "user_1",
        "metadata": metadata,
        "payment_intent_data": { "description": format!("250 credits for user_1 ({topup})"), "metadata": metadata },
        "adaptive_pricing": { "enabled": "false" },
        "after_expiration": { "recovery": { "enabled": "false" } },
        "allow_promotion_codes": "false",
        "automatic_tax": { "enabled": "false" },
        "billing_address_collection": "auto",
        "consent_collection": { "promotions": "none", "terms_of_service": "none" },
        "customer_creation": "if_required",
        "invoice_creation": { "enabled": "false" },
        "managed_payments": { "enabled": "false" },
        "name_collection": { "business": { "enabled": "false" }, "individual": { "enabled": "false" } },
        "phone_number_collection": { "enabled": "false" },
        "tax_id_collection": { "enabled": "false" },
        "wallet_options": { "link": { "display": "never" } },
        "allowed_payment_method_types": { "0": "card" },
        "success_url": SUCCESS_URL,
    });
    assert_eq!(params, expected);
    let session = app.stripe.get(&format!("/v1/checkout/sessions/{}", opened["id"].as_str().expect("an id"))).await;
    assert_eq!((&session["amount_total"], &session["currency"]), (&289.into(), &"usd".into()));
    assert_eq!(app.stripe.pay(session["id"].as_str().expect("an id"), "pm_card_visa").await.0, 200);
    let payment = app.payment_of(session["id"].as_str().expect("an id")).await;
    let payment = app.stripe.get(&format!("/v1/payment_intents/{payment}")).await;
    assert_eq!(payment["description"], format!("250 credits for user_1 ({topup})"), "what support reads at Stripe");
    app.finish().await;
}

#[tokio::test]
async fn link_stays_where_it_is_offered() {
    for (methods, display) in [("card", "never"), ("card,link", "auto"), ("dashboard", "auto")] {
        let params = asked(Options::default().setting("PAYMENT_METHODS", methods), 250).await;
        assert_eq!(params["wallet_options"]["link"]["display"], display, "{methods}");
    }
}

/// Known mistake 36: what the account's owner switched on in Stripe's dashboard does not change what was agreed.
#[tokio::test]
async fn the_account_s_own_defaults_change_nothing_of_a_purchase() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.stripe.control("account/all", json!({})).await;
    // They are on: a checkout that does not set these options gets them.
    let form = [
        ("mode", "payment"),
        ("success_url", "https://shop.test/"),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1000"),
        ("line_items[0][price_data][product_data][name]", "Thing"),
    ];
    let (status, other) = app.stripe.post("/v1/checkout/sessions", &form).await;
    assert_eq!((status, &other["automatic_tax"]["enabled"]), (200, &true.into()), "{other}");
    let confirm = format!("/v1/payment_pages/{}/confirm", other["id"].as_str().expect("an id"));
    let (status, paid) =
        app.stripe.post(&confirm, &[("payment_method", "pm_card_visa"), ("expected_amount", "1000")]).await;
    assert_eq!(
        (status, &paid["amount_total"], &paid["total_details"]["amount_tax"]),
        (200, &1_100.into(), &100.into())
    );

    let (session, event) = app.pay_session("user_1", 250).await;
    app.deliver(&event).await.expect(200);
    assert_eq!(app.credits("user_1").await, 250);
    let session = app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
    assert_eq!((&session["amount_total"], &session["total_details"]["amount_tax"]), (&289.into(), &0.into()));
    for off in ["automatic_tax", "adaptive_pricing", "invoice_creation", "managed_payments", "phone_number_collection"]
    {
        assert_eq!((&session[off]["enabled"], &other[off]["enabled"]), (&false.into(), &true.into()), "{off}");
    }
    for said in [
        "allow_promotion_codes",
        "billing_address_collection",
        "consent_collection",
        "customer_creation",
        "name_collection",
        "tax_id_collection",
        "after_expiration",
        "wallet_options",
    ] {
        assert!(!session[said].is_null() && session[said] != other[said], "{said}: {}", session[said]);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_currency_of_large_numbers_can_be_charged_large_numbers() {
    let options = Options::default().setting("CURRENCY", "idr").setting("CREDIT_UNIT_AMOUNT", "1600000");
    let app =
        TestApp::start_with(Backend::Sqlite, options.setting("FEE_FIXED", "0").setting("MAX_CREDITS", "600000")).await;
    let (_, event) = app.pay_session("user_1", 500_000).await;
    app.deliver(&event).await.expect(200);
    assert_eq!(app.credits("user_1").await, 500_000);
    assert_eq!(event["data"]["object"]["amount_total"], 823_892_893_924_i64);
    app.finish().await;
}

#[tokio::test]
async fn an_absorbed_fee_is_no_line() {
    let params = asked(Options::default().setting("FEE_MODE", "absorb"), 250).await;
    assert_eq!(params["line_items"], json!({ "0": line("Credits", "1", "250", "usd") }));
}

#[tokio::test]
async fn the_operator_names_the_fee_and_the_price() {
    let options = Options::default().setting("FEE_LABEL", "Zahlungsgebühr").setting("CREDIT_UNIT_AMOUNT", "5");
    let options = options.setting("CURRENCY", "eur").setting("FEE_RATE_PERCENT", "1.5").setting("FEE_FIXED", "25");
    let params = asked(options, 100).await;
    // (500 + 25) / 0.985 = 532.99…
    let expected = json!({ "0": line("Credits", "5", "100", "eur"), "1": line("Zahlungsgebühr", "33", "1", "eur") });
    assert_eq!(params["line_items"], expected);
}

/// Known mistake 13.
#[tokio::test]
async fn a_currency_without_cents_is_not_charged_a_hundred_times_too_much() {
    let options = Options::default().setting("CURRENCY", "jpy").setting("CREDIT_UNIT_AMOUNT", "2");
    let app = TestApp::start_with(Backend::Sqlite, options.setting("FEE_FIXED", "0")).await;
    let id = app.open_session("user_1", 100).await;
    let params = &app.stripe.checkout_requests().await[0]["params"];
    // 200 yen / 0.971 = 205.97…
    let expected = json!({ "0": line("Credits", "2", "100", "jpy"), "1": line("Processing fee", "6", "1", "jpy") });
    assert_eq!(params["line_items"], expected);
    assert_eq!(app.stripe.get(&format!("/v1/checkout/sessions/{id}")).await["amount_total"], 206);
    app.finish().await;
}

/// Known mistake 13, the other way round.
#[tokio::test]
async fn a_currency_of_thousandths_is_charged_in_steps_of_ten() {
    let options = Options::default().setting("CURRENCY", "kwd").setting("CREDIT_UNIT_AMOUNT", "10");
    let params = asked(options.setting("FEE_FIXED", "100"), 100).await;
    // (1000 + 100) / 0.971 = 1132.8…, rounded up to the next ten.
    let expected = json!({ "0": line("Credits", "10", "100", "kwd"), "1": line("Processing fee", "140", "1", "kwd") });
    assert_eq!(params["line_items"], expected);
}

#[tokio::test]
async fn payment_methods_are_the_operators_choice() {
    let params = asked(Options::default().setting("PAYMENT_METHODS", "card,us_bank_account"), 250).await;
    assert_eq!(params["allowed_payment_method_types"], json!({ "0": "card", "1": "us_bank_account" }));
    let params = asked(Options::default().setting("PAYMENT_METHODS", "dashboard"), 250).await;
    assert_eq!(params["allowed_payment_method_types"], Value::Null);
    assert_eq!(params["payment_method_types"], Value::Null);
}

#[tokio::test]
async fn the_life_of_a_checkout_stays_within_stripes_limits() {
    // Stripe allows 30 minutes to 24 hours by its own clock; one minute at either end is for latency.
    for (minutes, seconds) in [("30", 31 * 60), ("45", 45 * 60), ("1440", 1_439 * 60)] {
        let options = Options::default().setting("CHECKOUT_EXPIRES_MINUTES", minutes);
        let app = TestApp::start_with(Backend::Sqlite, options).await;
        let now = topup::ports::Clock::now_ms(&*app.clock) / 1_000;
        app.open_session("user_1", 250).await;
        let params = &app.stripe.checkout_requests().await[0]["params"];
        let expires_at: i64 = params["expires_at"].as_str().expect("a time").parse().expect("a number");
        assert!((now + seconds..=now + seconds + 30).contains(&expires_at), "{minutes} minutes");
        app.finish().await;
    }
}
