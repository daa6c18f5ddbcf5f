//! Pages that show: accounts, top-ups, lists and the overview.

use serde_json::json;
use topup::access::api_keys::Scope;
use topup::ports::Clock;

use super::{Browser, start};
use crate::admin::buy;
use crate::on_both_databases;
use crate::support::app::http_client;

on_both_databases! {
    async fn an_account_shows_its_ledger_by_pages_and_by_kind(backend: Backend) {
        let app = start(backend).await;
        for _ in 0..27 {
            buy(&app, "user_1").await;
        }
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let page = browser.get("/console/account?id=user_1").await.expect(200);
        let page = page.has(&["Balance 6,750", "Held 0", "Available 6,750", "Ends next –", "27 ", "+250", "Older entries", "What ends when"]);
        let (_, rest) = page.body.split_once("/console/account?id=user_1&amp;below=").expect("a next page");
        let below = rest.split('"').next().expect("an end").to_owned();
        let older = browser.get(&format!("/console/account?id=user_1&below={below}")).await.expect(200);
        assert!(older.text().contains(" +250 250 ") && !older.text().contains("Older entries"), "{}", older.text());
        let none = browser.get("/console/account?id=user_1&kind=spend").await.expect(200);
        assert!(!none.text().contains("Credits bought"), "{}", none.text());
        browser.get("/console/account?id=nobody").await.expect(200).has(&["never had credits"]);
        browser.get("/console/account?id=").await.expect(400);
        browser.get("/console/account?id=%00").await.expect(400);
        app.finish().await;
    }

    async fn a_top_up_shows_everything_that_happened_to_it(backend: Backend) {
        let app = start(backend).await;
        let bought = buy(&app, "user_1").await;
        app.stripe.control(&format!("payment_intents/{}/dispute", bought.payment), json!({})).await;
        let list = app.stripe.get("/v1/events?limit=100&type=charge.dispute.created").await;
        app.deliver(&list["data"][0]).await.expect(200);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let page = browser.get(&format!("/console/topups/{}", bought.topup)).await.expect(200);
        page.has(&[
            "Checkout over 2.89 USD created", "checkout.session.completed: credited", "+250 credits: Credits bought",
            "Dispute over 2.89 USD opened", "evidence due by ", "charge.dispute.created", "Charged 2.89 USD (2.50 USD + 0.39 USD fee)",
            "not known yet, expected 0.38 USD (gross up)", &bought.payment,
        ]);
        browser.get("/console/topups").await.expect(200).has(&["user_1", "paid, taken back"]);
        browser.get("/console/topups?state=open").await.expect(200).has(&["None."]);
        browser.get("/console/topups/topup_x").await.expect(404);
        app.finish().await;
    }

    async fn disputes_of_one_moment_are_all_shown_on_some_page(backend: Backend) {
        let app = start(backend).await;
        for number in 0..3 {
            let bought = buy(&app, &format!("user_{number}")).await;
            app.stripe.control(&format!("payment_intents/{}/dispute", bought.payment), json!({ "inquiry": false })).await;
            let event = app.stripe.get("/v1/events?limit=1&type=charge.dispute.created").await;
            app.deliver(&event["data"][0]).await.expect(200);
        }
        app.app.db.execute_raw("UPDATE reversals SET created_at = 7").await.expect("is written");
        let (mut before, mut seen) = ((i64::MAX, String::new()), Vec::new());
        for _ in 0..3 {
            let page = app.app.db.disputes((before.0, &before.1), 1).await.expect("readable");
            let last = page.last().expect("one more");
            before = (last.created_at, last.provider_reversal_id.clone());
            seen.push(last.account_id.clone());
        }
        assert_eq!(app.app.db.disputes((before.0, &before.1), 1).await.expect("readable").len(), 0);
        seen.sort();
        assert_eq!(seen, ["user_0", "user_1", "user_2"]);
        app.finish().await;
    }

    async fn the_overview_adds_up_what_moved_and_what_is_owed(backend: Backend) {
        let app = start(backend).await;
        let bought = buy(&app, "user_1").await;
        buy(&app, "user_2").await;
        app.stripe.control(&format!("payment_intents/{}/refund", bought.payment), json!({ "amount": 100 })).await;
        let list = app.stripe.get("/v1/events?limit=100&type=charge.refunded").await;
        app.deliver(&list["data"][0]).await.expect(200);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let page = browser.get("/console").await.expect(200);
        page.has(&[
            "Sold 500", "Spent 0", "Expired 0", "Refunded 100", "Outstanding 400", "400 credits on 2 accounts", "4.00 USD",
            "No failed delivery is open", "Never compared with Stripe yet", "As a table", "2 payments, or in another currency",
        ]);
        // A day that is over is stored, and says the same.
        app.clock.advance_ms(90_000_000);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        for _ in 0..2 {
            browser.get("/console").await.expect(200).has(&["Sold 500", "Refunded 100"]);
            app.clock.advance_ms(61_000);
        }
        app.finish().await;
    }

    async fn settings_in_force_hold_no_secret(backend: Backend) {
        let app = start(backend).await;
        let mut browser = Browser::signed_in(&app, Scope::Admin).await;
        let page = browser.get("/console/settings").await.expect(200);
        let page = page.has(&["SUPPORT_MAX_CREDITS 10000", "FEE_RATE_PERCENT 2.9", "ALLOWED_ORIGINS https://app.example.com", "STRIPE_SECRET_KEY test mode (not shown)"]);
        for secret in [crate::support::stripe::SECRET_KEY, crate::support::stripe::WEBHOOK_SECRET, crate::support::app::JWT_SECRET, app.database.url.as_str()] {
            assert!(!page.body.contains(secret), "{secret}");
        }
        app.finish().await;
    }
}

/// Whatever is typed, the page says something and nothing breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_gets_a_page_that_says_what_is_wrong() {
    let app = start(crate::support::Backend::Sqlite).await;
    let mut browser = Browser::signed_in(&app, Scope::Admin).await;
    for path in [
        "/console/account?id=user_1&below=x",
        "/console/topups?before=x",
        "/console/log?before=1",
        "/console/failures?before=%00",
        "/console/disputes?before=x",
        "/console/search?q=%00",
        "/console/account/adjust?id=user_1&credits=0&reason=x",
        "/console/account/adjust?id=user_1&credits=1&reason=",
        "/console/account/adjust?id=user_1&credits=99999999999999999999&reason=x",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 400, "{path}: {}", page.text());
        assert!(page.text().len() > 20 && page.body.starts_with("<!DOCTYPE html>"), "{path}");
    }
    for path in
        ["/console/reconciliation?id=x", "/console/failure?id=x", "/console/keys/revoke?id=x", "/console/topups/x"]
    {
        browser.get(path).await.expect(404);
    }
    let script = "<script>alert(1)</script>";
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", script).finish();
    let page = browser.get(&format!("/console/search?{query}")).await.expect(200);
    assert!(!page.body.contains(script), "it is escaped");
    let long = "x".repeat(20_000);
    let answer = http_client().post(format!("{}/console/sign-in", app.url)).form(&[("api_key", &long)]).send().await;
    assert_eq!(answer.expect("answers").status().as_u16(), 413);
    assert!(app.clock.now_ms() > 0);
    app.finish().await;
}
