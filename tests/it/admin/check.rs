//! "Ask Stripe now": an operator's check applies what no webhook delivered.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{admin_token, api_key, get, start};
use crate::on_both_databases;
use crate::support::app::{http_client, settings};
use crate::support::process::run;
use crate::support::{Answer, TestApp};

async fn check(app: &TestApp, topup: &str) -> Answer {
    let url = format!("{}/admin/topups/{topup}/check", app.url);
    app.send(http_client().post(url).bearer_auth(admin_token(app))).await
}

/// The only top-up of an account.
async fn topup_of(app: &TestApp, account: &str) -> String {
    let list = get(app, &format!("/admin/topups?accountId={account}")).await.expect(200);
    list["data"][0]["id"].as_str().expect("an id").to_owned()
}

fn outcome(checked: &Value) -> (&str, &str) {
    (checked["outcome"].as_str().expect("text"), checked["topup"]["state"].as_str().expect("text"))
}

on_both_databases! {
    async fn what_was_paid_without_a_webhook_is_credited_by_one_question(backend: Backend) {
        let app = start(backend).await;
        let open = app.open_session("user_1", 250).await;
        let topup = topup_of(&app, "user_1").await;
        assert_eq!(outcome(&check(&app, &topup).await.expect(200)), ("nothing_to_do", "open"));
        assert_eq!(app.stripe.pay(&open, "pm_card_visa").await.0, 200);
        assert_eq!(outcome(&check(&app, &topup).await.expect(200)), ("credited", "paid"), "asked at once again");
        let event = app.stripe.event("checkout.session.completed", &open).await;
        app.deliver(&event).await.expect(200);
        assert_eq!((outcome(&check(&app, &topup).await.expect(200)), app.credits("user_1").await), (("already_paid", "paid"), 250));
        // For a paid top-up, the check also asks for refunds.
        let payment = app.payment_of(&open).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        assert_eq!((outcome(&check(&app, &topup).await.expect(200)), app.credits("user_1").await), (("reversals_applied", "paid"), 150));
        app.finish().await;
    }

    async fn a_purchase_whose_session_was_never_stored_is_found_in_stripes_list(backend: Backend) {
        let app = start(backend).await;
        for number in 0..3 {
            app.open_session(&format!("other_{number}"), 250).await;
        }
        let (session, _) = app.pay_session("user_1", 250).await;
        let lost = "UPDATE topups SET provider_session_id = NULL, session_url = NULL, state = 'creating' WHERE account_id = 'user_1'";
        app.app.db.execute_raw(lost).await.expect("done");
        let topup = topup_of(&app, "user_1").await;
        let checked = check(&app, &topup).await.expect(200);
        assert_eq!((outcome(&checked), &checked["topup"]["sessionId"]), (("credited", "paid"), &json!(session)));
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn the_command_asks_too_and_what_cannot_be_asked_is_said(backend: Backend) {
        let app = start(backend).await;
        let (_, _) = app.pay_session("user_1", 250).await;
        let topup = topup_of(&app, "user_1").await;
        for (status, code, expected) in [(429, "provider_rate_limited", 503), (500, "provider_unavailable", 503), (403, "provider_refused", 502)] {
            app.stripe.fault(json!({ "path": "/v1/checkout/sessions/*", "kind": "status", "status": status })).await;
            check(&app, &topup).await.expect_problem(expected, code);
        }
        let settings = settings(&app.database.url, &app.stripe.url, &[]);
        let (well, said, errors) = run(&settings, &["topups", "check", &topup]);
        assert!(well && said.contains("credited") && said.contains("250 credits are in the books"), "{said}{errors}");
        assert_eq!(app.credits("user_1").await, 250);
        let (well, said, errors) = run(&settings, &["topups", "check", &topup, "--json"]);
        let printed: Value = serde_json::from_str(&said).expect("JSON");
        assert!(well && printed["outcome"] == "already_paid", "{said}{errors}");
        assert_eq!(printed, check(&app, &topup).await.expect(200), "the API's answer");
        let (well, _, errors) = run(&settings, &["topups", "check", "topup_00000000000000000000000000000009"]);
        assert!(!well && errors.contains("there is no such top-up"), "{errors}");
        let bound = api_key(&app, Scope::Admin, Some("user_2")).await;
        let request = || http_client().post(format!("{}/admin/topups/{topup}/check", app.url));
        app.send(request().header("x-api-key", bound)).await.expect_problem(404, "not_found");
        let reader = api_key(&app, Scope::Read, None).await;
        app.send(request().header("x-api-key", reader)).await.expect_problem(403, "scope_missing");
        app.finish().await;
    }
}
