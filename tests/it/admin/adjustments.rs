//! Adjustments: credits that an operator adds or removes.

use futures_util::future::join_all;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{api_key, buy, get, post, refund, start};
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::books::{Rows, rows};
use crate::support::{Answer, TestApp};

async fn adjust(app: &TestApp, account: &str, key: &str, credits: i64) -> Answer {
    let body = json!({ "credits": credits, "reason": "a gift", "create": true });
    post(app, &format!("/admin/accounts/{account}/adjustments"), key, body).await
}

on_both_databases! {
    async fn an_adjustment_moves_the_balance_and_says_who_did_it_and_why(backend: Backend) {
        let app = start(backend).await;
        let given = adjust(&app, "user_1", "key-1", 100).await.expect(200);
        let expected = json!({ "id": given["id"], "accountId": "user_1", "credits": 100, "reason": "a gift",
            "madeBy": "token of operator_1", "balanceAfter": 100, "createdAt": given["createdAt"] });
        assert_eq!(given, expected);
        let secret = api_key(&app, Scope::Admin, Some("user_1")).await;
        let request = http_client().post(format!("{}/admin/accounts/user_1/adjustments", app.url));
        let request = request.header("x-api-key", &secret).header("idempotency-key", "key-2");
        let taken = app.send(request.json(&json!({ "credits": -30, "reason": "a mistake" }))).await.expect(200);
        let by = taken["madeBy"].as_str().expect("text");
        assert!(by.starts_with("API key key_") && by.ends_with("(back office)") && !by.contains(&secret), "{by}");
        assert_eq!((&taken["balanceAfter"], app.credits("user_1").await), (&json!(70), 70));
        let entries = app.get_as("user_1", "/credits/transactions").await.expect(200);
        assert_eq!((&entries["data"][0]["kind"], &entries["data"][0]["source"]), (&json!("adjustment"), &taken["id"]));
        let path = "/admin/accounts/user_1/adjustments";
        assert_eq!(get(&app, path).await.expect(200), json!({ "data": [taken, given], "nextCursor": null }));
        let first = get(&app, &format!("{path}?limit=1")).await.expect(200);
        let cursor = first["nextCursor"].as_str().expect("a cursor");
        let second = get(&app, &format!("{path}?limit=1&cursor={cursor}")).await.expect(200);
        assert_eq!((&first["data"], &second["data"], &second["nextCursor"]), (&json!([taken]), &json!([given]), &Value::Null));
        for wrong in ["7", "7_%00"] {
            get(&app, &format!("{path}?cursor={wrong}")).await.expect_problem(400, "invalid_request");
        }
        app.finish().await;
    }

    async fn an_account_that_is_not_there_yet_must_be_asked_for(backend: Backend) {
        let app = start(backend).await;
        let path = "/admin/accounts/user_l/adjustments";
        for credits in [100, -100] {
            let problem = post(&app, path, "key-1", json!({ "credits": credits, "reason": "a gift" })).await;
            let problem = problem.expect_problem(404, "unknown_account");
            assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("user_l") && detail.contains("\"create\": true")));
        }
        assert_eq!(rows(&app.app.db).await, Rows::default());
        let body = json!({ "credits": 100, "reason": "a gift", "create": true });
        post(&app, path, "key-1", body).await.expect(200);
        post(&app, path, "key-2", json!({ "credits": 1, "reason": "a gift" })).await.expect(200);
        assert_eq!(app.credits("user_l").await, 101);
        app.finish().await;
    }

    async fn the_same_key_adjusts_once(backend: Backend) {
        let app = start(backend).await;
        let answers = join_all((0..10).map(|_| adjust(&app, "user_1", "key-1", 100))).await;
        let first = answers[0].clone().expect(200);
        for answer in answers {
            assert_eq!(answer.expect(200), first);
        }
        adjust(&app, "user_1", "key-1", 101).await.expect_problem(422, "idempotency_key_reused");
        assert_eq!(app.credits("user_1").await, 100);
        assert_eq!(rows(&app.app.db).await, Rows { entries: 1, accounts: 1, ..Rows::default() });
        app.finish().await;
    }

    async fn a_key_belongs_to_the_account_with_whatever_credentials_it_comes(backend: Backend) {
        // Known mistake 35.
        let app = start(backend).await;
        let first = adjust(&app, "user_1", "key-1", 100).await.expect(200);
        for account in [None, Some("user_1")] {
            let secret = api_key(&app, Scope::Admin, account).await;
            let request = http_client().post(format!("{}/admin/accounts/user_1/adjustments", app.url));
            let request = request.header("x-api-key", secret).header("idempotency-key", "\"key-1\"");
            let body = json!({ "credits": 100, "reason": "a gift" });
            assert_eq!(app.send(request.json(&body)).await.expect(200), first);
        }
        let other = adjust(&app, "user_2", "key-1", 100).await.expect(200);
        assert_ne!(other["id"], first["id"], "another account's key is another key");
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (100, 100));
        app.finish().await;
    }

    /// Known mistake 4.
    async fn many_at_once_never_take_more_than_there_is(backend: Backend) {
        let app = start(backend).await;
        adjust(&app, "user_1", "key", 100).await.expect(200);
        let keys: Vec<String> = (0..20).map(|number| format!("key-{number}")).collect();
        let answers = join_all(keys.iter().map(|key| adjust(&app, "user_1", key, -30))).await;
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.expect_problem(409, "insufficient_credits");
        }
        assert_eq!((taken, app.credits("user_1").await), (3, 10));
        adjust(&app, "nobody", "key-x", -1).await.expect_problem(409, "insufficient_credits");
        app.finish().await;
    }

    async fn a_balance_below_zero_is_filled_and_not_deepened(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        adjust(&app, "user_1", "key-1", -250).await.expect(200);
        refund(&app, &purchase, "key-2", json!({})).await.expect(200);
        assert_eq!(app.credits("user_1").await, -250);
        adjust(&app, "user_1", "key-3", -1).await.expect_problem(409, "insufficient_credits");
        assert_eq!(adjust(&app, "user_1", "key-4", 100).await.expect(200)["balanceAfter"], -150);
        assert_eq!(adjust(&app, "user_1", "key-5", 151).await.expect(200)["balanceAfter"], 1);
        app.finish().await;
    }

    async fn what_is_no_adjustment_is_refused_and_changes_nothing(backend: Backend) {
        let app = start(backend).await;
        let path = "/admin/accounts/user_1/adjustments";
        let wrong = [
            json!({ "reason": "r" }), json!({ "credits": 1 }), json!({ "credits": 0, "reason": "r" }),
            json!({ "credits": 1_000_000_001, "reason": "r" }), json!({ "credits": -1_000_000_001, "reason": "r" }),
            json!({ "credits": i64::MIN, "reason": "r" }), json!({ "credits": 1.5, "reason": "r" }),
            json!({ "credits": 1, "reason": " " }), json!({ "credits": 1, "reason": "a\u{0}b" }),
            json!({ "credits": 1, "reason": "x".repeat(501) }), json!({ "credits": 1, "reason": "r", "amount": 1 }),
        ];
        for body in wrong {
            let answer = post(&app, path, "key", body.clone()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        }
        let request = || http_client().post(format!("{}{path}", app.url)).json(&json!({ "credits": 1, "reason": "r" }));
        let without_key = request().bearer_auth(crate::admin::admin_token(&app));
        app.send(without_key).await.expect_problem(400, "idempotency_key_required");
        app.send(request()).await.expect_problem(401, "missing_credentials");
        app.send(request().bearer_auth(app.token("user_1"))).await.expect_problem(403, "admin_required");
        let read = api_key(&app, Scope::Read, None).await;
        app.send(request().header("x-api-key", read)).await.expect_problem(403, "scope_missing");
        let bound = api_key(&app, Scope::Admin, Some("user_2")).await;
        let bound_request = request().header("x-api-key", &bound).header("idempotency-key", "key");
        app.send(bound_request).await.expect_problem(403, "account_forbidden");
        app.get_as("user_1", path).await.expect_problem(403, "admin_required");
        assert_eq!(rows(&app.app.db).await, Rows::default());
        app.finish().await;
    }
}
