//! "I paid and have no credits": the answer of the search box to each reason.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;
use topup::domain::ids::TopupId;
use topup::inbox::failed_events::{FailureKind, FailureRecord};
use topup::ports::Clock;

use super::{Browser, Shown, start};
use crate::admin::buy;
use crate::on_both_databases;
use crate::support::TestApp;

/// What the search box answers to a text.
async fn search(browser: &mut Browser<'_>, text: &str) -> Shown {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
    let shown = browser.get(&format!("/console/search?{query}")).await;
    if shown.status == 303 { browser.get(&shown.location()).await.expect(200) } else { shown.expect(200) }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The latest event of a type.
async fn latest(app: &TestApp, event_type: &str) -> Value {
    let list = app.stripe.get(&format!("/v1/events?limit=100&type={event_type}")).await;
    list["data"][0].clone()
}

async fn deliver_latest(app: &TestApp, event_type: &str) {
    let event = latest(app, event_type).await;
    app.deliver(&event).await.expect(200);
}

on_both_databases! {
    async fn a_paid_purchase_is_found_by_every_id_and_told_in_one_sentence(backend: Backend) {
        let app = start(backend).await;
        let bought = buy(&app, "user_1").await;
        let event = latest(&app, "checkout.session.completed").await;
        let session = text(&event["data"]["object"]["id"]);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        for id in [&bought.topup, &session, &bought.payment, &text(&event["id"])] {
            search(&mut browser, id).await.has(&["Paid and credited", "Paid 2.89 USD on ", ", credited 250 credits at "]);
        }
        search(&mut browser, "user_1").await.has(&["Account user_1", "Balance 250", "Credits bought"]);
        let day = topup::console::words::day(app.clock.now_ms());
        search(&mut browser, &format!("2.89 {day}")).await.has(&["user_1", "paid", "2.89 USD"]);
        search(&mut browser, &format!("{day} $2.89")).await.has(&["user_1"]);
        search(&mut browser, "2.88 2020-01-01").await.has(&["No checkout over this amount"]);
        search(&mut browser, "user").await.has(&["Accounts", "user_1"]);
        for nothing in ["nobody", "topup_00000000000000000000000000000000", "evt_none", "re_none", "cs_test_none", "pi_none", "a@b.example", "9999", "'; --", "\u{10FFFF}"] {
            let shown = search(&mut browser, nothing).await;
            assert!(!shown.text().contains("user_1"), "{nothing}: {}", shown.text());
        }
        app.finish().await;
    }

    async fn a_webhook_that_never_came_is_made_good_with_one_button(backend: Backend) {
        let app = start(backend).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let shown = search(&mut browser, &session).await.has(&["Paid at Stripe, not in our books: the webhook never came."]);
        assert_eq!(app.credits("user_1").await, 0, "looking changes nothing");
        let topup = topup_of(&app, &session).await;
        let told = browser.submit(&shown, &format!("/console/topups/{topup}/check"), &[]).await.expect(200);
        told.has(&["Stripe asked: done.", "250 credits are in the books", "Paid and credited"]);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_wrong_secret_is_named(backend: Backend) {
        let app = start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let body = event.to_string();
        let header = stripe_sandbox::sign("whsec_another_0123456789", app.clock.now_ms() / 1_000, body.as_bytes());
        app.deliver_with(Some(&header), body.as_bytes()).await.expect(400);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        search(&mut browser, &session).await.has(&["the webhook never came", "Deliveries are refused.", "STRIPE_WEBHOOK_SECRET"]);
        app.finish().await;
    }

    async fn a_webhook_that_failed_is_replayed(backend: Backend) {
        let app = start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        let topup = topup_of(&app, &session).await;
        let record = FailureRecord {
            event_id: text(&event["id"]),
            provider: app.app.provider.name,
            event_type: text(&event["type"]),
            kind: FailureKind::Transient,
            error: "the database was full".to_owned(),
            topup: Some(TopupId::parse(&topup).expect("an id")),
            payment: None,
            payload: Some(event.to_string()),
            now_ms: app.clock.now_ms(),
        };
        app.app.db.write(record).await.expect("written");
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let shown = search(&mut browser, &session).await;
        let shown = shown.has(&["Paid at Stripe, not in our books: the webhook failed (the database was full).", "Replay it"]);
        let id = text(&event["id"]);
        let back = format!("/console/topups/{topup}");
        let told = browser.submit(&shown, "/console/failure/replay", &[("id", &id), ("back", &back)]).await.expect(200);
        told.has(&["Replay: done.", "Paid and credited"]);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn an_amount_that_changed_is_named_and_credits_nothing(backend: Backend) {
        let app = start(backend).await;
        let (session, mut event) = app.pay_session("user_1", 250).await;
        event["data"]["object"]["amount_total"] = json!(288);
        app.deliver(&event).await.expect(200);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let shown = browser.get(&format!("/console/failure?id={}", text(&event["id"]))).await.expect(200);
        shown.has(&["amount_total is 288 but 289 was agreed", "refused for good", "What Stripe sent"]);
        let topup = topup_of(&app, &session).await;
        // Stripe itself says the agreed amount; the delivery said another one.
        search(&mut browser, &topup).await.has(&["Paid at Stripe"]);
        browser.get("/console/failures").await.expect(200).has(&["amount_total is 288", "refused for good"]);
        app.finish().await;
    }

    async fn a_delayed_payment_is_still_processing_and_may_fail(backend: Backend) {
        let app = start(backend).await;
        let session = app.open_session("user_1", 250).await;
        assert_eq!(app.stripe.pay(&session, "pm_sandbox_delayed").await.0, 200);
        let event = app.stripe.event("checkout.session.completed", &session).await;
        app.deliver(&event).await.expect(200);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        search(&mut browser, &session).await.has(&["Still processing", "a method that takes days"]);
        app.stripe.settle(&session, "failed").await;
        let failed = app.stripe.event("checkout.session.async_payment_failed", &session).await;
        app.deliver(&failed).await.expect(200);
        search(&mut browser, &session).await.has(&["The payment failed", "no money arrived"]);
        app.finish().await;
    }

    async fn a_declined_card_is_explained(backend: Backend) {
        let app = start(backend).await;
        let session = app.open_session("user_1", 250).await;
        assert_eq!(app.stripe.pay(&session, "pm_card_visa_chargeDeclinedInsufficientFunds").await.0, 402);
        deliver_latest(&app, "payment_intent.payment_failed").await;
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        search(&mut browser, &session).await.has(&["Declined", "there was not enough money on the card", "can try another card until"]);
        app.finish().await;
    }

    async fn a_refund_and_a_dispute_are_told_with_what_they_took(backend: Backend) {
        let app = start(backend).await;
        let refunded = buy(&app, "user_1").await;
        let refund = app.stripe.control(&format!("payment_intents/{}/refund", refunded.payment), json!({ "amount": 100 })).await;
        deliver_latest(&app, "charge.refunded").await;
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let words = ["Paid, credited and refunded", "credited 250 credits", "100 were refunded."];
        search(&mut browser, &refunded.topup).await.has(&words);
        search(&mut browser, &text(&refund["id"])).await.has(&words);

        let disputed = buy(&app, "user_2").await;
        let dispute = app.stripe.control(&format!("payment_intents/{}/dispute", disputed.payment), json!({})).await;
        deliver_latest(&app, "charge.dispute.created").await;
        let words = ["Disputed: 2.89 USD", "evidence is due by ", "All of them were taken back by a dispute."];
        search(&mut browser, &text(&dispute["id"])).await.has(&words);
        browser.get("/console/disputes").await.expect(200).has(&["user_2", "needs response", "2.89 USD", " UTC needs response"]);
        app.finish().await;
    }

    async fn a_second_payment_is_named_and_refunded(backend: Backend) {
        let app = start(backend).await;
        let bought = buy(&app, "user_1").await;
        let form = [("amount", "289"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true"),
            ("automatic_payment_methods[enabled]", "true"), ("automatic_payment_methods[allow_redirects]", "never")];
        let (status, surplus) = app.stripe.post("/v1/payment_intents", &form).await;
        assert_eq!(status, 200, "{surplus}");
        let mut again = latest(&app, "checkout.session.completed").await;
        again["id"] = json!("evt_again");
        again["data"]["object"]["id"] = json!("cs_test_again");
        again["data"]["object"]["payment_intent"] = surplus["id"].clone();
        app.deliver(&again).await.expect(200);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        let second = text(&surplus["id"]);
        search(&mut browser, &bought.topup).await.has(&["Paid twice", &second, "Refund the second payment"]);
        search(&mut browser, &second).await.has(&["Paid twice"]);
        let path = format!("/console/topups/{}/refund", bought.topup);
        let preview = browser.get(&format!("{path}?payment={second}")).await.expect(200).has(&["The customer gets 2.89 USD"]);
        let expected = preview.hidden("expected");
        let fields = [("what", "everything"), ("payment", second.as_str()), ("reason", "duplicate"), ("expected", expected.as_str())];
        browser.submit(&preview, &path, &fields).await.expect(200).has(&["Refund: done.", "the second payment"]);
        assert_eq!(app.credits("user_1").await, 250, "it took no credits");
        app.finish().await;
    }

    async fn another_environments_checkout_is_named(backend: Backend) {
        let app = start(backend).await;
        let other = app.start_beside(backend).await;
        let (session, event) = other.pay_session("user_1", 250).await;
        let payment = text(&event["data"]["object"]["payment_intent"]);
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        for id in [session.as_str(), &payment] {
            search(&mut browser, id).await.has(&["Another environment: Stripe says that this belongs to topup_"]);
        }
        search(&mut browser, "cs_live_a1b2").await.has(&["Another environment: this is a checkout of live mode"]);
        other.finish().await;
        app.finish().await;
    }
}

/// The top-up of a session.
async fn topup_of(app: &TestApp, session: &str) -> String {
    text(&app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await["metadata"]["topupId"])
}
