//! Grants: what an account's credits came from, in which order they are spent, and when they end.

use serde_json::{Value, json};

use super::{ACCOUNT, Shop, fields, funds, number, numbers, only_error, text};
use crate::admin::buy;
use crate::on_both_databases;

const PATH: &str = "/accounts/user_1/credits/grants";
const HOUR: i64 = 3_600;

async fn ids(shop: &Shop, query: &str) -> (Vec<String>, Value) {
    let page = shop.get(&format!("{PATH}{query}")).await.expect(200);
    (
        page["data"].as_array().expect("a list").iter().map(|grant| text(&grant["id"])).collect(),
        page["nextCursor"].clone(),
    )
}

/// A promotion. Returns its id.
async fn promote(shop: &Shop, credits: i64, changes: Value) -> String {
    let mut body = json!({ "credits": credits, "reason": "a test", "create": true });
    body.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    text(&shop.promote(body).await["id"])
}

on_both_databases! {
    async fn grants_say_where_credits_came_from(backend: Backend) {
        let shop = Shop::open(backend).await;
        let bought = buy(&shop.app, ACCOUNT).await.topup;
        let given = shop.give(ACCOUNT, 30).await;
        let ends = shop.in_seconds(HOUR);
        let body = json!({ "credits": 20, "expiresAt": ends, "priority": 10, "reason": "Welcome" });
        let promoted = shop.promote(body).await;
        let page = shop.get(PATH).await.expect(200);
        let grant = |place: usize| page["data"][place].clone();
        let expected = |id: &str, kind: &str, category: &str, credits: i64, created: &Value| {
            let topup = if kind == "purchase" { json!(id) } else { Value::Null };
            json!({ "id": id, "topupId": topup, "accountId": ACCOUNT, "kind": kind, "category": category, "priority": 50,
                "credits": credits, "remainingCredits": credits, "expiresAt": null, "reason": null, "voidedAt": null,
                "createdAt": created })
        };
        assert_eq!(grant(0), promoted);
        assert_eq!(grant(1), expected(&given, "adjustment", "promotional", 30, &grant(1)["createdAt"]));
        assert_eq!(grant(2), expected(&bought, "purchase", "paid", 250, &grant(2)["createdAt"]));
        assert_eq!((page["data"].as_array().map(Vec::len), &page["nextCursor"]), (Some(3), &Value::Null));
        // The customer sees the same.
        assert_eq!(shop.app.get_as(ACCOUNT, "/credits/grants").await.expect(200), page);
        assert_eq!(shop.app.get_as(ACCOUNT, PATH).await.expect(200), page);
        shop.close().await;
    }

    async fn what_is_spent_is_not_open_any_more(backend: Backend) {
        let shop = Shop::open(backend).await;
        let mut all = Vec::new();
        for _ in 0..5 {
            all.insert(0, shop.give(ACCOUNT, 10).await);
        }
        shop.spend(25).await;
        let open = all[..3].to_vec();
        assert_eq!(ids(&shop, "").await, (open.clone(), Value::Null));
        assert_eq!(ids(&shop, "?state=open").await, (open, Value::Null));
        assert_eq!(ids(&shop, "?state=all").await, (all.clone(), Value::Null));
        let (mut found, mut query) = (Vec::new(), String::from("?state=all&limit=2"));
        for pages in 1.. {
            let (page, next) = ids(&shop, &query).await;
            assert!(page.len() <= 2);
            found.extend(page);
            let Some(cursor) = next.as_str() else {
                assert_eq!(pages, 3);
                break;
            };
            query = format!("?state=all&limit=2&cursor={cursor}");
        }
        assert_eq!(found, all);
        let queries = ["state=closed", "limit=0", "limit=101", "limit=x", "cursor=7", "cursor=x_1", "cursor=7_%00"];
        for query in queries {
            let field = query.split('=').next().unwrap_or_default();
            let problem = shop.get(&format!("{PATH}?{query}")).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem).0, field, "{query}");
        }
        shop.close().await;
    }

    /// Lower priority numbers first; then what ends first; then free credits; then the oldest.
    async fn credits_are_spent_in_burn_order(backend: Backend) {
        let shop = Shop::open(backend).await;
        let (soon, later) = (shop.in_seconds(HOUR), shop.in_seconds(2 * HOUR));
        let bought = buy(&shop.app, ACCOUNT).await.topup;
        let given = shop.give(ACCOUNT, 10).await;
        let last = promote(&shop, 10, json!({ "priority": 100, "expiresAt": soon })).await;
        let late = promote(&shop, 10, json!({ "expiresAt": later })).await;
        let paid = promote(&shop, 10, json!({ "expiresAt": soon, "category": "paid" })).await;
        let free = promote(&shop, 10, json!({ "expiresAt": soon, "category": "promotional" })).await;
        let first = promote(&shop, 10, json!({ "priority": 0 })).await;
        let newer = shop.give(ACCOUNT, 10).await;
        let spend = shop.spend(320).await;
        let details = shop.get(&format!("/credits/debits/{spend}")).await.expect(200);
        let parts = details["parts"].as_array().expect("parts").iter();
        let order: Vec<_> = parts.map(|part| (text(&part["grantId"]), number(&part["credits"]))).collect();
        let ten = |id: String| (id, 10);
        let expected = [ten(first), ten(free), ten(paid), ten(late), ten(given), ten(newer), (bought, 250), ten(last)];
        assert_eq!(order, expected);
        shop.close().await;
    }

    /// Expired at its instant, and no job has to run first.
    async fn a_promotion_ends_at_its_time(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let grant = promote(&shop, 50, json!({ "expiresAt": shop.in_seconds(HOUR) })).await;
        let spend = shop.spend(20).await;
        let parts = shop.get(&format!("/credits/debits/{spend}")).await.expect(200)["parts"].clone();
        assert_eq!(parts, json!([{ "grantId": grant, "credits": 20 }]));
        shop.wait_seconds(HOUR);
        let problem = shop.debit("request-1", 101).await.expect_problem(402, "insufficient_credits");
        assert_eq!(numbers(&problem), [101, 100, 0, 0]);
        assert_eq!(shop.debit("request-1", 100).await.expect(200)["balance"], funds(0, 0));
        let entries = shop.app.get_as(ACCOUNT, "/credits/transactions").await.expect(200);
        let expiry = &entries["data"][1];
        assert_eq!(fields(expiry, &["kind", "credits", "description"]), json!(["expiry", -30, "Expired"]));
        assert!(text(&expiry["source"]).starts_with(&format!("{grant}:")), "{expiry}");
        let credits = shop.app.get_as(ACCOUNT, "/credits").await.expect(200);
        assert_eq!((&credits["usedCredits"], &credits["totalCredits"]), (&json!(120), &json!(120)));
        shop.close().await;
    }

    /// Each read says the same at that instant.
    async fn what_has_ended_is_no_part_of_any_answer(backend: Backend) {
        let shop = Shop::open(backend).await;
        for path in ["/credits", "/credits/transactions", "/credits/grants", "/credits/access"] {
            promote(&shop, 50, json!({ "expiresAt": shop.in_seconds(HOUR) })).await;
            shop.wait_seconds(HOUR);
            let answer = shop.app.get_as(ACCOUNT, path).await.expect(200);
            match path {
                "/credits" => assert_eq!(answer["remainingCredits"], 0),
                "/credits/transactions" => assert_eq!(answer["data"][0]["kind"], "expiry"),
                "/credits/grants" => assert_eq!(answer["data"], json!([])),
                _ => assert_eq!((&answer["allowed"], &answer["availableCredits"]), (&json!(false), &json!(0))),
            }
        }
        shop.close().await;
    }

    /// What was held before it ended stays good for its hold.
    async fn credits_that_were_held_before_they_ended_can_be_captured(backend: Backend) {
        let shop = Shop::open(backend).await;
        let grant = promote(&shop, 50, json!({ "expiresAt": shop.in_seconds(600) })).await;
        let hold = shop.hold(30).await;
        shop.wait_seconds(600);
        assert_eq!(shop.balance().await, (30, 30));
        shop.debit("request-1", 1).await.expect_problem(409, "credits_held");
        let spend = shop.capture(&hold, 20).await.expect(200);
        assert_eq!((&spend["credits"], &spend["balance"]), (&json!(20), &funds(0, 0)));
        let details = shop.get(&format!("/credits/debits/{}", text(&spend["id"]))).await.expect(200);
        assert_eq!(details["parts"], json!([{ "grantId": grant, "credits": 20 }]));
        let entries: Vec<(String, i64)> = shop.entries().await;
        let named = |kind: &str| -> i64 {
            entries.iter().filter(|(name, _)| name == kind).map(|(_, credits)| credits).sum()
        };
        assert_eq!((named("expiry"), named("spend")), (-30, -20));
        shop.close().await;
    }
}
