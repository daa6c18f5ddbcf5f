//! What refunds and disputes take of a bonus, and give back.

use serde_json::json;

use super::{ACCOUNT, Purchase, close, debit, deliver, end_dispute, grants, named, post, start, story};
use crate::on_both_databases;

on_both_databases! {
    async fn refunds_take_the_share_of_the_bonus_and_a_full_one_takes_all(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let preview = purchase.preview(&app, "credits=105").await;
        assert_eq!((&preview["credits"], &preview["bonusCredits"]), (&json!(105), &json!(11)));
        assert_eq!(preview["balance"]["remainingCredits"], 159);
        let made = purchase.refund(&app, "key-1", json!({ "credits": 105 })).await.expect(200);
        assert_eq!((&made["creditsTaken"], &made["bonusCreditsTaken"]), (&json!(105), &json!(11)));
        assert_eq!(made["balance"]["remainingCredits"], 159);
        assert_eq!(grants(&app).await, named(&[("purchase", 145), ("bonus", 14)]));
        // A part so small that it takes nothing more of the bonus: 143 of 250 keep 14.3, as 145 keep 14.5.
        purchase.at_stripe(&app, "refund", json!({ "amount": 2 }), "refund.created").await;
        let made = purchase.refund(&app, "key-2", json!({})).await.expect(200);
        assert_eq!((&made["creditsTaken"], &made["bonusCreditsTaken"]), (&json!(143), &json!(14)));
        assert_eq!(
            story(&app).await,
            "topup 250, bonus 25, reversal -105, bonus_reversal -11, reversal -2, reversal -143, bonus_reversal -14"
        );
        assert_eq!(app.credits(ACCOUNT).await, 0);
        close(app).await;
    }

    async fn a_refund_before_the_payment_takes_its_share_at_once(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::paid(&app, 250).await;
        purchase.at_stripe(&app, "refund", json!({ "amount": 100 }), "refund.created").await;
        app.deliver(&purchase.event).await.expect(200);
        assert_eq!(story(&app).await, "topup 250, bonus 25, reversal -100, bonus_reversal -10");
        assert_eq!(grants(&app).await, named(&[("purchase", 150), ("bonus", 15)]));
        close(app).await;
    }

    async fn a_refund_that_fails_gives_the_bonus_back(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let refund = purchase.at_stripe(&app, "refund", json!({ "amount": 250 }), "refund.created").await;
        assert_eq!(app.credits(ACCOUNT).await, 0);
        app.stripe.control(&format!("refunds/{refund}"), json!({ "status": "failed" })).await;
        deliver(&app, "refund.failed").await;
        assert_eq!(grants(&app).await, named(&[("purchase", 250), ("bonus", 25)]));
        close(app).await;
    }

    /// The bonus is spent first, so a dispute that comes later takes what is left, and the rest is owed.
    async fn a_dispute_won_after_the_bonus_was_spent_restores_what_was_left(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        debit(&app, 40).await;
        assert_eq!(grants(&app).await, named(&[("purchase", 235), ("bonus", 0)]));
        let dispute = purchase.at_stripe(&app, "dispute", json!({}), "charge.dispute.funds_withdrawn").await;
        assert_eq!((app.credits(ACCOUNT).await, grants(&app).await), (-40, named(&[("purchase", 0), ("bonus", 0)])));
        end_dispute(&app, &dispute, "won").await;
        // The credits repay what is owed first; the bonus is what comes last.
        assert_eq!((app.credits(ACCOUNT).await, grants(&app).await), (235, named(&[("purchase", 210), ("bonus", 25)])));
        close(app).await;
    }

    async fn a_dispute_in_part_and_a_refund_of_the_rest_take_everything(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let dispute =
            purchase.at_stripe(&app, "dispute", json!({ "amount": 33 }), "charge.dispute.funds_withdrawn").await;
        end_dispute(&app, &dispute, "lost").await;
        let made = purchase.refund(&app, "key-1", json!({})).await.expect(200);
        assert_eq!((&made["creditsTaken"], &made["bonusCreditsTaken"]), (&json!(217), &json!(21)));
        assert_eq!((app.credits(ACCOUNT).await, grants(&app).await), (0, named(&[("purchase", 0), ("bonus", 0)])));
        close(app).await;
    }

    /// A bonus that was taken comes from its own grant first, not from a gift that ends earlier.
    async fn a_bonus_is_taken_from_its_own_grant_first(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let gift = json!({ "credits": 100, "reason": "a gift", "priority": 1 });
        post(&app, &format!("/admin/accounts/{ACCOUNT}/grants"), "gift", gift).await.expect(200);
        purchase.refund(&app, "key-1", json!({})).await.expect(200);
        assert_eq!(grants(&app).await, named(&[("purchase", 0), ("bonus", 0), ("promotion", 100)]));
        close(app).await;
    }
}
