//! Low balances: told once when the threshold is crossed downwards, and again only after the account recovered.

use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::{Received, Receiver};
use super::{ACCOUNT, Product};
use crate::on_both_databases;
use crate::support::{Options, until};

/// The types of the messages about a balance, in order.
fn told(receiver: &Receiver) -> Vec<String> {
    receiver.events().into_iter().filter(|event| event.starts_with("balance.")).collect()
}

/// Waits until these messages about the balance were taken, and no other.
async fn wait_for(receiver: &Receiver, events: &[&str]) -> Vec<Received> {
    until(&format!("{events:?}"), async || Some(()).filter(|()| told(receiver).len() >= events.len())).await;
    assert_eq!(told(receiver), events);
    receiver.taken().into_iter().filter(|message| message.event().starts_with("balance.")).collect()
}

/// Waits until all accounts were looked at.
async fn wait_until_looked(product: &Product) {
    #[derive(sqlx::FromRow)]
    struct Row {
        unseen: i64,
    }
    static UNSEEN: topup::db::Statement = topup::db::Statement::new(
        "SELECT (SELECT COUNT(*) FROM attention) + (SELECT COUNT(*) FROM outbox \
         WHERE is_on = 1 AND (low_credits IS NULL OR looked_up_to IS NOT NULL)) AS unseen",
    );
    until("all accounts were looked at", async || {
        let row: Option<Row> = product.app.app.db.read_optional(&UNSEEN, &[]).await.expect("readable");
        Some(()).filter(|()| row.is_some_and(|row| row.unseen == 0))
    })
    .await;
}

async fn open(backend: crate::support::Backend) -> (Product, Receiver) {
    let product = Product::open_with(backend, Options::default().setting("LOW_BALANCE_CREDITS", "100")).await;
    let receiver = Receiver::start().await;
    product.add(&receiver).await;
    (product, receiver)
}

on_both_databases! {
    async fn low_is_told_once_and_again_after_the_account_recovered(backend: Backend) {
        let (product, receiver) = open(backend).await;
        product.give(ACCOUNT, 250).await;
        wait_until_looked(&product).await;
        product.spend(ACCOUNT, 150).await;
        wait_until_looked(&product).await;
        assert_eq!(told(&receiver), Vec::<String>::new(), "100 is not below 100");
        product.spend(ACCOUNT, 1).await;
        let messages = wait_for(&receiver, &["balance.low"]).await;
        let data = &messages[0].body["data"];
        assert_eq!((&data["thresholdCredits"], &data["balance"]["availableCredits"]), (&json!(100), &json!(99)));
        for _ in 0..5 {
            product.spend(ACCOUNT, 1).await;
        }
        product.give(ACCOUNT, 5).await;
        wait_until_looked(&product).await;
        wait_for(&receiver, &["balance.low"]).await;
        product.give(ACCOUNT, 1).await;
        wait_for(&receiver, &["balance.low", "balance.recovered"]).await;
        product.spend(ACCOUNT, 100).await;
        let all = ["balance.low", "balance.recovered", "balance.low", "balance.depleted"];
        wait_for(&receiver, &all).await;
        product.buy(ACCOUNT, 250).await;
        let messages = wait_for(&receiver, &[&all[..], &["balance.recovered"]].concat()).await;
        let mut ids: Vec<&str> = messages.iter().map(Received::id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 5);
        product.finish().await;
    }

    async fn what_holds_reserve_is_not_available(backend: Backend) {
        let (product, receiver) = open(backend).await;
        product.give(ACCOUNT, 150).await;
        wait_until_looked(&product).await;
        let hold = product.hold(ACCOUNT, 60, 600).await;
        let messages = wait_for(&receiver, &["balance.low"]).await;
        assert_eq!(messages[0].body["data"]["balance"]["heldCredits"], 60);
        product.server(&format!("/credits/holds/{hold}/release"), json!({})).await.expect(200);
        wait_for(&receiver, &["balance.low", "balance.recovered"]).await;
        product.hold(ACCOUNT, 60, 600).await;
        wait_for(&receiver, &["balance.low", "balance.recovered", "balance.low"]).await;
        product.after_seconds(601);
        wait_for(&receiver, &["balance.low", "balance.recovered", "balance.low", "balance.recovered"]).await;
        product.finish().await;
    }

    async fn a_new_account_that_falls_at_once_is_told_and_one_that_never_was_above_is_not(backend: Backend) {
        let (product, receiver) = open(backend).await;
        product.give("small", 50).await;
        wait_until_looked(&product).await;
        product.spend("small", 10).await;
        // Before anybody has looked at it.
        product.give("quick", 150).await;
        product.spend("quick", 140).await;
        let messages = wait_for(&receiver, &["balance.low"]).await;
        assert_eq!(messages[0].body["data"]["accountId"], "quick");
        product.spend("small", 40).await;
        let messages = wait_for(&receiver, &["balance.low", "balance.depleted"]).await;
        assert_eq!(messages[1].body["data"]["accountId"], "small");
        product.finish().await;
    }

    async fn accounts_from_before_the_first_endpoint_are_watched_too(backend: Backend) {
        let product = Product::open_with(backend, Options::default().setting("LOW_BALANCE_CREDITS", "100")).await;
        product.give("rich", 150).await;
        product.give("poor", 50).await;
        let receiver = Receiver::start().await;
        product.add(&receiver).await;
        wait_until_looked(&product).await;
        assert_eq!(told(&receiver), Vec::<String>::new(), "nothing was crossed");
        product.spend("rich", 60).await;
        product.give("poor", 60).await;
        until("both", async || Some(()).filter(|()| told(&receiver).len() == 2)).await;
        let mut told = told(&receiver);
        told.sort();
        assert_eq!(told, ["balance.low", "balance.recovered"]);
        product.finish().await;
    }

    async fn an_account_can_have_its_own_threshold(backend: Backend) {
        let (product, receiver) = open(backend).await;
        product.give(ACCOUNT, 250).await;
        wait_until_looked(&product).await;
        let path = format!("/admin/accounts/{ACCOUNT}/alerts");
        let shown = product.get(&path).await.expect(200);
        assert_eq!(shown, json!({ "accountId": ACCOUNT, "lowCredits": 100, "isOwn": false, "isLow": false }));
        let set = product.ask(Method::PUT, &path, Some(json!({ "lowCredits": 200 }))).await.expect(200);
        assert_eq!((&set["lowCredits"], &set["isOwn"]), (&json!(200), &json!(true)));
        wait_until_looked(&product).await;
        product.spend(ACCOUNT, 51).await;
        let messages = wait_for(&receiver, &["balance.low"]).await;
        assert_eq!(messages[0].body["data"]["thresholdCredits"], 200);
        assert_eq!(product.get(&path).await.expect(200)["isLow"], true);
        product.ask(Method::DELETE, &path, None).await.expect(200);
        wait_for(&receiver, &["balance.low", "balance.recovered"]).await;
        product.ask(Method::PUT, &path, Some(json!({ "lowCredits": 0 }))).await.expect(200);
        wait_until_looked(&product).await;
        product.spend(ACCOUNT, 198).await;
        wait_until_looked(&product).await;
        product.spend(ACCOUNT, 1).await;
        wait_for(&receiver, &["balance.low", "balance.recovered", "balance.depleted"]).await;
        assert_eq!(product.get(&path).await.expect(200)["lowCredits"], Value::Null);
        product.finish().await;
    }
}
