//! Events come in any order, twice, late, or not at all. What an account gets in the end is what was paid.

use serde_json::Value;
use topup::domain::subscription::{SubscriptionReport, SubscriptionStatus};

use super::world::{BASIC, BASIC_CREDITS, DAY, PRO, PRO_CREDITS, Story, TRIAL_CREDITS, World};
use crate::on_both_databases;

/// Every order of a few things.
fn orders<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    if things.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (number, first) in things.iter().enumerate() {
        let mut rest = things.to_vec();
        rest.remove(number);
        for order in orders(&rest) {
            all.push([vec![first.clone()], order].concat());
        }
    }
    all
}

/// A trial, its first paid period, an upgrade in the middle of it, and the next period.
fn tell_all(world: &World, story: &Story) {
    let mut subscription = story.subscription(PRO);
    subscription.trial_start_seconds = Some(story.start);
    subscription.trial_end_seconds = Some(story.start + 14 * DAY);
    world.is(subscription);
    world.bills(story.invoice("trial", "subscription_create", &[(BASIC, 0, false, (0, 14))]));
    world.bills(story.invoice("first", "subscription_cycle", &[(BASIC, 1_000, false, (14, 44))]));
    let upgrade = [(BASIC, -500, true, (29, 44)), (PRO, 1_500, true, (29, 44))];
    world.bills(story.invoice("upgrade", "subscription_update", &upgrade));
    world.bills(story.invoice("second", "subscription_cycle", &[(PRO, 3_000, false, (44, 74))]));
}

const ALL: i64 = TRIAL_CREDITS + PRO_CREDITS + PRO_CREDITS;

fn events(story: &Story) -> Vec<Value> {
    let paid = |name, is_old| story.invoice_event(name, "invoice.paid", is_old);
    // Rendered in versions before and after basil.
    vec![paid("trial", true), paid("first", false), paid("upgrade", true), paid("second", false)]
}

on_both_databases! {
    async fn in_every_order_the_same_credits_come(backend: Backend) {
        let world = World::start(backend, "keep").await;
        for (number, order) in orders(&[0, 1, 2, 3]).into_iter().enumerate() {
            let story = world.story(&format!("order{number}")).await;
            tell_all(&world, &story);
            let events = events(&story);
            for event in &order {
                world.decide(&events[*event]).await;
                // Each comes twice.
                assert_eq!(world.decide(&events[*event]).await, "duplicate", "{order:?}");
            }
            world.decide(&story.subscription_event("end", "customer.subscription.updated")).await;
            assert_eq!(world.balance(&story).await, ALL, "{order:?}");
        }
        world.finish().await;
    }

    async fn what_is_dropped_is_made_good_by_one_comparison(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let mut expected = 0;
        for kept in 0..16_usize {
            let story = world.story(&format!("dropped{kept}")).await;
            tell_all(&world, &story);
            for (number, event) in events(&story).iter().enumerate() {
                if kept & (1 << number) != 0 {
                    world.decide(event).await;
                }
            }
            expected += ALL - world.balance(&story).await;
        }
        let (credits, found) = world.reconcile().await;
        assert_eq!(credits, expected);
        assert!(found > 16, "{found}");
        for kept in 0..16 {
            let story = Story { name: format!("dropped{kept}"), start: 0 };
            assert_eq!(world.balance(&story).await, ALL, "{kept:04b}");
        }
        assert_eq!(world.reconcile().await, (0, 0), "nothing is left to compare");
        world.finish().await;
    }

    async fn a_reissued_invoice_and_another_event_of_it_bring_nothing_more(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("reissued").await;
        world.is(story.subscription(BASIC));
        for name in ["first", "again"] {
            world.bills(story.invoice(name, "subscription_cycle", &[(BASIC, 1_000, false, (0, 30))]));
            world.decide(&story.invoice_event(name, "invoice.paid", false)).await;
            world.decide(&story.invoice_event(name, "invoice.updated", false)).await;
        }
        assert_eq!(world.balance(&story).await, BASIC_CREDITS);
        world.finish().await;
    }

    async fn deliveries_at_once_bring_a_period_once(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("crowd").await;
        world.is(story.subscription(BASIC));
        world.bills(story.invoice("first", "subscription_create", &[(BASIC, 1_000, false, (0, 30))]));
        let mut events: Vec<Value> = ["invoice.paid", "invoice.updated", "invoice.paid"]
            .into_iter()
            .map(|event_type| story.invoice_event("first", event_type, false))
            .collect();
        events.push(story.subscription_event("created", "customer.subscription.created"));
        events.push(story.subscription_event("updated", "customer.subscription.updated"));
        // A delivery that others overtake too often is delivered again.
        let outcomes = futures_util::future::join_all(events.iter().map(|event| world.deliver(event))).await;
        for (event, outcome) in events.iter().zip(outcomes) {
            if outcome.is_err() {
                world.decide(event).await;
            }
        }
        assert_eq!(world.balance(&story).await, BASIC_CREDITS);
        world.finish().await;
    }

    async fn of_two_trials_at_once_one_brings_credits_and_both_are_seen(backend: Backend) {
        let world = World::start(backend, "keep").await;
        for number in 0..10 {
            let story = world.story(&format!("two{number}")).await;
            let other = Story { name: format!("other{number}"), ..story.clone() };
            let events = [&story, &other].map(|of| {
                let mut event = of.invoice_event("trial", "invoice.paid", false);
                event["data"]["object"]["customer"] = format!("cus_{}", story.name).into();
                world.is(SubscriptionReport {
                    id: of.subscription(BASIC).id,
                    status: SubscriptionStatus::Trialing,
                    trial_start_seconds: Some(story.start),
                    trial_end_seconds: Some(story.start + 14 * DAY),
                    ..story.subscription(BASIC)
                });
                world.bills(of.invoice("trial", "subscription_create", &[(BASIC, 0, false, (0, 14))]));
                event
            });
            let (one, two) = futures_util::future::join(world.deliver(&events[0]), world.deliver(&events[1])).await;
            assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
            assert_eq!(world.balance(&story).await, TRIAL_CREDITS, "an account tries once");
        }
        assert_eq!(world.app.db.extra_subscriptions(100).await.expect("readable").len(), 10, "one of each two");
        world.finish().await;
    }

    async fn a_provider_that_does_not_answer_makes_the_event_come_again(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("silent").await;
        world.is(story.subscription(BASIC));
        world.bills(story.invoice("first", "subscription_create", &[(BASIC, 1_000, false, (0, 30))]));
        let event = story.invoice_event("first", "invoice.paid", false);
        world.fails(1);
        world.deliver(&event).await.expect_err("not decided");
        assert_eq!((world.balance(&story).await, world.app.db.open_failures().await.expect("readable").transient), (0, 1));
        assert_eq!(world.decide(&event).await, "period_credited");
        assert_eq!(world.app.db.open_failures().await.expect("readable").transient, 0, "it is resolved");
        world.finish().await;
    }
}
