//! Signing in and out, cookies, the token of forms, and how sessions end.

use topup::access::api_keys::{self, Scope};

use super::{Browser, api_key, start, start_with};
use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::{Backend, Options, TestApp};

/// Every page that shows something, and whether only admins see it.
const PAGES: [(&str, bool); 11] = [
    ("/console", false),
    ("/console/search?q=user_1", false),
    ("/console/topups", false),
    ("/console/failures", false),
    ("/console/disputes", false),
    ("/console/reconciliations", false),
    ("/console/log", false),
    ("/console/account?id=user_1", false),
    ("/console/account/adjust?id=user_1", false),
    ("/console/keys", true),
    ("/console/settings", true),
];

on_both_databases! {
    async fn a_key_is_exchanged_for_a_session_that_ends_with_the_day_the_key_or_by_hand(backend: Backend) {
        let app = start(backend).await;
        let mut browser = Browser::new(&app);
        for (path, _) in PAGES {
            let location = browser.get(path).await.location();
            assert!(location.starts_with("/console/sign-in?next=%2Fconsole"), "{path}: {location}");
        }
        let key = api_key(&app, &[Scope::Support], None).await;
        let answer = browser.sign_in(&key).await;
        assert_eq!(answer.location(), "/console");
        let cookie = answer.headers["set-cookie"].to_str().expect("text");
        assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("Max-Age=43200"), "{cookie}");
        assert!(!cookie.contains("Secure"), "over http on this machine: {cookie}");
        browser.get("/console").await.expect(200).has(&["Overview", "support", "Test mode"]);
        assert_eq!(browser.get("/console/sign-in").await.location(), "/console", "nothing to do");

        app.clock.advance_ms(12 * 3_600_000 - 1_000);
        browser.get("/console").await.expect(200);
        app.clock.advance_ms(2_000);
        browser.get("/console").await.location();

        browser.sign_in(&key).await.location();
        let page = browser.get("/console").await.expect(200);
        let token = page.hidden("token");
        assert_eq!(browser.post("/console/sign-out", &[("token", &token)]).await.location(), "/console/sign-in");
        browser.get("/console").await.location();

        browser.sign_in(&key).await.location();
        browser.get("/console/log").await.expect(200).has(&["Signed in", "(ann)"]);
        let keys = app.app.db.api_keys().await.expect("readable");
        assert!(api_keys::revoke(&app.app.db, &*app.clock, &keys[0].id).await.expect("works"));
        browser.get("/console").await.location();
        browser.sign_in(&key).await.expect(401).has(&["not known, or it was revoked"]);
        app.finish().await;
    }

    /// A proxy may name this machine instead of what the browser asked for.
    async fn behind_a_proxy_no_cookie_travels_without_tls(backend: Backend) {
        let app = start(backend).await;
        let sign_in = format!("{}/console/sign-in", app.url);
        for name in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"] {
            let answer = http_client().get(&sign_in).header(name, "203.0.113.7").send().await.expect("answers");
            let cookie = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
            assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{name}: {cookie}");
        }
        app.finish().await;
        let app = start_with(backend, Options::default().setting("PUBLIC_URL", "https://credits.example.com")).await;
        let answer = http_client().get(format!("{}/console/sign-in", app.url)).send().await.expect("answers");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text").to_owned();
        assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
        app.finish().await;
    }

    async fn each_role_sees_what_it_may(backend: Backend) {
        let app = start(backend).await;
        let mut support = Browser::signed_in(&app, Scope::Support).await;
        let mut admin = Browser::signed_in(&app, Scope::Admin).await;
        for (path, for_admins) in PAGES {
            admin.get(path).await.expect(200);
            support.get(path).await.expect(if for_admins { 403 } else { 200 });
        }
        support.get("/console/account/block?id=user_1").await.expect(403);
        let token = support.get("/console").await.hidden("token");
        for path in ["/console/keys", "/console/keys/revoke", "/console/account/block", "/console/reconciliations", "/console/failure/close"] {
            support.post(path, &[("token", &token), ("change", "x")]).await.expect(403).has(&["scope admin"]);
        }
        admin.get("/console/nothing").await.expect(404).has(&["no such page"]);
        app.finish().await;
    }

    async fn a_form_of_another_session_or_of_none_changes_nothing(backend: Backend) {
        let app = start(backend).await;
        let mut browser = Browser::signed_in(&app, Scope::Admin).await;
        let mut other = Browser::signed_in(&app, Scope::Admin).await;
        let foreign = other.get("/console").await.hidden("token");
        let change = format!("change_{:032x}", 1);
        for path in ["/console/account/adjust", "/console/account/block", "/console/keys", "/console/failure/replay", "/console/sign-out"] {
            for token in ["", "0".repeat(64).as_str(), foreign.as_str()] {
                let form = [("token", token), ("change", change.as_str()), ("id", "user_1"), ("credits", "5"), ("reason", "x")];
                browser.post(path, &form).await.expect(403).has(&["not from your session"]);
            }
            let url = format!("{}{path}", app.url);
            let json = http_client().post(url).json(&serde_json::json!({ "token": foreign })).send().await.expect("answers");
            assert_eq!(json.status().as_u16(), 303, "{path}: nobody is signed in");
        }
        browser.get("/console").await.expect(200);
        let log = app.app.db.operator_log((i64::MAX, "", ""), 10).await.expect("readable");
        assert!(log.iter().all(|entry| entry.action == "sign_in"), "{log:?}");
        app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_without_the_scope_and_keys_for_one_account_do_not_sign_in() {
    let app = start(Backend::Sqlite).await;
    let mut browser = Browser::new(&app);
    let servers = api_key(&app, &[Scope::Checkout, Scope::Read, Scope::Spend], None).await;
    browser.sign_in(&servers).await.expect(401).has(&["neither the scope support nor admin"]);
    let bound = api_key(&app, &[Scope::Admin], Some("user_1")).await;
    browser.sign_in(&bound).await.expect(401).has(&["for one account"]);
    for wrong in ["", "topup_sk_x", &format!("topup_sk_{:064x}", 7)] {
        browser.sign_in(wrong).await.expect(401).has(&["not known, or it was revoked"]);
    }
    // A form without its cookie.
    let token = browser.get("/console/sign-in").await.hidden("token");
    let mut stranger = Browser::new(&app);
    stranger.post("/console/sign-in", &[("token", &token), ("api_key", &servers)]).await.expect(403).has(&["too old"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_limited_by_address_and_a_good_key_is_let_in_all_the_same() {
    let app = start_with(Backend::Sqlite, Options::default().setting("RATE_LIMIT_PER_MINUTE", "3")).await;
    let key = api_key(&app, &[Scope::Admin], None).await;
    let mut browser = Browser::new(&app);
    for _ in 0..3 {
        browser.sign_in("topup_sk_x").await.expect(401);
    }
    let limited = browser.sign_in("topup_sk_x").await.expect(429);
    assert!(limited.headers.contains_key("retry-after"));
    browser.sign_in(&key).await.location();
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elsewhere_than_on_this_machine_the_cookie_travels_over_tls_only() {
    let app = start(Backend::Sqlite).await;
    let request = http_client().get(format!("{}/console/sign-in", app.url)).header("host", "credits.example.com");
    let answer = request.send().await.expect("answers");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("__Host-topup-console-form=") && cookie.ends_with("; Secure"), "{cookie}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_setting_there_is_no_console() {
    let app = TestApp::start(Backend::Sqlite).await;
    for path in ["/console", "/console/sign-in", "/console/assets/console.css"] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_kept_from_harm_by_their_headers() {
    let app = start(Backend::Sqlite).await;
    let mut browser = Browser::signed_in(&app, Scope::Admin).await;
    for path in ["/console", "/console/sign-in", "/console/keys", "/console/topups/x", "/console/nothing"] {
        let page = browser.get(path).await;
        if page.status == 303 {
            continue;
        }
        let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().expect("text"));
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert!(
            !page.body.contains(" style=") && !page.body.contains("<style") && !page.body.contains(" onclick"),
            "{path}"
        );
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_leads_to_pages_of_the_console_only() {
    let app = start(Backend::Sqlite).await;
    let key = api_key(&app, &[Scope::Admin], None).await;
    for (next, leads_to) in [
        ("/console/keys", "/console/keys"),
        ("https://evil.example", "/console"),
        ("//evil.example", "/console"),
        ("/consoles", "/console"),
        ("/console/\\evil", "/console"),
        ("", "/console"),
    ] {
        let mut browser = Browser::new(&app);
        let token = browser.get("/console/sign-in").await.hidden("token");
        let form = [("token", token.as_str()), ("api_key", key.as_str()), ("next", next)];
        assert_eq!(browser.post("/console/sign-in", &form).await.location(), leads_to, "{next}");
    }
    app.finish().await;
}
