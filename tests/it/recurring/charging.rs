//! Credits run low, and a card is charged: once.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{ACCOUNT, CREDITS, PAGE, Shop, THRESHOLD, TOTAL, options, text};
use crate::on_both_databases;
use crate::support::until;

on_both_databases! {
    async fn the_debit_that_leaves_too_few_credits_charges_the_card_once(backend: Backend) {
        let (shop, card) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        let receiver = shop.receiver().await;
        assert_eq!(shop.auto_topup(ACCOUNT).await["state"], "active");
        shop.spend(ACCOUNT, 100).await.expect(200);
        // 500 are the threshold, and not fewer.
        assert!(shop.charges().await.is_empty());
        shop.spend(ACCOUNT, 1).await.expect(200);
        let auto = shop.until_outcome("paid").await;
        assert_eq!((&auto["state"], &auto["reason"]), (&json!("active"), &json!(null)));
        assert_eq!((&auto["chargesToday"], &auto["chargedThisMonthMinor"]), (&json!(1), &json!(TOTAL)));
        let attempt = &auto["attempts"][0];
        assert_eq!((&attempt["cardBrand"], &attempt["cardLast4"]), (&json!("visa"), &json!("4242")));
        assert_eq!((&attempt["credits"], &attempt["totalAmount"]), (&json!(CREDITS), &json!(TOTAL)));
        assert_eq!(shop.app.credits(ACCOUNT).await, 499 + CREDITS);
        let charges = shop.charges().await;
        assert_eq!(charges.len(), 1, "{charges:?}");
        assert_eq!((&charges[0]["amount"], &charges[0]["payment_method"]), (&json!(TOTAL), &json!(card)));
        assert_eq!(charges[0]["metadata"]["topupId"], attempt["topupId"]);
        let told = receiver.wait_for("auto_topup.succeeded").await;
        assert_eq!((&told.body["data"]["topupId"], &told.body["data"]["totalAmount"]), (&attempt["topupId"], &json!(TOTAL)));
        // The next crossing is another purchase.
        shop.spend(ACCOUNT, 1_000).await.expect(200);
        until("a second purchase", async || Some(shop.paid_charges().await).filter(|count| *count == 2)).await;
        shop.finish().await;
    }

    async fn a_thousand_debits_at_once_lead_to_one_charge(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 2_500).await;
        let batches = (0..10).map(|batch| {
            let items: Vec<_> = (0..100)
                .map(|number| json!({ "key": format!("{batch}-{number}"), "accountId": ACCOUNT, "credits": 2 + number % 2 }))
                .collect();
            shop.ask(Method::POST, "/credits/debits/batch", Some(json!({ "items": items })))
        });
        let mut taken = 0;
        for answer in join_all(batches).await {
            let results = answer.expect(200);
            for result in results["results"].as_array().expect("a list") {
                taken += result["spend"]["credits"].as_i64().unwrap_or_default();
            }
        }
        assert!(taken > 2_500 - THRESHOLD, "{taken}");
        shop.until_auto("the end", |auto| {
            auto["state"] == "active" && auto["attempts"].as_array().is_some_and(|all| !all.is_empty())
                && auto["attempts"].as_array().is_some_and(|all| all.iter().all(|one| one["outcome"] == "paid"))
        })
        .await;
        let balance = shop.app.credits(ACCOUNT).await;
        assert_eq!((balance, shop.paid_charges().await), (2_500 - taken + CREDITS, 1));
        shop.finish().await;
    }

    async fn a_hold_that_leaves_too_few_credits_counts_and_its_capture_does_not_again(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        let path = format!("/accounts/{ACCOUNT}/credits/holds");
        let hold = shop.ask(Method::POST, &path, Some(json!({ "credits": 200 }))).await.expect(200);
        shop.until_outcome("paid").await;
        let path = format!("/credits/holds/{}/capture", text(&hold["id"]));
        shop.ask(Method::POST, &path, Some(json!({ "credits": 200 }))).await.expect(200);
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.paid_charges().await), (400 + CREDITS, 1));
        shop.finish().await;
    }

    async fn turning_it_on_with_too_few_credits_charges_at_once(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.card(ACCOUNT, "pm_card_visa").await;
        // The account has never had any.
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        shop.until_outcome("paid").await;
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.paid_charges().await), (CREDITS, 1));
        shop.finish().await;
    }

    async fn what_is_spent_during_a_charge_is_the_next_crossing(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        shop.app.stripe.fault(json!({ "method": "POST", "path": "/v1/payment_intents", "times": 1, "kind": "hold" })).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        shop.app.stripe.wait_for_holds(1).await;
        shop.spend(ACCOUNT, 400).await.expect(200);
        shop.app.stripe.release().await;
        // 0 and 1,000 are enough.
        shop.until_outcome("paid").await;
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.paid_charges().await), (CREDITS, 1));
        shop.app.stripe.fault(json!({ "method": "POST", "path": "/v1/payment_intents", "times": 1, "kind": "hold" })).await;
        shop.spend(ACCOUNT, 501).await.expect(200);
        shop.app.stripe.wait_for_holds(1).await;
        shop.spend(ACCOUNT, 499).await.expect(200);
        shop.app.stripe.release().await;
        until("a second", async || Some(shop.paid_charges().await).filter(|count| *count == 2)).await;
        shop.finish().await;
    }

    async fn an_event_that_comes_before_the_answer_credits_and_the_answer_does_not_again(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        // The charge is made, and its answer is lost.
        shop.app.stripe.fault(json!({
            "method": "POST", "path": "/v1/payment_intents", "times": 1, "kind": "disconnect", "when": "after"
        })).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        shop.until_outcome("paid").await;
        shop.app.stripe.idle().await;
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.paid_charges().await), (400 + CREDITS, 1));
        shop.finish().await;
    }

    async fn a_purchase_of_the_customers_own_settles_the_crossing(backend: Backend) {
        let (shop, card) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        shop.decline(&card, Some("insufficient_funds")).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        let auto = shop.until_auto("a pause", |auto| auto["state"] == "paused").await;
        assert_eq!(auto["reason"], "declined");
        let (_, event) = shop.app.pay_session(ACCOUNT, 1_000).await;
        shop.app.deliver(&event).await.expect(200);
        shop.decline(&card, None).await;
        shop.after_seconds(3_601);
        let auto = shop.until_auto("the end of the pause", |auto| auto["state"] == "active").await;
        assert_eq!(auto["attempts"].as_array().map(Vec::len), Some(1), "{auto}");
        assert_eq!(shop.paid_charges().await, 0);
        shop.finish().await;
    }

    async fn the_return_page_and_the_operator_see_an_automatic_purchase(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        let auto = shop.until_outcome("paid").await;
        let topup = text(&auto["attempts"][0]["topupId"]);
        let seen = shop.ask(Method::GET, &format!("/admin/topups/{topup}"), None).await.expect(200);
        assert_eq!((&seen["state"], &seen["totalAmount"]), (&json!("paid"), &json!(TOTAL)), "{seen}");
        let checked = shop.ask(Method::POST, &format!("/admin/topups/{topup}/check"), None).await.expect(200);
        assert_eq!(checked["outcome"], "already_paid", "{checked}");
        shop.finish().await;
    }
}

on_both_databases! {
    async fn a_charge_of_which_no_answer_and_no_event_came_is_found_by_the_reconciliation(backend: Backend) {
        let shop = Shop::open_with(backend, crate::support::Options { webhooks: false, ..options() }).await;
        shop.card(ACCOUNT, "pm_card_visa").await;
        shop.give(ACCOUNT, 600).await;
        shop.turn_on(ACCOUNT, json!({})).await.expect(200);
        shop.app.stripe.fault(json!({
            "method": "POST", "path": "/v1/payment_intents", "times": 4, "kind": "disconnect", "when": "after"
        })).await;
        shop.spend(ACCOUNT, 200).await.expect(200);
        until("all tries", async || {
            let requests = shop.app.stripe.requests().await;
            let calls = requests.iter().filter(|call| call["method"] == "POST" && call["path"] == "/v1/payment_intents");
            Some(calls.count()).filter(|count| *count == 4)
        })
        .await;
        assert_eq!(shop.app.credits(ACCOUNT).await, 400);
        let report = crate::reconcile::compare(&shop.app.app).await.report;
        assert_eq!(report.missing_credits_sum, CREDITS, "{report:?}");
        assert_eq!(shop.app.credits(ACCOUNT).await, 400 + CREDITS);
        shop.after_seconds(31);
        shop.until_outcome("paid").await;
        assert_eq!((shop.app.credits(ACCOUNT).await, shop.charges().await.len()), (400 + CREDITS, 1));
        shop.finish().await;
    }

    async fn turned_off_nothing_is_charged_and_the_rules_stay_to_be_seen(backend: Backend) {
        let (shop, _) = Shop::with_auto_topup(backend, "pm_card_visa", 600).await;
        let body = json!({ "enabled": false });
        let auto = shop.customer(ACCOUNT, Method::PUT, "/auto-topup", Some(body)).await.expect(200);
        assert_eq!((&auto["state"], &auto["rules"]["thresholdCredits"]), (&json!("off"), &json!(THRESHOLD)));
        shop.spend(ACCOUNT, 500).await.expect(200);
        topup::recurring::auto_topup::job::charge_due(&shop.app.app).await.expect("works");
        assert!(shop.charges().await.is_empty());
        // On again: 100 are too few already.
        shop.turn_on(ACCOUNT, json!({ "returnUrl": PAGE })).await.expect(200);
        shop.until_outcome("paid").await;
        shop.finish().await;
    }

    async fn a_card_from_abroad_pays_the_fee_that_is_charged_for_it(backend: Backend) {
        let rates = options().setting("FEE_CARD_RATES", "GB:2.5%,EEA:1.5%,other:4.4%").setting("FEE_RATE_PERCENT", "2.9");
        let shop = Shop::open_with(backend, rates).await;
        // (1000 + 30) / (1 − rate), rounded up.
        for (account, card, total) in
            [("at_home", "pm_card_visa", 1_078), ("british", "pm_card_gb", 1_057), ("german", "pm_card_de", 1_046)]
        {
            shop.card(account, card).await;
            shop.give(account, 600).await;
            // The price that the customer is shown before agreeing.
            let cards = shop.customer(account, Method::GET, "/payment-methods", None).await.expect(200);
            let country = text(&cards["data"][0]["country"]);
            let quote = shop.app.get(&format!("/credits/quote?credits={CREDITS}&cardCountry={country}")).await.expect(200);
            assert_eq!(quote["totalAmount"], total, "{quote}");
            let too_low = shop.turn_on(account, json!({ "maxPerMonthMinor": total - 1 })).await;
            assert_eq!(too_low.expect_problem(400, "invalid_request")["errors"][0]["field"], "maxPerMonthMinor");
            shop.turn_on(account, json!({ "maxPerMonthMinor": total })).await.expect(200);
            shop.spend(account, 101).await.expect(200);
            let paid = until("the charge", async || {
                let auto = shop.auto_topup(account).await;
                Some(auto["attempts"][0].clone()).filter(|attempt| attempt["outcome"] == "paid")
            });
            assert_eq!(paid.await["totalAmount"], total, "{account}");
            assert_eq!(shop.app.credits(account).await, 499 + CREDITS);
        }
        for wrong in ["USA", "", "1A", "%C3%BC"] {
            let answer = shop.app.get(&format!("/credits/quote?credits={CREDITS}&cardCountry={wrong}")).await;
            assert_eq!(answer.expect_problem(400, "invalid_request")["errors"][0]["field"], "cardCountry", "{wrong}");
        }
        // The page does not know which card will be used.
        let session = json!({ "credits": CREDITS, "successUrl": PAGE });
        shop.customer("german", Method::POST, "/credits/sessions", Some(session)).await.expect(200);
        let requests = shop.app.stripe.checkout_requests().await;
        assert_eq!(requests.last().expect("one")["params"]["line_items"]["1"]["price_data"]["unit_amount"], "61");
        shop.finish().await;
    }
}
