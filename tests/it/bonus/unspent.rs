//! Refunds of what was not spent.

use serde_json::{Value, json};

use super::{ACCOUNT, Purchase, close, debit, grants, named, start};
use crate::on_both_databases;

fn numbers(preview: &Value) -> [i64; 4] {
    ["amount", "credits", "bonusCredits", "unspentCredits"].map(|name| preview[name].as_i64().expect("a number"))
}

on_both_databases! {
    async fn a_preview_says_what_is_unspent_and_what_is_held(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        // The credits are not adopted yet.
        assert_eq!(numbers(&purchase.preview(&app, "unspent=true").await), [250, 250, 25, 250]);
        debit(&app, 75).await;
        let preview = purchase.preview(&app, "").await;
        assert_eq!((numbers(&preview), &preview["balance"]["heldCredits"]), ([289, 250, 25, 200], &json!(0)));
        assert_eq!(preview["balance"]["owedCredits"], 75);
        let preview = purchase.preview(&app, "unspent=true").await;
        assert_eq!((numbers(&preview), &preview["feeAmount"]), ([200, 200, 20, 200], &json!(0)));
        close(app).await;
    }

    async fn what_is_unspent_is_refunded_once_and_then_there_is_nothing(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        debit(&app, 75).await;
        for _ in 0..2 {
            let made = purchase.refund(&app, "key-1", json!({ "unspent": true })).await.expect(200);
            assert_eq!((&made["amount"], &made["creditsTaken"]), (&json!(200), &json!(200)));
        }
        assert_eq!(grants(&app).await, named(&[("purchase", 0), ("bonus", 0)]));
        let problem = purchase.refund(&app, "key-2", json!({ "unspent": true })).await;
        let problem = problem.expect_problem(409, "nothing_unspent");
        assert!(problem["detail"].as_str().expect("words").contains("unspent"), "{problem}");
        let preview = purchase.preview(&app, "unspent=true").await;
        assert_eq!((&preview["possible"], &preview["code"]), (&json!(false), &json!("nothing_unspent")));
        // The fee can still be refunded by its amount.
        purchase.refund(&app, "key-3", json!({ "amount": 89 })).await.expect(200);
        close(app).await;
    }

    async fn it_is_asked_for_alone(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        for other in ["credits", "amount"] {
            let problem = purchase.refund(&app, "key-1", json!({ "unspent": true, other: 5 })).await;
            let problem = problem.expect_problem(400, "invalid_request");
            assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&json!("unspent"), &json!("ambiguous")));
        }
        let made = purchase.refund(&app, "key-1", json!({ "unspent": false, "credits": 5 })).await.expect(200);
        assert_eq!(made["amount"], 5);
        let problem = purchase.refund(&app, "key-1", json!({ "unspent": true })).await;
        problem.expect_problem(422, "idempotency_key_reused");
        close(app).await;
    }

    /// Credits of the same account that came otherwise are not refunded.
    async fn only_the_purchases_own_credits_count(backend: Backend) {
        let app = start(backend).await;
        let (one, two) = (Purchase::credited(&app, 50).await, Purchase::credited(&app, 60).await);
        debit(&app, 70).await;
        let problem = one.refund(&app, "key-1", json!({ "unspent": true })).await;
        problem.expect_problem(409, "nothing_unspent");
        let made = two.refund(&app, "key-1", json!({ "unspent": true })).await.expect(200);
        assert_eq!((&made["amount"], app.credits(ACCOUNT).await), (&json!(40), 0));
        close(app).await;
    }
}
