//! Refunds of spends: credits go back to the grants that they came from.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ACCOUNT, Shop, fields, funds, new_key, seconds_between, text};
use crate::admin::{buy, refund};
use crate::on_both_databases;

const DAY: i64 = 24 * 60 * 60;

async fn returned(shop: &Shop) -> Vec<Value> {
    let page = shop.get(&format!("/accounts/{ACCOUNT}/credits/grants?state=all")).await.expect(200);
    let grants = page["data"].as_array().expect("a list").iter();
    grants.filter(|grant| grant["kind"] == "returned").cloned().collect()
}

on_both_databases! {
    async fn a_spend_is_given_back_in_part_and_then_the_rest(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let spend = shop.spend(50).await;
        let body = json!({ "credits": 20, "reason": "The image was not usable" });
        let answer = shop.refund(&spend, "refund-1", body.clone()).await;
        assert!(!answer.headers.contains_key("idempotent-replayed"));
        let first = answer.expect(200);
        let expected = json!({ "id": first["id"], "spendId": spend, "accountId": ACCOUNT, "credits": 20,
            "reason": "The image was not usable", "createdAt": first["createdAt"], "balance": funds(70, 0) });
        assert_eq!(first, expected);
        assert!(text(&first["id"]).starts_with("spendrefund_"), "{first}");
        let again = shop.refund(&spend, "refund-1", body).await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(again.expect(200), first);
        shop.refund(&spend, "refund-1", json!({ "credits": 20 })).await.expect_problem(422, "idempotency_key_reused");
        shop.refund(&spend, "refund-1", json!({})).await.expect_problem(422, "idempotency_key_reused");

        let too_much = shop.refund(&spend, "refund-2", json!({ "credits": 31 })).await;
        let problem = too_much.expect_problem(409, "amount_too_large");
        assert!(text(&problem["detail"]).contains("30"), "{problem}");
        let rest = shop.refund(&spend, "refund-2", json!({})).await.expect(200);
        assert_eq!((&rest["credits"], &rest["reason"], &rest["balance"]), (&json!(30), &Value::Null, &funds(100, 0)));
        for body in [json!({}), json!({ "credits": 1 })] {
            shop.refund(&spend, "refund-3", body).await.expect_problem(409, "nothing_to_refund");
        }
        let details = shop.get(&format!("/credits/debits/{spend}")).await.expect(200);
        assert_eq!((&details["credits"], &details["refundedCredits"]), (&json!(50), &json!(50)));
        let credits = shop.app.get_as(ACCOUNT, "/credits").await.expect(200);
        assert_eq!((&credits["usedCredits"], &credits["totalCredits"]), (&json!(0), &json!(100)));
        let entries = shop.app.get_as(ACCOUNT, "/credits/transactions").await.expect(200);
        let entry = &entries["data"][1];
        let names = ["kind", "source", "credits", "reason"];
        assert_eq!(fields(entry, &names), json!(["spend_refund", first["id"], 20, "The image was not usable"]));
        shop.close().await;
    }

    /// Known mistake 32.
    async fn refunds_at_once_never_give_back_more_than_was_spent(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let spend = shop.spend(50).await;
        let same = join_all((0..10).map(|_| shop.refund(&spend, "refund-1", json!({ "credits": 20 })))).await;
        assert_eq!(same.iter().filter(|answer| !answer.headers.contains_key("idempotent-replayed")).count(), 1);
        let keys: Vec<String> = (0..10).map(|_| new_key()).collect();
        let answers = join_all(keys.iter().map(|key| shop.refund(&spend, key, json!({ "credits": 20 })))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.expect_problem(409, "amount_too_large");
        }
        assert_eq!(shop.balance().await, (90, 0));
        shop.close().await;
    }

    async fn credits_go_back_to_the_grants_they_came_from_the_last_first(backend: Backend) {
        let shop = Shop::open(backend).await;
        let bought = buy(&shop.app, ACCOUNT).await.topup;
        let given = shop.give(ACCOUNT, 30).await;
        let spend = shop.spend(100).await;
        assert_eq!(shop.open_grants().await, [(bought.clone(), 180)]);
        shop.refund(&spend, "refund-1", json!({ "credits": 60 })).await.expect(200);
        assert_eq!(shop.open_grants().await, [(bought.clone(), 240)]);
        shop.refund(&spend, "refund-2", json!({ "credits": 20 })).await.expect(200);
        assert_eq!(shop.open_grants().await, [(given.clone(), 10), (bought.clone(), 250)]);
        shop.refund(&spend, "refund-3", json!({})).await.expect(200);
        assert_eq!(shop.open_grants().await, [(given, 30), (bought, 250)]);
        assert_eq!(shop.balance().await, (280, 0));
        shop.close().await;
    }

    async fn a_captured_hold_is_given_back_like_a_debit(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(50).await;
        let spend = text(&shop.capture(&hold, 40).await.expect(200)["id"]);
        let back = shop.refund(&spend, "refund-1", json!({ "credits": 15 })).await.expect(200);
        assert_eq!(back["balance"], funds(75, 0));
        // The capture can still be repeated.
        assert_eq!(shop.capture(&hold, 40).await.expect(200)["refundedCredits"], 15);
        shop.close().await;
    }

    /// The grant has ended: its credits come back for seven days, of the same category.
    async fn credits_of_an_ended_grant_are_good_for_seven_days(backend: Backend) {
        let shop = Shop::open(backend).await;
        for (category, priority) in [("promotional", 1), ("paid", 2)] {
            let ends = shop.in_seconds(3_600);
            let body = json!({ "credits": 20, "expiresAt": ends, "reason": "a test", "create": true,
                "priority": priority, "category": category });
            shop.promote(body).await;
        }
        let spend = shop.spend(40).await;
        shop.wait_seconds(3_600);
        let back = shop.refund(&spend, "refund-1", json!({})).await.expect(200);
        assert_eq!(back["balance"], funds(40, 0));
        let grants = returned(&shop).await;
        let shown: Vec<Value> = grants.iter().map(|grant| fields(grant, &["category", "remainingCredits"])).collect();
        assert_eq!(shown, [json!(["promotional", 20]), json!(["paid", 20])]);
        for grant in &grants {
            assert_eq!(seconds_between(&grant["createdAt"], &grant["expiresAt"]), 7 * DAY);
        }
        // Both were brought by one entry; a page that ends between them loses neither.
        let path = format!("/accounts/{ACCOUNT}/credits/grants?limit=1");
        let first = shop.get(&path).await.expect(200);
        let second = shop.get(&format!("{path}&cursor={}", text(&first["nextCursor"]))).await.expect(200);
        assert_eq!((&first["data"][0], &second["data"][0]), (&grants[0], &grants[1]));
        assert_eq!(second["nextCursor"], Value::Null);
        shop.wait_seconds(7 * DAY - 60);
        let spend = shop.spend(40).await;
        shop.refund(&spend, "refund-1", json!({})).await.expect(200);
        assert_eq!(shop.balance().await, (40, 0));
        shop.wait_seconds(60);
        assert_eq!(shop.balance().await, (0, 0));
        shop.close().await;
    }

    /// What is owed is repaid first.
    async fn a_refund_fills_a_negative_balance_first(backend: Backend) {
        let shop = Shop::open(backend).await;
        let purchase = buy(&shop.app, ACCOUNT).await;
        let spend = shop.spend(200).await;
        refund(&shop.app, &purchase, "refund-1", json!({})).await.expect(200);
        assert_eq!(shop.balance().await, (-200, 0));
        let back = shop.refund(&spend, "refund-1", json!({ "credits": 150 })).await.expect(200);
        assert_eq!(back["balance"], funds(-50, 0));
        assert_eq!(shop.open_grants().await, []);
        shop.give(ACCOUNT, 60).await;
        let back = shop.refund(&spend, "refund-2", json!({})).await.expect(200);
        assert_eq!(back["balance"], funds(60, 0));
        let left: i64 = shop.open_grants().await.iter().map(|(_, remaining)| remaining).sum();
        assert_eq!(left, 60);
        shop.spend(60).await;
        shop.close().await;
    }
}
