//! Checkout sessions over the API: their fields, and every validation error with Stripe's message.

use reqwest::Method;
use serde_json::json;

use crate::support::{SESSION, session_with, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_is_open_and_has_a_page() {
    let world = start().await;
    let answer = world.post("/v1/checkout/sessions", SESSION).await;
    let session = answer.json();
    let id = session["id"].as_str().unwrap();
    assert!(id.starts_with("cs_test_"), "{id}");
    assert_eq!(session["url"], json!(world.url(&format!("/c/pay/{id}"))));
    assert_eq!(session["amount_total"], json!(289));
    assert_eq!(session["currency"], json!("usd"));
    assert_eq!(session["status"], json!("open"));
    assert_eq!(session["payment_status"], json!("unpaid"));
    assert_eq!(session["payment_intent"], json!(null));
    assert_eq!(session["metadata"], json!({ "topupId": "topup_1" }));
    assert_eq!(session["client_reference_id"], json!("account-1"));
    assert_eq!(session.get("line_items"), None, "line items come on request only");
    let created = session["created"].as_i64().unwrap();
    assert_eq!(session["expires_at"], json!(created + 86_400));
    assert!(answer.header("request-id").starts_with("req_"));
    assert_eq!(answer.header("stripe-version"), stripe_sandbox::DEFAULT_API_VERSION);
    let again = world.get(&format!("/v1/checkout/sessions/{id}")).await.json();
    assert_eq!(again, session);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_items_come_in_the_order_in_which_they_were_given() {
    let world = start().await;
    let id = world.session().await;
    let items = world.get(&format!("/v1/checkout/sessions/{id}/line_items")).await.json();
    assert_eq!(items["data"][0]["description"], json!("Credits"));
    assert_eq!(items["data"][0]["amount_total"], json!(250));
    assert_eq!(items["data"][0]["quantity"], json!(250));
    assert_eq!(items["data"][1]["amount_total"], json!(39));
    let first = items["data"][0]["id"].as_str().unwrap();
    let rest = world.get(&format!("/v1/checkout/sessions/{id}/line_items?starting_after={first}")).await.json();
    assert_eq!(rest["data"][0]["description"], json!("Processing fee"));
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
    let path = format!("/v1/checkout/sessions/{id}?expand[]=line_items.data.price.product");
    let expanded = world.get(&path).await.json();
    assert_eq!(expanded["line_items"]["data"][0]["price"]["product"]["name"], json!("Credits"));
    world.sandbox.stop().await;
}

type Changes = &'static [(&'static str, &'static str)];

/// Changes to a valid request and the resulting error: code, param, part of the message.
const REFUSALS: &[(Changes, &str, &str, &str)] = &[
    (&[("mode", "-")], "parameter_missing", "mode", "Missing required param: mode."),
    (&[("mode", "pay")], "", "mode", "Invalid mode: must be one of payment, setup, or subscription"),
    (
        &[("mode", "subscription")],
        "",
        "payment_intent_data",
        "can not pass `payment_intent_data` in `subscription` mode",
    ),
    (&[("success_url", "-")], "parameter_missing", "success_url", "Missing required param: success_url."),
    (
        &[("success_url", "/return")],
        "url_invalid",
        "success_url",
        "An explicit scheme (such as https) must be provided",
    ),
    (&[("success_url", "http://")], "url_invalid", "success_url", "Not a valid URL"),
    (&[("success_url", "javascript:alert(1)")], "url_invalid", "success_url", "Not a valid URL"),
    (&[("success_url", "http://a b/")], "url_invalid", "success_url", "Not a valid URL"),
    (&[("cancel_url", "nope")], "url_invalid", "cancel_url", "explicit scheme"),
    (&[("foo", "1")], "parameter_unknown", "foo", "Received unknown parameter: foo"),
    (&[("foo", "1"), ("bar", "1")], "parameter_unknown", "bar", "Received unknown parameters: bar, foo"),
    (
        &[("line_items[0][price_data][bar]", "1")],
        "parameter_unknown",
        "line_items[0][price_data][bar]",
        "Received unknown parameter: line_items[0][price_data][bar]",
    ),
    (&[("discounts[0][coupon]", "x")], "", "discounts", "does not support `discounts`"),
    (&[("managed_payments[enabled]", "true")], "", "managed_payments[enabled]", "does not support"),
    (&[("customer", "cus_1")], "resource_missing", "customer", "No such customer: 'cus_1'"),
    (&[("customer_email", "nobody")], "email_invalid", "customer_email", "Invalid email address: nobody"),
    (
        &[("client_reference_id", "")],
        "parameter_invalid_empty",
        "client_reference_id",
        "You passed an empty string for 'client_reference_id'. We assume empty values are an attempt to unset",
    ),
    (&[("adaptive_pricing[enabled]", "no")], "", "adaptive_pricing[enabled]", "Invalid boolean: no"),
    (&[("adaptive_pricing", "false"), ("adaptive_pricing[enabled]", "-")], "", "adaptive_pricing", "Invalid object"),
    (&[("line_items[0][quantity]", "-")], "parameter_missing", "line_items[0][quantity]", "Quantity is required."),
    (
        &[("line_items[0][quantity]", "0")],
        "parameter_invalid_integer",
        "line_items[0][quantity]",
        "greater than or equal to 1",
    ),
    (
        &[("line_items[0][quantity]", "1.5")],
        "parameter_invalid_integer",
        "line_items[0][quantity]",
        "Invalid integer: 1.5",
    ),
    (
        &[("line_items[0][price_data][unit_amount]", "-1"), ("line_items[0][quantity]", "-")],
        "parameter_invalid_integer",
        "line_items[0][price_data][unit_amount]",
        "This value must be greater than or equal to 0.",
    ),
    (
        &[("line_items[0][price_data][unit_amount]", "-")],
        "parameter_missing",
        "line_items[0][price_data][unit_amount]",
        "Missing required param",
    ),
    (
        &[("line_items[0][price_data][currency]", "xxx")],
        "",
        "line_items[0][price_data][currency]",
        "Invalid currency: xxx. Stripe currently supports these currencies: usd, aed",
    ),
    (
        &[("line_items[1][price_data][currency]", "eur")],
        "",
        "line_items[1][price_data][currency]",
        "All line items must have the same currency",
    ),
    (
        &[("line_items[0][price_data][product_data][name]", "-")],
        "parameter_missing",
        "line_items[0][price_data][product_data]",
        "Missing required param",
    ),
    (
        &[("line_items[0][quantity]", "10")],
        "amount_too_small",
        "",
        "The Checkout Session's total amount due must add up to at least $0.50 usd",
    ),
    (&[("line_items[0][quantity]", "99999961")], "amount_too_large", "", "no more than $999,999.99 usd"),
    (&[("line_items[0][quantity]", "9223372036854775807")], "amount_too_large", "", "no more than"),
    (&[("expires_at", "5")], "", "expires_at", "must be at least 30 minutes from Checkout Session creation."),
    (&[("expires_at", "9999999999")], "", "expires_at", "must be less than 24 hours from Checkout Session creation."),
    (&[("expand[]", "nothing")], "", "expand", "This property cannot be expanded (nothing)."),
    (&[("metadata", "x"), ("metadata[topupId]", "-")], "", "metadata", "Invalid object"),
    (&[("line_items", "x")], "", "", "given twice in different shapes"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_stripe_refuses_is_refused_in_its_words() {
    let world = start().await;
    for (changes, code, param, message) in REFUSALS {
        let answer = world.post("/v1/checkout/sessions", &session_with(changes)).await;
        let (status, got_code, got_param, got_message) = answer.error();
        assert_eq!(status, 400, "{changes:?}: {}", answer.text);
        assert_eq!(got_code, *code, "{changes:?}: {}", answer.text);
        assert!(got_message.contains(message), "{changes:?}: {got_message}");
        if !param.is_empty() {
            assert_eq!(got_param, *param, "{changes:?}");
        }
    }
    let sessions = world.get("/v1/checkout/sessions").await.json();
    assert_eq!(sessions["data"], json!([]), "a refused request leaves nothing behind");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_stripes_limits() {
    let world = start().await;
    let (just_right, too_long) = ("v".repeat(500), "v".repeat(501));
    let (key_right, key_long) = (format!("metadata[{}]", "k".repeat(40)), format!("metadata[{}]", "k".repeat(41)));
    let (reference, long_reference) = ("r".repeat(200), "r".repeat(201));
    let long_url = format!("https://example.com/{}", "u".repeat(5_000));
    let cases: &[(&str, &str, u16, &str)] = &[
        ("metadata[a]", &just_right, 200, ""),
        (
            "metadata[a]",
            &too_long,
            400,
            "Metadata values can have up to 500 characters, but you passed in a value that is 501",
        ),
        (&key_right, "1", 200, ""),
        (&key_long, "1", 400, "Metadata keys can have up to 40 characters, but you passed in a key that is 41"),
        ("client_reference_id", &reference, 200, ""),
        ("client_reference_id", &long_reference, 400, "must be at most 200 characters"),
        ("success_url", &long_url, 400, "URL must be 5000 characters or less"),
    ];
    for (name, value, status, message) in cases {
        let answer = world.post("/v1/checkout/sessions", &session_with(&[(name, value)])).await;
        assert_eq!(answer.status, *status, "{name}: {}", answer.text);
        assert!(*status == 200 || answer.error().3.contains(message), "{}", answer.text);
    }
    let names: Vec<String> = (0..50).map(|n| format!("metadata[k{n}]")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let answer = world.post("/v1/checkout/sessions", &session_with(&many)).await;
    assert!(answer.error().3.contains("Metadata can have up to 50 keys, but you've set 51"), "{}", answer.text);
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_keep_to_the_step_and_the_minimum_of_their_currency() {
    let world = start().await;
    for (currency, amount, status) in [
        ("jpy", "50", 200),
        ("jpy", "49", 400),
        ("kwd", "1230", 200),
        ("kwd", "1234", 400),
        ("isk", "50000", 200),
        ("isk", "50050", 400),
        ("gbp", "30", 200),
        ("gbp", "29", 400),
        ("huf", "17499", 400),
        ("USD", "50", 200),
    ] {
        let params = session_with(&[
            ("line_items[0][price_data][currency]", currency),
            ("line_items[0][price_data][unit_amount]", amount),
            ("line_items[0][quantity]", "1"),
            ("line_items[1][price_data][currency]", "-"),
            ("line_items[1][price_data][unit_amount]", "-"),
            ("line_items[1][price_data][product_data][name]", "-"),
            ("line_items[1][quantity]", "-"),
        ]);
        let answer = world.post("/v1/checkout/sessions", &params).await;
        assert_eq!(answer.status, status, "{amount} {currency}: {}", answer.text);
    }
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_decides_how_payment_methods_are_named() {
    let world = start().await;
    for (version, name, status) in [
        ("2026-10-28.endive", "allowed_payment_method_types[0]", 200),
        ("2026-09-30.endive", "allowed_payment_method_types[0]", 200),
        ("2026-09-30.endive", "payment_method_types[0]", 400),
        ("2026-08-26.dahlia", "payment_method_types[0]", 200),
        ("2024-06-20", "payment_method_types[0]", 200),
        ("2024-06-20", "allowed_payment_method_types[0]", 400),
        ("2027-01-01.fig", "allowed_payment_method_types[0]", 200),
    ] {
        let params = session_with(&[(name, "card")]);
        let headers = [("stripe-version", version)];
        let answer = world.send(Method::POST, "/v1/checkout/sessions", &params, &headers).await.unwrap();
        assert_eq!(answer.status, status, "{version} {name}: {}", answer.text);
        assert_eq!(answer.header("stripe-version"), version);
        if status == 200 {
            assert_eq!(answer.json()["payment_method_types"], json!(["card"]));
            let mode = if version < "2026-03-25" { "hosted" } else { "hosted_page" };
            assert_eq!(answer.json()["ui_mode"], json!(mode), "{version}");
        }
    }
    let connected = [("stripe-account", "acct_1")];
    let answer = world.send(Method::GET, "/v1/events", &[], &connected).await.unwrap();
    assert!(answer.error().3.contains("does not support connected accounts"), "{}", answer.text);
    let answer = world.send(Method::GET, "/v1/events", &[], &[("stripe-version", "yesterday")]).await.unwrap();
    assert_eq!(answer.error().3, "Invalid Stripe API version: yesterday");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_401_and_an_unknown_id_404() {
    let world = start().await;
    let wrong = [("authorization", "Bearer sk_test_wrong_0000abcd")];
    let answer = world.send(Method::GET, "/v1/checkout/sessions", &[], &wrong).await.unwrap();
    assert_eq!((answer.status, answer.error().3.as_str()), (401, "Invalid API Key provided: sk_test_**********abcd"));
    let none = [("authorization", "")];
    let answer = world.send(Method::GET, "/v1/checkout/sessions", &[], &none).await.unwrap();
    assert!(answer.status == 401 && answer.error().3.starts_with("You did not provide an API key."));
    for (path, message) in [
        ("/v1/checkout/sessions/cs_test_x", "No such checkout.session: 'cs_test_x'"),
        ("/v1/checkout/sessions/cs_test_x/line_items", "No such checkout.session: 'cs_test_x'"),
        ("/v1/payment_pages/cs_test_x", "No such checkout.session: 'cs_test_x'"),
        ("/v1/payment_intents/pi_x", "No such payment_intent: 'pi_x'"),
        ("/v1/charges/ch_x", "No such charge: 'ch_x'"),
        ("/v1/balance_transactions/txn_x", "No such balance transaction: 'txn_x'"),
        ("/v1/events/evt_x", "No such event: 'evt_x'"),
        ("/v1/webhook_endpoints/we_x", "No such webhook endpoint: 'we_x'"),
    ] {
        let (status, code, _, got) = world.get(path).await.error();
        assert_eq!((status, code.as_str(), got.as_str()), (404, "resource_missing", message));
    }
    let answer = world.get("/v1/checkout/sessions/").await;
    assert!(answer.status == 404 && answer.error().3.contains("remove the trailing slash"), "{}", answer.text);
    let answer = world.get("/v1/nothing").await;
    assert!(answer.error().3.starts_with("Unrecognized request URL (GET: /v1/nothing)."), "{}", answer.text);
    let log = answer.json()["error"]["request_log_url"].as_str().unwrap().to_owned();
    let expected = format!("https://dashboard.stripe.com/test/logs/{}?t=", answer.header("request-id"));
    assert!(log.starts_with(&expected), "{log}");
    world.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_open_session_can_be_expired() {
    let world = start().await;
    let id = world.session().await;
    let path = format!("/v1/checkout/sessions/{id}/expire");
    let expired = world.post(&path, &[]).await.json();
    assert_eq!((&expired["status"], &expired["url"]), (&json!("expired"), &json!(null)));
    assert_eq!(world.event_types().await, ["checkout.session.expired"]);
    let answer = world.post(&path, &[]).await;
    assert_eq!(
        answer.error().3,
        "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
         `expired`."
    );
    assert_eq!(world.event_types().await.len(), 1);
    assert_eq!(world.confirm(&id, "pm_card_visa").await.status, 400);
    world.sandbox.stop().await;
}
