//! Refunds requested by an operator: the amount, the credits taken, and when a refund is not possible.

use serde_json::{Value, json};
use topup::access::api_keys::Scope;
use topup::domain::ids::TopupId;

use super::{api_key, buy, buy_with, deliver_all, events, get, post, refund, refunds_at_stripe, start, start_with};
use crate::on_both_databases;
use crate::support::Options;
use crate::support::app::http_client;
use crate::support::books::{Rows, rows};

on_both_databases! {
    async fn a_refund_in_credits_gives_their_price_back_and_takes_them(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let body = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        let at_stripe = refunds_at_stripe(&app, &purchase).await;
        assert_eq!(at_stripe.len(), 1);
        assert_eq!((&at_stripe[0]["amount"], &at_stripe[0]["reason"]), (&json!(100), &json!("requested_by_customer")));
        assert_eq!(at_stripe[0]["metadata"]["refundRequestId"], body["id"]);
        let expected = json!({
            "id": body["id"], "refundId": at_stripe[0]["id"], "topupId": purchase.topup,
            "paymentId": purchase.payment, "amount": 100, "currency": "usd", "status": "succeeded",
            "creditsTaken": 100, "bonusCreditsTaken": 0, "balance": { "accountId": "user_1", "remainingCredits": 150, "owedCredits": 0 },
        });
        assert_eq!(body, expected);
        assert_eq!(app.credits("user_1").await, 150);
        // Its webhooks change nothing.
        deliver_all(&app, "refund.created").await;
        deliver_all(&app, "charge.refunded").await;
        assert_eq!(app.credits("user_1").await, 150);
        app.finish().await;
    }

    /// Known mistake 10.
    async fn the_last_credits_leave_the_fee_and_everything_takes_it_along(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let body = refund(&app, &purchase, "key-1", json!({ "credits": 250 })).await.expect(200);
        assert_eq!((&body["amount"], &body["creditsTaken"]), (&json!(250), &json!(250)));
        let none = refund(&app, &purchase, "key-2", json!({ "credits": 1 })).await;
        none.expect_problem(409, "amount_too_large");
        let body = refund(&app, &purchase, "key-3", json!({})).await.expect(200);
        assert_eq!((&body["amount"], &body["creditsTaken"]), (&json!(39), &json!(0)));
        for ask in [json!({}), json!({ "amount": 1 }), json!({ "credits": 1 })] {
            refund(&app, &purchase, "key-4", ask).await.expect_problem(409, "already_refunded");
        }
        let whole = buy(&app, "user_2").await;
        let body = refund(&app, &whole, "key-5", json!({ "reason": "duplicate" })).await.expect(200);
        assert_eq!((&body["amount"], &body["creditsTaken"]), (&json!(289), &json!(250)));
        assert_eq!(refunds_at_stripe(&app, &whole).await[0]["reason"], "duplicate");
        app.finish().await;
    }

    async fn credits_that_were_spent_are_owed(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let spent = "UPDATE accounts SET balance = balance - 200, entries = entries + 1; \
            INSERT INTO adjustments (id, account_id, credits, reason, made_by, balance_after, caller, idempotency_key, \
            request_hash, created_at) VALUES ('a', 'user_1', -200, 'spent', 'a test', 50, 'a', 'a', 'a', 1); \
            INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at) \
            VALUES ('user_1', 2, 'entry', 'adjustment', -200, 50, 'a', 1)";
        app.app.db.execute_raw(spent).await.expect("is written");
        let body = refund(&app, &purchase, "key-1", json!({ "amount": 289 })).await.expect(200);
        assert_eq!(body["balance"], json!({ "accountId": "user_1", "remainingCredits": -200, "owedCredits": 200 }));
        app.finish().await;
    }

    async fn what_cannot_be_refunded_is_refused_with_the_reason_and_never_reaches_stripe(backend: Backend) {
        let app = start(backend).await;
        let session = app.open_session("user_1", 250).await;
        let open = app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
        let open = open["metadata"]["topupId"].as_str().expect("an id").to_owned();
        post(&app, &format!("/admin/topups/{open}/refunds"), "key-1", json!({})).await.expect_problem(409, "topup_not_paid");
        for unknown in ["topup_00000000000000000000000000000007", "topup", "7"] {
            let path = format!("/admin/topups/{unknown}/refunds");
            post(&app, &path, "key-1", json!({})).await.expect_problem(404, "not_found");
        }
        let purchase = buy(&app, "user_1").await;
        let problem = refund(&app, &purchase, "key-1", json!({ "amount": 290 })).await;
        let detail = problem.expect_problem(409, "amount_too_large")["detail"].to_string();
        assert!(detail.contains("289"), "{detail}");
        let problem = refund(&app, &purchase, "key-1", json!({ "credits": 251 })).await;
        let detail = problem.expect_problem(409, "amount_too_large")["detail"].to_string();
        assert!(detail.contains("250"), "{detail}");
        let other = json!({ "paymentId": "pi_of_somebody_else" });
        refund(&app, &purchase, "key-1", other).await.expect_problem(404, "not_found");
        let wrong = [
            json!({ "credits": 1, "amount": 1 }), json!({ "credits": 0 }), json!({ "amount": -1 }),
            json!({ "amount": 1.5 }), json!({ "reason": "because" }), json!({ "ammount": 1 }),
            json!({ "paymentId": "pi/../" }),
        ];
        for body in wrong {
            let answer = refund(&app, &purchase, "key-1", body.clone()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        }
        assert_eq!(refunds_at_stripe(&app, &purchase).await, Vec::<Value>::new());
        // None of these requests used up the key.
        refund(&app, &purchase, "key-1", json!({ "amount": 1 })).await.expect(200);
        app.finish().await;
    }

    async fn while_a_dispute_is_open_nothing_is_refunded(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let control = format!("payment_intents/{}/dispute", purchase.payment);
        app.stripe.control(&control, json!({ "amount": 100 })).await;
        // Stripe knows of the dispute first.
        refund(&app, &purchase, "key-1", json!({})).await.expect_problem(409, "payment_disputed");
        deliver_all(&app, "charge.dispute.funds_withdrawn").await;
        let calls = refund_calls(&app).await;
        refund(&app, &purchase, "key-2", json!({ "amount": 1 })).await.expect_problem(409, "payment_disputed");
        assert_eq!(refund_calls(&app).await, calls, "Stripe was asked for what cannot be");
        let path = format!("/admin/topups/{}/refunds/preview", purchase.topup);
        let preview = get(&app, &path).await.expect(200);
        assert_eq!((&preview["possible"], &preview["code"]), (&json!(false), &json!("payment_disputed")));
        assert_eq!((&preview["credits"], &preview["balance"]["remainingCredits"]), (&json!(0), &json!(150)));
        // Under its key, Stripe's refusal stays.
        refund(&app, &purchase, "key-1", json!({})).await.expect_problem(409, "payment_disputed");
        app.finish().await;
    }

    async fn what_a_lost_partial_dispute_left_can_be_refunded(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let control = format!("payment_intents/{}/dispute", purchase.payment);
        let dispute = app.stripe.control(&control, json!({ "amount": 100 })).await;
        app.stripe.control(&format!("disputes/{}", dispute["id"].as_str().expect("an id")), json!({ "to": "lost" })).await;
        deliver_all(&app, "charge.dispute.closed").await;
        assert_eq!(app.credits("user_1").await, 150);
        let path = format!("/admin/topups/{}/refunds/preview", purchase.topup);
        let preview = get(&app, &path).await.expect(200);
        assert_eq!((&preview["possible"], &preview["amount"], &preview["credits"]), (&json!(true), &json!(189), &json!(150)));
        assert_eq!((&preview["largestAmount"], &preview["largestCredits"]), (&json!(189), &json!(150)));
        refund(&app, &purchase, "key-1", json!({ "amount": 190 })).await.expect_problem(409, "amount_too_large");
        let body = refund(&app, &purchase, "key-2", json!({ "credits": 60 })).await.expect(200);
        assert_eq!((&body["amount"], &body["creditsTaken"]), (&json!(60), &json!(60)));
        let body = refund(&app, &purchase, "key-3", json!({})).await.expect(200);
        assert_eq!((&body["amount"], &body["creditsTaken"], app.credits("user_1").await), (&json!(129), &json!(90), 0));
        refund(&app, &purchase, "key-4", json!({})).await.expect_problem(409, "payment_disputed");
        app.finish().await;
    }

    async fn an_amount_that_the_currency_does_not_have_is_refused_before_stripe(backend: Backend) {
        let options = Options::default()
            .setting("CURRENCY", "isk")
            .setting("CREDIT_UNIT_AMOUNT", "100")
            .setting("FEE_FIXED", "100");
        let app = start_with(backend, options).await;
        let purchase = buy(&app, "user_1").await;
        for amount in [1, 150, 99_999] {
            let problem = refund(&app, &purchase, "key-1", json!({ "amount": amount })).await;
            let problem = problem.expect_problem(400, "invalid_request");
            assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&json!("amount"), &json!("not_a_multiple")));
        }
        assert_eq!(refund_calls(&app).await, 0);
        let body = refund(&app, &purchase, "key-1", json!({ "amount": 300 })).await.expect(200);
        assert_eq!((&body["creditsTaken"], app.credits("user_1").await), (&json!(3), 247));
        app.finish().await;
    }

    async fn a_preview_says_what_the_refund_then_does(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let path = format!("/admin/topups/{}/refunds", purchase.topup);
        let asks = [("?credits=100", json!({ "credits": 100 })), ("?amount=151", json!({ "amount": 151 })), ("", json!({}))];
        let mut moved = Vec::new();
        for (number, (query, body)) in asks.into_iter().enumerate() {
            let before = rows(&app.app.db).await;
            let preview = get(&app, &format!("{path}/preview{query}")).await.expect(200);
            assert_eq!((preview["possible"] == true, rows(&app.app.db).await), (true, before), "{preview}");
            let done = post(&app, &path, &format!("key-{number}"), body).await.expect(200);
            assert_eq!((&preview["amount"], &preview["credits"]), (&done["amount"], &done["creditsTaken"]));
            let mut balance = done["balance"].clone();
            balance["heldCredits"] = json!(0);
            assert_eq!((&preview["balance"], &preview["currency"]), (&balance, &done["currency"]));
            moved.push((preview["amount"].as_i64(), preview["feeAmount"].as_i64(), preview["credits"].as_i64()));
        }
        assert_eq!(moved, [(Some(100), Some(0), Some(100)), (Some(151), Some(1), Some(150)), (Some(38), Some(38), Some(0))]);
        let preview = get(&app, &format!("{path}/preview")).await.expect(200);
        assert_eq!((&preview["possible"], &preview["code"]), (&json!(false), &json!("already_refunded")));
        get(&app, &format!("{path}/preview?credits=1&amount=1")).await.expect_problem(400, "invalid_request");
        get(&app, &format!("{path}/preview?credits=0")).await.expect_problem(400, "invalid_request");
        get(&app, "/admin/topups/topup_7/refunds/preview").await.expect_problem(404, "not_found");
        app.finish().await;
    }

    /// Known mistake 11.
    async fn credits_return_when_the_refund_fails_and_can_be_refunded_again(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let body = refund(&app, &purchase, "key-1", json!({})).await.expect(200);
        let id = body["refundId"].as_str().expect("an id");
        app.stripe.control(&format!("refunds/{id}"), json!({ "status": "failed" })).await;
        deliver_all(&app, "refund.failed").await;
        assert_eq!(app.credits("user_1").await, 250);
        // The key still returns its first answer; a new key creates a new refund.
        assert_eq!(refund(&app, &purchase, "key-1", json!({})).await.expect(200), body);
        refund(&app, &purchase, "key-2", json!({ "credits": 50 })).await.expect(200);
        assert_eq!(app.credits("user_1").await, 200);
        app.finish().await;
    }

    async fn a_refund_that_pends_takes_its_credits_at_once(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy_with(&app, "user_1", "pm_card_pendingRefund").await;
        let body = refund(&app, &purchase, "key-1", json!({ "credits": 100 })).await.expect(200);
        assert_eq!((&body["status"], &body["creditsTaken"]), (&json!("pending"), &json!(100)));
        app.finish().await;
    }

    async fn a_second_payment_of_a_paid_top_up_is_recorded_and_refunded_and_takes_no_credits(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let other = buy(&app, "user_2").await;
        // The customer paid again in another session, which has this top-up's metadata.
        let mut again = events(&app, "checkout.session.completed").await[0].clone();
        let surplus = app.stripe.post("/v1/payment_intents", &[("amount", "289"), ("currency", "usd"),
            ("payment_method", "pm_card_visa"), ("confirm", "true"),
            ("automatic_payment_methods[enabled]", "true"), ("automatic_payment_methods[allow_redirects]", "never")]).await.1;
        again["id"] = json!("evt_again");
        again["data"]["object"]["id"] = json!("cs_test_again");
        again["data"]["object"]["payment_intent"] = surplus["id"].clone();
        app.deliver(&again).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);

        let ask = |body: Value| {
            let mut body = body;
            body["paymentId"] = surplus["id"].clone();
            body
        };
        refund(&app, &other, "key-0", ask(json!({}))).await.expect_problem(404, "not_found");
        refund(&app, &purchase, "key-1", ask(json!({ "credits": 1 }))).await.expect_problem(409, "surplus_has_no_credits");
        let body = refund(&app, &purchase, "key-2", ask(json!({}))).await.expect(200);
        assert_eq!((&body["amount"], &body["creditsTaken"], &body["paymentId"]), (&json!(289), &json!(0), &surplus["id"]));
        refund(&app, &purchase, "key-3", ask(json!({}))).await.expect_problem(409, "already_refunded");
        assert_eq!(app.credits("user_1").await, 250);
        // The payment that was credited is untouched.
        refund(&app, &purchase, "key-4", json!({ "credits": 250 })).await.expect(200);
        app.finish().await;
    }

    async fn only_operators_may_refund(backend: Backend) {
        let app = start(backend).await;
        let purchase = buy(&app, "user_1").await;
        let url = format!("{}/admin/topups/{}/refunds", app.url, purchase.topup);
        let request = || http_client().post(&url).header("idempotency-key", "key").json(&json!({}));
        app.send(request()).await.expect_problem(401, "missing_credentials");
        app.send(request().bearer_auth(app.token("user_1"))).await.expect_problem(403, "admin_required");
        for scope in [Scope::Read, Scope::Checkout] {
            let key = api_key(&app, scope, None).await;
            app.send(request().header("x-api-key", key)).await.expect_problem(403, "scope_missing");
        }
        let preview = format!("/admin/topups/{}/refunds/preview", purchase.topup);
        app.get_as("user_1", &preview).await.expect_problem(403, "admin_required");
        app.get(&preview).await.expect_problem(401, "missing_credentials");
        // A key bound to one account cannot see another account's top-ups.
        let bound = api_key(&app, Scope::Admin, Some("user_2")).await;
        app.send(request().header("x-api-key", &bound)).await.expect_problem(404, "not_found");
        let get = http_client().get(format!("{}{preview}", app.url)).header("x-api-key", &bound);
        app.send(get).await.expect_problem(404, "not_found");
        assert_eq!(refunds_at_stripe(&app, &purchase).await, Vec::<Value>::new());
        let key = api_key(&app, Scope::Admin, Some("user_1")).await;
        app.send(request().header("x-api-key", &key)).await.expect(200);
        let topup = TopupId::parse(&purchase.topup).expect("an id");
        let requests = app.app.db.refund_requests_of(&topup).await.expect("readable");
        assert_eq!(requests.len(), 1);
        let by = &requests[0].requested_by;
        assert!(by.starts_with("API key key_") && by.ends_with("(back office)"), "{by}");
        assert_eq!(rows(&app.app.db).await, Rows { events: 1, failed: 0, entries: 2, accounts: 1, paid: 1 });
        app.finish().await;
    }
}

async fn refund_calls(app: &crate::support::TestApp) -> usize {
    let requests = app.stripe.requests().await;
    requests.iter().filter(|request| request["method"] == "POST" && request["path"] == "/v1/refunds").count()
}
