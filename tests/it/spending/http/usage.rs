//! Usage over HTTP.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use topup::access::api_keys::Scope;
use topup::books::usage::record_usage::record_usage;
use topup::ports::Clock;

use super::{ACCOUNT, DEBITS, Shop, api_key, new_key, only_error, text};
use crate::on_both_databases;

const USAGE: &str = "/accounts/user_1/credits/usage";

/// Waits for the beginning of the next hour. Returns it as a text, and the one after the next.
fn at_next_hour(shop: &Shop) -> (String, String) {
    let now_seconds = shop.app.clock.now_ms() / 1_000;
    shop.wait_seconds(3_600 - now_seconds % 3_600 + 1);
    let second = shop.app.clock.now_ms() / 1_000 % 3_600;
    (shop.in_seconds(-second), shop.in_seconds(3_600 - second))
}

async fn usage(shop: &Shop, query: &str) -> Value {
    shop.get(&format!("{USAGE}?{query}")).await.expect(200)["data"].clone()
}

fn entry(key: impl Into<Value>, credits: i64, refunded: i64, spends: i64) -> Value {
    json!({ "key": key.into(), "credits": credits, "refundedCredits": refunded, "spends": spends })
}

on_both_databases! {
    async fn usage_is_told_by_hour_day_operation_and_subject(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        let (first, second) = at_next_hour(&shop);
        for (credits, operation, subject) in [(5, "chat", "anna"), (7, "chat", "bert"), (20, "image", "anna")] {
            let body = json!({ "credits": credits, "operation": operation, "subject": subject });
            shop.post(DEBITS, &new_key(), &body).await.expect(200);
        }
        let spend = shop.spend(3).await;
        shop.wait_seconds(3_600);
        shop.refund(&spend, &new_key(), json!({})).await.expect(200);
        let body = json!({ "credits": 1, "operation": "chat", "subject": "anna" });
        shop.post(DEBITS, &new_key(), &body).await.expect(200);
        let range = format!("from={first}");
        // The second time with recorded hours.
        for round in 0..2 {
            let by_hour = usage(&shop, &format!("{range}&by=hour")).await;
            assert_eq!(by_hour, json!([entry(&*first, 35, 0, 4), entry(&*second, 1, 3, 1)]), "{round}");
            let by_operation = usage(&shop, &format!("{range}&by=operation")).await;
            let expected = json!([entry("image", 20, 0, 1), entry("chat", 13, 0, 3), entry(Value::Null, 3, 3, 1)]);
            assert_eq!(by_operation, expected, "{round}");
            let by_subject = usage(&shop, &format!("{range}&by=subject&to={second}")).await;
            let expected = json!([entry("anna", 25, 0, 2), entry("bert", 7, 0, 1), entry(Value::Null, 3, 0, 1)]);
            assert_eq!(by_subject, expected, "{round}");
            let by_day: i64 = usage(&shop, &range).await.as_array().expect("a list").iter()
                .map(|day| {
                    assert_eq!(text(&day["key"]).len(), 10, "{day}");
                    day["credits"].as_i64().expect("a number")
                }).sum();
            assert_eq!(by_day, 36);
            shop.wait_seconds(7_200);
            let now_ms = shop.app.clock.now_ms();
            // The service's own job may have recorded it first.
            record_usage(&shop.app.app.db, now_ms, &CancellationToken::new()).await.expect("is recorded");
            let again = record_usage(&shop.app.app.db, now_ms, &CancellationToken::new()).await.expect("is recorded");
            assert_eq!(again, 0);
        }
        shop.close().await;
    }

    async fn usage_belongs_to_its_account(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.spend(10).await;
        let from = shop.in_seconds(-86_400);
        let from = format!("{}:00:00Z", &from[..13]);
        let path = format!("/credits/usage?from={from}&by=operation");
        let expected = json!([entry(Value::Null, 10, 0, 1)]);
        assert_eq!(shop.app.get_as(ACCOUNT, &path).await.expect(200)["data"], expected);
        let bound = api_key(&shop.app, &[Scope::Read], Some(ACCOUNT)).await;
        assert_eq!(shop.get_as(&bound, &path).await.expect(200)["data"], expected);
        let named = format!("{USAGE}?from={from}");
        shop.app.get_as("user_2", &named).await.expect_problem(403, "account_forbidden");
        assert_eq!(shop.app.get_as("user_2", &path).await.expect(200)["data"], json!([]));
        let spends_only = api_key(&shop.app, &[Scope::Spend], None).await;
        shop.get_as(&spends_only, &named).await.expect_problem(403, "scope_missing");
        shop.app.get(&named).await.expect_problem(401, "missing_credentials");
        shop.close().await;
    }

    async fn a_range_that_makes_no_sense_is_named(backend: Backend) {
        let shop = Shop::open(backend).await;
        for (query, field, code) in [
            ("", "from", "required"),
            ("from=yesterday", "from", "invalid_time"),
            ("from=2026-11-01", "from", "invalid_time"),
            ("from=2026-11-01T00:30:00Z", "from", "invalid_time"),
            ("from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:01Z", "to", "invalid_time"),
            ("from=2026-11-01T00:00:00Z&to=x", "to", "invalid_time"),
            ("from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00Z", "to", "out_of_range"),
            ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "to", "out_of_range"),
            ("from=2025-11-01T00:00:00Z&to=2026-11-03T00:00:00Z", "from", "out_of_range"),
            ("from=2026-11-01T00:00:00Z&to=2026-12-03T00:00:00Z&by=hour", "from", "out_of_range"),
            ("from=2001-01-01T00:00:00Z", "from", "out_of_range"),
            ("from=2026-11-01T00:00:00Z&by=week", "by", "invalid_by"),
            ("from=2026-11-01T00:00:00Z&from=2026-11-01T00:00:00Z", "from", "repeated"),
        ] {
            let problem = shop.get(&format!("{USAGE}?{query}")).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), (field.to_owned(), code.to_owned()), "{query}");
        }
        for query in ["from=2026-11-01T02:00:00%2B02:00&to=2026-11-02T00:00:00Z",
            "from=2026-11-01T00:00:00Z&to=2026-12-02T00:00:00Z&by=hour"] {
            assert_eq!(usage(&shop, query).await, json!([]));
        }
        shop.close().await;
    }
}
