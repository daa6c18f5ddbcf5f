//! Captures: a hold becomes a spend of less, exactly that, or more.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ACCOUNT, HOLDS, Shop, funds, number, numbers, text};
use crate::admin::{buy, refund};
use crate::on_both_databases;

async fn read(shop: &Shop, hold: &str) -> Value {
    shop.get(&format!("/credits/holds/{hold}")).await.expect(200)
}

/// Taken, asked for, not collected.
fn sizes(spend: &Value) -> [i64; 3] {
    ["credits", "requestedCredits", "uncollectedCredits"].map(|name| number(&spend[name]))
}

on_both_databases! {
    async fn a_capture_spends_what_the_work_came_to_and_frees_the_rest(backend: Backend) {
        let shop = Shop::open(backend).await;
        let grant = shop.give(ACCOUNT, 100).await;
        let body = json!({ "credits": 30, "operation": "chat", "subject": "member_7", "metadata": { "a": "b" } });
        let hold = shop.post(HOLDS, "request-1", &body).await.expect(200);
        let id = text(&hold["id"]);
        let spend = shop.capture(&id, 12).await.expect(200);
        let expected = json!({ "id": spend["id"], "accountId": ACCOUNT, "credits": 12, "requestedCredits": 12,
            "uncollectedCredits": 0, "refundedCredits": 0, "operation": "chat", "subject": "member_7",
            "metadata": { "a": "b" }, "holdId": id, "createdAt": spend["createdAt"], "balance": funds(88, 0) });
        assert_eq!(spend, expected);
        let details = shop.get(&format!("/credits/debits/{}", text(&spend["id"]))).await.expect(200);
        assert_eq!(details["parts"], json!([{ "grantId": grant, "credits": 12 }]));
        let captured = read(&shop, &id).await;
        assert_eq!((&captured["state"], &captured["credits"]), (&json!("captured"), &json!(30)));
        assert_eq!((&captured["capturedCredits"], &captured["spendId"]), (&json!(12), &spend["id"]));
        // The request that made the hold is answered with what became of it.
        let again = shop.post(HOLDS, "request-1", &body).await;
        assert_eq!((again.headers["idempotent-replayed"].as_str(), &again.body["state"]), ("true", &json!("captured")));
        shop.close().await;
    }

    async fn a_capture_may_replace_the_metadata(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let body = json!({ "credits": 30, "metadata": { "a": "b" } });
        let hold = text(&shop.post(HOLDS, "request-1", &body).await.expect(200)["id"]);
        let body = json!({ "credits": 30, "metadata": { "tokens": "1843" } });
        let spend = shop.change(&hold, "capture", body).await.expect(200);
        assert_eq!((&spend["metadata"], &spend["balance"]), (&json!({ "tokens": "1843" }), &funds(70, 0)));
        shop.close().await;
    }

    /// What exceeds the hold is taken from what is available, and never from other holds.
    async fn an_excess_is_taken_from_what_is_available(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let (one, two, other) = (shop.hold(20).await, shop.hold(20).await, shop.hold(30).await);
        let spend = shop.capture(&one, 25).await.expect(200);
        assert_eq!((sizes(&spend), &spend["balance"]), ([25, 25, 0], &funds(75, 50)));
        let spend = shop.capture(&two, 1_000).await.expect(200);
        assert_eq!((sizes(&spend), &spend["balance"]), ([45, 1_000, 955], &funds(30, 30)));
        assert_eq!(read(&shop, &two).await["capturedCredits"], 45);
        assert_eq!(shop.capture(&other, 30).await.expect(200)["credits"], 30);
        assert_eq!(shop.balance().await, (0, 0));
        shop.close().await;
    }

    async fn an_excess_can_be_refused_and_the_hold_stays(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let (hold, other) = (shop.hold(20).await, shop.hold(30).await);
        let reject = |credits: i64| json!({ "credits": credits, "onShortfall": "reject" });
        let problem = shop.change(&hold, "capture", reject(71)).await.expect_problem(409, "credits_held");
        assert_eq!(numbers(&problem), [51, 50, 50, 0], "51 more than the hold reserves are needed");
        let problem = shop.change(&hold, "capture", reject(100)).await.expect_problem(409, "credits_held");
        assert_eq!(numbers(&problem), [80, 50, 50, 0]);
        let problem = shop.change(&hold, "capture", reject(101)).await.expect_problem(402, "insufficient_credits");
        assert_eq!(numbers(&problem), [81, 50, 50, 0]);
        assert_eq!((&read(&shop, &hold).await["state"], shop.balance().await), (&json!("open"), (100, 50)));
        assert_eq!(sizes(&shop.change(&hold, "capture", reject(70)).await.expect(200)), [70, 70, 0]);
        shop.change(&other, "release", json!({})).await.expect(200);
        shop.close().await;
    }

    /// The work cost nothing: that is recorded, and the hold is free.
    async fn a_capture_of_nothing_frees_the_hold(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(20).await;
        let spend = shop.capture(&hold, 0).await.expect(200);
        assert_eq!((sizes(&spend), &spend["balance"], &spend["holdId"]), ([0, 0, 0], &funds(100, 0), &json!(hold)));
        let again = shop.capture(&hold, 0).await;
        assert_eq!((again.headers["idempotent-replayed"].as_str(), &again.body["id"]), ("true", &spend["id"]));
        shop.capture(&hold, 1).await.expect_problem(409, "hold_captured");
        assert_eq!((&read(&shop, &hold).await["state"], shop.entries().await.len()), (&json!("captured"), 1));
        shop.refund(&text(&spend["id"]), "refund-1", json!({})).await.expect_problem(409, "nothing_to_refund");
        shop.close().await;
    }

    /// Known mistake 31: a settlement that is repeated after a lost answer is not done twice.
    async fn a_hold_is_resolved_once(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(20).await;
        let spend = shop.capture(&hold, 50).await.expect(200);
        let again = shop.capture(&hold, 50).await;
        assert_eq!(again.headers.get("idempotent-replayed").map(String::as_str), Some("true"));
        assert_eq!(again.expect(200), spend);
        for credits in [0, 20, 49, 51] {
            shop.capture(&hold, credits).await.expect_problem(409, "hold_captured");
        }
        shop.change(&hold, "release", json!({})).await.expect_problem(409, "hold_captured");
        shop.change(&hold, "extend", json!({ "credits": 60 })).await.expect_problem(409, "hold_captured");
        // What was capped is repeated with the number that was asked for.
        let hold = shop.hold(10).await;
        assert_eq!(sizes(&shop.capture(&hold, 500).await.expect(200)), [50, 500, 450]);
        shop.give(ACCOUNT, 1_000).await;
        assert_eq!(sizes(&shop.capture(&hold, 500).await.expect(200)), [50, 500, 450]);
        shop.capture(&hold, 50).await.expect_problem(409, "hold_captured");
        assert_eq!(shop.balance().await, (1_000, 0));
        shop.close().await;
    }

    /// Known mistake 31.
    async fn captures_and_releases_at_once_resolve_a_hold_once(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        for round in 0..3_i64 {
            let hold = shop.hold(20).await;
            let before = shop.balance().await.0;
            let captures = join_all((0..8).map(|_| shop.capture(&hold, 5)));
            let releases = join_all((0..2).map(|_| shop.change(&hold, "release", json!({}))));
            let (captures, releases) = futures_util::future::join(captures, releases).await;
            let is_captured = read(&shop, &hold).await["state"] == "captured";
            let both = [(captures, is_captured, "hold_released"), (releases, !is_captured, "hold_captured")];
            for (answers, has_won, code) in both {
                for answer in answers {
                    if has_won {
                        answer.expect(200);
                    } else {
                        answer.expect_problem(409, code);
                    }
                }
            }
            let taken = if is_captured { 5 } else { 0 };
            assert_eq!(shop.balance().await, (before - taken, 0), "round {round}");
        }
        shop.close().await;
    }

    /// Known mistake 31: the hold ended while the work was done, and the work is charged all the same.
    async fn a_late_capture_takes_what_is_available(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let (whole, part) = (shop.hold(30).await, shop.hold(40).await);
        shop.wait_seconds(900);
        let spend = shop.capture(&whole, 30).await.expect(200);
        assert_eq!((sizes(&spend), &spend["balance"]), ([30, 30, 0], &funds(70, 0)));
        // Others have spent and reserved meanwhile.
        shop.debit("request-1", 10).await.expect(200);
        shop.hold(50).await;
        let reject = json!({ "credits": 40, "onShortfall": "reject" });
        let problem = shop.change(&part, "capture", reject).await.expect_problem(409, "credits_held");
        assert_eq!(numbers(&problem), [40, 10, 50, 0]);
        assert_eq!(read(&shop, &part).await["state"], "expired");
        let spend = shop.capture(&part, 40).await.expect(200);
        assert_eq!((sizes(&spend), &spend["balance"]), ([10, 40, 30], &funds(50, 50)));
        let late = read(&shop, &part).await;
        assert_eq!((&late["state"], &late["capturedCredits"]), (&json!("captured"), &json!(10)));
        shop.close().await;
    }

    /// A refund took the credits that were reserved. The work was done, so it is owed.
    async fn a_capture_after_a_refund_of_the_purchase_is_owed(backend: Backend) {
        let shop = Shop::open(backend).await;
        let purchase = buy(&shop.app, ACCOUNT).await;
        let hold = shop.hold(200).await;
        refund(&shop.app, &purchase, "refund-1", json!({})).await.expect(200);
        assert_eq!(shop.balance().await, (0, 200));
        let spend = shop.capture(&hold, 300).await.expect(200);
        assert_eq!((sizes(&spend), &spend["balance"]), ([200, 300, 100], &funds(-200, 0)));
        let details = shop.get(&format!("/credits/debits/{}", text(&spend["id"]))).await.expect(200);
        assert_eq!(details["parts"], json!([{ "grantId": null, "credits": 200 }]));
        let credits = shop.app.get_as(ACCOUNT, "/credits").await.expect(200);
        assert_eq!((&credits["owedCredits"], &credits["usedCredits"]), (&json!(200), &json!(200)));
        shop.close().await;
    }
}
