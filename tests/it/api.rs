//! The routes: authorization, response format and problem responses.

use serde_json::{Value, json};
use sqlx::Executor;

use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::{Backend, Options, TestApp, until};

/// Checks the format `2026-11-21T12:01:00Z`, with or without a fraction.
#[track_caller]
fn assert_utc_time(value: &Value) {
    let text = value.as_str().expect("a text");
    let format = &time::format_description::well_known::Rfc3339;
    let time = time::OffsetDateTime::parse(text, format).expect("RFC 3339");
    assert!(time.offset().is_utc() && text.ends_with('Z'), "{text}");
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

on_both_databases! {
    async fn a_checkout_is_opened_and_shown_in_every_state(backend: Backend) {
        let app = TestApp::start(backend).await;
        let opened = app.checkout("user_1", 250).await.expect(200);
        assert_eq!(fields(&opened), ["expiresAt", "id", "url"]);
        assert_utc_time(&opened["expiresAt"]);
        let id = opened["id"].as_str().expect("an id");
        assert!(id.starts_with("cs_test_"), "{id}");
        assert!(opened["url"].as_str().is_some_and(|url| url.starts_with(&app.stripe.url)), "{opened}");

        let open = app.get_as("user_1", &format!("/credits/sessions/{id}")).await.expect(200);
        let expected = [
            "accountId", "bonusCredits", "createdAt", "credits", "creditsAmount", "creditsExpireAt", "creditsExpireDays",
            "currency", "declineCode", "expiresAt", "feeAmount", "id",
            "paidAt", "state", "taxAmount", "taxBehavior", "topupId", "totalAmount",
        ];
        assert_eq!(fields(&open), expected);
        assert_eq!((&open["id"], &open["accountId"], &open["state"]), (&id.into(), &"user_1".into(), &"open".into()));
        assert_eq!((&open["credits"], &open["currency"]), (&250.into(), &"usd".into()));
        assert_eq!(
            (&open["creditsAmount"], &open["feeAmount"], &open["totalAmount"]),
            (&250.into(), &39.into(), &289.into())
        );
        assert!(open["topupId"].as_str().is_some_and(|id| id.starts_with("topup_") && id.len() == 38), "{open}");
        assert_eq!((&open["expiresAt"], &open["paidAt"]), (&opened["expiresAt"], &Value::Null));
        assert_utc_time(&open["createdAt"]);

        assert_eq!(app.stripe.pay(id, "pm_card_visa").await.0, 200);
        let event = app.stripe.event("checkout.session.completed", id).await;
        assert_eq!(app.deliver(&event).await.expect(200), json!({ "received": true }));
        let paid = app.get_as("user_1", &format!("/credits/sessions/{id}")).await.expect(200);
        assert_eq!((&paid["state"], &paid["topupId"]), (&"paid".into(), &open["topupId"]));
        assert_utc_time(&paid["paidAt"]);
        app.finish().await;
    }

    /// Known mistake 20: the return page asks Stripe itself when the webhook has not come.
    async fn a_customer_who_comes_back_before_the_webhook_sees_the_credits(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        assert_eq!(app.session_state("user_1", &session).await, "paid");
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn an_account_that_never_had_credits_has_zeros(backend: Backend) {
        let app = TestApp::start(backend).await;
        let zeros = json!({
            "accountId": "user_1", "remainingCredits": 0, "totalCredits": 0, "usedCredits": 0, "heldCredits": 0,
            "availableCredits": 0, "owedCredits": 0, "creditDisplayDecimals": 0, "nextExpiry": null, "updatedAt": null
        });
        assert_eq!(app.get_as("user_1", "/credits").await.expect(200), zeros);
        assert_eq!(app.get_as("user_1", "/accounts/user_1/credits").await.expect(200), zeros);
        let nothing = json!({ "data": [], "nextCursor": null });
        assert_eq!(app.get_as("user_1", "/credits/transactions").await.expect(200), nothing);
        assert_eq!(app.get_as("user_1", "/accounts/user_1/credits/transactions").await.expect(200), nothing);
        app.finish().await;
    }

    async fn the_balance_is_what_the_ledger_explains(backend: Backend) {
        let app = TestApp::start(backend).await;
        for credits in [250, 300] {
            let (_, event) = app.pay_session("user_1", credits).await;
            app.deliver(&event).await.expect(200);
        }
        let balance = app.get_as("user_1", "/credits").await.expect(200);
        assert_eq!(
            (&balance["remainingCredits"], &balance["totalCredits"], &balance["usedCredits"]),
            (&550.into(), &550.into(), &0.into())
        );
        assert_utc_time(&balance["updatedAt"]);
        let ledger = app.get_as("user_1", "/credits/transactions").await.expect(200);
        let [newest, oldest] = ledger["data"].as_array().expect("a list").as_slice() else { panic!("{ledger}") };
        let expected = ["balanceAfter", "createdAt", "credits", "description", "id", "kind", "reason", "source"];
        assert_eq!(fields(newest), expected);
        assert_eq!((&newest["credits"], &newest["balanceAfter"]), (&300.into(), &550.into()));
        assert_eq!((&oldest["credits"], &oldest["balanceAfter"]), (&250.into(), &250.into()));
        assert_eq!((&newest["kind"], &newest["createdAt"]), (&"topup".into(), &balance["updatedAt"]));
        assert!(newest["id"].as_str().is_some_and(|id| id.starts_with("entry_")), "{newest}");
        assert!(newest["source"].as_str().is_some_and(|id| id.starts_with("topup_")), "{newest}");
        assert_eq!(app.credits("user_2").await, 0, "nobody else has any of it");
        app.finish().await;
    }

    async fn the_pages_of_a_ledger_have_every_entry_once_and_newest_first(backend: Backend) {
        let app = TestApp::start(backend).await;
        let amounts = [100, 101, 102, 103, 104];
        for credits in amounts {
            let (_, event) = app.pay_session("user_1", credits).await;
            app.deliver(&event).await.expect(200);
        }
        for limit in [1, 2, 4, 5, 100] {
            let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
            loop {
                let path = format!("/credits/transactions?limit={limit}{cursor}");
                let page = app.get_as("user_1", &path).await.expect(200);
                let data = page["data"].as_array().expect("a list");
                assert!((1..=limit).contains(&data.len()), "{path}: {page}");
                seen.extend(data.iter().map(|entry| entry["credits"].as_i64().expect("a number")));
                pages += 1;
                let Some(next) = page["nextCursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen, [104, 103, 102, 101, 100], "limit {limit}");
            assert_eq!(pages, amounts.len().div_ceil(limit), "limit {limit}: no page is empty");
        }
        app.finish().await;
    }

    async fn a_purchase_between_two_pages_moves_no_entry(backend: Backend) {
        let app = TestApp::start(backend).await;
        let mut events = Vec::new();
        for credits in [100, 101, 102] {
            events.push(app.pay_session("user_1", credits).await.1);
        }
        app.deliver(&events[0]).await.expect(200);
        app.deliver(&events[1]).await.expect(200);
        let page = app.get_as("user_1", "/credits/transactions?limit=1").await.expect(200);
        app.deliver(&events[2]).await.expect(200);
        let path = format!("/credits/transactions?cursor={}", page["nextCursor"].as_str().expect("a cursor"));
        let rest = app.get_as("user_1", &path).await.expect(200);
        assert_eq!((&page["data"][0]["credits"], &rest["data"][0]["credits"]), (&101.into(), &100.into()));
        assert_eq!(rest["data"].as_array().map(Vec::len), Some(1));
        app.finish().await;
    }

    async fn an_account_may_have_any_name_that_can_be_printed(backend: Backend) {
        let app = TestApp::start(backend).await;
        for (account, encoded) in [
            ("org/42", "org%2F42"),
            ("zoë@example.com", "zo%C3%AB@example.com"),
            ("a b%2F?#", "a%20b%252F%3F%23"),
            ("' OR 1=1 --", "'%20OR%201=1%20--"),
        ] {
            let (_, event) = app.pay_session(account, 250).await;
            app.deliver(&event).await.expect(200);
            let balance = app.get_as(account, &format!("/accounts/{encoded}/credits")).await.expect(200);
            assert_eq!((&balance["accountId"], &balance["remainingCredits"]), (&account.into(), &250.into()));
            let path = format!("/accounts/{encoded}/credits/transactions");
            let ledger = app.get_as(account, &path).await.expect(200);
            assert_eq!(ledger["data"].as_array().map(Vec::len), Some(1), "{account}");
        }
        app.finish().await;
    }

    async fn a_service_stays_ready_while_a_newer_one_migrates_and_an_old_one_does_not_start(backend: Backend) {
        let app = TestApp::start(backend).await;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
            SELECT 999999, description, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
        alter(&app, backend, newer).await;
        app.get("/health/ready").await.expect(200);
        let changes = [("BIND_ADDRESS", "127.0.0.1:0".to_owned())];
        let settings = crate::support::app::settings(&app.database.url, &app.stripe.url, &changes);
        let (well, _, errors) = crate::support::process::run(&settings, &["serve"]);
        assert!(!well && errors.contains("a newer database needs a newer topup"), "{errors}");
        app.finish().await;
    }

    async fn a_service_without_its_tables_lives_but_is_not_ready(backend: Backend) {
        let app = TestApp::start(backend).await;
        app.get("/health/ready").await.expect(200);
        alter(&app, backend, "ALTER TABLE _sqlx_migrations RENAME TO hidden").await;
        let answer = app.get("/health/ready").await;
        assert_eq!(answer.headers.get("retry-after").map(String::as_str), Some("1"));
        answer.expect_problem(503, "not_ready");
        assert_eq!(app.get("/health/live").await.expect(200), json!({ "status": "ok" }));
        alter(&app, backend, "ALTER TABLE hidden RENAME TO _sqlx_migrations").await;
        assert_eq!(app.get("/health/ready").await.expect(200), json!({ "status": "ok" }));
        app.finish().await;
    }
}

/// Changes the database directly.
async fn alter(app: &TestApp, backend: Backend, sql: &'static str) {
    match backend {
        Backend::Sqlite => {
            let pool = sqlx::SqlitePool::connect(&app.database.url).await.expect("connects");
            pool.execute(sql).await.expect("done");
            pool.close().await;
        }
        Backend::Postgres => {
            let pool = sqlx::PgPool::connect(&app.database.url).await.expect("connects");
            pool.execute(sql).await.expect("done");
            pool.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_database_is_gone_is_not_ready_until_it_is_back() {
    let app = TestApp::start(Backend::Postgres).await;
    let (server, name) = app.database.url.split_once("localhost/").expect("an address");
    let (name, options) = name.split_once('?').expect("options");
    let admin = sqlx::PgPool::connect(&format!("{server}localhost/postgres?{options}")).await.expect("connects");
    let run = async |sql: String| {
        admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.expect("done");
    };
    run(format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")).await;
    run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")).await;
    app.get("/health/ready").await.expect_problem(503, "not_ready");
    app.get("/health/live").await.expect(200);
    app.get("/credits/quote?credits=250").await.expect(200);
    let problem = app.get_as("user_1", "/credits").await.expect_problem(500, "internal_error");
    assert!(!problem.to_string().contains("database"), "{problem}");
    app.checkout("user_1", 250).await.expect_problem(500, "internal_error");
    assert_eq!(app.stripe.requests().await, Vec::<Value>::new(), "nothing is opened that is not written down");
    run(format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")).await;
    until("the database is back", async || (app.get("/health/ready").await.status == 200).then_some(())).await;
    admin.close().await;
    app.finish().await;
}

#[tokio::test]
async fn a_quote_says_line_by_line_what_credits_cost() {
    let app = TestApp::start(Backend::Sqlite).await;
    let quote = |credits, fee, total, smallest| {
        json!({
            "credits": credits, "currency": "usd", "currencies": ["usd"], "creditUnitCredits": 1, "creditUnitAmount": 1,
            "smallestCredits": smallest, "largestCredits": 100_000, "creditDisplayDecimals": 0, "creditsAmount": credits, "feeAmount": fee, "totalAmount": total,
            "taxBehavior": null, "bonusCredits": 0, "creditsExpireAt": null
        })
    };
    for (credits, fee, total) in [(250, 39, 289), (10_000, 330, 10_330), (18, 32, 50), (100_000, 3_018, 103_018)] {
        let answer = app.get(&format!("/credits/quote?credits={credits}")).await.expect(200);
        assert_eq!(answer, quote(credits, fee, total, 18));
    }
    let smallest = app.get("/credits/quote").await.expect(200);
    assert_eq!(smallest, quote(18, 32, 50, 18), "without a number, it tells what can be bought");
    app.finish().await;

    let app = TestApp::start_with(Backend::Sqlite, Options::default().setting("FEE_MODE", "absorb")).await;
    assert_eq!(app.get("/credits/quote?credits=250").await.expect(200), quote(250, 0, 250, 50));
    app.finish().await;
}

#[tokio::test]
async fn a_quote_that_is_too_small_or_too_large_names_what_is_possible() {
    let app = TestApp::start(Backend::Sqlite).await;
    for (credits, code, limit) in [
        ("17", "too_few", "18 credits"),
        ("0", "too_few", "18 credits"),
        ("-1", "too_few", "18 credits"),
        ("-9223372036854775808", "too_few", "18 credits"),
        ("100001", "too_many", "100000 credits"),
        ("9223372036854775807", "too_many", "100000 credits"),
    ] {
        let answer = app.get(&format!("/credits/quote?credits={credits}")).await;
        let problem = answer.expect_problem(400, "invalid_request");
        assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&"credits".into(), &code.into()));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(limit)), "{problem}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_query_that_is_not_right_is_a_problem_that_names_the_field() {
    let app = TestApp::start(Backend::Sqlite).await;
    let quote = ["?credits", "?credits=", "?credits=NaN", "?credits=2.5", "?credits=1e3", "?credits=%32%35x"];
    let quote = quote.iter().map(|query| (format!("/credits/quote{query}"), "credits"));
    let others = ["?credits=9223372036854775808", "?credits=250&credits=250", "?credits=%FF", "?Credits=250"];
    let others = others.iter().map(|query| (format!("/credits/quote{query}"), "credits"));
    let limits =
        ["0", "101", "-1", "ten", "1.0", ""].map(|limit| (format!("/credits/transactions?limit={limit}"), "limit"));
    let cursors = ["", "0", "-1", "abc", "9223372036854775808", "1%20", "99999999999999999999"]
        .map(|cursor| (format!("/credits/transactions?cursor={cursor}"), "cursor"));
    for (path, field) in quote.chain(others).chain(limits).chain(cursors) {
        let problem = app.get_as("user_1", &path).await.expect_problem(400, "invalid_request");
        let named: Vec<&Value> =
            problem["errors"].as_array().expect("a list").iter().map(|error| &error["field"]).collect();
        assert_eq!(named, [field], "{path}: {problem}");
    }
    app.get_as("user_1", "/credits/transactions?cursor=9223372036854775807&limit=100").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let app = TestApp::start(Backend::Sqlite).await;
    for path in ["/", "/credits/", "/Credits", "/credits/sessions/", "/accounts//credits", "/.env", "/docs-", "/%2e%2e"]
    {
        app.get(path).await.expect_problem(404, "not_found");
    }
    let id = "x".repeat(256);
    for session in ["cs_test_unknown", "x", "%00", "%FF", "..%2f..", id.as_str()] {
        let answer = app.get_as("user_1", &format!("/credits/sessions/{session}")).await;
        answer.expect_problem(404, "not_found");
    }
    assert_eq!(app.stripe.requests().await, Vec::<Value>::new(), "Stripe is not asked about what is not ours");
    app.finish().await;
}

#[tokio::test]
async fn a_known_path_with_another_method_says_which_it_takes() {
    let app = TestApp::start(Backend::Sqlite).await;
    for (method, path, allowed) in [
        ("GET", "/credits/sessions", "POST"),
        ("PUT", "/credits/sessions", "POST"),
        ("POST", "/credits/sessions/cs_test_1", "GET, HEAD"),
        ("DELETE", "/credits", "GET, HEAD"),
        ("POST", "/accounts/user_1/credits", "GET, HEAD"),
        ("GET", "/webhooks/stripe", "POST"),
        ("POST", "/health/live", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("POST", "/docs", "GET, HEAD"),
        ("POST", "/accounts/user_1/credits/limits/day", "GET, HEAD, PUT, DELETE"),
    ] {
        let method = method.parse().expect("a method");
        let answer = app.send(http_client().request(method, format!("{}{path}", app.url))).await;
        assert_eq!(answer.headers.get("allow").map(String::as_str), Some(allowed), "{path}: {answer:?}");
        answer.expect_problem(405, "method_not_allowed");
    }
    app.finish().await;
}
