//! What is told: each type of message, with its contents, and only while there is an endpoint.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use topup::outbox::expiring::tell_expiring;
use topup::ports::Clock;

use super::receiver::{Received, Receiver};
use super::{ACCOUNT, Product, text};
use crate::on_both_databases;
use crate::support::{Options, until};

fn balance(remaining: i64, held: i64) -> Value {
    json!({ "remainingCredits": remaining, "heldCredits": held, "availableCredits": (remaining - held).max(0),
        "owedCredits": (-remaining).max(0) })
}

async fn count(product: &Product, sql: &'static str) -> i64 {
    #[derive(sqlx::FromRow)]
    struct Row {
        count: i64,
    }
    static MESSAGES: topup::db::Statement = topup::db::Statement::new("SELECT COUNT(*) AS count FROM messages");
    static ATTENTION: topup::db::Statement = topup::db::Statement::new("SELECT COUNT(*) AS count FROM attention");
    let statement = if sql == "messages" { &MESSAGES } else { &ATTENTION };
    let row: Option<Row> = product.app.app.db.read_optional(statement, &[]).await.expect("readable");
    row.expect("a row").count
}

on_both_databases! {
    async fn a_purchase_is_told_with_the_new_balance(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        product.add(&receiver).await;
        let session = product.buy(ACCOUNT, 250).await;
        let paid = receiver.wait_for("topup.paid").await;
        let data = &paid.body["data"];
        assert_eq!(
            (&data["accountId"], &data["credits"], &data["totalAmount"]),
            (&json!(ACCOUNT), &json!(250), &json!(289)),
        );
        assert_eq!((&data["currency"], &data["entries"]), (&json!("usd"), &json!(1)));
        assert_eq!(data["balance"], balance(250, 0));
        assert_eq!(data["paymentId"], json!(product.app.payment_of(&session).await));
        let topup = text(&data["topupId"]);
        assert_eq!(paid.id(), topup.replacen("topup_", "msg_topup_paid_", 1));
        assert_eq!(paid.headers["content-type"], "application/json");
        assert!(paid.body["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{}", paid.body);
        product.finish().await;
    }

    async fn without_an_endpoint_nothing_is_written(backend: Backend) {
        let product = Product::open_with(backend, Options::default().setting("LOW_BALANCE_CREDITS", "200")).await;
        product.buy(ACCOUNT, 250).await;
        product.spend(ACCOUNT, 250).await;
        product.give("user_2", 10).await;
        assert_eq!((count(&product, "messages").await, count(&product, "attention").await), (0, 0));
        let receiver = Receiver::start().await;
        let (endpoint, _) = product.add(&receiver).await;
        product.buy("user_3", 250).await;
        receiver.wait_for("topup.paid").await;
        product.ask(reqwest::Method::DELETE, &format!("/admin/endpoints/{endpoint}"), None).await.expect(204);
        let before = count(&product, "messages").await;
        product.buy("user_3", 250).await;
        product.spend("user_3", 500).await;
        assert_eq!(count(&product, "messages").await, before, "the last endpoint was deleted");
        product.finish().await;
    }

    async fn refunds_are_told(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        product.add(&receiver).await;
        product.buy(ACCOUNT, 250).await;
        let paid = receiver.wait_for("topup.paid").await;
        let topup = text(&paid.body["data"]["topupId"]);
        product.post(&format!("/admin/topups/{topup}/refunds"), json!({ "credits": 100 })).await.expect(200);
        let refunded = receiver.wait_for("topup.refunded").await;
        let data = &refunded.body["data"];
        assert_eq!(
            (&data["topupId"], &data["credits"], &data["reason"]),
            (&json!(topup), &json!(-100), &json!("refund")),
        );
        assert_eq!((&data["takenCredits"], &data["purchasedCredits"]), (&json!(100), &json!(250)));
        assert_eq!((&data["balance"], &data["entries"]), (&balance(150, 0), &json!(2)));
        product.finish().await;
    }

    async fn disputes_are_told_from_their_opening_to_their_end(backend: Backend) {
        let product = Product::open_with(backend, Options::with_webhooks()).await;
        let receiver = Receiver::start().await;
        product.add(&receiver).await;
        let session = product.app.open_session(ACCOUNT, 250).await;
        product.app.stripe.pay(&session, "pm_card_createDispute").await;
        let opened = receiver.wait_for("dispute.opened").await;
        let data = &opened.body["data"];
        assert_eq!(
            (&data["status"], &data["amount"], &data["currency"]),
            (&json!("needs_response"), &json!(289), &json!("usd")),
        );
        let dispute = text(&data["disputeId"]);
        let reversed = receiver.wait_for("topup.reversed").await;
        assert_eq!(
            (&reversed.body["data"]["reason"], &reversed.body["data"]["credits"]),
            (&json!("dispute"), &json!(-250)),
        );
        product.app.stripe.control(&format!("disputes/{dispute}"), json!({ "to": "won" })).await;
        let closed = receiver.wait_for("dispute.closed").await;
        assert_eq!(
            (&closed.body["data"]["disputeId"], &closed.body["data"]["status"]),
            (&json!(dispute), &json!("won")),
        );
        until("the credits are back", async || {
            let back = |message: &Received| message.body["data"]["credits"] == 250;
            receiver.taken().into_iter().find(|message| message.event() == "topup.reversed" && back(message))
        })
        .await;
        let opened = receiver.events().iter().filter(|event| *event == "dispute.opened").count();
        assert_eq!(opened, 1);
        product.finish().await;
    }

    async fn a_warning_of_fraud_is_told_once_with_whether_it_blocked_the_account(backend: Backend) {
        for (setting, blocked) in [("off", false), ("on", true)] {
            let options = Options::with_webhooks().setting("FREEZE_ON_FRAUD_WARNING", setting);
            let product = Product::open_with(backend, options).await;
            let receiver = Receiver::start().await;
            product.add(&receiver).await;
            let session = product.app.open_session(ACCOUNT, 250).await;
            product.app.stripe.pay(&session, "pm_card_createIssuerFraudRecord").await;
            let warned = receiver.wait_for("dispute.warning").await;
            let data = &warned.body["data"];
            assert_eq!(
                (&data["kind"], &data["reason"], &data["accountId"], &data["accountBlocked"]),
                (&json!("early_warning"), &json!("made_with_stolen_card"), &json!(ACCOUNT), &json!(blocked)),
            );
            assert_eq!(data["paymentId"], json!(product.app.payment_of(&session).await));
            assert_eq!(warned.id(), format!("msg_dispute_warning_{}", text(&data["warningId"])));
            product.finish().await;
        }
    }

    async fn a_payment_that_fails_later_is_told(backend: Backend) {
        let product = Product::open_with(backend, Options::with_webhooks()).await;
        let receiver = Receiver::start().await;
        product.add(&receiver).await;
        let session = product.app.open_session(ACCOUNT, 250).await;
        product.app.stripe.pay(&session, "pm_sandbox_delayed").await;
        until("processing", async || {
            Some(product.app.session_state(ACCOUNT, &session).await).filter(|state| state == "processing")
        })
        .await;
        product.app.stripe.settle(&session, "failed").await;
        let failed = receiver.wait_for("topup.failed").await;
        let data = &failed.body["data"];
        assert_eq!(
            (&data["accountId"], &data["code"], &data["credits"]),
            (&json!(ACCOUNT), &json!("payment_failed"), &json!(250)),
        );
        assert_eq!((&data["balance"], &data["paidAt"]), (&balance(0, 0), &json!(null)));
        product.finish().await;
    }

    async fn a_hold_that_ends_by_itself_is_told(backend: Backend) {
        let (product, receiver) = (Product::open(backend).await, Receiver::start().await);
        product.add(&receiver).await;
        product.give(ACCOUNT, 100).await;
        let released = product.hold(ACCOUNT, 10, 60).await;
        product.server(&format!("/credits/holds/{released}/release"), json!({})).await.expect(200);
        let hold = product.hold(ACCOUNT, 30, 60).await;
        product.after_seconds(61);
        let expired = receiver.wait_for("hold.expired").await;
        let data = &expired.body["data"];
        assert_eq!((&data["holdId"], &data["credits"], &data["balance"]), (&json!(hold), &json!(30), &balance(100, 0)));
        let holds = receiver.events().iter().filter(|event| *event == "hold.expired").count();
        assert_eq!(holds, 1, "not of the one that was released");
        product.finish().await;
    }

    async fn credits_that_end_are_told_before_and_after(backend: Backend) {
        let product = Product::open_with(backend, Options::default().setting("CREDITS_EXPIRE_DAYS", "30")).await;
        let receiver = Receiver::start().await;
        product.add(&receiver).await;
        product.buy(ACCOUNT, 250).await;
        receiver.wait_for("topup.paid").await;
        let stop = CancellationToken::new();
        let day = 24 * 60 * 60;
        let told = async || tell_expiring(&product.app.app, &stop).await.expect("the database works");
        assert_eq!(told().await, 0, "not yet");
        product.after_seconds(22 * day);
        assert_eq!(told().await, 0, "not yet");
        product.after_seconds(day + 60);
        let app = &product.app.app;
        until("the grant is known", async || {
            tell_expiring(app, &stop).await.expect("the database works");
            receiver.taken().into_iter().find(|message| message.event() == "credits.expiring")
        })
        .await;
        assert_eq!(told().await, 0, "once");
        let expiring = receiver.wait_for("credits.expiring").await;
        let data = &expiring.body["data"];
        assert_eq!(
            (&data["credits"], &data["kind"], &data["balance"]),
            (&json!(250), &json!("purchase"), &balance(250, 0)),
        );
        product.after_seconds(7 * day);
        let expired = receiver.wait_for("credits.expired").await;
        let data = &expired.body["data"];
        assert_eq!((&data["credits"], &data["balance"], &data["entries"]), (&json!(250), &balance(0, 0), &json!(2)));
        assert!(product.app.clock.now_ms() > 0);
        product.finish().await;
    }
}
