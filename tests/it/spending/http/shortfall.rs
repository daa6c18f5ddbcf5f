//! Too few credits: what is refused, what is taken all the same, and what the answer tells.

use serde_json::json;

use super::{ACCOUNT, DEBITS, HOLDS, Shop, funds, new_key, number, numbers, only_error, text};
use crate::admin::{buy, refund};
use crate::on_both_databases;

on_both_databases! {
    /// Known mistake 33.
    async fn a_refusal_says_how_many_are_missing_and_changes_nothing(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let problem = shop.debit("request-1", 101).await.expect_problem(402, "insufficient_credits");
        assert_eq!(numbers(&problem), [101, 100, 0, 0]);
        assert!(text(&problem["detail"]).contains("100") && text(&problem["detail"]).contains("101"), "{problem}");
        let hold = shop.post(HOLDS, "request-1", &json!({ "credits": 101 })).await;
        assert_eq!(numbers(&hold.expect_problem(402, "insufficient_credits")), [101, 100, 0, 0]);
        assert_eq!((shop.balance().await, shop.entries().await.len()), ((100, 0), 1));
        shop.close().await;
    }

    async fn an_account_that_never_had_credits_has_none(backend: Backend) {
        let shop = Shop::open(backend).await;
        for (path, body) in [
            (DEBITS, json!({ "credits": 1 })),
            (DEBITS, json!({ "credits": 1, "onShortfall": "cap" })),
            (HOLDS, json!({ "credits": 5, "minimumCredits": 1 })),
        ] {
            let problem = shop.post(path, "request-1", &body).await.expect_problem(402, "insufficient_credits");
            assert_eq!(numbers(&problem), [1, 0, 0, 0], "{body}");
        }
        assert_eq!(crate::support::books::rows(&shop.app.app.db).await.accounts, 0);
        shop.close().await;
    }

    /// Known mistake 33: credits that are reserved are not missing, and topping up would not help.
    async fn credits_that_are_held_are_another_refusal(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(60).await;
        let body = json!({ "credits": 41 });
        for path in [DEBITS, HOLDS] {
            let answer = shop.post(path, "request-1", &body).await;
            let wait: u64 = answer.headers["retry-after"].parse().expect("seconds");
            assert!((1..=60).contains(&wait), "{wait}");
            let problem = answer.expect_problem(409, "credits_held");
            assert_eq!(numbers(&problem), [41, 40, 60, 0]);
        }
        let problem = shop.debit("request-1", 101).await;
        assert!(!problem.headers.contains_key("retry-after"));
        assert_eq!(numbers(&problem.expect_problem(402, "insufficient_credits")), [101, 40, 60, 0]);
        assert_eq!(shop.debit("request-2", 40).await.expect(200)["balance"], funds(60, 60));
        shop.capture(&hold, 10).await.expect(200);
        // The same request as before.
        assert_eq!(shop.debit("request-1", 41).await.expect(200)["balance"], funds(9, 0));
        shop.close().await;
    }

    async fn a_capped_debit_takes_what_there_is_and_says_what_is_missing(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let capped = async |credits: i64| {
            let body = json!({ "credits": credits, "onShortfall": "cap" });
            let spend = shop.post(DEBITS, &new_key(), &body).await.expect(200);
            let numbers = ["credits", "requestedCredits", "uncollectedCredits"].map(|name| number(&spend[name]));
            (numbers, spend)
        };
        let hold = shop.hold(30).await;
        assert_eq!(capped(50).await.0, [50, 50, 0]);
        let (taken, spend) = capped(50).await;
        assert_eq!((taken, &spend["balance"]), ([20, 50, 30], &funds(30, 30)), "what is held is not taken");
        // The loss is recorded although nothing can be taken.
        let (taken, spend) = capped(7).await;
        assert_eq!((taken, &spend["balance"]), ([0, 7, 7], &funds(30, 30)));
        let details = shop.get(&format!("/credits/debits/{}", text(&spend["id"]))).await.expect(200);
        assert_eq!(details["parts"], json!([]));
        shop.capture(&hold, 30).await.expect(200);
        assert_eq!(shop.balance().await, (0, 0));
        shop.close().await;
    }

    async fn a_capped_debit_may_ask_for_a_minimum(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let body = |minimum: i64| json!({ "credits": 150, "minimumCredits": minimum, "onShortfall": "cap" });
        let problem = shop.post(DEBITS, "request-1", &body(101)).await.expect_problem(402, "insufficient_credits");
        assert_eq!(numbers(&problem), [101, 100, 0, 0]);
        let hold = shop.hold(1).await;
        let problem = shop.post(DEBITS, "request-1", &body(100)).await.expect_problem(409, "credits_held");
        assert_eq!(numbers(&problem), [100, 99, 1, 0]);
        shop.change(&hold, "release", json!({})).await.expect(200);
        assert_eq!(shop.post(DEBITS, "request-1", &body(100)).await.expect(200)["credits"], 100);
        assert_eq!(shop.balance().await, (0, 0));
        shop.close().await;
    }

    async fn a_minimum_needs_cap_and_is_at_most_what_is_asked_for(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        for (body, code) in [
            (json!({ "credits": 5, "minimumCredits": 1 }), "not_allowed"),
            (json!({ "credits": 5, "minimumCredits": 1, "onShortfall": "reject" }), "not_allowed"),
            (json!({ "credits": 5, "minimumCredits": 6, "onShortfall": "cap" }), "out_of_range"),
        ] {
            let problem = shop.post(DEBITS, "request-1", &body).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), ("minimumCredits".to_owned(), code.to_owned()));
        }
        let body = json!({ "credits": 5, "minimumCredits": 6 });
        let problem = shop.post(HOLDS, "request-1", &body).await.expect_problem(400, "invalid_request");
        assert_eq!(only_error(&problem), ("minimumCredits".to_owned(), "out_of_range".to_owned()));
        assert_eq!(shop.balance().await, (100, 0));
        shop.close().await;
    }

    /// Known mistake 33: what is owed is told, not hidden behind an available balance of 0.
    async fn below_zero_a_refusal_says_what_is_owed(backend: Backend) {
        let shop = Shop::open(backend).await;
        let purchase = buy(&shop.app, ACCOUNT).await;
        shop.spend(200).await;
        refund(&shop.app, &purchase, "refund-1", json!({})).await.expect(200);
        assert_eq!(shop.balance().await, (-200, 0));
        let problem = shop.debit("request-1", 1).await.expect_problem(402, "insufficient_credits");
        assert_eq!(numbers(&problem), [1, 0, 0, 200]);
        let capped = shop.post(DEBITS, "request-2", &json!({ "credits": 5, "onShortfall": "cap" })).await.expect(200);
        assert_eq!((&capped["credits"], &capped["balance"]), (&json!(0), &funds(-200, 0)));
        shop.give(ACCOUNT, 203).await;
        shop.debit("request-1", 1).await.expect(200);
        assert_eq!(shop.balance().await, (2, 0));
        shop.close().await;
    }
}
