//! The states of a subscription, what the product is told of them, and what they entitle to.

use topup::domain::account::AccountId;
use topup::domain::ids::SubscriptionId;
use topup::domain::subscription::{InvoiceReport, InvoiceStatus, SubscriptionReport, SubscriptionStatus};
use topup::subscriptions::entitlement::entitlement;

use super::world::{BASIC, DAY, PRO, STRIPE, Story, World};
use crate::on_both_databases;

async fn entitled(world: &World, story: &Story) -> (bool, Option<i64>) {
    let account = AccountId::parse(format!("user_{}", story.name)).expect("an account");
    let found = entitlement(&world.app, &account).await.expect("readable");
    (found.is_entitled, found.grace_until_ms)
}

on_both_databases! {
    async fn each_change_is_told_once(backend: Backend) {
        let world = World::start(backend, "keep").await;
        world.listen().await;
        let story = world.story("told").await;
        let changed = |number: u32| story.subscription_event(&format!("e{number}"), "customer.subscription.updated");
        let trialing = SubscriptionReport {
            status: SubscriptionStatus::Trialing,
            trial_start_seconds: Some(story.start),
            trial_end_seconds: Some(story.start + 14 * DAY),
            ..story.subscription(BASIC)
        };
        world.is(trialing.clone());
        world.decide(&changed(1)).await;
        world.decide(&story.subscription_event("ends", "customer.subscription.trial_will_end")).await;
        world.decide(&story.subscription_event("ends2", "customer.subscription.trial_will_end")).await;
        world.is(story.subscription(BASIC));
        world.decide(&changed(2)).await;
        world.bills(story.invoice("renewal", "subscription_cycle", &[(BASIC, 1_000, false, (14, 44))]));
        world.decide(&story.invoice_event("renewal", "invoice.paid", false)).await;
        world.decide(&story.invoice_event("renewal", "invoice.updated", false)).await;
        world.is(story.subscription(PRO));
        world.decide(&changed(3)).await;
        let ends = SubscriptionReport { cancel_at_seconds: Some(story.start + 44 * DAY), ..story.subscription(PRO) };
        world.is(ends.clone());
        world.decide(&changed(4)).await;
        world.decide(&changed(5)).await;
        world.is(story.subscription(PRO));
        world.decide(&changed(6)).await;
        world.is(SubscriptionReport {
            status: SubscriptionStatus::Canceled,
            ended_at_seconds: Some(story.start + DAY),
            cancel_reason: Some("cancellation_requested".to_owned()),
            ..story.subscription(PRO)
        });
        world.decide(&story.subscription_event("gone", "customer.subscription.deleted")).await;
        let told = world.told(&story).await;
        let told: Vec<&str> = told.iter().map(String::as_str).filter(|name| name.starts_with("subscription.")).collect();
        assert_eq!(
            told,
            [
                "subscription.started",
                "subscription.trial_ending",
                "subscription.renewed",
                "subscription.changed",
                "subscription.canceling",
                "subscription.changed",
                "subscription.ended",
            ]
        );
        world.finish().await;
    }

    async fn a_failed_attempt_is_told_once_whichever_event_comes_first(backend: Backend) {
        let world = World::start(backend, "keep").await;
        world.listen().await;
        for (name, order) in [
            ("failed", ["invoice.payment_failed", "invoice.payment_action_required"]),
            ("action", ["invoice.payment_action_required", "invoice.payment_failed"]),
        ] {
            let story = world.story(name).await;
            let past_due = SubscriptionReport { status: SubscriptionStatus::PastDue, ..story.subscription(BASIC) };
            world.is(past_due);
            world.waits(&format!("in_{name}_due"));
            let due = InvoiceReport {
                status: InvoiceStatus::Open,
                attempts: 1,
                next_attempt_seconds: Some(story.start + 3 * DAY),
                ..story.invoice("due", "subscription_cycle", &[(BASIC, 1_000, false, (0, 30))])
            };
            world.bills(due.clone());
            for event_type in order {
                world.decide(&story.invoice_event("due", event_type, false)).await;
            }
            assert_eq!(world.told(&story).await, ["subscription.action_required"], "{name}");
            world.bills(InvoiceReport { attempts: 2, ..due });
            let mut again = story.invoice_event("due", "invoice.payment_failed", false);
            again["id"] = format!("evt_{name}_again").into();
            world.decide(&again).await;
            assert_eq!(world.told(&story).await.len(), 2, "another attempt is another notice");
        }
        world.finish().await;
    }

    async fn what_is_past_due_entitles_until_its_grace_is_over(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("grace").await;
        assert_eq!(entitled(&world, &story).await, (false, None), "no subscription");
        world.is(story.subscription(BASIC));
        world.decide(&story.subscription_event("a", "customer.subscription.created")).await;
        assert_eq!(entitled(&world, &story).await, (true, None));
        world.is(SubscriptionReport { status: SubscriptionStatus::PastDue, ..story.subscription(BASIC) });
        world.decide(&story.subscription_event("b", "customer.subscription.updated")).await;
        // The unpaid period began with the story.
        let until = (story.start + 3 * DAY) * 1_000;
        assert_eq!(entitled(&world, &story).await, (true, Some(until)));
        world.service.clock.advance_ms(3 * DAY * 1_000);
        assert_eq!(entitled(&world, &story).await, (false, Some(until)));
        world.is(story.subscription(BASIC));
        world.decide(&story.subscription_event("c", "customer.subscription.updated")).await;
        assert_eq!(entitled(&world, &story).await, (true, None), "it recovered");
        world.finish().await;
    }

    async fn a_second_subscription_is_shown_until_one_ends(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("twice").await;
        let other = |status| SubscriptionReport {
            id: SubscriptionId::parse(STRIPE, "sub_second").expect("an id"),
            status,
            ..story.subscription(PRO)
        };
        let mut about_other = story.subscription_event("second", "customer.subscription.created");
        about_other["data"]["object"]["id"] = "sub_second".into();
        world.is(story.subscription(BASIC));
        world.decide(&story.subscription_event("first", "customer.subscription.created")).await;
        let extra = async || world.app.db.extra_subscriptions(10).await.expect("readable").len();
        assert_eq!(extra().await, 0);
        world.is(other(SubscriptionStatus::Active));
        world.decide(&about_other).await;
        assert_eq!(extra().await, 1);
        world.is(other(SubscriptionStatus::Canceled));
        about_other["id"] = "evt_ended".into();
        world.decide(&about_other).await;
        assert_eq!(extra().await, 0);
        world.finish().await;
    }
}
