//! Every way in which a bank declines: the payment is cancelled, and what happens next follows from the bank's words.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, CREDITS, PAGE, Shop, text};
use crate::on_both_databases;
use crate::support::until;

/// The first two charges of an account with this card. Returns the shop and the auto top-up afterwards.
async fn decline(backend: crate::support::Backend, code: &str) -> (Shop, String, Value) {
    let (shop, card) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
    shop.decline(&card, Some(code)).await;
    shop.spend(ACCOUNT, 200).await.expect(200);
    let auto = shop.until_outcome("declined").await;
    (shop, card, auto)
}

async fn assert_cancelled(shop: &Shop, count: usize) {
    let charges = shop.charges().await;
    assert_eq!(charges.len(), count, "{charges:?}");
    for charge in charges {
        assert_eq!(charge["status"], "canceled", "an open payment can still be paid: {charge}");
    }
}

on_both_databases! {
    async fn a_temporary_decline_is_tried_again_after_1_6_and_24_hours_and_then_no_more(backend: Backend) {
        let (shop, card, auto) = decline(backend, "insufficient_funds").await;
        let receiver = shop.receiver().await;
        assert_eq!((&auto["state"], &auto["reason"]), (&json!("paused"), &json!("declined")));
        assert_eq!(auto["attempts"][0]["code"], "insufficient_funds");
        assert_cancelled(&shop, 1).await;
        for (count, hours) in [(2, 1), (3, 6), (4, 24)] {
            shop.after_seconds(hours * 3_600 - 60);
            topup::recurring::auto_topup::job::charge_due(&shop.app.app).await.expect("works");
            assert_eq!(shop.charges().await.len(), count - 1, "too early");
            shop.after_seconds(120);
            until("another try", async || Some(shop.charges().await.len()).filter(|made| *made == count)).await;
            shop.until_auto("its end", |auto| {
                auto["attempts"].as_array().is_some_and(|all| all.len() == count && all[0]["outcome"] == "declined")
            })
            .await;
        }
        let auto = shop.auto_topup(ACCOUNT).await;
        assert_eq!((&auto["state"], &auto["reason"], &auto["resumesAt"]), (&json!("paused"), &json!("card_declined"), &json!(null)));
        assert_cancelled(&shop, 4).await;
        let told = receiver.wait_for("auto_topup.paused").await;
        assert_eq!((&told.body["data"]["reason"], &told.body["data"]["resumesAt"]), (&json!("card_declined"), &json!(null)));
        let failed = receiver.wait_for("auto_topup.failed").await;
        assert_eq!(failed.body["data"]["declineCode"], "insufficient_funds");
        // Nothing more, whatever is spent.
        shop.after_seconds(10 * 86_400);
        shop.spend(ACCOUNT, 1).await.expect(200);
        topup::recurring::auto_topup::job::charge_due(&shop.app.app).await.expect("works");
        assert_eq!(shop.charges().await.len(), 4);
        // The customer turns it on again with a card that works.
        shop.decline(&card, None).await;
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        shop.until_outcome("paid").await;
        assert_eq!(shop.paid_charges().await, 1);
        shop.finish().await;
    }

    async fn a_decline_for_good_pauses_at_once(backend: Backend) {
        for (code, shown) in [
            ("lost_card", "generic_decline"),
            ("stolen_card", "generic_decline"),
            ("pickup_card", "generic_decline"),
            ("fraudulent", "generic_decline"),
            ("expired_card", "expired_card"),
            ("transaction_not_allowed", "transaction_not_allowed"),
            ("revocation_of_authorization", "revocation_of_authorization"),
            ("revocation_of_all_authorizations", "revocation_of_all_authorizations"),
        ] {
            let (shop, _, auto) = decline(backend, code).await;
            assert_eq!((&auto["state"], &auto["reason"]), (&json!("paused"), &json!("card_declined")), "{code}");
            assert_eq!((&auto["resumesAt"], &auto["attempts"][0]["code"]), (&json!(null), &json!(shown)), "{code}");
            assert_cancelled(&shop, 1).await;
            assert_eq!(shop.app.credits(ACCOUNT).await, 400);
            shop.finish().await;
        }
    }

    async fn a_decline_without_advice_is_temporary(backend: Backend) {
        for code in ["generic_decline", "do_not_honor", "processing_error", "try_again_later", "duplicate_transaction", "card_velocity_exceeded"] {
            let (shop, _, auto) = decline(backend, code).await;
            assert_eq!((&auto["state"], &auto["reason"]), (&json!("paused"), &json!("declined")), "{code}");
            assert!(auto["resumesAt"].is_string(), "{code}");
            assert_cancelled(&shop, 1).await;
            shop.finish().await;
        }
    }

    async fn a_card_that_always_fails_and_one_that_must_be_confirmed_are_stripes_test_cards(backend: Backend) {
        for (card, reason) in [("pm_card_chargeCustomerFail", "declined"), ("pm_card_authenticationRequired", "authentication_required")] {
            let (shop, _) = Shop::with_auto_topup(backend, card, 600).await;
            shop.spend(ACCOUNT, 200).await.expect(200);
            let auto = shop.until_outcome("declined").await;
            assert_eq!((&auto["state"], &auto["reason"]), (&json!("paused"), &json!(reason)), "{card}");
            assert_cancelled(&shop, 1).await;
            shop.finish().await;
        }
    }

    async fn a_customer_confirms_a_payment_on_a_page_and_it_goes_on(backend: Backend) {
        let (shop, card) = Shop::with_auto_topup(backend, "pm_card_authenticationRequired", 600).await;
        let receiver = shop.receiver().await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        let auto = shop.until_auto("a page", |auto| auto["action"]["url"].is_string()).await;
        assert_eq!((&auto["state"], &auto["reason"]), (&json!("paused"), &json!("authentication_required")));
        let told = receiver.wait_for("auto_topup.action_required").await;
        assert_eq!(told.body["data"]["url"], auto["action"]["url"]);
        // Whoever asks gets the same page.
        let page = shop.recovery_page().await;
        assert_eq!(page["url"], auto["action"]["url"]);
        // No charge meanwhile.
        shop.spend(ACCOUNT, 100).await.expect(200);
        topup::recurring::auto_topup::job::charge_due(&shop.app.app).await.expect("works");
        assert_eq!(shop.charges().await.len(), 1);
        let (status, paid) = shop.app.stripe.pay(&text(&page["id"]), "pm_card_visa").await;
        assert_eq!(status, 200, "{paid}");
        let auto = shop.until_auto("that it goes on", |auto| auto["state"] == "active").await;
        assert_eq!(auto["reason"], json!(null));
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.paid_charges().await), (300 + CREDITS, 0));
        // The card of the page is charged from now on.
        shop.spend(ACCOUNT, 1_000).await.expect(200);
        shop.until_outcome("paid").await;
        let charges = shop.charges().await;
        let paid = charges.iter().find(|charge| charge["status"] == "succeeded").expect("one");
        assert_ne!(paid["payment_method"], json!(card));
        assert_eq!(shop.paid_charges().await, 1);
        let body = json!({ "successUrl": PAGE });
        let none = shop.customer(ACCOUNT, Method::POST, "/auto-topup/recovery", Some(body)).await;
        none.expect_problem(409, "recovery_not_needed");
        shop.finish().await;
    }

    /// Turning it on again and again tests no cards.
    async fn however_often_it_is_turned_on_a_card_is_declined_four_times_a_day(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_chargeCustomerFail", 400).await;
        for charges in 1..=4 {
            shop.until_auto("a decline", |auto| auto["reason"] == "declined").await;
            assert_eq!(shop.charges().await.len(), charges);
            shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        }
        let auto = shop.until_auto("the end", |auto| auto["reason"] == "card_declined").await;
        assert_eq!((&auto["resumesAt"], shop.charges().await.len()), (&json!(null), 4));
        shop.app.clock.advance_ms(86_400_001);
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        shop.until_auto("another decline", |auto| auto["reason"] == "declined").await;
        assert_eq!(shop.charges().await.len(), 5);
        shop.finish().await;
    }

    /// Who pays on the page and turns it on again pays once.
    async fn nothing_is_charged_while_the_customer_may_pay_on_a_page(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_authenticationRequired", 400).await;
        let auto = shop.until_auto("a page", |auto| auto["action"]["url"].is_string()).await;
        let page = shop.recovery_page().await;
        assert_eq!(page["url"], auto["action"]["url"]);
        // Another card, and a new consent, while the page is open.
        let other = shop.card(ACCOUNT, "pm_card_visa").await;
        shop.turn_on(ACCOUNT, json!({ "paymentMethodId": other })).await.expect(200);
        topup::recurring::auto_topup::job::charge_due(&shop.app.app).await.expect("works");
        assert_eq!(shop.charges().await.len(), 1);
        let (status, paid) = shop.app.stripe.pay(&text(&page["id"]), "pm_card_visa").await;
        assert_eq!(status, 200, "{paid}");
        shop.app.clock.advance_ms(61_000);
        // The service's own job may be the one that asks for the page.
        topup::recurring::auto_topup::job::charge_due(&shop.app.app).await.expect("works");
        until("the page's credits", async || (shop.app.credits(ACCOUNT).await == 400 + CREDITS).then_some(())).await;
        assert_eq!(shop.paid_charges().await, 0);
        // Then it goes on with the card that was chosen.
        shop.spend(ACCOUNT, 1_000).await.expect(200);
        shop.until_outcome("paid").await;
        assert_eq!(shop.paid_charges().await, 1);
        shop.finish().await;
    }

    async fn of_two_pages_that_are_asked_for_at_once_one_is_handed_out(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_authenticationRequired", 400).await;
        let auto = shop.until_auto("a page", |auto| auto["action"]["url"].is_string()).await;
        let ended = auto["action"]["url"].clone();
        // The first page ends.
        let session = text(&shop.recovery_page().await["id"]);
        let (status, body) = shop.app.stripe.post(&format!("/v1/checkout/sessions/{session}/expire"), &[]).await;
        assert_eq!(status, 200, "{body}");
        let path = format!("/admin/topups?accountId={ACCOUNT}&state=expired");
        until("its end", async || {
            let list = shop.ask(Method::GET, &path, None).await.expect(200);
            (list["data"].as_array().is_some_and(|list| !list.is_empty())).then_some(())
        })
        .await;
        let ask = async || shop.recovery_page().await["url"].clone();
        let urls = futures_util::future::join_all((0..6).map(|_| ask())).await;
        assert!(urls.iter().all(|url| *url == urls[0] && *url != ended), "{urls:?}");
        shop.finish().await;
    }
}
