//! Several processes see the same crossing.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use topup::recurring::auto_topup::job::charge_due;

use super::interruptions::end_leases;
use super::{ACCOUNT, CREDITS, Shop, options, text};
use crate::on_both_databases;
use crate::support::until;

on_both_databases! {
    async fn four_processes_that_see_one_crossing_charge_once(backend: Backend) {
        // The service itself charges nothing: only those below.
        let shop = Shop::open_with(backend, options()).await;
        shop.card(ACCOUNT, "pm_card_visa").await;
        let replicas = [
            shop.app.start_replica_with(shop.app.clock.clone()).await,
            shop.app.start_replica_with(shop.app.clock.clone()).await,
            shop.app.start_replica_with(shop.app.clock.clone()).await,
        ];
        let mut apps: Vec<_> = replicas.to_vec();
        apps.push(shop.app.app.clone());
        shop.give(ACCOUNT, 600).await;
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        for round in 1..=5 {
            let balance = shop.app.credits(ACCOUNT).await;
            let spending = shop.spend(ACCOUNT, balance - 400);
            let charging = join_all((0..20).map(|number| {
                let app = apps[number % apps.len()].clone();
                async move { charge_due(&app).await.expect("works") }
            }));
            let (spent, _) = tokio::join!(spending, charging);
            spent.expect(200);
            join_all(apps.iter().map(|app| charge_due(app))).await;
            until("the credits", async || {
                Some(shop.app.credits(ACCOUNT).await).filter(|credits| *credits == 400 + CREDITS)
            })
            .await;
            shop.until_auto("its end", |auto| auto["attempts"][0]["outcome"] == "paid").await;
            assert_eq!(shop.paid_charges().await, round);
        }
        drop(apps);
        for replica in replicas {
            replica.db.close().await;
        }
        shop.finish().await;
    }

    async fn a_lease_that_was_lost_does_not_charge_again(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.card(ACCOUNT, "pm_card_visa").await;
        shop.give(ACCOUNT, 600).await;
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        // The first process is stuck in its call.
        let fault = json!({ "method": "POST", "path": "/v1/payment_intents", "times": 1, "kind": "hold" });
        shop.app.stripe.fault(fault).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        shop.app.stripe.wait_for_holds(1).await;
        end_leases(&shop.app.database).await;
        // Another one takes over, with the same key.
        let replica = shop.app.start_replica_with(shop.app.clock.clone()).await;
        assert_eq!(charge_due(&replica).await.expect("works"), 1);
        replica.db.close().await;
        shop.app.stripe.release().await;
        shop.until_outcome("paid").await;
        shop.app.stripe.idle().await;
        let keys: std::collections::BTreeSet<String> = shop
            .app
            .stripe
            .requests()
            .await
            .iter()
            .filter(|call| call["method"] == "POST" && call["path"] == "/v1/payment_intents")
            .map(|call| text(&call["idempotency_key"]))
            .collect();
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.paid_charges().await), (400 + CREDITS, 1));
        let auto = shop.customer(ACCOUNT, Method::GET, "/auto-topup", None).await.expect(200);
        assert_eq!(auto["attempts"].as_array().map(Vec::len), Some(1));
        shop.finish().await;
    }
}
