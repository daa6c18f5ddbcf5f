//! Purchases that are adopted after a restore, at the terms that they were sold at.

use serde_json::json;
use topup::domain::ids::SessionId;
use topup::providers::stripe::name::NAME;
use topup::purchases::adopt::adopt_purchase::{AdoptionOptions, adopt_purchase};

use super::{ACCOUNT, Purchase, close, get, grants, named, options, post, start, story};
use crate::on_both_databases;

on_both_databases! {
    async fn a_lost_purchase_has_its_bonus_and_its_end(backend: Backend) {
        let app = start(backend).await;
        let backup = app.database.back_up().await;
        let purchase = Purchase::paid(&app, 250).await;
        app.stripe.control(&format!("payment_intents/{}/refund", purchase.payment), json!({ "amount": 100 })).await;
        let changed = options().setting("BONUS_TIERS", "1:50%").setting("CREDITS_EXPIRE_DAYS", "3");
        let app = app.restart_on(backup, changed).await;
        let body = json!({ "sessionIds": [purchase.session] });
        let adopted = post(&app, "/admin/adoptions", "key-1", body).await.expect(200);
        assert_eq!(adopted["data"][0]["outcome"], "adopted", "{adopted}");
        assert_eq!(story(&app).await, "topup 250, bonus 25, reversal -100, bonus_reversal -10");
        assert_eq!(grants(&app).await, named(&[("purchase", 150), ("bonus", 15)]));
        let explained = get(&app, &format!("/admin/topups/{}", purchase.topup)).await;
        assert_eq!((&explained["bonusCredits"], &explained["creditsExpireDays"]), (&json!(25), &json!(30)));
        assert_eq!(app.credits(ACCOUNT).await, 165);
        close(app).await;
    }

    /// Without a seal that proves the terms, today's must be what was sold.
    async fn a_purchase_without_proof_is_adopted_only_at_the_bonus_of_today(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::paid(&app, 250).await;
        app.deliver(&purchase.event).await.expect(200);
        let other = app.start_beside(backend).await;
        let session = SessionId::parse(NAME, purchase.session.as_str()).expect("an id");
        let word = AdoptionOptions { by: "a test".to_owned(), unverified: true, dry_run: false };
        let refused = adopt_purchase(&other.app, &session, &word).await.expect_err("another bonus");
        assert_eq!(refused.code(), "does_not_fit");
        assert!(refused.to_string().contains("its bonus is 25, and the terms say none"), "{refused}");
        other.finish().await;
        close(app).await;
    }
}
