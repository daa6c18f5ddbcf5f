//! Debits: credits taken at once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ACCOUNT, DEBITS, Shop, fields, funds, new_key, number, text};
use crate::on_both_databases;

on_both_databases! {
    async fn a_debit_takes_credits_and_says_what_is_left(backend: Backend) {
        let shop = Shop::open(backend).await;
        let grant = shop.give(ACCOUNT, 100).await;
        let metadata = json!({ "model": "large", "": "\u{0} \u{1f600}" });
        let body =
            json!({ "credits": 12, "operation": "chat.completion", "subject": "member 7", "metadata": metadata });
        let answer = shop.post(DEBITS, "request-1", &body).await;
        assert!(!answer.headers.contains_key("idempotent-replayed"), "{answer:?}");
        let spend = answer.expect(200);
        let expected = json!({ "id": spend["id"], "accountId": ACCOUNT, "credits": 12, "requestedCredits": 12,
            "uncollectedCredits": 0, "refundedCredits": 0, "operation": "chat.completion", "subject": "member 7",
            "metadata": metadata, "holdId": null, "createdAt": spend["createdAt"], "balance": funds(88, 0) });
        assert_eq!(spend, expected);
        assert!(text(&spend["id"]).starts_with("spend_") && text(&spend["createdAt"]).ends_with('Z'), "{spend}");

        let mut details = expected;
        details["parts"] = json!([{ "grantId": grant, "credits": 12 }]);
        let path = format!("/credits/debits/{}", text(&spend["id"]));
        assert_eq!(shop.get(&path).await.expect(200), details);
        let entries = shop.app.get_as(ACCOUNT, "/credits/transactions").await.expect(200);
        let entry = &entries["data"][0];
        let names = ["kind", "credits", "balanceAfter", "source", "description"];
        assert_eq!(fields(entry, &names), json!(["spend", -12, 88, spend["id"], "Spent"]));
        shop.close().await;
    }

    /// Only the number of credits must be named.
    async fn what_is_not_named_is_null_or_empty(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let spend = shop.debit("request-1", 100).await.expect(200);
        let unnamed = [&spend["operation"], &spend["subject"], &spend["holdId"]];
        assert_eq!((unnamed, &spend["metadata"]), ([&Value::Null; 3], &json!({})));
        assert_eq!(spend["balance"], funds(0, 0));
        shop.close().await;
    }

    /// The parts of a spend are the grants that it came from, in the order in which they were taken.
    async fn the_parts_name_the_grants(backend: Backend) {
        let shop = Shop::open(backend).await;
        let bought = crate::admin::buy(&shop.app, ACCOUNT).await;
        let given = shop.give(ACCOUNT, 30).await;
        let spend = shop.spend(100).await;
        let details = shop.get(&format!("/credits/debits/{spend}")).await.expect(200);
        let parts = json!([{ "grantId": given, "credits": 30 }, { "grantId": bought.topup, "credits": 70 }]);
        assert_eq!(details["parts"], parts);
        assert_eq!(shop.entries().await[2..], [("spend".to_owned(), -30), ("spend".to_owned(), -70)]);
        // Later debits go on with the next grants.
        let spend = shop.spend(180).await;
        let details = shop.get(&format!("/credits/debits/{spend}")).await.expect(200);
        assert_eq!(details["parts"], json!([{ "grantId": bought.topup, "credits": 180 }]));
        assert_eq!(shop.balance().await, (0, 0));
        shop.close().await;
    }

    /// Known mistake 30.
    async fn many_at_once_never_take_more_than_there_is(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let keys: Vec<String> = (0..50).map(|_| new_key()).collect();
        let answers = join_all(keys.iter().map(|key| shop.debit(key, 3))).await;
        let mut left = Vec::new();
        for answer in answers {
            if answer.status == 200 {
                left.push(number(&answer.expect(200)["balance"]["remainingCredits"]));
            } else {
                answer.expect_problem(402, "insufficient_credits");
            }
        }
        assert_eq!((left.len(), left.iter().min().copied(), shop.balance().await), (33, Some(1), (1, 0)));
        shop.close().await;
    }

    async fn an_id_that_is_none_is_not_found(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(10).await;
        let unknown = format!("spend_{}", "0".repeat(32));
        for id in ["spend_1", "x", "%00", "spend_%00", hold.as_str(), unknown.as_str()] {
            shop.get(&format!("/credits/debits/{id}")).await.expect_problem(404, "not_found");
            shop.refund(id, "refund-1", json!({})).await.expect_problem(404, "not_found");
        }
        shop.close().await;
    }
}
