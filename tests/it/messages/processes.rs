//! Old messages are deleted, and the audit notices a message that is missing or has no cause.

use tokio_util::sync::CancellationToken;
use topup::books::audit::audit;
use topup::outbox::purge::purge;

use super::receiver::{FAILS, Receiver};
use super::{ACCOUNT, Product};
use crate::on_both_databases;
use crate::support::until;

on_both_databases! {
    async fn messages_are_deleted_after_ninety_days_unless_they_still_wait(backend: Backend) {
        let product = Product::open(backend).await;
        let (receiver, failing) = (Receiver::start().await, Receiver::start().await);
        let (id, _) = product.add_for(&receiver, &["topup.paid"]).await;
        let (other, _) = product.add_for(&failing, &["endpoint.test"]).await;
        failing.answer(FAILS);
        product.buy(ACCOUNT, 250).await;
        product.post(&format!("/admin/endpoints/{other}/test"), serde_json::json!({})).await.expect(200);
        receiver.wait_for("topup.paid").await;
        failing.wait_for_attempts(1).await;
        let state = serde_json::json!({ "state": "disabled" });
        product.ask(reqwest::Method::PATCH, &format!("/admin/endpoints/{other}"), Some(state)).await.expect(200);
        until("recorded", async || Some(product.deliveries(&id, "done").await).filter(|done| done.len() == 1)).await;
        let stop = CancellationToken::new();
        assert_eq!(purge(&product.app.app, &stop).await.expect("the database works"), 0);
        product.after_seconds(91 * 24 * 60 * 60);
        assert_eq!(purge(&product.app.app, &stop).await.expect("the database works"), 1);
        assert!(product.deliveries(&id, "done").await.is_empty());
        assert_eq!(product.deliveries(&other, "waiting").await.len(), 1);
        product.finish().await;
    }

    async fn the_audit_notices_a_missing_message_and_one_without_a_cause(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        product.add(&receiver).await;
        product.after_seconds(120);
        product.buy(ACCOUNT, 250).await;
        receiver.wait_for("topup.paid").await;
        let db = &product.app.app.db;
        let found = async || audit(db, false).await.expect("readable").first;
        assert_eq!(found().await, []);
        db.execute_raw("UPDATE messages SET id = 'msg_other' WHERE type = 'topup.paid'").await.expect("done");
        let first = found().await;
        assert!(first.len() == 1 && first[0].detail.contains("a paid top-up has its message"), "{first:?}");
        db.execute_raw("UPDATE messages SET id = 'msg_topup_paid_' || substr(cause, 7)").await.expect("done");
        assert_eq!(found().await, []);
        db.execute_raw("UPDATE messages SET account_id = 'user_2'").await.expect("done");
        let first = found().await;
        assert!(first.len() == 1 && first[0].detail.contains("a message of a paid top-up has its cause"), "{first:?}");
        db.execute_raw("UPDATE messages SET account_id = 'user_1'").await.expect("done");
        product.finish().await;
    }
}
