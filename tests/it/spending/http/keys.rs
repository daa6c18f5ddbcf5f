//! Idempotency keys: a key names the work, and the work is charged once.

use futures_util::future::join_all;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, DEBITS, HOLDS, Shop, api_key, number, only_error};
use crate::on_both_databases;
use crate::support::Answer;

/// Without the account's credits, which are those of the moment.
fn without_balance(mut value: Value) -> Value {
    value.as_object_mut().expect("an object").remove("balance").expect("a balance");
    value
}

#[track_caller]
fn is_replay(answer: &Answer) -> bool {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

on_both_databases! {
    /// Known mistake 32.
    async fn a_repeated_request_charges_once_and_says_so(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let body = json!({ "credits": 10, "operation": "chat", "metadata": { "a": "1", "b": "2" } });
        let first = shop.post(DEBITS, "request-1", &body).await;
        assert!(!is_replay(&first));
        let first = first.expect(200);
        shop.debit("request-2", 7).await.expect(200);
        let other_order = json!({ "metadata": { "b": "2", "a": "1" }, "operation": "chat", "credits": 10,
            "onShortfall": "reject", "subject": null });
        for (key, body) in [("request-1", &body), ("\"request-1\"", &body), ("request-1", &other_order)] {
            let again = shop.post(DEBITS, key, body).await;
            assert!(is_replay(&again));
            let again = again.expect(200);
            assert_eq!(number(&again["balance"]["remainingCredits"]), 83, "the balance is that of the moment");
            assert_eq!(without_balance(again), without_balance(first.clone()));
        }
        assert_eq!(shop.balance().await, (83, 0));
        shop.close().await;
    }

    /// Known mistake 32.
    async fn twenty_times_at_once_charges_once(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        for (path, key) in [(DEBITS, "request-1"), (HOLDS, "request-1")] {
            let body = json!({ "credits": 10 });
            let answers = join_all((0..20).map(|_| shop.post(path, key, &body))).await;
            assert_eq!(answers.iter().filter(|answer| !is_replay(answer)).count(), 1, "{path}");
            let ids: Vec<&Value> = answers.iter().map(|answer| &answer.body["id"]).collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        }
        assert_eq!(shop.balance().await, (90, 10));
        shop.close().await;
    }

    async fn a_key_with_another_request_is_refused(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let first = json!({ "credits": 10, "operation": "chat", "subject": "a", "metadata": { "a": "1" } });
        shop.post(DEBITS, "request-1", &first).await.expect(200);
        shop.post(HOLDS, "request-1", &first).await.expect(200);
        let others = [("credits", json!(11)), ("operation", json!("image")), ("subject", json!("b")),
            ("subject", Value::Null), ("metadata", json!({ "a": "2" })), ("metadata", json!({}))];
        let of_debits = [("onShortfall", json!("cap"))];
        let of_holds = [("minimumCredits", json!(1)), ("expiresInSeconds", json!(901))];
        for (path, more) in [(DEBITS, &of_debits[..]), (HOLDS, &of_holds[..])] {
            for (field, value) in others.iter().chain(more) {
                let mut body = first.clone();
                body[field] = value.clone();
                let problem = shop.post(path, "request-1", &body).await.expect_problem(422, "idempotency_key_reused");
                assert!(problem["errors"].is_null(), "{problem}");
            }
        }
        assert_eq!(shop.balance().await, (90, 10));
        shop.close().await;
    }

    /// A refusal is not stored: with the credits that were missing, the same request succeeds.
    async fn after_a_refusal_the_same_key_may_succeed(backend: Backend) {
        let shop = Shop::with_credits(backend, 10).await;
        for _ in 0..2 {
            shop.debit("request-1", 50).await.expect_problem(402, "insufficient_credits");
        }
        shop.give(ACCOUNT, 50).await;
        assert!(!is_replay(&shop.debit("request-1", 50).await));
        assert!(is_replay(&shop.debit("request-1", 50).await));
        assert_eq!(shop.balance().await, (10, 0));
        shop.close().await;
    }

    /// Known mistake 35: after an API key was rotated, a repeated request is still recognised.
    async fn a_key_belongs_to_the_account_with_whatever_credentials_it_comes(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.give("user_2", 100).await;
        let body = json!({ "credits": 10 });
        let first = shop.post(DEBITS, "request-1", &body).await.expect(200);
        for account in [None, Some(ACCOUNT)] {
            let rotated = api_key(&shop.app, &[Scope::Spend], account).await;
            let again = shop.post_as(&rotated, DEBITS, "request-1", &body).await;
            assert!(is_replay(&again));
            assert_eq!(again.expect(200)["id"], first["id"]);
        }
        // Another account's key is another key, and so is that of a hold.
        assert!(!is_replay(&shop.post("/accounts/user_2/credits/debits", "request-1", &body).await));
        assert!(!is_replay(&shop.post(HOLDS, "request-1", &body).await));
        assert_eq!((shop.balance().await, shop.app.credits("user_2").await), ((90, 10), 90));
        shop.close().await;
    }

    /// Known mistake 32: a request without a key could not be repeated safely.
    async fn without_a_key_nothing_is_done(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let spend = shop.spend(10).await;
        let key = api_key(&shop.app, &[Scope::Admin], None).await;
        let grants = format!("/admin/accounts/{ACCOUNT}/grants");
        let refunds = format!("/credits/debits/{spend}/refunds");
        let before = shop.balance().await;
        for path in [DEBITS, HOLDS, &refunds, &grants] {
            let body = json!({ "credits": 5, "reason": "a test" });
            let request = || shop.request(path).header("x-api-key", &key).json(&body);
            let problem = shop.app.send(request()).await.expect_problem(400, "idempotency_key_required");
            assert_eq!(only_error(&problem), ("Idempotency-Key".to_owned(), "required".to_owned()));
            assert_eq!(problem["type"], "urn:topup:problem:idempotency_key_required");
            for wrong in ["", "\"open", "a b", &"x".repeat(256)] {
                let request = request().header("idempotency-key", wrong);
                let problem = shop.app.send(request).await.expect_problem(400, "invalid_request");
                assert_eq!(only_error(&problem), ("Idempotency-Key".to_owned(), "invalid_key".to_owned()), "{wrong}");
            }
            let twice = request().header("idempotency-key", "a").header("idempotency-key", "a");
            shop.app.send(twice).await.expect_problem(400, "invalid_request");
        }
        assert_eq!(shop.balance().await, before);
        shop.close().await;
    }

    /// What has ended since is no part of the balance that a repeated request is told.
    async fn a_repeated_request_is_told_the_balance_of_the_moment(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.debit("request-1", 10).await.expect(200);
        let spend = shop.spend(5).await;
        shop.refund(&spend, "refund-1", json!({ "credits": 2 })).await.expect(200);
        let body = json!({ "credits": 20, "expiresInSeconds": 60 });
        shop.post(HOLDS, "hold-1", &body).await.expect(200);
        shop.wait_seconds(60);
        let again = shop.debit("request-1", 10).await.expect(200);
        assert_eq!((&again["balance"]["heldCredits"], &again["balance"]["availableCredits"]), (&json!(0), &json!(87)));
        shop.post(HOLDS, "hold-2", &body).await.expect(200);
        shop.wait_seconds(60);
        let again = shop.post(HOLDS, "hold-2", &body).await.expect(200);
        assert_eq!((&again["state"], &again["balance"]["heldCredits"]), (&json!("expired"), &json!(0)));
        shop.post(HOLDS, "hold-3", &body).await.expect(200);
        shop.wait_seconds(60);
        let again = shop.refund(&spend, "refund-1", json!({ "credits": 2 })).await.expect(200);
        assert_eq!(again["balance"]["heldCredits"], 0);
        shop.close().await;
    }
}
