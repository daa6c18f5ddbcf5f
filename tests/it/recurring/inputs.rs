//! Bad input at each route: an error that names the field and the way out; and who may ask.

use reqwest::Method;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, PAGE, Shop, rules};
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::{Options, TestApp};

fn routes() -> Vec<(Method, &'static str, Option<Value>)> {
    vec![
        (Method::GET, "/payment-methods", None),
        (Method::POST, "/payment-methods/sessions", Some(json!({ "successUrl": PAGE }))),
        (Method::PUT, "/payment-methods/default", Some(json!({ "paymentMethodId": "pm_1" }))),
        (Method::DELETE, "/payment-methods/pm_1", None),
        (Method::GET, "/auto-topup", None),
        (Method::PUT, "/auto-topup", Some(rules(json!({})))),
        (Method::POST, "/auto-topup/recovery", Some(json!({ "successUrl": PAGE }))),
    ]
}

async fn ask(
    app: &TestApp,
    method: &Method,
    path: &str,
    body: Option<&Value>,
    key: Option<&str>,
) -> crate::support::Answer {
    let request = http_client().request(method.clone(), format!("{}{path}", app.url));
    let request = match key {
        Some(key) => request.header("x-api-key", key),
        None => request,
    };
    app.send(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

on_both_databases! {
    async fn only_the_customer_and_servers_with_the_scope_may_ask(backend: Backend) {
        let shop = Shop::open(backend).await;
        let key = async |scopes: &[Scope], account| crate::spending::http::api_key(&shop.app, scopes, account).await;
        let weak = key(&[Scope::Spend, Scope::Read], None).await;
        let bound = key(&[Scope::Checkout], Some("user_2")).await;
        let free = key(&[Scope::Checkout], None).await;
        for (method, path, body) in routes() {
            ask(&shop.app, &method, path, body.as_ref(), None).await.expect_problem(401, "missing_credentials");
            ask(&shop.app, &method, path, body.as_ref(), Some(&weak)).await.expect_problem(403, "scope_missing");
            let unnamed = ask(&shop.app, &method, path, body.as_ref(), Some(&free)).await;
            let problem = unnamed.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], "accountId", "{path}");
            let (path, body) = match body {
                Some(mut body) => {
                    body["accountId"] = json!(ACCOUNT);
                    (path.to_owned(), Some(body))
                }
                None => (format!("{path}?accountId={ACCOUNT}"), None),
            };
            ask(&shop.app, &method, &path, body.as_ref(), Some(&bound)).await.expect_problem(403, "account_forbidden");
        }
        shop.finish().await;
    }

    async fn without_the_settings_nothing_is_saved_or_charged(backend: Backend) {
        let app = TestApp::start(backend).await;
        let ask = async |method: Method, path: &str, body: Option<Value>| {
            let request = http_client().request(method, format!("{}{path}", app.url)).bearer_auth(app.token(ACCOUNT));
            app.send(match body {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
        };
        for (method, path, body) in routes() {
            ask(method, path, body).await.expect_problem(409, "saved_cards_off");
        }
        let body = json!({ "credits": 250, "successUrl": PAGE, "saveCard": true });
        let problem = ask(Method::POST, "/credits/sessions", Some(body)).await.expect_problem(400, "invalid_request");
        assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&json!("saveCard"), &json!("saved_cards_off")));
        assert!(app.stripe.sessions().await.is_empty());
        app.finish().await;

        let app = TestApp::start_with(backend, Options::default().setting("SAVED_CARDS", "on")).await;
        let request = http_client().get(format!("{}/auto-topup", app.url)).bearer_auth(app.token(ACCOUNT));
        app.send(request).await.expect_problem(409, "auto_topup_off");
        app.finish().await;
    }

    async fn wrong_rules_are_named_and_nothing_is_stored(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.card(ACCOUNT, "pm_card_visa").await;
        for (changes, field) in [
            (json!({ "enabled": null }), "enabled"),
            (json!({ "thresholdCredits": null }), "thresholdCredits"),
            (json!({ "thresholdCredits": 0 }), "thresholdCredits"),
            (json!({ "thresholdCredits": -1 }), "thresholdCredits"),
            (json!({ "thresholdCredits": 9_007_199_254_740_992_i64 }), "thresholdCredits"),
            (json!({ "credits": null }), "credits"),
            (json!({ "credits": 1 }), "credits"),
            (json!({ "credits": 0 }), "credits"),
            (json!({ "credits": 100_000_000 }), "credits"),
            (json!({ "maxPerDay": null }), "maxPerDay"),
            (json!({ "maxPerDay": 0 }), "maxPerDay"),
            (json!({ "maxPerDay": 101 }), "maxPerDay"),
            (json!({ "maxPerMonthMinor": null }), "maxPerMonthMinor"),
            (json!({ "maxPerMonthMinor": 0 }), "maxPerMonthMinor"),
            (json!({ "maxPerMonthMinor": 5 }), "maxPerMonthMinor"),
            (json!({ "paymentMethodId": "" }), "paymentMethodId"),
            (json!({ "paymentMethodId": "../customers" }), "paymentMethodId"),
            (json!({ "returnUrl": "https://evil.example.net/" }), "returnUrl"),
            (json!({ "consent": null }), "consent"),
            (json!({ "consent": { "textVersion": "" } }), "consent.textVersion"),
            (json!({ "consent": { "textVersion": "x".repeat(101) } }), "consent.textVersion"),
        ] {
            let problem = shop.turn_on(ACCOUNT, changes.clone()).await.expect_problem(400, "invalid_request");
            let fields: Vec<&Value> = problem["errors"].as_array().expect("a list").iter().map(|error| &error["field"]).collect();
            assert!(fields.contains(&&json!(field)), "{changes}: {problem}");
        }
        for changes in [json!({ "unknown": 1 }), json!({ "credits": "1000" }), json!({ "credits": 1.5 }), json!({ "consent": {} })] {
            let answer = shop.turn_on(ACCOUNT, changes.clone()).await;
            assert_eq!(answer.status, 400, "{changes}: {}", answer.body);
        }
        shop.turn_on(ACCOUNT, json!({ "paymentMethodId": "pm_unknown" })).await.expect_problem(409, "no_saved_card");
        shop.turn_on("user_2", json!({})).await.expect_problem(409, "no_saved_card");
        assert_eq!(shop.auto_topup(ACCOUNT).await["state"], "off");
        shop.customer(ACCOUNT, Method::PUT, "/auto-topup", Some(json!({ "enabled": false }))).await.expect(200);
        assert_eq!(shop.auto_topup(ACCOUNT).await["rules"], json!(null));
        assert!(shop.charges().await.is_empty());
        shop.finish().await;
    }

    async fn wrong_pages_are_named(backend: Backend) {
        let shop = Shop::open(backend).await;
        for path in ["/payment-methods/sessions", "/auto-topup/recovery"] {
            for (body, field) in [
                (json!({}), "successUrl"),
                (json!({ "successUrl": "" }), "successUrl"),
                (json!({ "successUrl": "https://evil.example.net/" }), "successUrl"),
                (json!({ "successUrl": PAGE, "cancelUrl": "javascript:alert(1)" }), "cancelUrl"),
            ] {
                let problem = shop.customer(ACCOUNT, Method::POST, path, Some(body.clone())).await;
                let problem = problem.expect_problem(400, "invalid_request");
                assert_eq!(problem["errors"][0]["field"], field, "{path} {body}");
            }
        }
        assert!(shop.app.stripe.sessions().await.is_empty());
        let body = json!({ "successUrl": PAGE });
        let none = shop.customer(ACCOUNT, Method::POST, "/auto-topup/recovery", Some(body)).await;
        none.expect_problem(409, "recovery_not_needed");
        shop.finish().await;
    }

    async fn the_consent_is_kept_with_where_it_came_from(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        let account = topup::domain::account::AccountId::parse(ACCOUNT).expect("an account");
        let stored = async || shop.app.app.db.auto_topup(&account).await.expect("readable").expect("stored");
        let auto = stored().await;
        assert_eq!((auto.consent.version.as_str(), auto.consent.by.as_str()), ("2026-11-30", "customer"));
        assert_eq!((auto.consent.ip.as_deref(), auto.consent.agent.as_deref()), (Some("127.0.0.1"), Some("a browser")));
        let consent = json!({ "textVersion": "2", "ip": "203.0.113.7", "userAgent": "their browser" });
        // A customer cannot say where the request came from.
        shop.turn_on(ACCOUNT, json!({ "consent": consent })).await.expect(200);
        assert_eq!(stored().await.consent.ip.as_deref(), Some("127.0.0.1"));
        let body = rules(json!({ "consent": consent, "accountId": ACCOUNT }));
        let auto = shop.ask(Method::PUT, "/auto-topup", Some(body)).await.expect(200);
        assert_eq!(auto["rules"]["consent"]["textVersion"], "2");
        let auto = stored().await;
        assert_eq!((auto.consent.ip.as_deref(), auto.consent.agent.as_deref()), (Some("203.0.113.7"), Some("their browser")));
        assert!(auto.consent.by.starts_with("key_"), "{}", auto.consent.by);
        shop.finish().await;
    }
}
