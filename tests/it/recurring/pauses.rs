//! What ends charging in between: a card that is removed, replaced or expired, a dispute, a refund, a deleted customer.

use reqwest::Method;
use serde_json::{Value, json};
use topup::console::evidence::dispute_evidence;
use topup::domain::credit_unit::DisplayDecimals;
use topup::recurring::auto_topup::job::charge_due;

use super::{ACCOUNT, CREDITS, PAGE, Shop, text};
use crate::on_both_databases;
use crate::support::until;

on_both_databases! {
    async fn a_removed_card_is_not_charged_and_a_new_one_goes_on(backend: Backend) {
        let (shop, card) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        // In Stripe's dashboard: nobody here is told.
        shop.app.stripe.control(&format!("payment_methods/{card}/detach"), json!({})).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        let auto = shop.until_auto("a pause", |auto| auto["state"] == "paused").await;
        assert_eq!((&auto["reason"], &auto["resumesAt"]), (&json!("no_card"), &json!(null)));
        assert!(shop.charges().await.is_empty());
        // The customer saves another card on Stripe's page.
        let body = json!({ "successUrl": PAGE });
        let page = shop.customer(ACCOUNT, Method::POST, "/payment-methods/sessions", Some(body)).await.expect(200);
        let form = [("payment_method", "pm_card_mastercard")];
        let (status, done) =
            shop.app.stripe.post(&format!("/v1/payment_pages/{}/confirm", text(&page["id"])), &form).await;
        assert_eq!(status, 200, "{done}");
        let auto = shop.until_outcome("paid").await;
        assert_eq!((&auto["state"], &auto["attempts"][0]["cardBrand"]), (&json!("active"), &json!("mastercard")));
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.paid_charges().await), (400 + CREDITS, 1));
        shop.finish().await;
    }

    async fn removing_the_named_card_pauses_at_once(backend: Backend) {
        let shop = Shop::open(backend).await;
        let card = shop.card(ACCOUNT, "pm_card_visa").await;
        shop.give(ACCOUNT, 600).await;
        shop.turn_on(ACCOUNT, json!({ "paymentMethodId": card })).await.expect(200);
        let gone = shop.customer(ACCOUNT, Method::DELETE, &format!("/payment-methods/{card}"), None).await;
        assert_eq!(gone.status, 204);
        let auto = shop.auto_topup(ACCOUNT).await;
        assert_eq!((&auto["state"], &auto["reason"]), (&json!("paused"), &json!("no_card")));
        shop.spend(ACCOUNT, 200).await.expect(200);
        charge_due(&shop.app.app).await.expect("works");
        assert!(shop.charges().await.is_empty());
        // Another card as the default ends the pause.
        let other = shop.card(ACCOUNT, "pm_card_visa").await;
        let body = json!({ "paymentMethodId": other });
        shop.customer(ACCOUNT, Method::PUT, "/payment-methods/default", Some(body)).await.expect(200);
        shop.until_outcome("paid").await;
        shop.finish().await;
    }

    async fn an_expired_card_is_not_charged(backend: Backend) {
        let (shop, card) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        shop.app.stripe.control(&format!("payment_methods/{card}/expire"), json!({})).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        let auto = shop.until_auto("a pause", |auto| auto["state"] == "paused").await;
        assert_eq!(auto["reason"], "card_expired");
        assert!(shop.charges().await.is_empty(), "Stripe is not even asked");
        shop.turn_on(ACCOUNT, json!({})).await.expect_problem(409, "card_expired");
        // The network replaces the card; its id stays.
        shop.app.stripe.control(&format!("payment_methods/{card}/renew"), json!({})).await;
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        shop.until_outcome("paid").await;
        shop.finish().await;
    }

    async fn a_replaced_default_card_is_the_one_that_is_charged(backend: Backend) {
        let (shop, first) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        let second = shop.card(ACCOUNT, "pm_card_mastercard").await;
        for card in [&first, &second] {
            let body = json!({ "paymentMethodId": card });
            shop.customer(ACCOUNT, Method::PUT, "/payment-methods/default", Some(body)).await.expect(200);
        }
        shop.spend(ACCOUNT, 200).await.expect(200);
        shop.until_outcome("paid").await;
        assert_eq!(shop.charges().await[0]["payment_method"], json!(second));
        shop.finish().await;
    }

    async fn a_dispute_ends_charging_until_the_customer_agrees_again(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_createDispute", 600).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        shop.until_outcome("paid").await;
        until("the dispute", async || Some(shop.app.credits(ACCOUNT).await).filter(|credits| *credits == 400)).await;
        shop.spend(ACCOUNT, 100).await.expect(200);
        let auto = shop.until_auto("a pause", |auto| auto["state"] == "paused").await;
        assert_eq!(auto["reason"], "disputed");
        assert_eq!(shop.charges().await.len(), 1);
        // The bank is told of the consent that there is, and of no page that nobody saw.
        let topup = text(&auto["attempts"][0]["topupId"]);
        let evidence = dispute_evidence(&shop.app.app.db, &topup, DisplayDecimals::default()).await;
        let said = evidence.expect("readable").expect("a dispute").text();
        assert!(said.contains("version 2026-11-30 of the text") && said.contains("automatically"), "{said}");
        assert!(!said.contains("payment page") && !said.contains("Checkout session"), "{said}");
        shop.finish().await;
    }

    async fn a_refund_of_an_automatic_purchase_ends_charging(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        let auto = shop.until_outcome("paid").await;
        let path = format!("/admin/topups/{}/refunds", text(&auto["attempts"][0]["topupId"]));
        shop.ask(Method::POST, &path, Some(json!({}))).await.expect(200);
        until("the refund", async || Some(shop.app.credits(ACCOUNT).await).filter(|credits| *credits == 400)).await;
        shop.spend(ACCOUNT, 1).await.expect(200);
        let auto = shop.until_auto("a pause", |auto| auto["state"] == "paused").await;
        assert_eq!(auto["reason"], "refunded");
        assert_eq!(shop.charges().await.len(), 1);
        shop.finish().await;
    }

    async fn a_customer_deleted_at_stripe_is_made_anew(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        let first = shop.customer_of(ACCOUNT).await;
        let url = format!("{}/v1/customers/{first}", shop.app.stripe.url);
        let deleted = crate::support::app::http_client().delete(url).bearer_auth(crate::support::stripe::SECRET_KEY);
        assert!(deleted.send().await.expect("answers").status().is_success());
        shop.app.stripe.idle().await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        let auto = shop.until_auto("a pause", |auto| auto["state"] == "paused").await;
        assert_eq!(auto["reason"], "no_card");
        let second = shop.customer_of(ACCOUNT).await;
        assert_ne!(first, second);
        shop.finish().await;
    }

    /// A charge that did not reach Stripe is not made after the customer withdrew the consent, or the credits came back.
    async fn what_did_not_reach_stripe_is_not_charged_after_it_is_no_longer_wanted(backend: Backend) {
        for is_turned_off in [true, false] {
            let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
            let fault = json!({ "method": "POST", "path": "/v1/payment_intents", "times": 2, "kind": "status", "status": 500 });
            shop.app.stripe.fault(fault).await;
            shop.spend(ACCOUNT, 200).await.expect(200);
            shop.until_outcome("running").await;
            // After two failures the key is useless: another one follows when it is certain that nothing was made.
            until("two calls", async || {
                let requests = shop.app.stripe.requests().await;
                let is_call =
                    |request: &&Value| request["path"] == "/v1/payment_intents" && request["method"] == "POST";
                (requests.iter().filter(is_call).count() == 2).then_some(())
            })
            .await;
            if is_turned_off {
                shop.customer(ACCOUNT, Method::PUT, "/auto-topup", Some(json!({ "enabled": false }))).await.expect(200);
            } else {
                shop.give(ACCOUNT, 5_000).await;
            }
            let auto = until("its end", async || {
                shop.after_seconds(31);
                charge_due(&shop.app.app).await.expect("works");
                Some(shop.auto_topup(ACCOUNT).await).filter(|auto| auto["attempts"][0]["outcome"] != "running")
            })
            .await;
            assert_eq!(auto["attempts"][0]["outcome"], "refused", "{auto}");
            assert_eq!((&auto["attempts"][0]["code"], shop.charges().await.len()), (&json!("withdrawn"), 0), "{auto}");
            assert_eq!(auto["state"], if is_turned_off { "off" } else { "active" });
            shop.finish().await;
        }
    }
}
