//! Refunds with an unknown result at Stripe: what the API reports, what settles them, and that they are created once.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{Purchase, api_key, buy, deliver_all, get, refund, refunds_at_stripe, start};
use crate::on_both_databases;
use crate::reconcile::{compare, nothing_is_left};
use crate::support::TestApp;
use crate::support::app::http_client;

const MINUTE_MS: i64 = 60_000;

async fn fault(app: &TestApp, method: &str, times: u32, kind: Value) {
    let mut fault = json!({ "method": method, "path": "/v1/refunds", "times": times });
    fault.as_object_mut().expect("an object").extend(kind.as_object().expect("an object").clone());
    app.stripe.fault(fault).await;
}

async fn lag(app: &TestApp, seconds: u32) {
    app.stripe.control("lists", json!({ "lag_seconds": seconds })).await;
}

/// Advances the time of the service and of the sandbox.
async fn pass(app: &TestApp, seconds: i64) {
    app.clock.advance_ms(seconds * 1_000);
    app.stripe.control("clock", json!({ "advance_seconds": seconds })).await;
}

async fn state_of(app: &TestApp, purchase: &Purchase) -> Value {
    get(app, &format!("/admin/topups/{}", purchase.topup)).await.expect(200)["refundRequests"][0]["state"].clone()
}

#[track_caller]
fn says_that_it_is_unknown(problem: &Value) {
    let detail = problem["detail"].as_str().expect("text");
    assert!(detail.contains("is not known") && !detail.contains("nothing was refunded"), "{detail}");
}

on_both_databases! {
    /// Known mistake 25.
    async fn a_refusal_after_a_lost_answer_proves_nothing_and_leads_to_no_second_refund(backend: Backend) {
        for refusal in [400, 401, 403] {
            let app = start(backend).await;
            let purchase = buy(&app, "user_1").await;
            // Stripe creates the refund, its answer is lost, and its list does not show it yet.
            lag(&app, 3_600).await;
            fault(&app, "POST", 1, json!({ "kind": "disconnect", "when": "after" })).await;
            fault(&app, "POST", 3, json!({ "kind": "status", "status": refusal })).await;
            let answer = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await;
            assert_eq!(answer.headers.get("retry-after").map(String::as_str), Some("30"));
            says_that_it_is_unknown(&answer.expect_problem(503, "refund_unsettled"));
            fault(&app, "POST", 4, json!({ "kind": "status", "status": refusal })).await;
            let answer = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await;
            says_that_it_is_unknown(&answer.expect_problem(503, "refund_unsettled"));
            refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
            lag(&app, 0).await;
            assert_eq!(refunds_at_stripe(&app, &purchase).await.len(), 1, "{refusal}");
            assert_eq!(app.credits("user_1").await, 150);
            app.finish().await;
        }
    }

    async fn a_refusal_after_a_lost_answer_is_not_believed_when_the_list_shows_the_refund(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, "POST", 1, json!({ "kind": "disconnect", "when": "after" })).await;
        fault(&app, "POST", 1, json!({ "kind": "status", "status": 401 })).await;
        refund(&app, &purchase, "key-1", json!({})).await.expect(200);
        assert_eq!((refunds_at_stripe(&app, &purchase).await.len(), app.credits("user_1").await), (1, 0));
        app.finish().await;
    }

    async fn our_own_refund_is_not_taken_for_somebody_elses(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, "POST", 1, json!({ "kind": "disconnect", "when": "after" })).await;
        let words = "Charge ch_1 has already been refunded.";
        fault(&app, "POST", 1, json!({ "kind": "status", "status": 400, "message": words })).await;
        refund(&app, &purchase, "key-1", json!({})).await.expect(200);
        // Also if Stripe has forgotten the key and would refund a second time.
        let second = buy(&app, "user_2").await;
        lag(&app, 3_600).await;
        fault(&app, "POST", 1, json!({ "kind": "status", "status": 500, "when": "after" })).await;
        refund(&app, &second, "key-2", json!({})).await.expect_problem(503, "provider_unavailable");
        lag(&app, 0).await;
        app.clock.advance_ms(25 * 60 * MINUTE_MS);
        refund(&app, &second, "key-2", json!({})).await.expect(200);
        for (purchase, account) in [(&purchase, "user_1"), (&second, "user_2")] {
            assert_eq!((refunds_at_stripe(&app, purchase).await.len(), app.credits(account).await), (1, 0));
        }
        app.finish().await;
    }

    async fn our_own_refund_is_looked_for_even_if_nothing_is_known_of_an_earlier_call(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        lag(&app, 3_600).await;
        fault(&app, "POST", 1, json!({ "kind": "status", "status": 500, "when": "after" })).await;
        refund(&app, &purchase, "key-1", json!({})).await.expect_problem(503, "provider_unavailable");
        // A row as an older version wrote it, which assumed that nothing was done.
        let forget = "UPDATE refund_requests SET unknown_since = NULL, key_failures = 2";
        app.app.db.execute_raw(forget).await.expect("is written");
        lag(&app, 0).await;
        let body = refund(&app, &purchase, "key-1", json!({})).await.expect(200);
        let at_stripe = refunds_at_stripe(&app, &purchase).await;
        assert_eq!((at_stripe.len(), &at_stripe[0]["id"], app.credits("user_1").await), (1, &body["refundId"], 0));
        app.finish().await;
    }

    async fn a_500_that_is_done_later_is_settled_by_its_webhook(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, "POST", 1, json!({ "kind": "later", "status": 500, "after_seconds": 120 })).await;
        let answer = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await;
        says_that_it_is_unknown(&answer.expect_problem(503, "provider_unavailable"));
        assert_eq!((state_of(&app, &purchase).await, app.credits("user_1").await), (json!("creating"), 250));
        pass(&app, 121).await;
        deliver_all(&app, "refund.created").await;
        assert_eq!((state_of(&app, &purchase).await, app.credits("user_1").await), (json!("created"), 150));
        let body = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        assert_eq!((&body["creditsTaken"], &body["balance"]["remainingCredits"]), (&json!(100), &json!(150)));
        assert_eq!(refunds_at_stripe(&app, &purchase).await.len(), 1);
        app.finish().await;
    }

    async fn a_500_that_is_done_later_is_settled_by_the_comparison(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, "POST", 1, json!({ "kind": "later", "status": 500, "after_seconds": 120 })).await;
        refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect_problem(503, "provider_unavailable");
        let ended = compare(&app.app).await;
        assert_eq!(ended.report.not_asked.count, 1, "unknown, and said so: {:?}", ended.report.not_asked);
        pass(&app, 121).await;
        compare(&app.app).await;
        assert_eq!((state_of(&app, &purchase).await, app.credits("user_1").await), (json!("created"), 150));
        nothing_is_left(&app).await;
        refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        assert_eq!(refunds_at_stripe(&app, &purchase).await.len(), 1);
        app.finish().await;
    }

    async fn an_unknown_refund_is_in_the_way_of_others_until_it_is_known(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, "POST", 1, json!({ "kind": "status", "status": 500 })).await;
        refund(&app, &purchase, "key-1", json!({ "amount": 200 })).await.expect_problem(503, "provider_unavailable");
        for body in [json!({}), json!({ "amount": 90 })] {
            refund(&app, &purchase, "key-2", body).await.expect_problem(409, "refund_in_progress");
        }
        assert_eq!(refund(&app, &purchase, "key-3", json!({ "amount": 9 })).await.expect(200)["amount"], 9);
        pass(&app, 14 * 60).await;
        refund(&app, &purchase, "key-2", json!({})).await.expect_problem(409, "refund_in_progress");
        pass(&app, 61).await;
        // The list proves that the first refund was not created, so its amount can be refunded again.
        assert_eq!(refund(&app, &purchase, "key-2", json!({})).await.expect(200)["amount"], 280);
        refund(&app, &purchase, "key-1", json!({ "amount": 200 })).await.expect_problem(409, "already_refunded");
        assert_eq!((refunds_at_stripe(&app, &purchase).await.len(), app.credits("user_1").await), (2, 0));
        app.finish().await;
    }

    async fn a_comparison_frees_what_was_not_refunded(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, "POST", 1, json!({ "kind": "status", "status": 500 })).await;
        refund(&app, &purchase, "key-1", json!({})).await.expect_problem(503, "provider_unavailable");
        pass(&app, 15 * 60 + 1).await;
        compare(&app.app).await;
        let path = format!("/admin/topups/{}/refunds/preview", purchase.topup);
        assert_eq!(get(&app, &path).await.expect(200)["possible"], true);
        nothing_is_left(&app).await;
        app.finish().await;
    }

    async fn a_refund_that_stripe_never_makes_is_told_in_its_words(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let words = "This payment is too old to be refunded.";
        fault(&app, "POST", 2, json!({ "kind": "status", "status": 400, "message": words })).await;
        for _ in 0..2 {
            let problem = refund(&app, &purchase, "key-1", json!({})).await.expect_problem(422, "refund_not_possible");
            let detail = problem["detail"].as_str().expect("text");
            assert!(detail.contains(words) && detail.contains("Nothing was refunded"), "{detail}");
        }
        let explained = get(&app, &format!("/admin/topups/{}", purchase.topup)).await.expect(200);
        assert_eq!(explained["refundRequests"][0]["failureCode"], "refund_not_possible");
        // The failed request reserves nothing, and after the fix it can be retried with the same key.
        let path = format!("/admin/topups/{}/refunds/preview", purchase.topup);
        assert_eq!(get(&app, &path).await.expect(200)["possible"], true);
        refund(&app, &purchase, "key-1", json!({})).await.expect(200);
        assert_eq!(refunds_at_stripe(&app, &purchase).await.len(), 1);
        app.finish().await;
    }

    /// Known mistake 35.
    async fn a_refund_repeated_with_a_rotated_api_key_is_made_once(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let (old, new) = (api_key(&app, Scope::Admin, None).await, api_key(&app, Scope::Admin, Some("user_1")).await);
        let url = format!("{}/admin/topups/{}/refunds", app.url, purchase.topup);
        let send = async |secret: &str, key: &str| {
            let request = http_client().post(&url).header("x-api-key", secret).header("idempotency-key", key);
            app.send(request.json(&json!({ "credits": 100 }))).await
        };
        let first = send(&old, "key-1").await.expect(200);
        assert_eq!(send(&new, "key-1").await.expect(200), first);
        assert_eq!(send(&new, "\"key-1\"").await.expect(200), first);
        assert_eq!(refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200), first);
        let other = buy(&app, "user_2").await;
        refund(&app, &other, "key-1", json!({ "credits": 100 })).await.expect(200);
        assert_eq!((refunds_at_stripe(&app, &purchase).await.len(), app.credits("user_1").await), (1, 150));
        app.finish().await;
    }
}
