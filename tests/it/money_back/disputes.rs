//! Disputes. Known mistake 12: an inquiry takes nothing, what was taken returns when it is won, and lost is final.

use serde_json::{Value, json};

use super::{Purchase, story};
use crate::on_both_databases;
use crate::support::TestApp;

/// Delivers all dispute events of a purchase in order, or backwards.
async fn deliver_all(app: &TestApp, purchase: &Purchase, backwards: bool) {
    let mut events = purchase.events(app).await;
    events.retain(|event| event["type"].as_str().is_some_and(|event_type| event_type.starts_with("charge.dispute.")));
    if backwards {
        events.reverse();
    }
    for event in events {
        app.deliver(&event).await.expect(200);
    }
}

on_both_databases! {
    async fn an_inquiry_takes_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({ "inquiry": true })).await;
        deliver_all(&app, &purchase, false).await;
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "warning_closed" })).await;
        deliver_all(&app, &purchase, true).await;
        assert_eq!(story(&app, "user_1").await, "topup 250");
        app.finish().await;
    }

    async fn an_inquiry_that_becomes_a_chargeback_takes_the_credits(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({ "inquiry": true })).await;
        deliver_all(&app, &purchase, false).await;
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "needs_response" })).await;
        deliver_all(&app, &purchase, false).await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -250");
        app.finish().await;
    }

    async fn won_returns_the_credits_and_lost_does_not(backend: Backend) {
        for (end, credits) in [("won", 250), ("lost", 0)] {
            for backwards in [false, true] {
                let app = TestApp::start(backend).await;
                let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
                let dispute = purchase.dispute(&app, json!({})).await;
                deliver_all(&app, &purchase, backwards).await;
                assert_eq!(app.credits("user_1").await, 0);
                app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": end })).await;
                deliver_all(&app, &purchase, backwards).await;
                assert_eq!(app.credits("user_1").await, credits, "{end}: {}", story(&app, "user_1").await);
                app.finish().await;
            }
        }
    }

    /// Known mistake 34: the latest movement of a lost dispute's money says nothing about its outcome.
    async fn a_small_correction_after_a_lost_dispute_gives_no_credits_back(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({})).await;
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "lost" })).await;
        app.stripe.control(&format!("disputes/{dispute}/movement"), json!({ "amount": 2 })).await;
        purchase.deliver(&app, "charge.dispute.funds_reinstated").await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -250");
        // A further reversal returns credits as far as its money paid for them, and not before.
        app.stripe.control(&format!("disputes/{dispute}/movement"), json!({ "amount": 137 })).await;
        purchase.deliver(&app, "charge.dispute.funds_reinstated").await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -250, reversal 100");
        app.stripe.control(&format!("disputes/{dispute}/movement"), json!({ "amount": -139 })).await;
        purchase.deliver(&app, "charge.dispute.funds_withdrawn").await;
        assert_eq!(app.credits("user_1").await, 0);
        app.finish().await;
    }

    async fn a_dispute_won_in_part_returns_that_part(backend: Backend) {
        for backwards in [false, true] {
            let app = TestApp::start(backend).await;
            let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
            let dispute = purchase.dispute(&app, json!({})).await;
            app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "won", "reinstated": 189 })).await;
            deliver_all(&app, &purchase, backwards).await;
            assert_eq!(story(&app, "user_1").await, "topup 250, reversal -100");
            app.finish().await;
        }
    }

    async fn a_lost_dispute_whose_movements_are_not_shown_takes_the_credits(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({})).await;
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "lost" })).await;
        let hidden = json!({ "path": format!("/v1/disputes/{dispute}"), "kind": "patch", "body": { "balance_transactions": [] } });
        app.stripe.fault(hidden).await;
        purchase.deliver(&app, "charge.dispute.closed").await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -250");
        app.finish().await;
    }

    async fn won_appealed_and_lost_again_has_an_entry_each_time(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({})).await;
        for to in ["won", "withdrawn", "lost"] {
            deliver_all(&app, &purchase, false).await;
            app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": to })).await;
        }
        deliver_all(&app, &purchase, true).await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -250, reversal 250, reversal -250");
        app.finish().await;
    }

    async fn events_that_come_late_change_nothing_because_stripe_is_asked(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({})).await;
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "won" })).await;
        // The oldest event arrives first: when it was sent, the money was gone.
        purchase.deliver(&app, "charge.dispute.created").await;
        assert_eq!(story(&app, "user_1").await, "topup 250");
        deliver_all(&app, &purchase, false).await;
        assert_eq!(story(&app, "user_1").await, "topup 250");
        app.finish().await;
    }

    /// One handler asks Stripe, another asks later and writes first: the older answer does not overwrite the newer.
    async fn an_answer_that_was_overtaken_is_not_written(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({})).await;
        let created = purchase.latest(&app, "charge.dispute.created").await;
        for round in 0..2_usize {
            // The answer is computed now and arrives on release.
            let hold = json!({ "path": format!("/v1/disputes/{dispute}"), "kind": "hold", "when": "after" });
            app.stripe.fault(hold).await;
            let mut event = created.clone();
            event["id"] = json!(format!("evt_slow_{round}"));
            let slow = app.deliver(&event);
            let meanwhile = async {
                app.stripe.wait_for_holds(1).await;
                let (to, news) = [("won", "closed"), ("withdrawn", "funds_withdrawn")][round];
                app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": to })).await;
                purchase.deliver(&app, &format!("charge.dispute.{news}")).await;
                app.stripe.release().await;
            };
            futures_util::future::join(slow, meanwhile).await.0.expect(200);
            let credits = if round == 0 { 250 } else { 0 };
            assert_eq!(app.credits("user_1").await, credits, "{round}: {}", story(&app, "user_1").await);
        }
        app.finish().await;
    }

    async fn a_dispute_before_its_payment_waits_for_it(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::paid(&app, "user_1", "pm_card_createDispute").await;
        deliver_all(&app, &purchase, true).await;
        assert_eq!(story(&app, "user_1").await, "");
        purchase.deliver(&app, "checkout.session.completed").await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -250");
        app.finish().await;
    }

    /// The sandbox's disputes are all in test mode, so its answer alone would accept such an event.
    async fn a_dispute_event_of_another_mode_changes_nothing(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        purchase.dispute(&app, json!({})).await;
        let mut event = purchase.latest(&app, "charge.dispute.created").await;
        event["livemode"] = json!(true);
        app.deliver(&event).await.expect(200);
        assert_eq!(story(&app, "user_1").await, "topup 250");
        let id = event["id"].as_str().expect("an id");
        let failed = app.app.db.failed_event(id).await.expect("readable").expect("a record").event;
        assert_eq!(failed.kind, "permanent");
        app.finish().await;
    }

    async fn a_refund_and_a_dispute_together_take_no_more_than_was_sold(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        purchase.refund(&app, 200).await;
        purchase.deliver(&app, "refund.created").await;
        let dispute = purchase.dispute(&app, json!({ "amount": 289 })).await;
        deliver_all(&app, &purchase, false).await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -200, reversal -50");
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "won" })).await;
        deliver_all(&app, &purchase, false).await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -200, reversal -50, reversal 50");
        app.finish().await;
    }

    async fn a_part_that_is_disputed_takes_what_it_paid_for(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        purchase.dispute(&app, json!({ "amount": 100 })).await;
        deliver_all(&app, &purchase, false).await;
        assert_eq!(story(&app, "user_1").await, "topup 250, reversal -100");
        app.finish().await;
    }

    async fn when_stripe_does_not_say_how_a_dispute_stands_the_event_is_tried_again(backend: Backend) {
        let app = TestApp::start(backend).await;
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        purchase.dispute(&app, json!({})).await;
        let event = purchase.latest(&app, "charge.dispute.created").await;
        app.stripe.fault(json!({ "path": "/v1/disputes/*", "kind": "status", "status": 500 })).await;
        app.deliver(&event).await.expect(500);
        assert_eq!(app.credits("user_1").await, 250);
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 0);
        app.finish().await;
    }

    async fn the_ledger_says_what_took_credits_and_why_they_came_back(backend: Backend) {
        let app = TestApp::start(backend).await;
        let reasons = async |account: &str| {
            let page = app.get_as(account, "/credits/transactions?limit=100").await.expect(200);
            let entries = page["data"].as_array().expect("a list").clone();
            for entry in &entries {
                let description = entry["description"].as_str().expect("words");
                assert!(!description.is_empty() && description != "Refund or dispute", "{entry}");
            }
            let reason = |entry: &Value| entry["reason"].as_str().unwrap_or("none").to_owned();
            entries.iter().rev().map(reason).collect::<Vec<_>>()
        };
        let purchase = Purchase::credited(&app, "user_1", "pm_card_visa").await;
        let dispute = purchase.dispute(&app, json!({})).await;
        purchase.deliver(&app, "charge.dispute.created").await;
        app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "won" })).await;
        purchase.deliver(&app, "charge.dispute.closed").await;
        assert_eq!(reasons("user_1").await, ["none", "dispute", "dispute_won"]);
        let refunded = Purchase::credited(&app, "user_2", "pm_card_visa").await;
        refunded.refund(&app, 100).await;
        refunded.deliver(&app, "refund.created").await;
        let mut failed = refunded.latest(&app, "refund.created").await;
        failed["id"] = json!("evt_failed");
        failed["type"] = json!("refund.failed");
        failed["data"]["object"]["status"] = json!("failed");
        app.deliver(&failed).await.expect(200);
        assert_eq!(reasons("user_2").await, ["none", "refund", "refund_failed"]);
        // Events that arrived before their payment.
        for (account, event_type) in [("user_3", "refund.created"), ("user_4", "charge.dispute.created")] {
            let early = Purchase::paid(&app, account, "pm_card_visa").await;
            if account == "user_3" {
                early.refund(&app, 100).await;
            } else {
                early.dispute(&app, json!({})).await;
            }
            early.deliver(&app, event_type).await;
            early.deliver(&app, "checkout.session.completed").await;
            assert_eq!(reasons(account).await, ["none", event_type.split('.').find(|word| *word != "charge").expect("a word")]);
        }
        app.finish().await;
    }
}
