//! Payers' data: learnt from deliveries and checkouts, searched for, and erased.

use serde_json::json;
use topup::access::api_keys::Scope;
use topup::console::payers::{erase_old, store_notes};
use topup::domain::ids::TopupId;
use topup::domain::payer::Payer;

use super::{Browser, start, start_with};
use crate::on_both_databases;
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::process::{Settings, run};
use crate::support::{Options, TestApp, until};

const BROWSER: &str = "Mozilla/5.0 (a browser)";

/// Buys 250 credits in a browser, by this e-mail address. Returns the top-up.
async fn buy_now(app: &TestApp, account: &str, email: &str) -> TopupId {
    let request = http_client().post(format!("{}/credits/sessions", app.url)).bearer_auth(app.token(account));
    let request = request.header("user-agent", BROWSER).json(&json!({ "credits": 250, "successUrl": SUCCESS_URL }));
    let session = app.send(request).await.expect(200)["id"].as_str().expect("an id").to_owned();
    assert_eq!(app.stripe.pay(&session, "pm_card_visa").await.0, 200);
    let mut event = app.stripe.event("checkout.session.completed", &session).await;
    event["data"]["object"]["customer_details"] = json!({ "email": email, "name": "Ann Example" });
    app.deliver(&event).await.expect(200);
    let charges = app.stripe.get("/v1/events?limit=1&type=charge.succeeded").await;
    app.deliver(&charges["data"][0]).await.expect(200);
    let topup = event["data"]["object"]["metadata"]["topupId"].as_str().expect("an id");
    TopupId::parse(topup).expect("an id")
}

/// The same, when everything about its payer is stored: the scheduled job may be at it.
async fn buy(app: &TestApp, account: &str, email: &str) -> TopupId {
    let topup = buy_now(app, account, email).await;
    store_notes(&app.app).await.expect("stored");
    until("the payer", async || payer(app, &topup).await.filter(|payer| payer.card_last4.is_some())).await;
    topup
}

async fn payer(app: &TestApp, topup: &TopupId) -> Option<Payer> {
    app.app.db.payer_of(topup).await.expect("readable")
}

on_both_databases! {
    async fn a_payer_is_known_by_address_card_and_browser_and_found_by_them(backend: Backend) {
        let app = start(backend).await;
        let topup = buy(&app, "user_1", "Ann@Example.com").await;
        let known = payer(&app, &topup).await.expect("known");
        assert_eq!((known.email.as_deref(), known.name.as_deref()), (Some("ann@example.com"), Some("Ann Example")));
        assert_eq!((known.card_brand.as_deref(), known.card_last4.as_deref(), known.card_country.as_deref()), (Some("visa"), Some("4242"), Some("US")));
        assert_eq!((known.client_ip.as_deref(), known.user_agent.as_deref()), (Some("127.0.0.1"), Some(BROWSER)));
        let mut browser = Browser::signed_in(&app, Scope::Support).await;
        for query in ["ann%40example.com", "ANN%40example.com", "4242"] {
            let shown = browser.get(&format!("/console/search?q={query}")).await.expect(200);
            shown.has(&["with Visa …4242, credited 250 credits"]);
        }
        browser.get(&format!("/console/topups/{topup}")).await.expect(200).has(&["ann@example.com", "Ann Example", BROWSER, "127.0.0.1"]);
        buy(&app, "user_2", "ann@example.com").await;
        browser.get("/console/search?q=ann%40example.com").await.expect(200).has(&["Top-ups", "user_1", "user_2"]);
        app.finish().await;
    }

    async fn personal_data_is_erased_after_its_time_and_on_request_and_the_books_stay(backend: Backend) {
        let app = start_with(backend, Options::default().setting("PERSONAL_DATA_DAYS", "10")).await;
        let first = buy(&app, "user_1", "ann@example.com").await;
        let second = buy(&app, "user_2", "bob@example.com").await;
        let is_known = async |topup: &TopupId| payer(&app, topup).await.is_some_and(|payer| !payer.is_empty());
        app.clock.advance_ms(9 * 86_400_000);
        erase_old(&app.app).await.expect("works");
        assert!(is_known(&first).await && is_known(&second).await);

        let settings = Settings::from([("DATABASE_URL", app.database.url.clone())]);
        // Failed deliveries that name only a payment, one of each account.
        let failed = "INSERT INTO failed_webhook_events (provider_event_id, provider, type, kind, error, attempts, \
            provider_payment_id, payload, payload_at, first_failed_at, last_failed_at) \
            SELECT 'evt_' || t.account_id, p.provider, 'refund.updated', 'permanent', 'a test', 1, p.provider_payment_id, \
            'personal', 1, 1, 1 FROM payments p JOIN topups t ON t.id = p.topup_id";
        app.app.db.execute_raw(failed).await.expect("is written");
        let (well, told, errors) = run(&settings, &["accounts", "erase", "user_2"]);
        assert!(well && told.contains("personal data of 1 top-ups of user_2"), "{told}{errors}");
        assert!(is_known(&first).await && !is_known(&second).await);
        let payload = async |event: &str| app.app.db.failed_event(event).await.expect("readable").expect("known").payload;
        assert_eq!(payload("evt_user_1").await.as_deref(), Some("personal"));
        assert_eq!(payload("evt_user_2").await, None);
        // What comes later does not bring it back.
        app.app.payers.note(&second, Payer { email: Some("bob@example.com".to_owned()), ..Payer::default() });
        store_notes(&app.app).await.expect("stored");
        assert!(!is_known(&second).await);

        app.clock.advance_ms(2 * 86_400_000);
        assert_eq!(erase_old(&app.app).await.expect("works"), 1);
        assert!(!is_known(&first).await, "its time is over");
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (250, 250), "the books stay");
        app.finish().await;
    }

    async fn nothing_is_kept_of_top_ups_of_others_or_if_nothing_shall_be(backend: Backend) {
        let app = start_with(backend, Options::default().setting("PERSONAL_DATA_DAYS", "0")).await;
        let topup = buy_now(&app, "user_1", "ann@example.com").await;
        let foreign = TopupId::from_bits(7);
        app.app.payers.note(&foreign, Payer { email: Some("bob@example.com".to_owned()), ..Payer::default() });
        store_notes(&app.app).await.expect("stored");
        assert_eq!((payer(&app, &topup).await, payer(&app, &foreign).await), (None, None));
        app.finish().await;
    }
}
