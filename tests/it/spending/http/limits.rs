//! Limits of spending: what they stop, what counts, when they begin anew, and who sets them.

use reqwest::Method;
use serde_json::{Value, json};
use topup::access::api_keys::Scope;

use super::{
    ACCOUNT, DEBITS, HOLDS, Shop, api_key, fields, funds, new_key, number, numbers, only_error, seconds_between, text,
};
use crate::admin::admin_token;
use crate::on_both_databases;
use crate::support::Answer;
use crate::support::app::http_client;

const LIMITS: &str = "/accounts/user_1/credits/limits";
const DAY_SECONDS: i64 = 86_400;

/// A request of the server to a path below the account's limits.
async fn ask(shop: &Shop, method: Method, path: &str, body: Option<Value>) -> Answer {
    let key = api_key(&shop.app, &[Scope::Spend, Scope::Read], None).await;
    let request = http_client().request(method, format!("{}{LIMITS}{path}", shop.app.url)).header("x-api-key", key);
    shop.app
        .send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
}

async fn set(shop: &Shop, path: &str, credits: i64) -> Value {
    ask(shop, Method::PUT, path, Some(json!({ "credits": credits }))).await.expect(200)
}

/// Limit, used, held and left.
async fn counts(shop: &Shop, path: &str) -> [i64; 4] {
    let limit = ask(shop, Method::GET, path, None).await.expect(200);
    ["credits", "usedCredits", "heldCredits", "leftCredits"].map(|name| number(&limit[name]))
}

async fn debit_of(shop: &Shop, subject: &str, credits: i64) -> Answer {
    shop.post(DEBITS, &new_key(), &json!({ "credits": credits, "subject": subject })).await
}

/// The limit that a problem names: subject, period and what is used.
fn reached(problem: &Value) -> Value {
    fields(&problem["limit"], &["subject", "period", "usedCredits"])
}

on_both_databases! {
    async fn a_limit_stops_debits_and_holds_and_says_which_it_is(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        let limit = set(&shop, "/month", 50).await;
        assert_eq!(fields(&limit, &["subject", "period", "credits", "leftCredits"]), json!([null, "month", 50, 50]));
        shop.debit("request-1", 30).await.expect(200);
        let (entries, balance) = (shop.entries().await, shop.balance().await);
        for (path, body) in [
            (DEBITS, json!({ "credits": 21 })),
            (DEBITS, json!({ "credits": 30, "minimumCredits": 21, "onShortfall": "cap" })),
            (HOLDS, json!({ "credits": 21 })),
            (HOLDS, json!({ "credits": 900, "minimumCredits": 21 })),
        ] {
            let answer = shop.post(path, "request-2", &body).await;
            assert!(!answer.headers.contains_key("retry-after"), "{body}");
            let problem = answer.expect_problem(402, "spend_limit_reached");
            assert_eq!((numbers(&problem), reached(&problem)), ([21, 970, 0, 0], json!([null, "month", 30])), "{body}");
            assert_eq!(fields(&problem["limit"], &["credits", "heldCredits"]), json!([50, 0]));
            assert_eq!(problem["limit"]["resetsAt"], limit["resetsAt"]);
            assert!(text(&problem["detail"]).contains("20 are left and 21 are needed"), "{problem}");
        }
        assert_eq!((shop.entries().await, shop.balance().await), (entries, balance), "a refusal changes nothing");
        // The same key as the refused request.
        assert_eq!(shop.debit("request-2", 20).await.expect(200)["balance"], funds(950, 0));
        assert_eq!(counts(&shop, "/month").await, [50, 50, 0, 0]);
        shop.debit(&new_key(), 1).await.expect_problem(402, "spend_limit_reached");
        shop.close().await;
    }

    async fn a_subject_has_limits_of_its_own_beside_the_accounts(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        set(&shop, "/total", 100).await;
        set(&shop, "/day?subject=team%20a", 10).await;
        set(&shop, "/month?subject=team%20a", 30).await;
        debit_of(&shop, "team a", 10).await.expect(200);
        let problem = debit_of(&shop, "team a", 1).await.expect_problem(402, "spend_limit_reached");
        assert_eq!(reached(&problem), json!(["team a", "day", 10]));
        debit_of(&shop, "team b", 85).await.expect(200);
        shop.wait_seconds(DAY_SECONDS);
        // Of several, the one with the least room is named.
        let problem = debit_of(&shop, "team a", 11).await.expect_problem(402, "spend_limit_reached");
        assert_eq!(reached(&problem), json!([null, "total", 95]));
        assert_eq!(problem["limit"]["resetsAt"], Value::Null);
        debit_of(&shop, "team b", 6).await.expect_problem(402, "spend_limit_reached");
        debit_of(&shop, "team a", 5).await.expect(200);
        assert_eq!(counts(&shop, "/total").await, [100, 100, 0, 0]);
        assert_eq!(counts(&shop, "/day?subject=team%20a").await, [10, 5, 0, 5]);
        shop.close().await;
    }

    async fn what_accepts_less_gets_what_the_limit_leaves(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        set(&shop, "/day", 50).await;
        let capped = async |credits: i64| {
            let body = json!({ "credits": credits, "onShortfall": "cap" });
            let spend = shop.post(DEBITS, &new_key(), &body).await.expect(200);
            ["credits", "uncollectedCredits"].map(|name| number(&spend[name]))
        };
        let hold = shop.post(HOLDS, &new_key(), &json!({ "credits": 70, "minimumCredits": 1 })).await.expect(200);
        assert_eq!(fields(&hold, &["credits", "requestedCredits"]), json!([50, 70]));
        assert_eq!(capped(5).await, [0, 5]);
        shop.capture(&text(&hold["id"]), 20).await.expect(200);
        assert_eq!(capped(35).await, [30, 5]);
        assert_eq!(capped(5).await, [0, 5]);
        assert_eq!(counts(&shop, "/day").await, [50, 50, 0, 0]);
        shop.close().await;
    }

    async fn holds_count_and_a_capture_within_its_hold_always_succeeds(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        set(&shop, "/day", 100).await;
        let hold = shop.hold(60).await;
        assert_eq!(counts(&shop, "/day").await, [100, 0, 60, 40]);
        shop.debit(&new_key(), 41).await.expect_problem(402, "spend_limit_reached");
        let problem = shop.change(&hold, "extend", json!({ "credits": 101 })).await;
        let problem = problem.expect_problem(402, "spend_limit_reached");
        assert_eq!(numbers(&problem)[0], 41);
        shop.change(&hold, "extend", json!({ "credits": 90 })).await.expect(200);
        // Longer, and not more.
        shop.change(&hold, "extend", json!({ "expiresInSeconds": 3_600 })).await.expect(200);
        set(&shop, "/day", 10).await;
        assert_eq!(counts(&shop, "/day").await, [10, 0, 90, 0]);
        shop.change(&hold, "extend", json!({ "expiresInSeconds": 4_000 })).await.expect(200);
        let reject = json!({ "credits": 91, "onShortfall": "reject" });
        shop.change(&hold, "capture", reject).await.expect_problem(402, "spend_limit_reached");
        let spend = shop.capture(&hold, 95).await.expect(200);
        assert_eq!(fields(&spend, &["credits", "uncollectedCredits"]), json!([90, 5]), "the excess is limited");
        assert_eq!(counts(&shop, "/day").await, [10, 90, 0, 0]);
        shop.close().await;
    }

    async fn a_hold_that_ends_counts_no_more(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        set(&shop, "/total", 100).await;
        let (released, ended) = (shop.hold(30).await, shop.hold(40).await);
        shop.change(&released, "release", json!({})).await.expect(200);
        assert_eq!(counts(&shop, "/total").await, [100, 0, 40, 60]);
        shop.wait_seconds(901);
        assert_eq!(counts(&shop, "/total").await, [100, 0, 0, 100]);
        shop.debit(&new_key(), 70).await.expect(200);
        // It is captured late, from what the limit leaves.
        let spend = shop.capture(&ended, 40).await.expect(200);
        assert_eq!(fields(&spend, &["credits", "uncollectedCredits"]), json!([30, 10]));
        shop.close().await;
    }

    /// Known mistake 38: nothing has to reset a limit, so nothing can fail to.
    async fn in_a_new_period_nothing_is_used(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        let resets_at = set(&shop, "/day", 10).await["resetsAt"].clone();
        set(&shop, "/month", 25).await;
        for day in 0..3 {
            let hold = shop.hold(4).await;
            shop.spend(6).await;
            assert_eq!(counts(&shop, "/day").await, [10, 6, 4, 0], "day {day}");
            shop.debit(&new_key(), 1).await.expect_problem(402, "spend_limit_reached");
            shop.change(&hold, "release", json!({})).await.expect(200);
            shop.wait_seconds(DAY_SECONDS);
            assert_eq!(counts(&shop, "/day").await, [10, 0, 0, 10], "after day {day}");
        }
        let later = ask(&shop, Method::GET, "/day", None).await.expect(200)["resetsAt"].clone();
        assert_eq!(seconds_between(&resets_at, &later), 3 * DAY_SECONDS);
        // A hold of the day before counts as held today, and its capture is today's.
        let hold = shop.post(HOLDS, &new_key(), &json!({ "credits": 5, "expiresInSeconds": 86_400 })).await.expect(200);
        shop.wait_seconds(DAY_SECONDS - 1);
        assert_eq!(counts(&shop, "/day").await, [10, 0, 5, 5]);
        shop.capture(&text(&hold["id"]), 5).await.expect(200);
        assert_eq!(counts(&shop, "/day").await, [10, 5, 0, 5]);
        shop.wait_seconds(31 * DAY_SECONDS);
        assert_eq!(counts(&shop, "/month").await, [25, 0, 0, 25]);
        shop.close().await;
    }

    async fn what_was_spent_and_held_before_counts(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        debit_of(&shop, "a", 20).await.expect(200);
        shop.wait_seconds(40 * DAY_SECONDS);
        let spend = text(&debit_of(&shop, "a", 7).await.expect(200)["id"]);
        debit_of(&shop, "b", 3).await.expect(200);
        shop.refund(&spend, &new_key(), json!({ "credits": 2 })).await.expect(200);
        shop.hold(11).await;
        set(&shop, "/day", 100).await;
        set(&shop, "/total", 100).await;
        set(&shop, "/total?subject=a", 100).await;
        assert_eq!(counts(&shop, "/day").await, [100, 8, 11, 81]);
        assert_eq!(counts(&shop, "/total").await, [100, 28, 11, 61]);
        assert_eq!(counts(&shop, "/total?subject=a").await, [100, 25, 0, 75]);
        // Setting it again counts nothing twice.
        set(&shop, "/day", 50).await;
        assert_eq!(counts(&shop, "/day").await, [50, 8, 11, 31]);
        shop.close().await;
    }

    async fn credits_given_back_count_no_more_if_they_were_spent_in_the_period(backend: Backend) {
        let shop = Shop::with_credits(backend, 1_000).await;
        set(&shop, "/day", 100).await;
        set(&shop, "/total", 100).await;
        let (one, other) = (shop.spend(40).await, shop.spend(50).await);
        shop.refund(&one, &new_key(), json!({ "credits": 15 })).await.expect(200);
        assert_eq!(counts(&shop, "/day").await, [100, 75, 0, 25]);
        shop.wait_seconds(DAY_SECONDS);
        shop.spend(5).await;
        shop.refund(&other, &new_key(), json!({})).await.expect(200);
        assert_eq!((counts(&shop, "/day").await, counts(&shop, "/total").await), ([100, 5, 0, 95], [100, 30, 0, 70]));
        shop.close().await;
    }

    async fn a_limit_is_named_before_missing_credits(backend: Backend) {
        let shop = Shop::with_credits(backend, 10).await;
        set(&shop, "/day?subject=a", 5).await;
        debit_of(&shop, "a", 11).await.expect_problem(402, "spend_limit_reached");
        debit_of(&shop, "b", 11).await.expect_problem(402, "insufficient_credits");
        shop.hold(8).await;
        debit_of(&shop, "a", 4).await.expect_problem(409, "credits_held");
        shop.close().await;
    }

    async fn limits_are_listed_changed_and_removed(backend: Backend) {
        let shop = Shop::open(backend).await;
        // An account that had no credits yet can have limits.
        for (path, credits) in [("/month", 5), ("/day", 4), ("/day?subject=b_1", 3), ("/total?subject=a", 0)] {
            set(&shop, path, credits).await;
        }
        set(&shop, "/day", 40).await;
        let listed = async |path: &str| {
            let page = ask(&shop, Method::GET, path, None).await.expect(200);
            let limits = page["data"].as_array().expect("a list").iter();
            let limits = limits.map(|limit| fields(limit, &["subject", "period", "credits"])).collect::<Vec<_>>();
            (Value::from(limits), page["nextCursor"].clone())
        };
        let all = [
            json!([null, "day", 40]), json!([null, "month", 5]), json!(["a", "total", 0]), json!(["b_1", "day", 3]),
        ];
        assert_eq!(listed("").await, (json!(all), Value::Null));
        assert_eq!(listed("?subject=a").await, (json!([all[2]]), Value::Null));
        set(&shop, "/month?subject=a", 9).await;
        let of_a = json!([["a", "month", 9], all[2]]);
        assert_eq!(listed("?subject=a&limit=1").await, (of_a, Value::Null), "they are one page");
        assert_eq!(ask(&shop, Method::DELETE, "/month?subject=a", None).await.status, 204);
        let (first, cursor) = listed("?limit=3").await;
        assert_eq!(first, json!(all[..3]));
        assert_eq!(listed(&format!("?limit=3&cursor={}", text(&cursor))).await, (json!([all[3]]), Value::Null));
        // Its own customer sees them, and cannot change them.
        let own = shop.app.get_as(ACCOUNT, "/credits/limits").await.expect(200);
        assert_eq!(own["data"].as_array().map(Vec::len), Some(4));
        assert_eq!(shop.app.get_as(ACCOUNT, "/credits/limits/total?subject=a").await.expect(200)["credits"], 0);
        // Once more changes nothing.
        for path in ["/day", "/day"] {
            assert_eq!(ask(&shop, Method::DELETE, path, None).await.status, 204);
        }
        ask(&shop, Method::GET, "/day", None).await.expect_problem(404, "not_found");
        debit_of(&shop, "c", 41).await.expect_problem(402, "spend_limit_reached");
        for path in ["/month", "/total?subject=a", "/day?subject=b_1"] {
            assert_eq!(ask(&shop, Method::DELETE, path, None).await.status, 204);
        }
        shop.give(ACCOUNT, 100).await;
        debit_of(&shop, "a", 100).await.expect(200);
        shop.close().await;
    }

    async fn only_servers_that_spend_set_limits(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        let url = format!("{}{LIMITS}/day", shop.app.url);
        let other = api_key(&shop.app, &[Scope::Spend], Some("user_2")).await;
        let reader = api_key(&shop.app, &[Scope::Read], None).await;
        let body = json!({ "credits": 1 });
        for method in [Method::PUT, Method::DELETE] {
            let request = || http_client().request(method.clone(), &url).json(&body);
            let send = async |request| shop.app.send(request).await;
            send(request()).await.expect_problem(401, "missing_credentials");
            for token in [shop.app.token(ACCOUNT), admin_token(&shop.app)] {
                send(request().bearer_auth(token)).await.expect_problem(403, "api_key_required");
            }
            send(request().header("x-api-key", &reader)).await.expect_problem(403, "scope_missing");
            send(request().header("x-api-key", &other)).await.expect_problem(403, "account_forbidden");
        }
        let stranger = shop.app.get_as("user_2", &format!("{LIMITS}/day")).await;
        stranger.expect_problem(403, "account_forbidden");
        for (path, field, code) in [
            ("/year", "period", "invalid_period"), ("/DAY", "period", "invalid_period"),
            ("/day?subject=", "subject", "invalid_subject"), ("/day?subject=%20a", "subject", "invalid_subject"),
        ] {
            for method in [Method::PUT, Method::GET, Method::DELETE] {
                let body = (method == Method::PUT).then(|| json!({ "credits": 1 }));
                let problem = ask(&shop, method, path, body).await.expect_problem(400, "invalid_request");
                assert_eq!(only_error(&problem), (field.to_owned(), code.to_owned()), "{path}");
            }
        }
        for credits in [json!(-1), json!(9_007_199_254_740_992_i64), json!("7"), json!(1.5), json!(null)] {
            let problem = ask(&shop, Method::PUT, "/day", Some(json!({ "credits": credits }))).await;
            assert_eq!(only_error(&problem.expect_problem(400, "invalid_request")).0, "credits", "{credits}");
        }
        for query in ["?limit=0", "?limit=101", "?cursor=x", "?cursor=year_a", "?cursor=day_%00", "?subject="] {
            ask(&shop, Method::GET, query, None).await.expect_problem(400, "invalid_request");
        }
        ask(&shop, Method::GET, "/day", None).await.expect_problem(404, "not_found");
        shop.close().await;
    }

    async fn access_tells_of_limits(backend: Backend) {
        let shop = Shop::with_credits(backend, 100).await;
        set(&shop, "/day?subject=a", 10).await;
        set(&shop, "/total", 60).await;
        let access = async |query: &str| {
            let access = shop.app.get_as(ACCOUNT, &format!("/credits/access{query}")).await.expect(200);
            let limits = access["limits"].as_array().expect("a list").len();
            (access["code"].clone(), limits)
        };
        assert_eq!(access("?credits=60").await, (Value::Null, 1));
        assert_eq!(access("?credits=61").await, (json!("spend_limit_reached"), 1));
        assert_eq!(access("?credits=10&subject=a").await, (Value::Null, 2));
        assert_eq!(access("?credits=11&subject=a").await, (json!("spend_limit_reached"), 2));
        assert_eq!(access("?credits=60&subject=b").await, (Value::Null, 1));
        set(&shop, "/total", 1_000).await;
        assert_eq!(access("?credits=101").await, (json!("insufficient_credits"), 1));
        shop.close().await;
    }
}
