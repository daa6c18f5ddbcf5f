//! Payments whose amount differs from the agreed one and still covers it. Known mistake 36: their customers are not
//! left without credits.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::command::webhooks;
use super::{api_key, get, replay};
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::stripe::thin_of;
use crate::support::{Answer, Options, TestApp};

/// A paid purchase to which tax was added at Stripe. Returns its event.
async fn taxed_purchase(app: &TestApp, account: &str, total: i64, tax: i64) -> Value {
    let (_, mut event) = app.pay_session(account, 250).await;
    let session = &mut event["data"]["object"];
    session["amount_total"] = json!(total);
    session["total_details"]["amount_tax"] = json!(tax);
    app.deliver(&event).await.expect(200);
    assert_eq!(app.credits(account).await, 0);
    event
}

/// A paid purchase for which the customer was charged more than agreed. `delivered` derives the delivered event from
/// the real one. Returns the real one.
async fn dearer_purchase(app: &TestApp, account: &str, delivered: impl Fn(&Value) -> Value) -> Value {
    let (_, event) = app.pay_session(account, 250).await;
    let cheaper = "UPDATE topups SET fee_amount = fee_amount - 9, total_amount = total_amount - 9";
    app.app.db.execute_raw(cheaper).await.expect("done");
    app.deliver(&delivered(&event)).await.expect(200);
    assert_eq!(app.credits(account).await, 0);
    event
}

async fn accept(app: &TestApp, key: &str, event: &Value, reason: &str) -> Answer {
    let id = event["id"].as_str().expect("an id");
    let request = http_client().post(format!("{}/admin/webhook-events/{id}/accept", app.url));
    app.send(request.header("x-api-key", key).json(&json!({ "reason": reason }))).await
}

on_both_databases! {
    async fn a_taxed_payment_is_shown_and_credited_once_when_it_is_accepted(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let event = taxed_purchase(&app, "user_1", 318, 29).await;
        let open = get(&app, &key, "/admin/webhook-events").await.expect(200);
        let listed = &open["data"][0];
        assert_eq!((&listed["id"], &listed["kind"]), (&event["id"], &json!("permanent")));
        let error = listed["error"].as_str().expect("a text");
        assert!(error.contains("amount_total is 318 but 289 was agreed"), "{error}");
        assert!(error.contains("an operator can accept"), "{error}");

        let accepted = accept(&app, &key, &event, "tax by mistake").await.expect(200);
        assert_eq!((&accepted["outcome"], &accepted["credits"]), (&json!("credited"), &json!(250)));
        assert_eq!((&accepted["agreedAmount"], &accepted["chargedAmount"], &accepted["taxAmount"]), (&json!(289), &json!(318), &json!(29)));
        assert_eq!(accepted["reason"], "tax by mistake");
        assert!(accepted["acceptedBy"].as_str().is_some_and(|name| name.contains("operator")), "{accepted}");
        assert_eq!(app.credits("user_1").await, 250);
        let open = get(&app, &key, "/admin/webhook-events").await.expect(200);
        assert_eq!(open["data"], json!([]), "nothing is left to look at");

        // Repeated by any route: the first answer, and no more credits.
        assert_eq!(accept(&app, &key, &event, "again").await.expect(200), accepted);
        assert_eq!(replay(&app, &key, event["id"].as_str().expect("an id")).await.expect(200)["outcome"], "decided");
        app.deliver(&event).await.expect(200);
        let mut other = event.clone();
        other["id"] = json!("evt_of_the_same_payment");
        app.deliver(&other).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        let open = get(&app, &key, "/admin/webhook-events").await.expect(200);
        assert_eq!(open["data"], json!([]), "a later event of the same payment is no failure");
        app.finish().await;
    }

    async fn accepting_at_once_credits_once(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let event = taxed_purchase(&app, "user_1", 318, 29).await;
        let answers = futures_util::future::join_all((0..8).map(|_| accept(&app, &key, &event, "tax by mistake"))).await;
        for answer in answers {
            assert_eq!(answer.expect(200)["outcome"], "credited");
        }
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn what_leaves_less_or_differs_otherwise_is_not_accepted(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let less = taxed_purchase(&app, "user_1", 318, 30).await;
        let answer = accept(&app, &key, &less, "never").await.expect_problem(409, "not_acceptable");
        assert!(answer["detail"].as_str().is_some_and(|text| text.contains("318 but 289")), "{answer}");
        let (_, mut other) = app.pay_session("user_2", 250).await;
        other["data"]["object"]["currency"] = json!("eur");
        app.deliver(&other).await.expect(200);
        accept(&app, &key, &other, "never").await.expect_problem(409, "not_acceptable");
        accept(&app, &key, &json!({ "id": "evt_unknown" }), "never").await.expect_problem(404, "not_found");
        accept(&app, &key, &less, " ").await.expect_problem(400, "invalid_request");
        let customer = api_key(&app, Scope::Checkout, None).await;
        accept(&app, &customer, &less, "never").await.expect_problem(403, "scope_missing");
        app.app.db.execute_raw("UPDATE failed_webhook_events SET payload = NULL").await.expect("done");
        // The API key may not read the event at Stripe.
        app.stripe.fault(json!({ "path": "/v1/events/*", "kind": "status", "status": 403 })).await;
        accept(&app, &key, &less, "never").await.expect_problem(409, "payload_erased");
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (0, 0));
        app.finish().await;
    }

    async fn what_a_thin_event_or_one_that_is_not_kept_says_is_asked_for(backend: Backend) {
        for days in ["30", "0"] {
            let app = TestApp::start_with(backend, Options::default().setting("WEBHOOK_PAYLOAD_DAYS", days)).await;
            let key = api_key(&app, Scope::Admin, None).await;
            let event = dearer_purchase(&app, "user_1", |event| if days == "0" { event.clone() } else { thin_of(event) }).await;
            let fault = |status: u16| json!({ "path": "/v1/events/*", "kind": "status", "status": status });
            app.stripe.fault(fault(500)).await;
            accept(&app, &key, &event, "tax").await.expect_problem(503, "provider_unavailable");
            assert_eq!(app.credits("user_1").await, 0);
            if days == "30" {
                // The API key may not read events, but the session has the same data.
                app.stripe.fault(fault(403)).await;
            }
            let accepted = accept(&app, &key, &event, "tax").await.expect(200);
            assert_eq!((&accepted["outcome"], &accepted["chargedAmount"]), (&json!("credited"), &json!(289)));
            assert_eq!(accept(&app, &key, &event, "again").await.expect(200), accepted);
            assert_eq!(app.credits("user_1").await, 250);
            app.finish().await;
        }
    }

    async fn what_was_charged_can_all_go_back(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let event = dearer_purchase(&app, "user_1", Value::clone).await;
        let topup = accept(&app, &key, &event, "tax").await.expect(200)["topupId"].clone();
        let path = format!("/admin/topups/{}/refunds", topup.as_str().expect("an id"));
        let refund = async |request: &str, body: Value| {
            let call = http_client().post(format!("{}{path}", app.url)).header("idempotency-key", request);
            app.send(call.header("x-api-key", &key).json(&body)).await
        };
        let reason = "duplicate";
        refund("one", json!({ "amount": 290, "reason": reason })).await.expect_problem(409, "amount_too_large");
        let everything = refund("two", json!({ "reason": reason })).await.expect(200);
        assert_eq!((&everything["amount"], &everything["creditsTaken"]), (&json!(289), &json!(250)));
        refund("three", json!({ "reason": reason })).await.expect_problem(409, "already_refunded");
        assert_eq!(app.credits("user_1").await, 0);
        app.finish().await;
    }

    async fn what_costs_what_was_agreed_is_replayed_and_not_accepted(backend: Backend) {
        let app = TestApp::start(backend).await;
        let key = api_key(&app, Scope::Admin, None).await;
        let (_, mut event) = app.pay_session("user_1", 250).await;
        event["data"]["object"]["total_details"]["amount_tax"] = json!(46);
        app.app.db.execute_raw("UPDATE topups SET livemode = 1 - livemode").await.expect("done");
        app.deliver(&event).await.expect(200);
        app.app.db.execute_raw("UPDATE topups SET livemode = 1 - livemode").await.expect("done");
        accept(&app, &key, &event, "never").await.expect_problem(409, "not_acceptable");
        replay(&app, &key, event["id"].as_str().expect("an id")).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn the_command_accepts_too(backend: Backend) {
        let app = TestApp::start(backend).await;
        let event = taxed_purchase(&app, "user_1", 318, 29).await;
        let id = event["id"].as_str().expect("an id");
        let (well, output, said) = webhooks(&app, &["accept", id, "--reason", "tax by mistake"]).await;
        assert!(well && output.contains("credited") && output.contains("250 credits"), "{output} {said}");
        assert_eq!(app.credits("user_1").await, 250);
        let (well, output, said) = webhooks(&app, &["accept", id, "--reason", "again", "--json"]).await;
        let printed: Value = serde_json::from_str(&output).expect("JSON");
        let key = api_key(&app, Scope::Admin, None).await;
        assert!(well && printed == accept(&app, &key, &event, "again").await.expect(200), "{output} {said}");
        let accepted = app.app.db.accepted("stripe", id).await.expect("readable").expect("a row");
        assert_eq!((accepted.accepted_by.as_str(), accepted.reason.as_str()), ("command line", "tax by mistake"));
        app.finish().await;
    }
}
