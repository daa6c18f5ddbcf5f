//! Sales, refunds and disputes of credits that are worth less than a cent.

use serde_json::{Value, json};
use topup::books::audit::audit;

use super::{Purchase, deliver, get, millionths, post, start};
use crate::on_both_databases;
use crate::reconcile::compare;
use crate::support::TestApp;

/// The code and the message of a problem about `credits`.
#[track_caller]
fn about_credits(problem: &Value) -> (&str, &str) {
    let error = &problem["errors"][0];
    assert_eq!(error["field"], "credits", "{problem}");
    (error["code"].as_str().expect("a code"), error["message"].as_str().expect("a message"))
}

/// The books agree with themselves and with Stripe's.
async fn assert_right(app: &TestApp) {
    let report = audit(&app.app.db, true).await.expect("an end");
    assert_eq!(report.differences, 0, "{report:?}");
    assert!(compare(&app.app).await.is_clean());
}

on_both_databases! {
    async fn a_sale_and_its_refunds_move_exactly_their_credits(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, "user_1").await;
        assert_eq!(app.credits("user_1").await, 2_500_000);
        let explained = get(&app, &format!("/admin/topups/{}", purchase.topup)).await;
        assert_eq!((&explained["creditUnitCredits"], &explained["creditUnitAmount"]), (&json!(10_000), &json!(1)));
        assert_eq!((&explained["creditsAmount"], &explained["totalAmount"]), (&json!(250), &json!(289)));

        // For a price that is not a whole number of cents nothing is refunded, and the key is not used up.
        for credits in [1, 9_999, 75_000] {
            let preview = purchase.preview(&app, &format!("credits={credits}")).await;
            assert_eq!((&preview["possible"], &preview["code"]), (&json!(false), &json!("not_a_multiple")));
            let problem = purchase.refund(&app, "key-1", json!({ "credits": credits })).await;
            let problem = problem.expect_problem(400, "invalid_request");
            let (code, message) = about_credits(&problem);
            assert!(code == "not_a_multiple" && message.contains("10000 credits"), "{message}");
        }
        let preview = purchase.preview(&app, "credits=70000").await;
        assert_eq!((&preview["amount"], &preview["credits"]), (&json!(7), &json!(70_000)));
        assert_eq!((&preview["largestAmount"], &preview["largestCredits"]), (&json!(289), &json!(2_500_000)));
        let made = purchase.refund(&app, "key-1", json!({ "credits": 70_000 })).await.expect(200);
        assert_eq!((&made["amount"], &made["creditsTaken"]), (&json!(7), &json!(70_000)));
        assert_eq!(made["balance"]["remainingCredits"], 2_430_000);

        purchase.at_stripe(&app, "refund", json!({ "amount": 43 })).await;
        deliver(&app, "refund.created").await;
        assert_eq!(app.credits("user_1").await, 2_000_000);
        let made = purchase.refund(&app, "key-2", json!({})).await.expect(200);
        assert_eq!((&made["amount"], &made["creditsTaken"]), (&json!(239), &json!(2_000_000)));
        assert_eq!(app.credits("user_1").await, 0);
        assert_right(&app).await;
        app.finish().await;
    }

    async fn a_dispute_takes_what_its_money_paid_for_and_returns_it_when_it_is_won(backend: Backend) {
        let app = start(backend).await;
        let (won, lost) = (Purchase::credited(&app, "user_1").await, Purchase::credited(&app, "user_2").await);
        let ends = [(&won, "user_1", "won", 2_500_000), (&lost, "user_2", "lost", 1_500_000)];
        for (purchase, account, to, left) in ends {
            let dispute = purchase.at_stripe(&app, "dispute", json!({ "amount": 100 })).await;
            deliver(&app, "charge.dispute.funds_withdrawn").await;
            assert_eq!(app.credits(account).await, 1_500_000);
            app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": to })).await;
            deliver(&app, "charge.dispute.closed").await;
            assert_eq!(app.credits(account).await, left, "{to}");
        }
        let made = lost.refund(&app, "key-1", json!({ "credits": 1_500_000 })).await.expect(200);
        assert_eq!((&made["amount"], app.credits("user_2").await), (&json!(150), 0));
        assert_right(&app).await;
        app.finish().await;
    }

    async fn a_refund_that_comes_before_its_payment_takes_its_credits_with_it(backend: Backend) {
        let app = start(backend).await;
        let (session, event) = app.pay_session("user_1", 2_500_000).await;
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 249 })).await;
        deliver(&app, "refund.created").await;
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 10_000);
        assert_right(&app).await;
        app.finish().await;
    }

    async fn a_number_that_is_no_multiple_is_refused_with_the_nearest_and_sells_nothing(backend: Backend) {
        let app = start(backend).await;
        for (credits, code, numbers) in [
            (2_500_001, "not_a_multiple", vec!["10000", "2500000", "2510000"]),
            (180_001, "not_a_multiple", vec!["10000", "180000", "190000"]),
            (179_999, "too_few", vec!["180000"]),
            (1_000_000_001, "too_many", vec!["1000000000"]),
        ] {
            let quoted = app.get(&format!("/credits/quote?credits={credits}")).await;
            let bought = app.checkout("user_1", credits).await;
            for answer in [quoted, bought] {
                let problem = answer.expect_problem(400, "invalid_request");
                let (said, message) = about_credits(&problem);
                assert_eq!(said, code, "{problem}");
                assert!(numbers.iter().all(|number| message.contains(number)), "{message}");
            }
        }
        assert_eq!(app.stripe.checkout_requests().await, Vec::<Value>::new());
        assert_eq!(get(&app, "/admin/topups").await["data"], json!([]));
        app.finish().await;
    }

    /// The seal holds the unit: a price that was changed later does not change what was sold.
    async fn what_is_adopted_after_a_restore_has_the_unit_that_it_was_sold_in(backend: Backend) {
        let app = start(backend).await;
        let backup = app.database.back_up().await;
        let (session, _) = app.pay_session("user_1", 2_500_000).await;
        let payment = app.payment_of(&session).await;
        app.stripe.control(&format!("payment_intents/{payment}/refund"), json!({ "amount": 1 })).await;
        let app = app.restart_on(backup, millionths().setting("CREDIT_UNIT_AMOUNT", "2")).await;
        let adopted = post(&app, "/admin/adoptions", "key-1", json!({ "sessionIds": [session] })).await.expect(200);
        assert_eq!(adopted["data"][0]["outcome"], "adopted", "{adopted}");
        assert_eq!(app.credits("user_1").await, 2_490_000);
        let topup = adopted["data"][0]["topupId"].as_str().expect("an id");
        let explained = get(&app, &format!("/admin/topups/{topup}")).await;
        assert_eq!((&explained["creditUnitCredits"], &explained["creditUnitAmount"]), (&json!(10_000), &json!(1)));
        assert_right(&app).await;
        app.finish().await;
    }

    async fn an_adjustment_may_have_as_many_units_as_ever(backend: Backend) {
        let app = start(backend).await;
        let adjust = async |credits: i64, key: &str| {
            let body = json!({ "credits": credits, "reason": "a gift", "create": true });
            post(&app, "/admin/accounts/user_1/adjustments", key, body).await
        };
        let problem = adjust(10_000_000_000_001, "key-1").await.expect_problem(400, "invalid_request");
        let (code, message) = about_credits(&problem);
        assert!(code == "out_of_range" && message.contains("10000000000000"), "{message}");
        adjust(10_000_000_000_000, "key-1").await.expect(200);
        adjust(-1, "key-2").await.expect(200);
        assert_eq!(app.credits("user_1").await, 9_999_999_999_999);
        app.finish().await;
    }
}
