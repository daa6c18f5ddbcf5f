//! The audit of charges of saved cards.

use serde_json::json;
use topup::books::audit::audit;

use super::{ACCOUNT, Shop};
use crate::on_both_databases;

/// What is tampered with, how it is undone, and what the audit says.
const TAMPERINGS: [(&str, &str, &str); 8] = [
    (
        "UPDATE auto_topup_attempts SET outcome = 'paid' WHERE outcome = 'declined'",
        "UPDATE auto_topup_attempts SET outcome = 'declined' WHERE outcome = 'paid' AND code IS NOT NULL",
        "that was paid has its paid top-up",
    ),
    (
        "UPDATE auto_topup_attempts SET outcome = 'declined' WHERE outcome = 'paid'",
        "UPDATE auto_topup_attempts SET outcome = 'paid' WHERE outcome = 'declined' AND code IS NULL",
        "that failed took no money",
    ),
    (
        "UPDATE auto_topup_attempts SET amount = amount + 1 WHERE outcome = 'paid'",
        "UPDATE auto_topup_attempts SET amount = amount - 1 WHERE outcome = 'paid'",
        "its top-up's account and amount",
    ),
    (
        "UPDATE auto_topup_attempts SET account_id = 'user_2' WHERE outcome = 'paid'",
        "UPDATE auto_topup_attempts SET account_id = 'user_1' WHERE outcome = 'paid'",
        "its top-up's account and amount",
    ),
    (
        "UPDATE auto_topup_attempts SET currency = 'eur' WHERE outcome = 'paid'",
        "UPDATE auto_topup_attempts SET currency = 'usd' WHERE outcome = 'paid'",
        "its top-up's account and amount",
    ),
    (
        "UPDATE auto_topup_attempts SET outcome = 'running', ended_at = NULL WHERE outcome = 'paid'",
        "UPDATE auto_topup_attempts SET outcome = 'paid', ended_at = 1 WHERE outcome = 'running' AND code IS NULL",
        "that is under way is looked after",
    ),
    (
        "UPDATE auto_topups SET topup_id = 'topup_lost'",
        "UPDATE auto_topups SET topup_id = NULL",
        "that is under way is looked after",
    ),
    ("UPDATE auto_topups SET state = 'odd'", "UPDATE auto_topups SET state = 'active'", "words that the code knows"),
];

on_both_databases! {
    async fn tampering_with_charges_of_saved_cards_is_found(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        shop.until_outcome("paid").await;
        let declined = shop.card(ACCOUNT, "pm_card_chargeCustomerFail").await;
        shop.turn_on(ACCOUNT, json!({ "paymentMethodId": declined })).await.expect(200);
        shop.spend(ACCOUNT, 1_000).await.expect(200);
        shop.until_outcome("declined").await;
        shop.turn_on(ACCOUNT, json!({ "thresholdCredits": 1 })).await.expect(200);
        shop.until_auto("rest", |auto| auto["state"] == "active").await;
        let db = &shop.app.app.db;
        let well = audit(db, true).await.expect("readable");
        assert_eq!((well.differences, &well.first), (0, &Vec::new()));
        for (tampering, undo, said) in TAMPERINGS {
            db.execute_raw(tampering).await.expect("done");
            let found = audit(db, true).await.expect("readable").first;
            assert!(found.iter().any(|found| found.detail.contains(said)), "{tampering}: {found:#?}");
            db.execute_raw(undo).await.expect("done");
            assert_eq!(audit(db, true).await.expect("readable").first, Vec::new(), "{undo}");
        }
        shop.finish().await;
    }
}
