//! What is changed or broken while messages are on their way.

use reqwest::Method;
use serde_json::json;

use super::receiver::{Mode, Receiver, WELL};
use super::{ACCOUNT, Product, text};
use crate::on_both_databases;
use crate::support::app::settings;
use crate::support::process::run;
use crate::support::until;

/// An address without a Stripe server.
const NO_STRIPE: &str = "http://127.0.0.1:9";

/// Waits until an endpoint has so many deliveries in a state.
async fn wait_for_deliveries(product: &Product, endpoint: &str, state: &str, count: usize) {
    until(state, async || (product.deliveries(endpoint, state).await.len() == count).then_some(())).await;
}

on_both_databases! {
    async fn a_change_of_an_endpoint_counts_from_the_next_attempt_on(backend: Backend) {
        let product = Product::open(backend).await;
        let (before, after, witness) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        before.answer(Mode::Held);
        let (id, _) = product.add_for(&before, &["topup.paid"]).await;
        let path = format!("/admin/endpoints/{id}");
        product.buy(ACCOUNT, 250).await;
        before.wait_for_attempts(1).await;
        for _ in 0..3 {
            product.buy(ACCOUNT, 250).await;
        }
        wait_for_deliveries(&product, &id, "waiting", 4).await;
        product.ask(Method::PATCH, &path, Some(json!({ "url": after.url }))).await.expect(200);
        product.post(&format!("{path}/rotate"), json!({})).await.expect(200);
        after.answer(Mode::Held);
        before.answer(WELL);
        after.wait_for_attempts(1).await;
        product.ask(Method::PATCH, &path, Some(json!({ "state": "disabled" }))).await.expect(200);
        after.answer(WELL);
        wait_for_deliveries(&product, &id, "done", 2).await;
        // What another endpoint gets shows that deliveries go on.
        product.add_for(&witness, &["topup.paid"]).await;
        product.buy(ACCOUNT, 250).await;
        witness.wait_for_taken(1).await;
        assert_eq!((before.received().len(), after.received().len()), (1, 1), "it was disabled meanwhile");
        product.ask(Method::PATCH, &path, Some(json!({ "state": "active" }))).await.expect(200);
        let taken = after.wait_for_taken(3).await;
        let signatures = |number: usize| taken[number].headers["webhook-signature"].split(' ').count();
        assert_eq!((signatures(0), signatures(1), signatures(2)), (2, 2, 2), "the new secret signs, and the old one");
        assert_eq!(before.received()[0].headers["webhook-signature"].split(' ').count(), 1);
        let topups: Vec<String> = [before.taken(), after.taken()].concat().iter().map(|one| text(&one.body["data"]["topupId"])).collect();
        assert!(topups.len() == 4 && topups.is_sorted(), "{topups:?}");
        product.finish().await;
    }

    async fn a_message_that_cannot_be_made_holds_up_no_other_and_can_be_sent_later(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        let (id, _) = product.add(&receiver).await;
        let db = &product.app.app.db;
        let broken = "INSERT INTO messages (id, type, account_id, cause, facts, created_at) \
            VALUES ('msg_broken', 'credits.expiring', 'user_1', 'grant_1', '{', 1)";
        db.execute_raw(broken).await.expect("is written");
        product.buy(ACCOUNT, 250).await;
        receiver.wait_for("topup.paid").await;
        let settings = settings(&product.app.database.url, NO_STRIPE, &[]);
        let (is_well, said, _) = run(&settings, &["audit"]);
        assert!(!is_well && said.contains("not so for 1: the body of a message can be made"), "{said}");

        let resent = product.post(&format!("/admin/endpoints/{id}/resend"), json!({ "from": "1970-01-01T00:00:00Z" })).await;
        assert_eq!(resent.expect(200)["messages"], 0, "there is nothing to send of it");
        db.execute_raw("UPDATE messages SET facts = '{}' WHERE id = 'msg_broken'").await.expect("is mended");
        product.post(&format!("/admin/endpoints/{id}/deliveries/msg_broken/resend"), json!({})).await.expect(200);
        assert_eq!(receiver.wait_for("credits.expiring").await.id(), "msg_broken");
        product.finish().await;
    }
}
