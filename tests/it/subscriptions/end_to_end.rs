//! A subscription from its trial to its end, at the sandbox, with its events. The ledger is right at each step.

use serde_json::{Value, json};
use topup::domain::timestamp::rfc3339;
use topup::ports::Clock;

use super::world::DAY;
use crate::on_both_databases;
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::{Answer, Options, TestApp};

/// The account of these tests.
pub const ACCOUNT: &str = "user_1";

/// A request of the customer.
pub async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.send(http_client().post(format!("{}{path}", app.url)).bearer_auth(app.token(ACCOUNT)).json(&body)).await
}

/// A service that sells three plans, the smallest one with a trial.
pub async fn shop(backend: crate::support::Backend) -> TestApp {
    shop_with(backend, Options::with_webhooks().setting("JWT_ADMIN_SCOPE", "credits:admin")).await
}

/// The same with these options.
pub async fn shop_with(backend: crate::support::Backend, options: Options) -> TestApp {
    let app = TestApp::start_with(backend, options).await;
    let plans = json!({ "plans": [
        { "id": "basic", "name": "Basic", "interval": "month", "creditsPerPeriod": 1_000, "rollover": "keep",
            "trialDays": 7, "trialCredits": 50, "amount": { "usd": 1_000 } },
        { "id": "plus", "name": "Plus", "interval": "month", "creditsPerPeriod": 2_000, "rollover": "keep",
            "amount": { "usd": 2_000 } },
        { "id": "pro", "name": "Pro", "interval": "month", "creditsPerPeriod": 3_000, "rollover": "keep",
            "amount": { "usd": 3_000 } },
    ] });
    let put = http_client().put(format!("{}/admin/plans", app.url)).bearer_auth(app.admin_token()).json(&plans);
    app.send(put).await.expect(200);
    app
}

/// Subscribes to a plan and pays. Returns the customer at Stripe.
pub async fn subscribe(app: &TestApp, plan: &str) -> String {
    let body = json!({ "planId": plan, "successUrl": SUCCESS_URL });
    let session = post(app, "/subscriptions/sessions", body).await.expect(200);
    let id = session["id"].as_str().expect("an id");
    let (status, paid) = app.stripe.pay(id, "pm_card_visa").await;
    assert_eq!(status, 200, "{paid}");
    app.stripe.idle().await;
    paid["customer"].as_str().expect("a customer").to_owned()
}

/// The only subscription.
pub async fn only(app: &TestApp) -> Value {
    app.get_as(ACCOUNT, "/subscriptions").await.expect(200)["data"][0].clone()
}

/// Moves the customer's time.
pub async fn advance(app: &TestApp, customer: &str, by: Value) {
    app.stripe.control(&format!("customers/{customer}/advance"), by).await;
    app.stripe.idle().await;
}

/// What the customer pays with from now on.
async fn use_card(app: &TestApp, customer: &str, subscription: &str, card: &str) {
    let form = [("customer", customer)];
    let (status, method) = app.stripe.post(&format!("/v1/payment_methods/{card}/attach"), &form).await;
    assert_eq!(status, 200, "{method}");
    let form = [("default_payment_method", method["id"].as_str().expect("an id"))];
    let (status, answer) = app.stripe.post(&format!("/v1/subscriptions/{subscription}"), &form).await;
    assert_eq!(status, 200, "{answer}");
    app.stripe.idle().await;
}

on_both_databases! {
    async fn from_a_trial_to_the_end_the_ledger_is_right_at_each_step(backend: Backend) {
        let app = shop(backend).await;
        let customer = subscribe(&app, "basic").await;
        let subscription = only(&app).await;
        assert_eq!((&subscription["status"], &subscription["planId"]), (&json!("trialing"), &json!("basic")));
        assert_eq!(app.credits(ACCOUNT).await, 50, "the trial's");
        let id = subscription["id"].as_str().expect("an id").to_owned();
        let again = json!({ "planId": "pro", "successUrl": SUCCESS_URL });
        post(&app, "/subscriptions/sessions", again).await.expect_problem(409, "subscription_exists");

        advance(&app, &customer, json!({ "seconds": 7 * DAY + 7_200 })).await;
        assert_eq!(app.credits(ACCOUNT).await, 1_050, "the first paid period");
        advance(&app, &customer, json!({ "to_renewal": true })).await;
        assert_eq!(app.credits(ACCOUNT).await, 2_050, "the second");

        let preview = format!("/subscriptions/{id}/change/preview?planId=pro");
        let preview = app.get_as(ACCOUNT, &preview).await.expect(200);
        assert_eq!(preview["takesEffect"], "now");
        assert!(preview["amountDue"].as_i64().is_some_and(|due| due > 0), "{preview}");
        let change = json!({ "planId": "pro", "prorationDate": preview["prorationDate"] });
        let changed = post(&app, &format!("/subscriptions/{id}/change"), change).await.expect(200);
        assert_eq!((&changed["planId"], &changed["updatePending"]), (&json!("pro"), &json!(false)), "{changed}");
        app.stripe.idle().await;
        assert_eq!(app.credits(ACCOUNT).await, 4_050, "the plan's, less what the period had brought");

        use_card(&app, &customer, &id, "pm_card_chargeCustomerFail").await;
        advance(&app, &customer, json!({ "to_renewal": true })).await;
        let overdue = only(&app).await;
        assert_eq!(overdue["status"], "past_due", "{overdue}");
        assert_eq!(overdue["due"]["attempt"], 1);
        assert_eq!(app.credits(ACCOUNT).await, 4_050, "nothing was paid");
        let back = json!({ "planId": "basic" });
        post(&app, &format!("/subscriptions/{id}/change"), back).await.expect_problem(409, "subscription_past_due");

        use_card(&app, &customer, &id, "pm_card_visa").await;
        let invoice = overdue["due"]["invoiceId"].as_str().expect("an id");
        let (status, paid) = app.stripe.post(&format!("/v1/invoices/{invoice}/pay"), &[]).await;
        assert_eq!(status, 200, "{paid}");
        app.stripe.idle().await;
        let recovered = only(&app).await;
        assert_eq!((&recovered["status"], &recovered["due"]), (&json!("active"), &Value::Null), "{recovered}");
        assert_eq!(app.credits(ACCOUNT).await, 7_050, "the late payment brought its period");

        let down = post(&app, &format!("/subscriptions/{id}/change"), json!({ "planId": "basic" })).await.expect(200);
        assert_eq!((&down["planId"], &down["nextPlanId"]), (&json!("pro"), &json!("basic")), "{down}");
        let ends = post(&app, &format!("/subscriptions/{id}/cancel"), json!({ "at": "period_end" })).await.expect(200);
        assert!(ends["cancelAt"].is_string(), "{ends}");
        let goes_on = post(&app, &format!("/subscriptions/{id}/resume"), json!({})).await.expect(200);
        assert_eq!(goes_on["cancelAt"], Value::Null, "{goes_on}");
        post(&app, &format!("/subscriptions/{id}/cancel"), json!({ "at": "period_end" })).await.expect(200);
        advance(&app, &customer, json!({ "to_renewal": true })).await;
        let ended = only(&app).await;
        assert_eq!(ended["status"], "canceled", "{ended}");
        assert_eq!(app.credits(ACCOUNT).await, 7_050, "the end brings and takes nothing");
        app.finish().await;
    }

    async fn a_better_plan_that_is_not_paid_brings_nothing_until_it_is(backend: Backend) {
        let app = shop(backend).await;
        let customer = subscribe(&app, "plus").await;
        let id = only(&app).await["id"].as_str().expect("an id").to_owned();
        use_card(&app, &customer, &id, "pm_card_chargeCustomerFail").await;
        let change = format!("/subscriptions/{id}/change");
        let waits = post(&app, &change, json!({ "planId": "pro" })).await.expect(200);
        app.stripe.idle().await;
        assert_eq!((&waits["planId"], &waits["updatePending"]), (&json!("plus"), &json!(true)), "{waits}");
        assert_eq!(app.credits(ACCOUNT).await, 2_000, "the difference is not paid");
        post(&app, &change, json!({ "planId": "basic" })).await.expect_problem(409, "change_pending");
        use_card(&app, &customer, &id, "pm_card_visa").await;
        let due = only(&app).await["due"].clone();
        assert!(due["payUrl"].is_string(), "{due}");
        let invoice = due["invoiceId"].as_str().expect("an id");
        let (status, paid) = app.stripe.post(&format!("/v1/invoices/{invoice}/pay"), &[]).await;
        assert_eq!(status, 200, "{paid}");
        app.stripe.idle().await;
        let changed = only(&app).await;
        assert_eq!((&changed["planId"], &changed["updatePending"]), (&json!("pro"), &json!(false)), "{changed}");
        assert_eq!(app.credits(ACCOUNT).await, 3_000);
        app.finish().await;
    }

    async fn a_date_in_the_future_costs_what_now_costs(backend: Backend) {
        let app = shop(backend).await;
        subscribe(&app, "plus").await;
        let id = only(&app).await["id"].as_str().expect("an id").to_owned();
        let late = rfc3339(app.clock.now_ms() + 27 * DAY * 1_000).expect("a time");
        let change = json!({ "planId": "pro", "prorationDate": late });
        post(&app, &format!("/subscriptions/{id}/change"), change).await.expect(200);
        app.stripe.idle().await;
        let details = app.get_as(ACCOUNT, &format!("/subscriptions/{id}")).await.expect(200);
        let invoices = details["invoices"].as_array().expect("a list");
        let update = invoices.iter().find(|invoice| invoice["reason"] == "subscription_update").expect("an invoice");
        assert!(update["totalAmount"].as_i64().is_some_and(|total| total > 900), "all that is left of the period is paid: {details}");
        assert_eq!(app.credits(ACCOUNT).await, 3_000);
        app.finish().await;
    }

    async fn a_refund_takes_back_what_its_invoice_brought(backend: Backend) {
        let app = shop(backend).await;
        let customer = subscribe(&app, "pro").await;
        assert_eq!(app.credits(ACCOUNT).await, 3_000);
        let id = only(&app).await["id"].as_str().expect("an id").to_owned();
        let payments = app.stripe.get(&format!("/v1/payment_intents?customer={customer}")).await;
        let payment = payments["data"][0]["id"].as_str().expect("a payment");
        let (status, refund) = app.stripe.post("/v1/refunds", &[("payment_intent", payment)]).await;
        assert_eq!(status, 200, "{refund}");
        app.stripe.idle().await;
        assert_eq!(app.credits(ACCOUNT).await, 0, "all of it");
        let details = app.get_as(ACCOUNT, &format!("/subscriptions/{id}")).await.expect(200);
        assert_eq!(details["periods"][0]["takenCredits"], 3_000);
        assert_eq!(only(&app).await["status"], "active", "a refund ends nothing");
        app.finish().await;
    }

    async fn the_portal_opens_for_the_accounts_customer(backend: Backend) {
        let app = shop(backend).await;
        subscribe(&app, "pro").await;
        for flow in [Value::Null, json!("payment_method_update"), json!("subscription_cancel")] {
            let body = json!({ "returnUrl": SUCCESS_URL, "flow": flow });
            let opened = post(&app, "/portal/sessions", body).await.expect(200);
            assert!(opened["url"].as_str().is_some_and(|url| url.starts_with("http")), "{opened}");
        }
        let made = app.stripe.get("/v1/billing_portal/configurations").await;
        assert_eq!(made["data"].as_array().map(Vec::len), Some(1), "made once: {made}");
        app.finish().await;
    }
}
