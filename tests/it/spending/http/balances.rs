//! Balances and access: what an account has, what is held of it, and whether it could spend.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, Shop, api_key, funds, number, only_error, text};
use crate::admin::{buy, refund};
use crate::on_both_databases;

async fn access(shop: &Shop, query: &str) -> Value {
    shop.get(&format!("/accounts/{ACCOUNT}/credits/access{query}")).await.expect(200)
}

fn could(code: Option<&str>, available: i64, held: i64) -> Value {
    json!({ "allowed": code.is_none(), "code": code, "availableCredits": available, "heldCredits": held,
        "limits": [] })
}

on_both_databases! {
    /// Known mistake 33: what is held and what is owed is told wherever a balance is.
    async fn a_balance_tells_what_is_held_and_what_is_owed(backend: Backend) {
        let shop = Shop::open(backend).await;
        let balance = async || {
            let credits = shop.get(&format!("/accounts/{ACCOUNT}/credits")).await.expect(200);
            assert_eq!(shop.app.get_as(ACCOUNT, "/credits").await.expect(200), credits);
            ["remainingCredits", "heldCredits", "availableCredits", "owedCredits", "usedCredits", "totalCredits"]
                .map(|name| number(&credits[name]))
        };
        assert_eq!(balance().await, [0; 6]);
        let purchase = buy(&shop.app, ACCOUNT).await;
        assert_eq!(balance().await, [250, 0, 250, 0, 0, 250]);
        let hold = shop.hold(100).await;
        assert_eq!(balance().await, [250, 100, 150, 0, 0, 250]);
        shop.spend(30).await;
        assert_eq!(balance().await, [220, 100, 120, 0, 30, 250]);
        refund(&shop.app, &purchase, "refund-1", json!({})).await.expect(200);
        assert_eq!(balance().await, [-30, 100, 0, 30, 30, 0]);
        shop.capture(&hold, 70).await.expect(200);
        assert_eq!(balance().await, [-100, 0, 0, 100, 100, 0]);
        shop.close().await;
    }

    async fn access_says_what_a_debit_would_be_told(backend: Backend) {
        let shop = Shop::open(backend).await;
        assert_eq!(access(&shop, "").await, could(Some("insufficient_credits"), 0, 0));
        shop.give(ACCOUNT, 100).await;
        assert_eq!(access(&shop, "").await, could(None, 100, 0));
        shop.hold(60).await;
        assert_eq!(access(&shop, "?credits=40").await, could(None, 40, 60));
        for (credits, code) in [(41, "credits_held"), (100, "credits_held"), (101, "insufficient_credits")] {
            let answer = access(&shop, &format!("?credits={credits}")).await;
            assert_eq!(answer, could(Some(code), 40, 60), "{credits}");
            assert_eq!(shop.debit("request-1", credits).await.body["code"], code);
        }
        let path = "/credits/access?credits=41";
        assert_eq!(shop.app.get_as(ACCOUNT, path).await.expect(200), could(Some("credits_held"), 40, 60));
        let bound = api_key(&shop.app, &[Scope::Read], Some(ACCOUNT)).await;
        assert_eq!(shop.get_as(&bound, path).await.expect(200), could(Some("credits_held"), 40, 60));
        // Looking reserves nothing.
        assert_eq!(shop.balance().await, (100, 60));
        for (query, code) in [("credits=0", "range"), ("credits=-1", "range"), ("credits=9007199254740992", "range"),
            ("credits=x", "invalid_type"), ("credits=1.5", "invalid_type"), ("credits=1&credits=1", "repeated")] {
            let answer = shop.get(&format!("/accounts/{ACCOUNT}/credits/access?{query}")).await;
            let problem = answer.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), ("credits".to_owned(), code.to_owned()), "{query}");
        }
        let problem = shop.get("/credits/access").await.expect_problem(400, "invalid_request");
        assert_eq!(only_error(&problem), ("accountId".to_owned(), "required".to_owned()));
        shop.close().await;
    }

    /// An adjustment never takes what a hold reserves.
    async fn an_adjustment_leaves_what_is_held(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(60).await;
        let path = format!("/admin/accounts/{ACCOUNT}/adjustments");
        let take = |credits: i64| json!({ "credits": -credits, "reason": "a test" });
        let problem = shop.operator(&path, take(41)).await.expect_problem(409, "insufficient_credits");
        assert!(text(&problem["detail"]).contains("hold"), "{problem}");
        shop.operator(&path, take(40)).await.expect(200);
        assert_eq!(shop.capture(&hold, 60).await.expect(200)["balance"], funds(0, 0));
        shop.close().await;
    }
}
