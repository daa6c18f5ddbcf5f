//! Blocked accounts: they begin nothing new, and what began before comes to its end.

use futures_util::future::join_all;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, DEBITS, HOLDS, Shop, api_key, fields, new_key, number, only_error, text};
use crate::admin::{admin_token, buy};
use crate::on_both_databases;
use crate::support::app::http_client;

const BLOCK: &str = "/admin/accounts/user_1/block";
const UNBLOCK: &str = "/admin/accounts/user_1/unblock";
const SHOWN: [&str; 5] = ["accountId", "blocked", "remainingCredits", "heldCredits", "availableCredits"];

async fn account(shop: &Shop) -> Value {
    let request = http_client().get(format!("{}/admin/accounts/{ACCOUNT}", shop.app.url));
    shop.app.send(request.bearer_auth(admin_token(&shop.app))).await.expect(200)
}

async fn block(shop: &Shop) -> Value {
    shop.operator(BLOCK, json!({ "reason": "Its key was stolen" })).await.expect(200)
}

on_both_databases! {
    async fn a_blocked_account_begins_nothing_new(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let (one, other) = (shop.hold(20).await, shop.hold(20).await);
        let spend = shop.spend(10).await;
        assert_eq!(account(&shop).await["blockReason"], Value::Null);
        let blocked = block(&shop).await;
        assert_eq!(fields(&blocked, &SHOWN), json!([ACCOUNT, true, 90, 40, 50]));
        assert_eq!(blocked["blockReason"], "Its key was stolen");
        assert!(text(&blocked["blockChangedBy"]).starts_with("token of "), "{blocked}");
        assert_eq!(account(&shop).await, blocked);
        for (path, body) in [(DEBITS, json!({ "credits": 1 })), (DEBITS, json!({ "credits": 1, "onShortfall": "cap" })),
            (HOLDS, json!({ "credits": 1 }))] {
            shop.post(path, &new_key(), &body).await.expect_problem(403, "account_blocked");
        }
        shop.change(&one, "extend", json!({ "credits": 21 })).await.expect_problem(403, "account_blocked");
        let access = shop.get(&format!("/accounts/{ACCOUNT}/credits/access")).await.expect(200);
        assert_eq!(access, json!({ "allowed": false, "code": "account_blocked", "availableCredits": 50, "heldCredits": 40, "limits": [] }));
        assert_eq!(shop.capture(&one, 20).await.expect(200)["credits"], 20);
        shop.change(&other, "release", json!({})).await.expect(200);
        shop.refund(&spend, &new_key(), json!({})).await.expect(200);
        buy(&shop.app, ACCOUNT).await;
        assert_eq!(shop.balance().await, (330, 0));
        let unblocked = shop.operator(UNBLOCK, json!({ "reason": "It has a new one" })).await.expect(200);
        assert_eq!(fields(&unblocked, &SHOWN), json!([ACCOUNT, false, 330, 0, 330]));
        assert_eq!(unblocked["blockReason"], "It has a new one");
        shop.debit(&new_key(), 330).await.expect(200);
        shop.close().await;
    }

    async fn blocking_again_keeps_the_first_reason(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let again = shop.operator(UNBLOCK, json!({ "reason": "It never was" })).await.expect(200);
        assert_eq!((&again["blocked"], &again["blockReason"]), (&json!(false), &Value::Null));
        let first = block(&shop).await;
        let again = shop.operator(BLOCK, json!({ "reason": "Another reason" })).await.expect(200);
        assert_eq!(again, first);
        shop.operator("/admin/accounts/user_9/block", json!({ "reason": "x" })).await.expect_problem(404, "unknown_account");
        for body in [json!({}), json!({ "reason": "" }), json!({ "reason": "a\nb" })] {
            let problem = shop.operator(BLOCK, body.clone()).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem).0, "reason", "{body}");
        }
        for (scopes, bound, path) in [
            (vec![Scope::Spend, Scope::Read], None, BLOCK), (vec![Scope::Admin], Some("user_2"), BLOCK),
            (vec![Scope::Admin], Some("user_2"), UNBLOCK)] {
            let key = api_key(&shop.app, &scopes, bound).await;
            let answer = shop.post_as(&key, path, "not read", &json!({ "reason": "x" })).await;
            assert_eq!(answer.status, 403, "{scopes:?} {}", answer.body);
        }
        assert_eq!(account(&shop).await, first);
        shop.close().await;
    }

    /// The statement that decides many at once leaves the blocked account out, and no other.
    async fn a_group_with_a_blocked_account_spends_from_the_others(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        shop.give("user_2", 1_000).await;
        // Both are settled, so that the statement decides for them.
        shop.spend(1).await;
        shop.post("/accounts/user_2/credits/debits", &new_key(), &json!({ "credits": 1 })).await.expect(200);
        block(&shop).await;
        let items: Vec<Value> = (0..60).map(|index| {
            let account = if index % 2 == 0 { ACCOUNT } else { "user_2" };
            json!({ "key": format!("item-{index}"), "accountId": account, "credits": 2 })
        }).collect();
        let body = json!({ "items": items });
        let batch = shop.post("/credits/debits/batch", "not read", &body);
        let results = batch.await.expect(200)["results"].clone();
        for (index, result) in results.as_array().expect("a list").iter().enumerate() {
            let expected = if index % 2 == 0 { 403 } else { 200 };
            assert_eq!(number(&result["status"]), expected, "{index}: {result}");
        }
        assert_eq!(shop.balance().await, (999, 0));
        assert_eq!(number(&shop.app.get_as("user_2", "/credits").await.expect(200)["remainingCredits"]), 939);
        shop.operator(UNBLOCK, json!({ "reason": "a test" })).await.expect(200);
        let debits = join_all((0..20).map(|_| async { shop.debit(&new_key(), 1).await.status }));
        let (statuses, blocked) = tokio::join!(debits, block(&shop));
        assert_eq!(blocked["blocked"], true);
        let spent = statuses.iter().filter(|status| **status == 200).count();
        assert!(statuses.iter().all(|status| [200, 403].contains(status)), "{statuses:?}");
        assert_eq!(shop.balance().await, (999 - i64::try_from(spent).expect("small"), 0));
        shop.debit(&new_key(), 1).await.expect_problem(403, "account_blocked");
        shop.close().await;
    }
}
