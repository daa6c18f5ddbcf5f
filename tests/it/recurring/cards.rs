//! Customers and their saved cards.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use topup::ports::Clock;

use super::{ACCOUNT, PAGE, Shop, text};
use crate::on_both_databases;
use crate::support::app::SUCCESS_URL;
use crate::support::until;

on_both_databases! {
    async fn an_account_has_one_customer_however_many_ask_at_once(backend: Backend) {
        let shop = Shop::open(backend).await;
        let asks = (0..8).map(|_| {
            let body = json!({ "successUrl": PAGE });
            shop.customer(ACCOUNT, Method::POST, "/payment-methods/sessions", Some(body))
        });
        for answer in join_all(asks).await {
            answer.expect(200);
        }
        let list = shop.app.stripe.get("/v1/customers?limit=100").await;
        assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");
        let sessions = shop.app.stripe.sessions().await;
        assert_eq!(sessions.len(), 8);
        for session in sessions {
            assert_eq!((&session["mode"], &session["customer"]), (&json!("setup"), &list["data"][0]["id"]));
        }
        shop.finish().await;
    }

    async fn a_checkout_saves_the_card_if_the_customer_wants_it(backend: Backend) {
        let shop = Shop::open(backend).await;
        let body = json!({ "credits": 250, "successUrl": SUCCESS_URL, "saveCard": true });
        let opened = shop.app.checkout_with(ACCOUNT, Some("key-1"), body.clone()).await.expect(200);
        // The same request with the key is the same checkout, and another one is refused.
        assert_eq!(shop.app.checkout_with(ACCOUNT, Some("key-1"), body).await.expect(200)["id"], opened["id"]);
        let other = json!({ "credits": 250, "successUrl": SUCCESS_URL });
        shop.app.checkout_with(ACCOUNT, Some("key-1"), other).await.expect_problem(422, "idempotency_key_reused");
        let id = text(&opened["id"]);
        let (status, paid) = shop.app.stripe.pay(&id, "pm_card_visa").await;
        assert_eq!(status, 200, "{paid}");
        shop.app.stripe.idle().await;
        assert_eq!(shop.app.credits(ACCOUNT).await, 250);
        let cards = shop.customer(ACCOUNT, Method::GET, "/payment-methods", None).await.expect(200);
        let card = &cards["data"][0];
        assert_eq!((&card["brand"], &card["last4"], &card["isExpired"]), (&json!("visa"), &json!("4242"), &json!(false)));
        // A later checkout names the customer, so that the card need not be typed again.
        let session = shop.app.open_session(ACCOUNT, 250).await;
        let session = shop.app.stripe.get(&format!("/v1/checkout/sessions/{session}")).await;
        assert!(session["customer"].is_string(), "{session}");
        shop.finish().await;
    }

    async fn a_card_saved_on_the_page_becomes_the_default_and_an_old_event_does_not_change_it_back(backend: Backend) {
        let shop = Shop::open(backend).await;
        let mut events = Vec::new();
        for card in ["pm_card_visa", "pm_card_mastercard"] {
            let body = json!({ "successUrl": PAGE });
            let page = shop.customer(ACCOUNT, Method::POST, "/payment-methods/sessions", Some(body)).await.expect(200);
            let id = text(&page["id"]);
            let form = [("payment_method", card)];
            let (status, done) = shop.app.stripe.post(&format!("/v1/payment_pages/{id}/confirm"), &form).await;
            assert_eq!(status, 200, "{done}");
            shop.app.stripe.idle().await;
            events.push(shop.app.stripe.event("checkout.session.completed", &id).await);
            let cards = shop.customer(ACCOUNT, Method::GET, "/payment-methods", None).await.expect(200);
            let brand = if card == "pm_card_visa" { "visa" } else { "mastercard" };
            let default = cards["data"].as_array().expect("a list").iter().find(|card| card["isDefault"] == true);
            assert_eq!(default.map(|card| card["brand"].clone()), Some(json!(brand)), "{cards}");
            // Stripe dates to the second.
            let second = shop.app.clock.now_ms() / 1_000;
            until("another second", async || Some(()).filter(|()| shop.app.clock.now_ms() / 1_000 > second)).await;
        }
        shop.app.deliver(&events[0]).await.expect(200);
        let cards = shop.customer(ACCOUNT, Method::GET, "/payment-methods", None).await.expect(200);
        assert_eq!((&cards["data"][0]["brand"], &cards["data"][0]["isDefault"]), (&json!("mastercard"), &json!(true)));
        shop.finish().await;
    }

    async fn a_customer_sees_chooses_and_removes_only_own_cards(backend: Backend) {
        let shop = Shop::open(backend).await;
        let (own, foreign) = (shop.card(ACCOUNT, "pm_card_visa").await, shop.card("user_2", "pm_card_visa").await);
        let ask = async |method, path: String, body| shop.customer(ACCOUNT, method, &path, body).await;
        let choose = |card: &str| Some(json!({ "paymentMethodId": card }));
        ask(Method::PUT, "/payment-methods/default".to_owned(), choose(&foreign)).await.expect_problem(404, "not_found");
        ask(Method::DELETE, format!("/payment-methods/{foreign}"), None).await.expect_problem(404, "not_found");
        shop.turn_on(ACCOUNT, json!({ "paymentMethodId": foreign })).await.expect_problem(409, "no_saved_card");
        let cards = ask(Method::PUT, "/payment-methods/default".to_owned(), choose(&own)).await.expect(200);
        assert_eq!((&cards["data"][0]["id"], &cards["data"][0]["isDefault"]), (&json!(own), &json!(true)));
        assert_eq!(ask(Method::DELETE, format!("/payment-methods/{own}"), None).await.status, 204);
        ask(Method::DELETE, format!("/payment-methods/{own}"), None).await.expect_problem(404, "not_found");
        let cards = ask(Method::GET, "/payment-methods".to_owned(), None).await.expect(200);
        assert_eq!(cards["data"], json!([]));
        // A server names the account.
        let cards = shop.ask(Method::GET, "/payment-methods?accountId=user_2", None).await.expect(200);
        assert_eq!(cards["data"][0]["id"], json!(foreign));
        shop.finish().await;
    }
}
