//! The routes of subscriptions: who may use them, and what they refuse.

use serde_json::{Value, json};
use topup::domain::subscription::{InvoiceReport, InvoiceStatus, SubscriptionReport, SubscriptionStatus};

use super::world::{BASIC, BASIC_CREDITS, World};
use crate::on_both_databases;
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::{Answer, TestApp};

async fn post(app: &TestApp, account: &str, path: &str, body: Value) -> Answer {
    app.send(http_client().post(format!("{}{path}", app.url)).bearer_auth(app.token(account)).json(&body)).await
}

on_both_databases! {
    async fn wrong_requests_are_refused_before_stripe_is_asked(backend: Backend) {
        let app = TestApp::start(backend).await;
        let before = app.stripe.requests().await.len();
        for (body, field) in [
            (json!({}), "planId"),
            (json!({ "planId": "pro" }), "successUrl"),
            (json!({ "planId": "pro", "successUrl": "https://elsewhere.example" }), "successUrl"),
            (json!({ "planId": "Pro!", "successUrl": SUCCESS_URL }), "planId"),
            (json!({ "planId": "pro", "successUrl": SUCCESS_URL, "cancelUrl": "ftp://x" }), "cancelUrl"),
            (json!({ "planId": "pro", "successUrl": SUCCESS_URL }), "planId"),
            (json!({ "planId": "pro", "successUrl": SUCCESS_URL, "accountId": "" }), "accountId"),
        ] {
            let answer = post(&app, "user_1", "/subscriptions/sessions", body.clone()).await;
            let problem = answer.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{body}");
        }
        let other = json!({ "planId": "pro", "successUrl": SUCCESS_URL, "accountId": "user_2" });
        post(&app, "user_1", "/subscriptions/sessions", other).await.expect_problem(403, "account_forbidden");
        for (body, field) in [
            (json!({}), "returnUrl"),
            (json!({ "returnUrl": "https://elsewhere.example" }), "returnUrl"),
            (json!({ "returnUrl": "https://app.example.com/plan", "flow": "look" }), "flow"),
        ] {
            let problem = post(&app, "user_1", "/portal/sessions", body).await.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field);
        }
        let portal = json!({ "returnUrl": "https://app.example.com/plan" });
        post(&app, "user_1", "/portal/sessions", portal).await.expect_problem(409, "no_customer");
        app.get("/subscriptions").await.expect_problem(401, "missing_credentials");
        app.get_as("user_1", "/accounts/user_2/entitlement").await.expect_problem(403, "account_forbidden");
        app.get_as("user_1", "/admin/subscriptions").await.expect_problem(403, "admin_required");
        for path in ["/subscriptions/sub_1", "/subscriptions/a%20b", "/subscriptions/sub_1/change/preview?planId=pro"] {
            app.get_as("user_1", path).await.expect_problem(404, "not_found");
        }
        app.get_as("user_1", "/subscriptions/sub_1/change/preview").await.expect_problem(400, "invalid_request");
        for (path, body) in [
            ("/subscriptions/sub_1/cancel", json!({ "at": "period_end" })),
            ("/subscriptions/sub_1/change", json!({ "planId": "pro" })),
        ] {
            post(&app, "user_1", path, body).await.expect_problem(404, "not_found");
        }
        post(&app, "user_1", "/subscriptions/sub_1/cancel", json!({ "at": "soon" })).await.expect(400);
        post(&app, "user_1", "/subscriptions/sub_1/cancel", json!({ "at": "now" })).await
            .expect_problem(403, "admin_required");
        assert_eq!(app.stripe.requests().await.len(), before, "Stripe was asked");
        app.finish().await;
    }

    async fn a_subscription_is_shown_to_its_account_only(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("shown").await;
        world.is(story.subscription(BASIC));
        world.bills(story.invoice("first", "subscription_create", &[(BASIC, 1_000, false, (0, 30))]));
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        world.is(SubscriptionReport { status: SubscriptionStatus::PastDue, ..story.subscription(BASIC) });
        world.bills(InvoiceReport {
            status: InvoiceStatus::Open,
            attempts: 2,
            amount_paid_minor: 0,
            ..story.invoice("due", "subscription_cycle", &[(BASIC, 1_000, false, (30, 60))])
        });
        world.decide(&story.invoice_event("due", "invoice.payment_failed", true)).await;
        let app = &world.service;
        let list = app.get_as("user_shown", "/subscriptions").await.expect(200);
        let one = &list["data"][0];
        assert_eq!((&one["planId"], &one["status"]), (&json!("basic"), &json!("past_due")));
        assert_eq!((&one["due"]["attempt"], &one["due"]["amount"]), (&json!(2), &json!(1_000)));
        assert_eq!(one["due"]["payUrl"], "https://invoice.example/due");
        let path = "/subscriptions/sub_shown";
        let details = app.get_as("user_shown", path).await.expect(200);
        assert_eq!(details["invoices"].as_array().map(Vec::len), Some(2));
        assert_eq!(details["periods"][0]["credits"], BASIC_CREDITS);
        app.get_as("user_else", path).await.expect_problem(404, "not_found");
        assert_eq!(app.get_as("user_else", "/subscriptions").await.expect(200)["data"], json!([]));
        let entitlement = app.get_as("user_shown", "/accounts/user_shown/entitlement").await.expect(200);
        assert_eq!((&entitlement["entitled"], &entitlement["availableCredits"]), (&json!(true), &json!(BASIC_CREDITS)));
        assert_eq!(entitlement["plan"], json!({ "id": "basic", "name": "Plan" }));
        assert!(entitlement["graceUntil"].is_string());
        world.finish().await;
    }
}
