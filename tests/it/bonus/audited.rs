//! The books' own rules notice a bonus or an end that is not as agreed.

use serde_json::json;
use topup::books::audit::audit;

use super::{ACCOUNT, Purchase, close, start};
use crate::on_both_databases;

/// A statement that tampers with the books, one that undoes it, and the rule that must notice.
const TAMPERINGS: [(&str, &str, &str); 6] = [
    (
        "UPDATE topups SET bonus_credits = 24",
        "UPDATE topups SET bonus_credits = 25",
        "the bonus of a top-up is granted once, when it is paid",
    ),
    (
        "UPDATE topups SET bonus_credits = 100",
        "UPDATE topups SET bonus_credits = 25",
        "what is taken back of a bonus is its share of the credits taken back",
    ),
    (
        "UPDATE topups SET credits_expire_days = 31",
        "UPDATE topups SET credits_expire_days = 30",
        "purchases and bonuses end as agreed",
    ),
    (
        "UPDATE grants SET expires_at = expires_at + 1 WHERE kind = 'bonus'",
        "UPDATE grants SET expires_at = expires_at - 1 WHERE kind = 'bonus'",
        "purchases and bonuses end as agreed",
    ),
    (
        "UPDATE grants SET topup_id = NULL WHERE kind = 'bonus'",
        "UPDATE grants SET topup_id = (SELECT id FROM topups) WHERE kind = 'bonus'",
        "purchases and bonuses end as agreed",
    ),
    (
        "UPDATE accounts SET due_at = due_at + 1",
        "UPDATE accounts SET due_at = due_at - 1",
        "an account is due when the first of its credits end",
    ),
];

on_both_databases! {
    async fn each_rule_notices_what_breaks_it(backend: Backend) {
        let app = start(backend).await;
        let purchase = Purchase::credited(&app, 250).await;
        let db = &app.app.db;
        // Before the grants know of the purchase, and afterwards.
        for is_settled in [false, true] {
            if is_settled {
                app.get_as(ACCOUNT, "/credits").await.expect(200);
                purchase.refund(&app, "key-1", json!({ "credits": 100 })).await.expect(200);
                app.get_as(ACCOUNT, "/credits").await.expect(200);
            }
            assert_eq!(db.broken_rules().await.expect("readable"), Vec::<&str>::new());
            for (tamper, undo, rule) in TAMPERINGS {
                let is_of_grants = rule.starts_with("purchases") || rule.starts_with("what is taken");
                if is_of_grants && !is_settled {
                    continue;
                }
                db.execute_raw(tamper).await.expect("is written");
                let broken = db.broken_rules().await.expect("readable");
                assert!(broken.contains(&rule), "{tamper}, settled: {is_settled}: {broken:?}");
                let report = audit(db, true).await.expect("an end");
                let is_of_bonus = tamper.contains("bonus_credits");
                assert_eq!(report.differences > 0, is_of_bonus, "{tamper}: {report:?}");
                db.execute_raw(undo).await.expect("is written");
            }
        }
        close(app).await;
    }
}
