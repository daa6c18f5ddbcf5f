//! Credits that are sold in several currencies.

use serde_json::{Value, json};
use topup::books::audit::audit;
use topup::exports::month::{Month, report_month};
use topup::ports::Clock;

use super::{deliver, get, operator, post};
use crate::admin::ADMIN_SCOPE;
use crate::on_both_databases;
use crate::reconcile::compare;
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::{Answer, Backend, Options, TestApp};

/// A cent, 0.95 euro cents or 1.5 yen for a credit.
fn options() -> Options {
    Options::default()
        .setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE)
        .setting("CREDIT_PRICE_EUR", "0.95")
        .setting("FEE_FIXED_EUR", "25")
        .setting("FEE_RATE_PERCENT_EUR", "1.5")
        .setting("CREDIT_PRICE_JPY", "1.5")
        .setting("FEE_FIXED_JPY", "0")
}

async fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, options()).await
}

async fn set_currency(app: &TestApp, account: &str, currency: Value) -> Answer {
    let url = format!("{}/admin/accounts/{account}/currency", app.url);
    app.send(http_client().put(url).bearer_auth(operator(app)).json(&json!({ "currency": currency }))).await
}

/// Buys 1,000 credits and is credited. Returns the paid checkout session as Stripe shows it.
async fn buy(app: &TestApp, account: &str, currency: Option<&str>) -> Value {
    let mut body = json!({ "credits": 1_000, "successUrl": SUCCESS_URL });
    if let Some(currency) = currency {
        body["currency"] = json!(currency);
    }
    let opened = app.checkout_with(account, None, body).await.expect(200);
    let session = opened["id"].as_str().expect("an id");
    let (status, paid) = app.stripe.pay(session, "pm_card_visa").await;
    assert_eq!(status, 200, "{paid}");
    let event = app.stripe.event("checkout.session.completed", session).await;
    app.deliver(&event).await.expect(200);
    event["data"]["object"].clone()
}

on_both_databases! {
    async fn each_currency_has_its_price_its_fee_and_its_refunds(backend: Backend) {
        let app = start(backend).await;
        // (950 + 25) / 0.985 = 989.8…, and 1,500 / 0.971 = 1,544.7…
        for (currency, price, total) in [("usd", 1_000, 1_061), ("eur", 950, 990), ("jpy", 1_500, 1_545)] {
            let account = format!("user_{currency}");
            let quote = app.get(&format!("/credits/quote?credits=1000&currency={currency}")).await.expect(200);
            assert_eq!((&quote["creditsAmount"], &quote["totalAmount"]), (&json!(price), &json!(total)), "{quote}");
            assert_eq!(quote["currencies"], json!(["usd", "eur", "jpy"]));
            let paid = buy(&app, &account, Some(currency)).await;
            assert_eq!((&paid["amount_total"], &paid["currency"]), (&json!(total), &json!(currency)));
            assert_eq!(app.credits(&account).await, 1_000, "{currency}");
            let topup = paid["metadata"]["topupId"].as_str().expect("an id");
            let path = format!("/admin/topups/{topup}/refunds");
            let made = post(&app, &path, "key-1", json!({ "credits": 200 })).await.expect(200);
            assert_eq!((&made["amount"], &made["currency"]), (&json!(price / 5), &json!(currency)), "{made}");
            assert_eq!(app.credits(&account).await, 800, "{currency}");
        }
        assert_eq!(audit(&app.app.db, true).await.expect("an end").differences, 0);
        // What is deferred is never added up across currencies: 800 credits are left of each purchase.
        let now_ms = app.clock.now_ms();
        let month = Month::of(now_ms).expect("a month");
        let report = report_month(&app.app.db, month, now_ms + 600_000).await.expect("a report");
        let worth: Vec<_> = report.closing_worth.iter().map(|worth| (worth.currency.as_str(), worth.amount)).collect();
        assert_eq!(worth, [("eur", 760), ("jpy", 1_200), ("usd", 800)]);
        assert_eq!(report.sold.iter().map(|sold| sold.charged_amount).collect::<Vec<_>>(), [990, 1_545, 1_061]);
        let fees = compare(&app.app).await;
        assert!(fees.is_clean());
        let currencies: Vec<&str> = fees.report.fees.currencies.iter().map(|fees| fees.currency.as_str()).collect();
        assert!(!currencies.is_empty() && currencies.is_sorted(), "{currencies:?}");
        app.finish().await;
    }

    async fn an_account_buys_in_its_currency_unless_a_purchase_names_another(backend: Backend) {
        let app = start(backend).await;
        assert_eq!(get(&app, "/admin/accounts/user_1/currency").await["currency"], "usd");
        assert_eq!(set_currency(&app, "user_1", json!("eur")).await.expect(200)["currency"], "eur");
        assert_eq!(buy(&app, "user_1", None).await["currency"], "eur");
        assert_eq!(buy(&app, "user_1", Some("usd")).await["currency"], "usd");
        assert_eq!(buy(&app, "user_2", None).await["currency"], "usd");
        assert_eq!(set_currency(&app, "user_1", Value::Null).await.expect(200)["currency"], "usd");
        assert_eq!(buy(&app, "user_1", None).await["currency"], "usd");
        // A currency that is no longer sold in does not keep an account from buying.
        set_currency(&app, "user_1", json!("jpy")).await.expect(200);
        let options = Options::default().setting("JWT_ADMIN_SCOPE", ADMIN_SCOPE).setting("CREDIT_PRICE_EUR", "0.95");
        let copy = app.database.back_up().await;
        let app = app.restart_on(copy, options.setting("FEE_FIXED_EUR", "25")).await;
        assert_eq!(buy(&app, "user_1", None).await["currency"], "usd");
        assert_eq!(app.credits("user_1").await, 4_000);
        app.finish().await;
    }

    /// A repeated request gets its first answer, and another currency is another request.
    async fn a_currency_is_part_of_the_request(backend: Backend) {
        let app = start(backend).await;
        let body = |currency: &str| json!({ "credits": 1_000, "successUrl": SUCCESS_URL, "currency": currency });
        let first = app.checkout_with("user_1", Some("key-1"), body("eur")).await.expect(200);
        assert_eq!(app.checkout_with("user_1", Some("key-1"), body("eur")).await.expect(200), first);
        let other = app.checkout_with("user_1", Some("key-1"), body("usd")).await;
        other.expect_problem(422, "idempotency_key_reused");
        app.finish().await;
    }

    /// What was sold is known from the seal, also after the prices have changed.
    async fn a_purchase_in_another_currency_is_adopted_after_a_restore(backend: Backend) {
        let app = start(backend).await;
        let backup = app.database.back_up().await;
        let paid = buy(&app, "user_1", Some("eur")).await;
        let app = app.restart_on(backup, options().setting("CREDIT_PRICE_EUR", "2")).await;
        let body = json!({ "sessionIds": [paid["id"]] });
        let adopted = post(&app, "/admin/adoptions", "key-1", body).await.expect(200);
        assert_eq!(adopted["data"][0]["outcome"], "adopted", "{adopted}");
        assert_eq!(app.credits("user_1").await, 1_000);
        app.finish().await;
    }

    async fn a_dispute_in_another_currency_takes_what_its_money_paid_for(backend: Backend) {
        let app = start(backend).await;
        let paid = buy(&app, "user_1", Some("eur")).await;
        let payment = paid["payment_intent"].as_str().expect("a payment");
        app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({ "amount": 95 })).await;
        deliver(&app, "charge.dispute.funds_withdrawn").await;
        assert_eq!(app.credits("user_1").await, 900);
        app.finish().await;
    }
}

#[tokio::test]
async fn a_currency_that_is_not_sold_in_is_refused_with_those_that_are() {
    let app = start(Backend::Sqlite).await;
    for currency in ["gbp", "EUR", "xyz", ""] {
        let body = json!({ "credits": 1_000, "successUrl": SUCCESS_URL, "currency": currency });
        let answers = [
            app.get(&format!("/credits/quote?credits=1000&currency={currency}")).await,
            app.checkout_with("user_1", None, body).await,
            set_currency(&app, "user_1", json!(currency)).await,
        ];
        for answer in answers {
            let problem = answer.expect_problem(400, "invalid_request");
            assert_eq!(
                (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
                (&json!("currency"), &json!("unknown_currency"))
            );
            assert!(
                problem["errors"][0]["message"].as_str().is_some_and(|said| said.ends_with("usd, eur, jpy")),
                "{problem}"
            );
        }
    }
    // A number that one currency sells, and another does not.
    app.get("/credits/quote?credits=1001").await.expect(200);
    let refused = app.get("/credits/quote?credits=1001&currency=eur").await.expect_problem(400, "invalid_request");
    assert!(refused["errors"][0]["message"].as_str().is_some_and(|said| said.contains("1000 and 1020")), "{refused}");
    assert_eq!(app.stripe.checkout_requests().await, Vec::<Value>::new());
    app.finish().await;
}
