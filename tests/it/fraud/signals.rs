//! Early fraud warnings and reviews: stored once, shown, told, and a reason to block the account only by setting.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;
use topup::domain::account::AccountId;

use crate::console::Browser;
use crate::on_both_databases;
use crate::support::{Backend, Options, TestApp};

struct Purchase {
    topup: String,
    payment: String,
}

async fn buy(app: &TestApp, account: &str, card: &str) -> Purchase {
    let session = app.open_session(account, 250).await;
    assert_eq!(app.stripe.pay(&session, card).await.0, 200);
    let event = app.stripe.event("checkout.session.completed", &session).await;
    let topup = event["data"]["object"]["metadata"]["topupId"].as_str().expect("an id").to_owned();
    app.deliver(&event).await.expect(200);
    Purchase { topup, payment: app.payment_of(&session).await }
}

/// The events of these types about a payment, oldest first.
async fn events(app: &TestApp, payment: &str, types: &[&str]) -> Vec<Value> {
    let list = app.stripe.get("/v1/events?limit=100").await;
    let mut events = list["data"].as_array().expect("a list").clone();
    events.retain(|event| {
        event["data"]["object"]["payment_intent"] == payment && types.iter().any(|name| event["type"] == *name)
    });
    events.reverse();
    events
}

const WARNED: &str = "radar.early_fraud_warning.created";
const WARNING_CHANGED: &str = "radar.early_fraud_warning.updated";

async fn warn(app: &TestApp, purchase: &Purchase) -> Value {
    app.stripe.control(&format!("payment_intents/{}/fraud_warning", purchase.payment), json!({})).await;
    events(app, &purchase.payment, &[WARNED]).await.pop().expect("an event")
}

async fn is_blocked(app: &TestApp, account: &str) -> bool {
    app.app.db.balance(&AccountId::parse(account).expect("an account")).await.expect("readable").is_blocked
}

async fn with_freeze(backend: Backend) -> TestApp {
    let options = Options::default().setting("CONSOLE", "on").setting("FREEZE_ON_FRAUD_WARNING", "on");
    TestApp::start_with(backend, options).await
}

on_both_databases! {
    async fn a_warning_is_shown_with_a_refund_and_blocks_nothing_unless_told_to(backend: Backend) {
        let app = TestApp::start_with(backend, Options::default().setting("CONSOLE", "on")).await;
        let purchase = buy(&app, "user_1", "pm_card_visa").await;
        let event = warn(&app, &purchase).await;
        for _ in 0..3 {
            app.deliver(&event).await.expect(200);
        }
        assert!(!is_blocked(&app, "user_1").await);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        browser.get("/console").await.expect(200).has(&["payment may be fraud"]);
        let page = browser.get("/console/disputes").await.expect(200);
        let page = page.has(&["Warnings of fraud", "Early fraud warning", "unauthorized use of card", "user_1"]);
        assert!(page.body.contains(&format!("/console/topups/{}/refund", purchase.topup)), "{}", page.body);
        assert_eq!(page.text().matches("Early fraud warning").count(), 1, "{}", page.text());
        let page = browser.get(&format!("/console/topups/{}", purchase.topup)).await.expect(200);
        page.has(&["Early fraud warning", "radar.early_fraud_warning.created: fraud signal"]);
        // A refund ends it.
        let path = format!("payment_intents/{}/refund", purchase.payment);
        app.stripe.control(&path, json!({})).await;
        for event in events(&app, &purchase.payment, &[WARNING_CHANGED, "refund.created", "refund.updated"]).await {
            app.deliver(&event).await.expect(200);
        }
        app.deliver(&event).await.expect(200);
        let page = browser.get("/console").await.expect(200);
        assert!(!page.text().contains("may be fraud"), "{}", page.text());
        browser.get("/console/disputes").await.expect(200).has(&["refunded or disputed"]);
        app.finish().await;
    }

    async fn by_setting_a_warning_blocks_the_account_once_and_only_an_operator_unblocks_it(backend: Backend) {
        let app = with_freeze(backend).await;
        let purchase = buy(&app, "user_1", "pm_card_visa").await;
        buy(&app, "user_2", "pm_card_visa").await;
        let event = warn(&app, &purchase).await;
        app.deliver(&event).await.expect(200);
        assert!(is_blocked(&app, "user_1").await && !is_blocked(&app, "user_2").await);
        assert_eq!(app.credits("user_1").await, 250, "the credits stay");
        let mut browser = Browser::signed_in(&app, Scope::Admin).await;
        let page = browser.get("/console/account?id=user_1").await.expect(200);
        page.has(&["early fraud warning issfr_", "FREEZE_ON_FRAUD_WARNING"]);
        let form = browser.get("/console/account/block?id=user_1").await.expect(200);
        let fields = [("id", "user_1"), ("blocked", "no"), ("reason", "the customer called")];
        browser.submit(&form, "/console/account/block", &fields).await.expect(200);
        assert!(!is_blocked(&app, "user_1").await);
        // Neither the same event nor another one about the same warning blocks again.
        let mut again = event.clone();
        again["id"] = json!("evt_again");
        for event in [&event, &again] {
            app.deliver(event).await.expect(200);
        }
        assert!(!is_blocked(&app, "user_1").await);
        // Another warning does.
        let event = warn(&app, &purchase).await;
        app.deliver(&event).await.expect(200);
        assert!(is_blocked(&app, "user_1").await);
        app.finish().await;
    }

    async fn a_warning_that_comes_before_its_payment_blocks_the_account_that_will_have_the_credits(backend: Backend) {
        let app = with_freeze(backend).await;
        let session = app.open_session("user_1", 250).await;
        app.stripe.pay(&session, "pm_card_createIssuerFraudRecord").await;
        let payment = app.payment_of(&session).await;
        let warned = events(&app, &payment, &[WARNED]).await;
        assert_eq!(warned.len(), 1, "the test card is not warned of");
        app.deliver(&warned[0]).await.expect(200);
        assert!(is_blocked(&app, "user_1").await);
        let paid = app.stripe.event("checkout.session.completed", &session).await;
        app.deliver(&paid).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        assert!(is_blocked(&app, "user_1").await);
        app.finish().await;
    }

    /// Events arrive in any order.
    async fn a_review_that_was_closed_stays_closed(backend: Backend) {
        for backwards in [false, true] {
            let app = with_freeze(backend).await;
            let purchase = buy(&app, "user_1", "pm_card_visa").await;
            let path = format!("payment_intents/{}/review", purchase.payment);
            let review = app.stripe.control(&path, json!({})).await;
            let id = review["id"].as_str().expect("an id").to_owned();
            assert_eq!(app.stripe.post(&format!("/v1/reviews/{id}/approve"), &[]).await.0, 200);
            let mut all = events(&app, &purchase.payment, &["review.opened", "review.closed"]).await;
            assert_eq!(all.len(), 2);
            if backwards {
                all.reverse();
            }
            for event in &all {
                app.deliver(event).await.expect(200);
            }
            assert_eq!(is_blocked(&app, "user_1").await, !backwards, "only an open review blocks");
            assert_eq!(app.app.db.open_fraud_signals().await.expect("readable"), 0);
            let mut browser = Browser::signed_in(&app, Scope::Support).await;
            browser.get("/console/disputes").await.expect(200).has(&["Review", "approved", "rule"]);
            app.finish().await;
        }
    }

    async fn of_another_s_payment_or_of_the_other_mode_nothing_is_kept(backend: Backend) {
        let app = with_freeze(backend).await;
        let purchase = buy(&app, "user_1", "pm_card_visa").await;
        let event = warn(&app, &purchase).await;
        let mut foreign = event.clone();
        foreign["data"]["object"]["payment_intent"] = json!("pi_of_nobody");
        let mut without = event.clone();
        without["data"]["object"]["payment_intent"] = Value::Null;
        for event in [&foreign, &without] {
            app.deliver(event).await.expect(200);
        }
        let mut live = event.clone();
        live["livemode"] = json!(true);
        app.deliver(&live).await.expect(200);
        assert_eq!(app.app.db.open_fraud_signals().await.expect("readable"), 0);
        let failures = app.app.db.open_failures().await.expect("readable");
        assert_eq!((failures.permanent, failures.transient), (1, 0), "the one of the other mode is listed");
        let mut unreadable = event.clone();
        unreadable["id"] = json!("evt_unreadable");
        unreadable["data"]["object"]["created"] = json!("now");
        assert_eq!(app.deliver(&unreadable).await.status, 500);
        app.deliver(&event).await.expect(200);
        assert_eq!(app.app.db.open_fraud_signals().await.expect("readable"), 1);
        app.finish().await;
    }
}
