//! Refunds and disputes without a webhook, second payments, and Stripe's actual fees.

use serde_json::json;

use super::{compare, ids, nothing_is_left};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    /// Known mistake 8: refunds and disputes take credits also if nobody told us of them.
    async fn refunds_and_disputes_that_were_never_heard_of_are_applied(backend: Backend) {
        let app = TestApp::start(backend).await;
        for (account, credits) in [("user_1", 250), ("user_2", 500)] {
            let (session, event) = app.pay_session(account, credits).await;
            app.deliver(&event).await.expect(200);
            let payment = app.payment_of(&session).await;
            let (what, body) = if account == "user_1" { ("refund", json!({ "amount": 100 })) } else { ("dispute", json!({})) };
            app.stripe.control(&format!("payment_intents/{payment}/{what}"), body).await;
        }
        let ended = compare(&app.app).await;
        assert!(ended.is_clean(), "{:#?}", ended.report);
        assert_eq!((ended.report.missing_reversals.count, ended.report.refunds, ended.report.disputes), (2, 1, 1));
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (150, 0));
        nothing_is_left(&app).await;
        app.finish().await;
    }

    async fn a_payment_and_its_refund_that_both_were_lost_come_in_one_run(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        assert!(compare(&app.app).await.is_clean());
        assert_eq!(app.credits("user_1").await, 150);
        nothing_is_left(&app).await;
        app.finish().await;
    }

    /// Known mistakes 11 and 12, for those that are older than the period.
    async fn a_refund_and_a_dispute_that_are_not_final_are_asked_for_whatever_their_age(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        app.deliver(&event).await.expect(200);
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        let refund = app.stripe.get("/v1/refunds").await["data"][0]["id"].as_str().expect("an id").to_owned();
        app.stripe.control(&format!("refunds/{refund}"), json!({ "status": "pending" })).await;
        let (session, event) = app.pay_session("user_2", 250).await;
        app.deliver(&event).await.expect(200);
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({})).await;
        assert!(compare(&app.app).await.is_clean());
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (150, 0));

        let dispute = app.stripe.get("/v1/disputes").await["data"][0]["id"].as_str().expect("an id").to_owned();
        app.stripe.control(&format!("refunds/{refund}"), json!({ "status": "failed" })).await;
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "won" })).await;
        app.clock.advance_ms(40 * 86_400_000);
        let ended = compare(&app.app).await;
        assert!(ended.is_clean(), "{:#?}", ended.report);
        assert_eq!(ended.report.missing_reversals.count, 2, "{:#?}", ended.report);
        assert_eq!((app.credits("user_1").await, app.credits("user_2").await), (250, 250));
        nothing_is_left(&app).await;
        app.finish().await;
    }

    /// Known mistake 34, as a webhook handler would have made it, and in a dispute that is older than the period.
    async fn what_was_got_wrong_of_a_lost_dispute_is_found_and_put_right(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        app.deliver(&event).await.expect(200);
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/dispute"), json!({})).await;
        assert!(compare(&app.app).await.is_clean());
        assert_eq!(app.credits("user_1").await, 0);
        let dispute = app.stripe.get("/v1/disputes").await["data"][0]["id"].as_str().expect("an id").to_owned();
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "lost" })).await;
        app.stripe.control(&format!("disputes/{dispute}/movement"), json!({ "amount": 2 })).await;
        assert!(compare(&app.app).await.is_clean());
        assert_eq!(app.credits("user_1").await, 0);

        let wrong = "UPDATE reversals SET counts = 0, returned = 0; \
            UPDATE topups SET taken_credits = 0; \
            INSERT INTO ledger_entries (account_id, sequence, id, kind, credits, balance_after, source, created_at, topup_id) \
            SELECT account_id, 3, 'entry_wrong', 'reversal', 250, 250, source || '9', created_at, \
            topup_id FROM ledger_entries WHERE kind = 'reversal'; \
            UPDATE accounts SET balance = 250, entries = 3";
        app.app.db.execute_raw(wrong).await.expect("done");
        app.clock.advance_ms(60 * 86_400_000);
        let ended = compare(&app.app).await;
        assert!(ended.is_clean(), "{:#?}", ended.report);
        let found = &ended.report.missing_reversals;
        assert_eq!((found.count, app.credits("user_1").await), (1, 0), "{found:#?}");
        assert!(found.first[0].detail.contains("lost and 0 gone here, lost and 287 gone at Stripe"), "{found:#?}");
        nothing_is_left(&app).await;
        app.finish().await;
    }

    async fn a_refund_that_stripe_does_not_know_or_has_with_another_amount_is_a_difference(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        compare(&app.app).await;
        app.app.db.execute_raw("UPDATE reversals SET amount = 101").await.expect("done");
        let ended = compare(&app.app).await;
        assert_eq!(ended.report.differences.count, 1);
        assert!(ended.report.differences.first[0].detail.contains("101 here, 100 at Stripe"));
        app.app.db.execute_raw("UPDATE reversals SET amount = 100, provider_reversal_id = 're_of_nobody'").await.expect("done");
        // The real refund is missing now. It is added, and both count until an operator has looked.
        let ended = compare(&app.app).await;
        assert_eq!(ids(&ended.report.differences), ["re_of_nobody"]);
        assert!(!ended.is_clean());
        app.finish().await;
    }

    async fn a_list_that_is_older_than_the_books_is_no_difference(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, _) = app.pay_session("user_1", 250).await;
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 100 })).await;
        compare(&app.app).await;
        let mut list = app.stripe.get("/v1/refunds").await;
        list["data"][0]["status"] = json!("pending");
        app.stripe.list_fault("/v1/refunds", json!({ "kind": "patch", "body": list.clone() })).await;
        nothing_is_left(&app).await;
        // If Stripe repeats it, it is a difference.
        for _ in 0..2 {
            app.stripe.list_fault("/v1/refunds", json!({ "kind": "patch", "body": list.clone() })).await;
        }
        let ended = compare(&app.app).await;
        assert!(ended.report.differences.first[0].detail.contains("succeeded here, pending at Stripe"), "{ended:#?}");
        assert_eq!((ended.report.left_over, app.credits("user_1").await), (1, 150));
        app.finish().await;
    }

    async fn a_second_payment_is_left_until_it_was_given_back(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (session, event) = app.pay_session("user_1", 250).await;
        app.deliver(&event).await.expect(200);
        // The same top-up in another session, which is paid too.
        let (other, _) = app.pay_session("user_1", 250).await;
        let metadata = app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await["metadata"].clone();
        app.app.db.execute_raw("DELETE FROM topups WHERE state = 'open'").await.expect("done");
        let mut list = app.stripe.get("/v1/checkout/sessions?limit=100").await;
        list["data"][0]["metadata"] = metadata;
        assert_eq!(list["data"][0]["id"], other.as_str());
        let patch = json!({ "kind": "patch", "body": list });
        app.stripe.list_fault("/v1/checkout/sessions", patch.clone()).await;
        let ended = compare(&app.app).await;
        let payment = app.payment_of(&other).await;
        assert_eq!(ids(&ended.report.surplus_payments), [payment.as_str()], "{:#?}", ended.report);
        assert_eq!((ended.report.left_over, app.credits("user_1").await), (1, 250));

        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({})).await;
        app.stripe.list_fault("/v1/checkout/sessions", patch).await;
        let ended = compare(&app.app).await;
        assert!(ended.is_clean(), "{:#?}", ended.report);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn refunds_of_other_products_cost_no_question(backend: Backend) {
        let app = TestApp::start(backend).await;
        let form = [("amount", "700"), ("currency", "usd"), ("payment_method", "pm_card_visa"), ("confirm", "true"),
            ("automatic_payment_methods[enabled]", "true"), ("automatic_payment_methods[allow_redirects]", "never")];
        for _ in 0..3 {
            let (status, payment) = app.stripe.post("/v1/payment_intents", &form).await;
            assert_eq!(status, 200, "{payment}");
            let id = payment["id"].as_str().expect("an id");
            let (status, refund) = app.stripe.post("/v1/refunds", &[("payment_intent", id)]).await;
            assert_eq!(status, 200, "{refund}");
        }
        let ended = compare(&app.app).await;
        // One page of each of the three lists.
        assert_eq!((ended.is_clean(), ended.report.requests, ended.report.refunds), (true, 3, 0));
        app.finish().await;
    }

    async fn fees_are_learned_and_compared_with_what_was_expected(backend: Backend) {
        let app = TestApp::start(backend).await;
        for credits in [250, 1_000, 2_500, 10_000] {
            app.pay_session("user_1", credits).await;
        }
        let fees = compare(&app.app).await.report.fees;
        assert_eq!((fees.currencies.len(), fees.learned, fees.unknown), (1, 4, 0));
        let usd = &fees.currencies[0];
        assert_eq!((usd.currency.as_str(), usd.charges), ("usd", 4));
        // The fees that the sandbox charges on 289, 1,061, 2,606 and 10,330 are as expected.
        assert_eq!((usd.expected_minor, usd.real_minor), (38 + 61 + 106 + 330, 38 + 61 + 106 + 330));
        assert!(usd.worst.is_empty(), "{fees:?}");
        let rate = usd.fitting_rate_percent.as_ref().expect("a rate");
        assert!(rate.starts_with("2.9") || rate.starts_with("2.8"), "{rate}");

        app.app.db.execute_raw("UPDATE payments SET real_fee = real_fee + 9 WHERE real_fee = 330").await.expect("done");
        app.app.db.execute_raw("UPDATE payments SET real_fee_currency = 'eur' WHERE real_fee = 38").await.expect("done");
        let fees = compare(&app.app).await.report.fees;
        let usd = &fees.currencies[0];
        assert_eq!((usd.charges, fees.learned, fees.in_other_currency), (3, 0, 1));
        assert_eq!((usd.worst.len(), usd.worst[0].real_minor, usd.worst[0].charge_minor), (1, 339, 10_330));
        app.finish().await;
    }
}
