//! Holds: credits reserved for work whose price is not known yet.

use serde_json::{Value, json};

use super::{ACCOUNT, HOLDS, Shop, fields, funds, new_key, number, numbers, only_error, seconds_between, text};
use crate::on_both_databases;

async fn ids(shop: &Shop, query: &str) -> (Vec<String>, Value) {
    let page = shop.get(&format!("{HOLDS}{query}")).await.expect(200);
    (
        page["data"].as_array().expect("a list").iter().map(|hold| text(&hold["id"])).collect(),
        page["nextCursor"].clone(),
    )
}

async fn read(shop: &Shop, hold: &str) -> Value {
    shop.get(&format!("/credits/holds/{hold}")).await.expect(200)
}

on_both_databases! {
    async fn a_hold_reserves_credits_and_moves_none(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let body =
            json!({ "credits": 30, "operation": "chat.completion", "subject": "member_7", "metadata": { "a": "b" } });
        let hold = shop.post(HOLDS, "request-1", &body).await.expect(200);
        let expected = json!({ "id": hold["id"], "accountId": ACCOUNT, "state": "open", "credits": 30,
            "requestedCredits": 30, "capturedCredits": null, "spendId": null, "operation": "chat.completion",
            "subject": "member_7", "metadata": { "a": "b" }, "expiresAt": hold["expiresAt"], "createdAt": hold["createdAt"],
            "balance": funds(100, 30) });
        assert_eq!(hold, expected);
        assert!(text(&hold["id"]).starts_with("hold_"), "{hold}");
        assert_eq!(seconds_between(&hold["createdAt"], &hold["expiresAt"]), 900);
        assert_eq!(read(&shop, &text(&hold["id"])).await, expected);
        assert_eq!(shop.entries().await.len(), 1, "nothing has moved");
        let problem = shop.debit("request-2", 71).await.expect_problem(409, "credits_held");
        assert_eq!(numbers(&problem), [71, 70, 30, 0]);
        shop.close().await;
    }

    async fn a_hold_may_take_less_than_it_asks_for(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.hold(60).await;
        let body = |credits: i64, minimum: i64| json!({ "credits": credits, "minimumCredits": minimum });
        let problem = shop.post(HOLDS, "request-1", &body(50, 41)).await.expect_problem(409, "credits_held");
        assert_eq!(numbers(&problem), [41, 40, 60, 0]);
        let problem = shop.post(HOLDS, "request-1", &body(500, 101)).await.expect_problem(402, "insufficient_credits");
        assert_eq!(numbers(&problem), [101, 40, 60, 0]);
        let hold = shop.post(HOLDS, "request-1", &body(50, 40)).await.expect(200);
        assert_eq!(fields(&hold, &["credits", "requestedCredits", "balance"]), json!([40, 50, funds(100, 100)]));
        let all = shop.post(HOLDS, "request-2", &body(1, 1)).await.expect_problem(409, "credits_held");
        assert_eq!(numbers(&all), [1, 0, 100, 0]);
        shop.close().await;
    }

    /// The request names totals, so that repeating it changes nothing.
    async fn a_hold_is_extended_to_new_totals(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(30).await;
        let made = read(&shop, &hold).await;
        let extend = async |body: Value| {
            let hold = shop.change(&hold, "extend", body).await.expect(200);
            (number(&hold["credits"]), seconds_between(&made["createdAt"], &hold["expiresAt"]), hold["balance"].clone())
        };
        for _ in 0..2 {
            assert_eq!(extend(json!({ "credits": 50 })).await, (50, 900, funds(100, 50)));
        }
        // Neither goes back.
        assert_eq!(extend(json!({ "credits": 10, "expiresInSeconds": 1 })).await, (50, 900, funds(100, 50)));
        shop.wait_seconds(600);
        let (_, seconds, _) = extend(json!({ "expiresInSeconds": 900 })).await;
        assert!((1_500..1_600).contains(&seconds), "{seconds}");
        let (credits, seconds, balance) = extend(json!({ "credits": 100, "expiresInSeconds": 86_400 })).await;
        assert!((87_000..87_100).contains(&seconds), "{seconds}");
        assert_eq!((credits, balance), (100, funds(100, 100)));
        let stored = read(&shop, &hold).await;
        assert_eq!((&stored["credits"], &stored["requestedCredits"]), (&json!(100), &json!(100)));
        shop.close().await;
    }

    /// Known mistake 33: the work can stop in time, and what is reserved stays reserved.
    async fn a_refused_extension_leaves_the_hold_as_it_was(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(30).await;
        let before = read(&shop, &hold).await;
        // Its own credits are no reason to wait: nobody else will free the missing one.
        let extend = async |credits: i64| {
            shop.change(&hold, "extend", json!({ "credits": credits, "expiresInSeconds": 86_400 })).await
        };
        assert_eq!(numbers(&extend(101).await.expect_problem(402, "insufficient_credits")), [71, 70, 30, 0]);
        shop.hold(20).await;
        let answer = extend(100).await;
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        assert_eq!(numbers(&answer.expect_problem(409, "credits_held")), [70, 50, 50, 0]);
        assert_eq!(numbers(&extend(101).await.expect_problem(402, "insufficient_credits")), [71, 50, 50, 0]);
        let after = read(&shop, &hold).await;
        assert_eq!((&after["credits"], &after["expiresAt"]), (&before["credits"], &before["expiresAt"]));
        assert_eq!(shop.capture(&hold, 30).await.expect(200)["credits"], 30);
        shop.close().await;
    }

    async fn a_hold_lives_for_at_most_seven_days(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let body = json!({ "credits": 30, "expiresInSeconds": 86_400 });
        let hold = text(&shop.post(HOLDS, "request-1", &body).await.expect(200)["id"]);
        for day in 1..7 {
            shop.wait_seconds(86_000);
            shop.change(&hold, "extend", json!({ "expiresInSeconds": 86_400 })).await.expect(200);
            assert_eq!(shop.balance().await, (100, 30), "day {day}");
        }
        for seconds in [604_800, 100_000] {
            let answer = shop.change(&hold, "extend", json!({ "expiresInSeconds": seconds })).await;
            let problem = answer.expect_problem(400, "invalid_request");
            assert_eq!(only_error(&problem), ("expiresInSeconds".to_owned(), "out_of_range".to_owned()));
        }
        shop.wait_seconds(86_400);
        assert_eq!(read(&shop, &hold).await["state"], "expired");
        shop.close().await;
    }

    async fn a_released_hold_reserves_nothing(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let hold = shop.hold(30).await;
        for _ in 0..2 {
            let released = shop.change(&hold, "release", json!({})).await.expect(200);
            assert_eq!((&released["state"], &released["balance"]), (&json!("released"), &funds(100, 0)));
        }
        shop.capture(&hold, 1).await.expect_problem(409, "hold_released");
        shop.change(&hold, "extend", json!({ "credits": 31 })).await.expect_problem(409, "hold_released");
        assert_eq!(read(&shop, &hold).await["state"], "released");
        assert_eq!((shop.balance().await, shop.entries().await.len()), ((100, 0), 1));
        shop.close().await;
    }

    /// Known mistake 31: a hold ends at its instant, and no job has to run first.
    async fn a_hold_that_is_forgotten_ends_by_itself(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let body = json!({ "credits": 60, "expiresInSeconds": 60 });
        let short = text(&shop.post(HOLDS, "request-1", &body).await.expect(200)["id"]);
        let long = shop.hold(40).await;
        shop.debit("request-2", 1).await.expect_problem(409, "credits_held");
        shop.wait_seconds(60);
        assert_eq!(shop.debit("request-2", 60).await.expect(200)["balance"], funds(40, 40));
        let hold = read(&shop, &short).await;
        assert_eq!(fields(&hold, &["state", "credits", "balance"]), json!(["expired", 60, funds(40, 40)]));
        shop.change(&short, "extend", json!({ "credits": 61 })).await.expect_problem(409, "hold_expired");
        assert_eq!(shop.change(&short, "release", json!({})).await.expect(200)["state"], "expired");
        assert_eq!(ids(&shop, "").await, (vec![long], Value::Null));
        shop.close().await;
    }

    async fn open_holds_are_listed_in_the_order_of_their_ends(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        shop.give("user_2", 10).await;
        shop.post("/accounts/user_2/credits/holds", &new_key(), &json!({ "credits": 1 })).await.expect(200);
        let mut holds = Vec::new();
        for seconds in [300, 100, 500, 200, 400] {
            let body = json!({ "credits": 5, "expiresInSeconds": seconds });
            holds.push((seconds, text(&shop.post(HOLDS, &new_key(), &body).await.expect(200)["id"])));
        }
        for (what, body) in [("capture", json!({ "credits": 1 })), ("release", json!({}))] {
            let done = shop.hold(3).await;
            shop.change(&done, what, body).await.expect(200);
        }
        holds.sort();
        let holds: Vec<String> = holds.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids(&shop, "?state=open").await, (holds.clone(), Value::Null));
        let (mut found, mut query) = (Vec::new(), String::from("?limit=2"));
        for pages in 1.. {
            let (page, next) = ids(&shop, &query).await;
            assert!(page.len() <= 2);
            found.extend(page);
            let Some(cursor) = next.as_str() else {
                assert_eq!(pages, 3);
                break;
            };
            query = format!("?limit=2&cursor={cursor}");
        }
        assert_eq!(found, holds);
        let page = shop.get(&format!("{HOLDS}?limit=1")).await.expect(200);
        assert_eq!((&page["data"][0]["credits"], &page["data"][0]["balance"]), (&json!(5), &funds(99, 25)));
        shop.close().await;
    }

    async fn an_id_that_is_none_is_not_found(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let spend = shop.spend(10).await;
        let unknown = format!("hold_{}", "0".repeat(32));
        for id in ["hold_1", "x", "%00", "hold_%00", spend.as_str(), unknown.as_str()] {
            shop.get(&format!("/credits/holds/{id}")).await.expect_problem(404, "not_found");
            for what in ["capture", "extend", "release"] {
                shop.change(id, what, json!({ "credits": 1 })).await.expect_problem(404, "not_found");
            }
        }
        assert_eq!(shop.balance().await, (90, 0));
        shop.close().await;
    }
}
