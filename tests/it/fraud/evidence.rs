//! The evidence for a dispute: what the bank asks for, from the console and the command line.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;
use topup::ports::Clock;

use crate::console::{Browser, api_key};
use crate::on_both_databases;
use crate::support::app::{SUCCESS_URL, http_client, settings};
use crate::support::process::run;
use crate::support::{Options, TestApp};

/// A purchase with the customer's address, program and e-mail.
async fn buy(app: &TestApp, account: &str) -> (String, String) {
    let request = http_client()
        .post(format!("{}/credits/sessions", app.url))
        .bearer_auth(app.token(account))
        .header("user-agent", "Browser/1.0 (of Ann)")
        .json(&json!({ "credits": 250, "successUrl": SUCCESS_URL }));
    let session = app.send(request).await.expect(200)["id"].as_str().expect("an id").to_owned();
    assert_eq!(app.stripe.pay(&session, "pm_card_visa").await.0, 200);
    let mut event = app.stripe.event("checkout.session.completed", &session).await;
    event["data"]["object"]["customer_details"] = json!({ "email": "ann@example.com", "name": "Ann" });
    let topup = event["data"]["object"]["metadata"]["topupId"].as_str().expect("an id").to_owned();
    app.deliver(&event).await.expect(200);
    (topup, app.payment_of(&session).await)
}

async fn dispute(app: &TestApp, payment: &str) -> String {
    let dispute = app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({})).await;
    let list = app.stripe.get("/v1/events?limit=100").await;
    let created =
        list["data"].as_array().expect("a list").iter().find(|event| event["data"]["object"]["id"] == dispute["id"]);
    app.deliver(created.expect("an event")).await.expect(200);
    dispute["id"].as_str().expect("an id").to_owned()
}

on_both_databases! {
    async fn the_evidence_names_who_bought_from_where_what_was_delivered_and_its_use(backend: Backend) {
        let service = TestApp::start_with(backend, Options::default().setting("CONSOLE", "on")).await;
        let app = &service;
        let (_, earlier) = buy(app, "user_1").await;
        app.clock.advance_ms(1_000);
        let (topup, payment) = buy(app, "user_1").await;
        let key = api_key(app, &[Scope::Spend], None).await;
        let spend = http_client().post(format!("{}/accounts/user_1/credits/debits", app.url)).header("x-api-key", key);
        let body = json!({ "credits": 70, "operation": "chat", "subject": "ann" });
        app.send(spend.header("idempotency-key", "one").json(&body)).await.expect(200);
        let id = dispute(app, &payment).await;
        topup::console::payers::store_notes(&app.app).await.expect("is stored");

        let mut browser = Browser::signed_in(app, Scope::Support).await;
        let page = browser.get("/console/disputes").await.expect(200);
        let path = format!("/console/disputes/{id}/evidence");
        assert!(page.body.contains(&path), "{}", page.body);
        let file = browser.get(&path).await.expect(200);
        assert_eq!(file.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(file.headers["content-disposition"], format!("attachment; filename=\"evidence-{id}.txt\"").as_str());
        for words in [
            id.as_str(),
            payment.as_str(),
            topup.as_str(),
            "== product_description\n250 credits, prepaid credits",
            "== service_date\n20",
            "== customer_name\nAnn",
            "== customer_email_address\nann@example.com",
            "== customer_purchase_ip\n127.0.0.1",
            "== access_activity_log\n",
            "used 70 credits, for chat, by ann",
            "== uncategorized_text\nAccount: user_1",
            "Browser/1.0 (of Ann)",
            &format!("{earlier}  "),
            "same e-mail, IP address, program",
        ] {
            assert!(file.body.contains(words), "{words:?} is not in:\n{}", file.body);
        }
        browser.get("/console/disputes/dp_none/evidence").await.expect(404);
        browser.get(&format!("/console/topups/{topup}")).await.expect(200).has(&["evidence file"]);
        assert_eq!(Browser::new(app).get(&path).await.status, 303, "without a session");

        let settings = settings(&app.database.url, "http://127.0.0.1:9", &[]);
        for name in [&id, &topup] {
            let (well, text, errors) = run(&settings, &["disputes", "evidence", name]);
            assert!(well, "{errors}");
            assert_eq!(text.lines().count(), file.body.lines().count());
            assert!(text.contains("ann@example.com"), "{text}");
        }
        let (well, json, errors) = run(&settings, &["disputes", "evidence", &id, "--json"]);
        assert!(well, "{errors}");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((&json["disputeId"], &json["evidence"]["customer_purchase_ip"]), (&json!(id), &json!("127.0.0.1")));
        // Stripe takes the fields as they are.
        let fields = json["evidence"].as_object().expect("an object");
        let form: Vec<(String, &str)> = fields
            .iter()
            .filter_map(|(name, value)| Some((format!("evidence[{name}]"), value.as_str()?)))
            .collect();
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let (status, answer) = app.stripe.post(&format!("/v1/disputes/{id}"), &form).await;
        assert_eq!(status, 200, "{answer}");

        // What was erased is missing, and the rest remains.
        let account = topup::domain::account::AccountId::parse("user_1").expect("an account");
        topup::console::payers::erase_account(&app.app.db, &account, app.clock.now_ms()).await.expect("is erased");
        let file = browser.get(&path).await.expect(200).body;
        assert!(file.contains("== customer_email_address\n(not known, or erased)") && !file.contains("Ann"), "{file}");
        assert!(file.contains("used 70 credits"), "{file}");
        service.finish().await;
    }
}
