//! Subscriptions in the report of a month: the credits add up, and what is left of them is worth what was paid.

use serde_json::json;
use topup::exports::month::{Month, report_month};

use super::world::{BASIC, BASIC_CREDITS, TRIAL_CREDITS, World};
use crate::on_both_databases;

on_both_databases! {
    async fn a_month_has_the_credits_and_the_money_of_subscriptions(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let now_ms = world.app.clock.now_ms();
        let story = world.story("month").await;
        let mut trialed = story.subscription(BASIC);
        trialed.trial_start_seconds = Some(story.start);
        world.is(trialed);
        world.bills(story.invoice("trial", "subscription_create", &[(BASIC, 0, false, (0, 14))]));
        let lines = [(BASIC, 1_000, false, (14, 44)), ("price_fee", 61, false, (14, 44))];
        world.bills(story.invoice("first", "subscription_cycle", &lines));
        world.decide(&story.invoice_event("trial", "invoice.paid", false)).await;
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        world.decide(&story.refund_event("part", "first", 300, "succeeded")).await;
        let month = Month::of(now_ms).expect("a month");
        let report = report_month(&world.app.db, month, now_ms + 3_600_000).await.expect("a report");
        let left = BASIC_CREDITS - 300;
        assert_eq!((report.sold_credits, report.granted_credits), (BASIC_CREDITS, TRIAL_CREDITS));
        assert_eq!((report.refunded_credits, report.closing_credits), (300, left + TRIAL_CREDITS));
        assert_eq!(
            (json!(report.billed), json!(report.reversed), json!(report.closing_worth)),
            (
                json!([{ "currency": "usd", "invoices": 1, "creditsAmount": 1_000, "taxAmount": 0, "totalAmount": 1_061 }]),
                json!([{ "kind": "refund", "currency": "usd", "number": 1, "amount": 300 }]),
                json!([{ "currency": "usd", "amount": left }]),
            )
        );
        world.finish().await;
    }
}
