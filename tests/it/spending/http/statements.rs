//! Statements over HTTP.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{ACCOUNT, Shop, api_key, new_key, number, only_error, text};
use crate::on_both_databases;
use crate::support::app::http_client;

const STATEMENT: &str = "/accounts/user_1/credits/statement";

async fn statement(shop: &Shop, from: &str, to: Option<&str>) -> Value {
    let to = to.map(|to| format!("&to={to}")).unwrap_or_default();
    shop.get(&format!("{STATEMENT}?from={from}{to}")).await.expect(200)
}

/// Opening, what moved by kind, closing. Together they must add up.
fn sums(statement: &Value) -> (i64, Vec<(String, i64, i64)>, i64) {
    let kinds = statement["data"].as_array().expect("a list").iter();
    let kinds: Vec<_> =
        kinds.map(|kind| (text(&kind["kind"]), number(&kind["credits"]), number(&kind["entries"]))).collect();
    let (opening, closing) = (number(&statement["openingCredits"]), number(&statement["closingCredits"]));
    assert_eq!(opening + kinds.iter().map(|kind| kind.1).sum::<i64>(), closing, "{statement}");
    (opening, kinds, closing)
}

/// The answer as CSV: its media type and its lines.
async fn csv(shop: &Shop, from: &str) -> (String, Vec<String>) {
    let request = http_client().get(format!("{}/credits/statement?from={from}", shop.app.url));
    let request = request.bearer_auth(shop.app.token(ACCOUNT)).header("accept", "text/csv");
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let media_type = response.headers()["content-type"].to_str().expect("text").to_owned();
    let body = response.text().await.expect("a whole body");
    let lines = body.strip_suffix("\r\n").expect("ends with a line break").split("\r\n");
    (media_type, lines.map(str::to_owned).collect())
}

on_both_databases! {
    async fn a_statement_adds_up_and_the_next_one_begins_where_it_ends(backend: Backend) {
        let shop = Shop::open(backend).await;
        let begin = shop.in_seconds(-60);
        shop.give(ACCOUNT, 100).await;
        let spend = shop.spend(30).await;
        shop.wait_seconds(60);
        let middle = shop.in_seconds(0);
        shop.wait_seconds(60);
        shop.spend(5).await;
        shop.spend(6).await;
        shop.refund(&spend, &new_key(), json!({ "credits": 10 })).await.expect(200);
        let of = |kind: &str, credits: i64, entries: i64| (kind.to_owned(), credits, entries);
        let first = (0, vec![of("adjustment", 100, 1), of("spend", -30, 1)], 70);
        assert_eq!(sums(&statement(&shop, &begin, Some(&middle)).await), first);
        let second = (70, vec![of("spend", -11, 2), of("spend_refund", 10, 1)], 69);
        assert_eq!(sums(&statement(&shop, &middle, None).await), second);
        assert_eq!(sums(&statement(&shop, &begin, None).await).2, 69);
        // Before everything, after everything, and of an account without entries.
        let long_ago = shop.in_seconds(-3_600);
        assert_eq!(sums(&statement(&shop, &long_ago, Some(&begin)).await), (0, vec![], 0));
        shop.wait_seconds(3_600);
        assert_eq!(sums(&statement(&shop, &shop.in_seconds(-60), None).await), (69, vec![], 69));
        let other = shop.app.get_as("user_2", &format!("/credits/statement?from={begin}")).await.expect(200);
        assert_eq!(sums(&other), (0, vec![], 0));
        shop.close().await;
    }

    /// What has ended by now is in the statement, whether or not anything noticed.
    async fn what_has_ended_is_in_the_statement(backend: Backend) {
        let shop = Shop::open(backend).await;
        let begin = shop.in_seconds(-60);
        shop.promote(json!({ "credits": 50, "reason": "a test", "create": true, "expiresAt": shop.in_seconds(60) })).await;
        shop.wait_seconds(120);
        let (opening, kinds, closing) = sums(&statement(&shop, &begin, None).await);
        assert_eq!((opening, closing), (0, 0));
        assert_eq!(kinds.iter().map(|kind| kind.0.as_str()).collect::<Vec<_>>(), ["expiry", "promotion"]);
        shop.close().await;
    }

    async fn the_entries_come_as_csv_and_no_cell_is_a_formula(backend: Backend) {
        let shop = Shop::with_credits(backend, 2_000).await;
        let begin = shop.in_seconds(-60);
        let spend = shop.spend(1).await;
        shop.refund(&spend, &new_key(), json!({ "reason": "=HYPERLINK(\"x\", 1)" })).await.expect(200);
        let (media_type, lines) = csv(&shop, &begin).await;
        assert_eq!(media_type, "text/csv; charset=utf-8; header=present");
        assert_eq!(lines[0], "sequence,id,createdAt,kind,description,credits,balanceAfter,source,reason");
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[1].starts_with("1,entry_") && lines[1].contains(",adjustment,Adjusted by hand,2000,2000,"), "{lines:?}");
        assert!(lines[2].contains("Z,spend,Spent,-1,1999,spend_"), "{lines:?}");
        assert!(lines[3].ends_with(",\"'=HYPERLINK(\"\"x\"\", 1)\""), "{lines:?}");
        // More than one page.
        let keys: Vec<_> = (0..11).map(|batch| {
            let item = |number| json!({ "key": format!("{batch}-{number}"), "accountId": ACCOUNT, "credits": 1 });
            (0..100).map(item).collect::<Vec<_>>()
        }).collect();
        for items in keys {
            shop.post("/credits/debits/batch", "not read", &json!({ "items": items })).await.expect(200);
        }
        let (_, lines) = csv(&shop, &begin).await;
        assert_eq!(lines.len(), 1 + 3 + 1_100);
        for (index, line) in lines.iter().enumerate().skip(1) {
            assert!(line.starts_with(&format!("{index},")), "{line}");
        }
        shop.wait_seconds(3_600);
        let (_, lines) = csv(&shop, &shop.in_seconds(-60)).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        shop.close().await;
    }

    async fn a_statement_belongs_to_its_account(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let query = format!("from={}", shop.in_seconds(-60));
        let bound = api_key(&shop.app, &[Scope::Read], Some(ACCOUNT)).await;
        let own = shop.get_as(&bound, &format!("/credits/statement?{query}")).await.expect(200);
        assert_eq!((text(&own["accountId"]), number(&own["closingCredits"])), (ACCOUNT.to_owned(), 100));
        let named = format!("{STATEMENT}?{query}");
        shop.app.get_as("user_2", &named).await.expect_problem(403, "account_forbidden");
        let spends_only = api_key(&shop.app, &[Scope::Spend], None).await;
        shop.get_as(&spends_only, &named).await.expect_problem(403, "scope_missing");
        for (query, field, code) in [
            ("", "from", "required"),
            ("from=x", "from", "invalid_time"),
            ("from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00Z", "to", "out_of_range"),
            ("from=2025-11-01T00:00:00Z&to=2026-11-03T00:00:00Z", "from", "out_of_range"),
        ] {
            let problem = shop.get(&format!("{STATEMENT}?{query}")).await.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), (field.to_owned(), code.to_owned()), "{query}");
        }
        shop.close().await;
    }
}
