//! Receipts and invoices of purchases.

use serde_json::json;
use topup::access::api_keys::Scope;

use crate::on_both_databases;
use crate::support::app::http_client;
use crate::support::{Answer, Options, TestApp, until};

async fn of_session(app: &TestApp, customer: &str, session: &str) -> Answer {
    let request = http_client().get(format!("{}/credits/sessions/{session}/receipt", app.url));
    app.send(request.bearer_auth(app.token(customer))).await
}

async fn of_topup(app: &TestApp, topup: &str) -> Answer {
    let key = crate::spending::http::api_key(app, &[Scope::Admin], None).await;
    app.send(http_client().get(format!("{}/admin/topups/{topup}/receipt", app.url)).header("x-api-key", key)).await
}

async fn page(url: &str) -> String {
    let page = http_client().get(url).send().await.expect("answers");
    assert_eq!(page.status(), 200);
    page.text().await.expect("text")
}

on_both_databases! {
    async fn a_customer_and_an_operator_find_the_receipt_of_a_payment(backend: Backend) {
        let app = TestApp::start(backend).await;
        let open = app.open_session("user_1", 250).await;
        of_session(&app, "user_1", &open).await.expect_problem(404, "not_found");
        let (status, paid) = app.stripe.pay(&open, "pm_card_visa").await;
        assert_eq!(status, 200, "{paid}");
        let topup = until("the credits", async || {
            let read = http_client().get(format!("{}/credits/sessions/{open}", app.url));
            let read = app.send(read.bearer_auth(app.token("user_1"))).await.expect(200);
            (read["state"] == "paid").then(|| read["topupId"].as_str().expect("an id").to_owned())
        })
        .await;
        let own = of_session(&app, "user_1", &open).await.expect(200);
        let url = own["url"].as_str().expect("an address");
        let shown = page(url).await;
        assert!(shown.contains("Receipt") && shown.contains("$2.89") && shown.contains("250 credits"), "{shown}");
        assert_eq!(of_topup(&app, &topup).await.expect(200), own);
        of_session(&app, "user_2", &open).await.expect_problem(404, "not_found");
        of_topup(&app, "topup_019a0000000070008000000000000000").await.expect_problem(404, "not_found");
        // The same page shows what goes back later.
        let payment = app.payment_of(&open).await;
        let (status, refund) =
            app.stripe.post("/v1/refunds", &[("payment_intent", payment.as_str()), ("amount", "100")]).await;
        assert_eq!(status, 200, "{refund}");
        assert!(page(url).await.contains("−$1.00"));
        app.stripe.fault(json!({ "path": format!("/v1/payment_intents/{payment}"), "kind": "status", "status": 500 })).await;
        of_session(&app, "user_1", &open).await.expect_problem(503, "provider_unavailable");
        app.finish().await;
    }

    async fn a_purchase_has_a_paid_invoice_if_the_operator_wants_one(backend: Backend) {
        for (setting, count) in [("off", 0), ("on", 1)] {
            let app = TestApp::start_with(backend, Options::with_webhooks().setting("INVOICES", setting)).await;
            let open = app.open_session("user_1", 250).await;
            let (status, paid) = app.stripe.pay(&open, "pm_card_visa").await;
            assert_eq!(status, 200, "{paid}");
            until("the credits", async || (app.credits("user_1").await == 250).then_some(())).await;
            let invoices = app.stripe.get("/v1/invoices?limit=10").await;
            let invoices = invoices["data"].as_array().expect("a list");
            assert_eq!(invoices.len(), count, "{invoices:?}");
            assert!(invoices.iter().all(|invoice| invoice["status"] == "paid" && invoice["amount_paid"] == 289));
            // What is told of the invoice brings nothing.
            app.stripe.idle().await;
            assert_eq!(app.credits("user_1").await, 250);
            app.finish().await;
        }
    }
}
