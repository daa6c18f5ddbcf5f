//! Limits of a day, of a month, and of all accounts together.

use serde_json::json;
use topup::recurring::auto_topup::job::charge_due;

use super::{ACCOUNT, CREDITS, Shop, TOTAL, options};
use crate::on_both_databases;
use crate::support::until;

/// Spends until the credits are low again.
async fn cross(shop: &Shop) {
    let balance = shop.app.credits(ACCOUNT).await;
    shop.spend(ACCOUNT, balance - 400).await.expect(200);
}

on_both_databases! {
    async fn after_the_most_charges_of_a_day_the_next_one_is_made_tomorrow(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.card(ACCOUNT, "pm_card_visa").await;
        shop.give(ACCOUNT, 600).await;
        shop.turn_on(ACCOUNT, json!({ "maxPerDay": 2 })).await.expect(200);
        let receiver = shop.receiver().await;
        for count in 1..=2 {
            cross(&shop).await;
            until("a charge", async || Some(shop.paid_charges().await).filter(|made| *made == count)).await;
            shop.until_auto("its end", |auto| auto["attempts"][0]["outcome"] == "paid" && auto["chargesToday"] == count).await;
        }
        cross(&shop).await;
        let auto = shop.until_auto("the limit", |auto| auto["state"] == "paused").await;
        assert_eq!(auto["reason"], "daily_limit");
        let told = receiver.wait_for("auto_topup.paused").await;
        assert_eq!((&told.body["data"]["reason"], &told.body["data"]["resumesAt"]), (&json!("daily_limit"), &auto["resumesAt"]));
        charge_due(&shop.app.app).await.expect("works");
        assert_eq!(shop.paid_charges().await, 2);
        shop.after_seconds(86_400);
        until("tomorrow's charge", async || Some(shop.paid_charges().await).filter(|made| *made == 3)).await;
        shop.until_auto("its end", |auto| auto["state"] == "active").await;
        shop.finish().await;
    }

    async fn no_charge_exceeds_what_a_month_allows(backend: Backend) {
        let shop = Shop::open(backend).await;
        shop.card(ACCOUNT, "pm_card_visa").await;
        shop.give(ACCOUNT, 600).await;
        let too_low = shop.turn_on(ACCOUNT, json!({ "maxPerMonthMinor": TOTAL - 1 })).await.expect_problem(400, "invalid_request");
        assert_eq!(too_low["errors"][0]["field"], "maxPerMonthMinor");
        shop.turn_on(ACCOUNT, json!({ "maxPerMonthMinor": 2 * TOTAL - 1 })).await.expect(200);
        cross(&shop).await;
        shop.until_outcome("paid").await;
        cross(&shop).await;
        let auto = shop.until_auto("the limit", |auto| auto["state"] == "paused").await;
        assert_eq!((&auto["reason"], &auto["chargedThisMonthMinor"]), (&json!("monthly_limit"), &json!(TOTAL)));
        shop.after_seconds(2 * 86_400);
        charge_due(&shop.app.app).await.expect("works");
        let days = 32 * 86_400;
        shop.after_seconds(days);
        until("next month's charge", async || Some(shop.paid_charges().await).filter(|made| *made == 2)).await;
        shop.until_auto("its end", |auto| auto["state"] == "active").await;
        assert_eq!(shop.app.credits(ACCOUNT).await, 400 + CREDITS);
        shop.finish().await;
    }

    async fn all_accounts_together_are_charged_so_often_in_an_hour(backend: Backend) {
        let shop = Shop::open_with(backend, options().setting("AUTO_TOPUPS_PER_HOUR", "2")).await;
        for number in 1..=3 {
            let account = format!("user_{number}");
            shop.card(&account, "pm_card_visa").await;
            shop.give(&account, 600).await;
            shop.turn_on(&account, json!({})).await.expect(200);
        }
        for number in 1..=2 {
            shop.spend(&format!("user_{number}"), 200).await.expect(200);
            until("a charge", async || Some(shop.paid_charges().await).filter(|made| *made == number)).await;
        }
        shop.spend("user_3", 200).await.expect(200);
        charge_due(&shop.app.app).await.expect("works");
        shop.after_seconds(120);
        charge_due(&shop.app.app).await.expect("works");
        assert_eq!(shop.paid_charges().await, 2, "it waits");
        shop.after_seconds(3_600);
        until("its turn", async || Some(shop.paid_charges().await).filter(|made| *made == 3)).await;
        until("its end", async || {
            Some(shop.auto_topup("user_3").await).filter(|auto| auto["attempts"][0]["outcome"] == "paid")
        })
        .await;
        shop.finish().await;
    }
}
