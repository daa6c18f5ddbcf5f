//! What lies between two things that work: a refund told twice around a purchase, a change before a renewal is charged, two
//! clicks at once, a refund that no event told.

use reqwest::Method;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::end_to_end::{ACCOUNT, advance, only, post, shop, subscribe};
use crate::on_both_databases;
use crate::reconcile::compare;
use crate::support::TestApp;
use crate::support::app::{SUCCESS_URL, http_client};

async fn refund_all(app: &TestApp, customer: &str) {
    let payments = app.stripe.get(&format!("/v1/payment_intents?customer={customer}")).await;
    let payment = payments["data"][0]["id"].as_str().expect("a payment");
    let (status, refund) = app.stripe.post("/v1/refunds", &[("payment_intent", payment)]).await;
    assert_eq!(status, 200, "{refund}");
}

async fn latest_event(app: &TestApp, kind: &str) -> Value {
    app.stripe.get(&format!("/v1/events?type={kind}&limit=1")).await["data"][0].clone()
}

on_both_databases! {
    async fn a_refund_that_is_told_again_leaves_what_came_in_between(backend: Backend) {
        let app = shop(backend).await;
        let customer = subscribe(&app, "pro").await;
        refund_all(&app, &customer).await;
        app.stripe.idle().await;
        assert_eq!(app.credits(ACCOUNT).await, 0);
        // A purchase, whose grant is made by the next write that needs it.
        app.pay_session(ACCOUNT, 250).await;
        app.stripe.idle().await;
        for kind in ["refund.created", "charge.refunded", "invoice.paid"] {
            let event = latest_event(&app, kind).await;
            assert_eq!(app.deliver(&event).await.status, 200, "{kind}");
        }
        let key = crate::spending::http::api_key(&app, &[Scope::Spend], None).await;
        for spend in ["first", "second"] {
            let debit = http_client().post(format!("{}/accounts/{ACCOUNT}/credits/debits", app.url));
            let debit = debit.header("x-api-key", &key).header("idempotency-key", spend).json(&json!({ "credits": 10 }));
            app.send(debit).await.expect(200);
        }
        assert_eq!(app.credits(ACCOUNT).await, 230);
        app.finish().await;
    }

    async fn the_plan_cannot_be_changed_until_the_renewal_is_charged(backend: Backend) {
        let app = shop(backend).await;
        let customer = subscribe(&app, "plus").await;
        let id = only(&app).await["id"].as_str().expect("an id").to_owned();
        let subscription = app.stripe.get(&format!("/v1/subscriptions/{id}")).await;
        let end = subscription["items"]["data"][0]["current_period_end"].as_i64().expect("a time");
        advance(&app, &customer, json!({ "to": end + 60 })).await;
        assert_eq!(only(&app).await["status"], "active");
        let (change, body) = (format!("/subscriptions/{id}/change"), json!({ "planId": "pro" }));
        post(&app, &change, body.clone()).await.expect_problem(409, "subscription_past_due");
        app.get_as(ACCOUNT, &format!("{change}/preview?planId=pro")).await.expect_problem(409, "subscription_past_due");
        assert_eq!(app.credits(ACCOUNT).await, 2_000, "nothing was paid yet");
        advance(&app, &customer, json!({ "to": end + 7_200 })).await;
        assert_eq!(app.credits(ACCOUNT).await, 4_000);
        post(&app, &change, body).await.expect(200);
        app.stripe.idle().await;
        assert_eq!(app.credits(ACCOUNT).await, 5_000, "the difference");
        app.finish().await;
    }

    async fn a_change_that_waits_is_taken_back_before_a_dearer_one(backend: Backend) {
        let app = shop(backend).await;
        let customer = subscribe(&app, "plus").await;
        let id = only(&app).await["id"].as_str().expect("an id").to_owned();
        let change = format!("/subscriptions/{id}/change");
        let down = post(&app, &change, json!({ "planId": "basic" })).await.expect(200);
        assert_eq!(down["nextPlanId"], "basic");
        post(&app, &change, json!({ "planId": "pro" })).await.expect_problem(409, "change_pending");
        assert_eq!(only(&app).await["nextPlanId"], "basic", "it still waits");
        let back = post(&app, &change, json!({ "planId": "plus" })).await.expect(200);
        assert_eq!((&back["planId"], &back["nextPlanId"]), (&json!("plus"), &Value::Null));
        post(&app, &change, json!({ "planId": "plus" })).await.expect_problem(409, "same_plan");
        // What has come about does not wait any more, though the schedule is still there.
        post(&app, &change, json!({ "planId": "basic" })).await.expect(200);
        advance(&app, &customer, json!({ "to_renewal": true })).await;
        let less = only(&app).await;
        assert_eq!((&less["planId"], &less["nextPlanId"]), (&json!("basic"), &Value::Null), "{less}");
        post(&app, &change, json!({ "planId": "pro" })).await.expect(200);
        app.stripe.idle().await;
        assert_eq!(only(&app).await["planId"], "pro");
        app.finish().await;
    }

    async fn a_double_click_opens_one_page(backend: Backend) {
        let app = shop(backend).await;
        let body = json!({ "planId": "plus", "successUrl": SUCCESS_URL });
        let first = post(&app, "/subscriptions/sessions", body.clone()).await.expect(200);
        let again = post(&app, "/subscriptions/sessions", body.clone()).await.expect(200);
        assert_eq!(first["id"], again["id"]);
        let other = json!({ "planId": "pro", "successUrl": SUCCESS_URL });
        let other = post(&app, "/subscriptions/sessions", other).await.expect(200);
        assert_ne!(first["id"], other["id"]);
        let session = first["id"].as_str().expect("an id");
        let (status, _) = app.stripe.post(&format!("/v1/checkout/sessions/{session}/expire"), &[]).await;
        assert_eq!(status, 200);
        app.stripe.idle().await;
        let anew = post(&app, "/subscriptions/sessions", body).await.expect(200);
        assert_ne!(first["id"], anew["id"], "the first page has ended");
        app.finish().await;
    }

    async fn the_end_of_a_page_in_the_other_mode_says_nothing_about_ours(backend: Backend) {
        let app = shop(backend).await;
        let body = json!({ "planId": "plus", "successUrl": SUCCESS_URL });
        let first = post(&app, "/subscriptions/sessions", body.clone()).await.expect(200);
        let session = app.stripe.get(&format!("/v1/checkout/sessions/{}", first["id"].as_str().expect("an id"))).await;
        let event = |livemode: bool| {
            json!({ "id": format!("evt_{livemode}"), "object": "event", "type": "checkout.session.expired",
                "livemode": livemode, "data": { "object": session } })
        };
        assert_eq!(app.deliver(&event(true)).await.status, 200, "asking again would change nothing");
        let again = post(&app, "/subscriptions/sessions", body.clone()).await.expect(200);
        assert_eq!(first["id"], again["id"], "the page is still open");
        assert_eq!(app.deliver(&event(false)).await.status, 200);
        let anew = post(&app, "/subscriptions/sessions", body).await.expect(200);
        assert_ne!(first["id"], anew["id"]);
        app.finish().await;
    }

    async fn the_interval_of_a_plan_cannot_be_changed(backend: Backend) {
        let app = shop(backend).await;
        let plan = json!({ "plans": [{ "id": "plus", "name": "Plus", "interval": "year", "creditsPerPeriod": 24_000,
            "rollover": "keep", "amount": { "usd": 20_000 } }] });
        let put = |path: &str| {
            let request = http_client().request(Method::PUT, format!("{}{path}", app.url));
            app.send(request.bearer_auth(app.admin_token()).json(&plan))
        };
        for path in ["/admin/plans?dryRun=true", "/admin/plans"] {
            let problem = put(path).await.expect_problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["code"], "interval_changed", "{problem}");
        }
        put("/admin/plans?dryrun=true").await.expect_problem(400, "invalid_request");
        app.finish().await;
    }

    async fn a_refund_that_no_event_told_is_found_by_comparison(backend: Backend) {
        let app = shop(backend).await;
        let customer = subscribe(&app, "pro").await;
        app.stripe.control("deliveries/pause", json!({})).await;
        refund_all(&app, &customer).await;
        assert_eq!(app.credits(ACCOUNT).await, 3_000, "nothing is known of it");
        compare(&app.app).await;
        assert_eq!(app.credits(ACCOUNT).await, 0);
        app.stripe.control("deliveries/resume", json!({})).await;
        app.stripe.idle().await;
        assert_eq!(app.credits(ACCOUNT).await, 0);
        app.finish().await;
    }
}
