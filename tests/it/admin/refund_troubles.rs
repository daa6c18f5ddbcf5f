//! Refunds that are repeated, concurrent or interrupted: the money is refunded once.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use topup::ports::Clock;
use topup::system::SystemClock;

use super::{ADMIN_SCOPE, buy, deliver_all, refund, refunds_at_stripe, start, start_with};
use crate::on_both_databases;
use crate::support::app::{http_client, sign_token};
use crate::support::process::{Process, Settings};
use crate::support::serve::World;
use crate::support::{Options, TestApp, until};

/// More checkpoints than a refund has. If the loop gets here, it would not end.
const TOO_MANY: u64 = 100;

async fn refund_keys(app: &TestApp) -> Vec<String> {
    let requests = app.stripe.requests().await;
    let refunds = requests.iter().filter(|request| request["method"] == "POST" && request["path"] == "/v1/refunds");
    refunds.map(|request| request["idempotency_key"].as_str().expect("a key").to_owned()).collect()
}

async fn fault(app: &TestApp, kind: Value) {
    let mut fault = json!({ "method": "POST", "path": "/v1/refunds", "times": 1 });
    fault.as_object_mut().expect("an object").extend(kind.as_object().expect("an object").clone());
    app.stripe.fault(fault).await;
}

on_both_databases! {
    async fn the_same_key_and_body_refund_once_and_give_the_same_answer(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let first = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        let other = buy(&app, "user_1").await;
        refund(&app, &other, "key-2", json!({})).await.expect(200);
        // Also with another balance by now.
        assert_eq!(refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200), first);
        for body in [json!({}), json!({ "amount": 100 }), json!({ "credits": 100, "reason": "fraudulent" })] {
            refund(&app, &purchase, "key-1", body).await.expect_problem(422, "idempotency_key_reused");
        }
        assert_eq!(refunds_at_stripe(&app, &purchase).await.len(), 1);
        app.finish().await;
    }

    async fn a_refund_without_a_key_is_told_the_way_out(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let url = format!("{}/admin/topups/{}/refunds", app.url, purchase.topup);
        let request = http_client().post(url).bearer_auth(crate::admin::admin_token(&app)).json(&json!({}));
        let problem = app.send(request).await.expect_problem(400, "idempotency_key_required");
        assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&json!("Idempotency-Key"), &json!("required")));
        refund(&app, &purchase, "not a key", json!({})).await.expect_problem(400, "invalid_request");
        assert_eq!(refunds_at_stripe(&app, &purchase).await, Vec::<Value>::new());
        app.finish().await;
    }

    async fn what_one_refund_is_about_to_give_back_is_not_given_by_another(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, json!({ "kind": "hold" })).await;
        let first = refund(&app, &purchase, "key-1", json!({ "amount": 200 }));
        let second = async {
            app.stripe.wait_for_holds(1).await;
            let answers = [
                refund(&app, &purchase, "key-1", json!({ "amount": 200 })).await,
                refund(&app, &purchase, "key-2", json!({ "amount": 90 })).await,
                refund(&app, &purchase, "key-3", json!({})).await,
                refund(&app, &purchase, "key-4", json!({ "amount": 89 })).await,
            ];
            app.stripe.release().await;
            answers
        };
        let (first, [same, more, everything, rest]) = join(first, second).await;
        first.expect(200);
        same.expect_problem(409, "idempotency_key_in_use");
        more.expect_problem(409, "refund_in_progress");
        everything.expect_problem(409, "refund_in_progress");
        assert_eq!(rest.expect(200)["amount"], 89);
        assert_eq!(refund_keys(&app).await.len(), 2, "Stripe was asked for money that was promised to another");
        assert_eq!(app.credits("user_1").await, 0);
        app.finish().await;
    }

    async fn many_refunds_at_once_give_back_no_more_than_was_paid(backend: Backend) {
        let app = start_with(backend, Options::with_webhooks()).await;
        let purchase = buy(&app, "user_1").await;
        let keys: Vec<String> = (0..12).map(|number| format!("key-{number}")).collect();
        let answers = join_all(keys.iter().map(|key| refund(&app, &purchase, key, json!({ "amount": 60 })))).await;
        let mut taken = 0;
        for answer in answers {
            if answer.status == 200 {
                taken += answer.body["creditsTaken"].as_i64().expect("a number");
            } else {
                let code = answer.body["code"].as_str().expect("a code").to_owned();
                assert!(["refund_in_progress", "amount_too_large"].contains(&code.as_str()), "{code}");
            }
        }
        app.stripe.idle().await;
        let refunded: i64 = refunds_at_stripe(&app, &purchase).await.iter().map(|refund| refund["amount"].as_i64().expect("a number")).sum();
        assert!((60..=240).contains(&refunded), "{refunded}");
        assert_eq!((app.credits("user_1").await, taken), (250 - refunded, refunded));
        assert!(refund_keys(&app).await.len() <= 4, "Stripe was asked for more than there is");
        app.finish().await;
    }

    async fn the_answer_says_what_the_refund_took_though_the_webhook_was_faster(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, json!({ "kind": "hold", "when": "after" })).await;
        let first = refund(&app, &purchase, "key-1", json!({ "amount": 120 }));
        let webhook = async {
            app.stripe.wait_for_holds(1).await;
            deliver_all(&app, "refund.created").await;
            assert_eq!(app.credits("user_1").await, 130);
            app.stripe.release().await;
        };
        let (first, ()) = join(first, webhook).await;
        let body = first.expect(200);
        assert_eq!((&body["creditsTaken"], &body["balance"]["remainingCredits"]), (&json!(120), &json!(130)));
        app.finish().await;
    }

    async fn a_failure_of_stripes_that_did_the_work_refunds_once(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        // Stripe keeps the 500 under the key, so the refund is found by its metadata and not created with another key.
        fault(&app, json!({ "kind": "status", "status": 500, "when": "after" })).await;
        refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        assert_eq!((refunds_at_stripe(&app, &purchase).await.len(), refund_keys(&app).await.len()), (1, 1));
        // A 500 without any effect needs a new key, once Stripe's list proves it.
        fault(&app, json!({ "kind": "status", "status": 500 })).await;
        refund(&app, &purchase, "key-2", json!({ "credits": 50 })).await.expect_problem(503, "provider_unavailable");
        refund(&app, &purchase, "key-2", json!({ "credits": 50 })).await.expect_problem(503, "refund_unsettled");
        app.clock.advance_ms(15 * 60_000 + 1);
        refund(&app, &purchase, "key-2", json!({ "credits": 50 })).await.expect(200);
        let keys = refund_keys(&app).await;
        assert!(keys[1].ends_with("-1") && keys[2].ends_with("-1") && keys[3].ends_with("-2"), "{keys:?}");
        // After a lost answer or a rate limit: the same key.
        for kind in [json!({ "kind": "disconnect", "when": "after" }), json!({ "kind": "status", "status": 429 })] {
            fault(&app, kind).await;
            let key = format!("key-{}", refund_keys(&app).await.len());
            refund(&app, &purchase, &key, json!({ "credits": 10 })).await.expect(200);
            let keys = refund_keys(&app).await;
            assert_eq!(keys[keys.len() - 1], keys[keys.len() - 2]);
        }
        assert_eq!((refunds_at_stripe(&app, &purchase).await.len(), app.credits("user_1").await), (4, 80));
        app.finish().await;
    }

    async fn a_refund_that_stripe_did_not_answer_goes_on_with_its_key(backend: Backend) {
        let options = Options {
            call_timeout: Duration::from_secs(3), checkout_budget: Duration::from_millis(2_500), ..Options::default()
        };
        let app = start_with(backend, options).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, json!({ "kind": "hold", "when": "after" })).await;
        refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect_problem(504, "provider_timeout");
        assert_eq!(app.credits("user_1").await, 250);
        app.stripe.release().await;
        // A day later Stripe has forgotten the key, so Topup looks for the refund in Stripe's list.
        app.clock.advance_ms(25 * 60 * 60 * 1_000);
        refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        assert_eq!((refunds_at_stripe(&app, &purchase).await.len(), refund_keys(&app).await.len()), (1, 1));
        assert_eq!(app.credits("user_1").await, 150);
        app.finish().await;
    }

    async fn what_has_nothing_to_do_with_the_payment_can_be_put_right_and_tried_again(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        fault(&app, json!({ "kind": "status", "status": 403 })).await;
        refund(&app, &purchase, "key-1", json!({})).await.expect_problem(502, "provider_refused");
        refund(&app, &purchase, "key-1", json!({})).await.expect(200);
        app.finish().await;
    }

    async fn a_refund_in_the_dashboard_that_was_not_heard_of_is_refused_by_stripe(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let control = format!("payment_intents/{}/refund", purchase.payment);
        app.stripe.control(&control, json!({ "amount": 200 })).await;
        refund(&app, &purchase, "key-1", json!({ "amount": 100 })).await.expect_problem(409, "amount_too_large");
        app.stripe.control(&control, json!({})).await;
        refund(&app, &purchase, "key-2", json!({ "amount": 1 })).await.expect_problem(409, "already_refunded");
        app.finish().await;
    }

    /// Known mistake 24, for money that goes back.
    async fn a_process_killed_between_any_two_steps_of_a_refund_refunds_once(backend: Backend) {
        let world = World::new(backend).await;
        let purchase = buy_from(&world).await;
        let mut number = 1;
        loop {
            assert!(number < TOO_MANY, "a refund has too many checkpoints");
            let key = format!("key-{number}");
            let mut process = Process::serve(&with_admin(world.settings()), Some(number)).await;
            let place = tokio::select! {
                answer = try_refund(&world, &purchase, &key) => { assert_eq!(answer.expect("an answer").0, 200); None }
                place = process.paused() => Some(place),
            };
            process.kill();
            let Some(place) = place else { break };
            let mut process = Process::serve(&with_admin(world.settings_afterwards()), None).await;
            let (status, body) = try_refund(&world, &purchase, &key).await.expect("an answer");
            assert_eq!((status, &body["creditsTaken"]), (200, &json!(1)), "{place}: {body}");
            let left = i64::try_from(number).expect("fits");
            assert_eq!(world.credits("user_1").await, Some(250 - left), "{place}");
            let refunds = world.stripe.get("/v1/refunds?limit=100").await;
            assert_eq!(refunds["data"].as_array().expect("a list").len(), usize::try_from(number).expect("fits"), "{place}");
            process.kill();
            number += 1;
        }
        assert!(number > 20, "only {number} places were tried");
        world.finish().await;
    }
}

fn with_admin(mut settings: Settings) -> Settings {
    settings.insert("JWT_ADMIN_SCOPE", ADMIN_SCOPE.to_owned());
    settings
}

/// A credited top-up. From then on Stripe delivers no webhooks, so that they cannot help.
async fn buy_from(world: &World) -> String {
    let mut process = world.serve(None).await;
    let (status, body) = world.try_checkout("user_1", "key").await.expect("an answer");
    assert_eq!(status, 200, "{body}");
    let session = body["id"].as_str().expect("an id");
    world.stripe.pay(session, "pm_card_visa").await;
    until("the credits", async || world.credits("user_1").await.filter(|credits| *credits > 0)).await;
    world.stripe.control("deliveries/pause", json!({})).await;
    process.kill();
    let session = world.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
    session["metadata"]["topupId"].as_str().expect("an id").to_owned()
}

async fn try_refund(world: &World, topup: &str, key: &str) -> Option<(u16, Value)> {
    let expires = SystemClock.now_ms() / 1_000 + 3_600;
    let token = sign_token(&json!({ "sub": "operator_1", "exp": expires, "scope": ADMIN_SCOPE }));
    let request = http_client()
        .post(format!("{}/admin/topups/{topup}/refunds", world.url()))
        .bearer_auth(token)
        .header("idempotency-key", key)
        .json(&json!({ "credits": 1 }));
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.json().await.ok()?))
}
