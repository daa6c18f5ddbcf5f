//! What paid invoices bring, and how long it lasts.

use topup::domain::ids::SubscriptionId;
use topup::domain::period_credits::RENEWAL_MARGIN_MS;
use topup::domain::subscription::{InvoiceReport, InvoiceStatus};
use topup::purchases::outcome::EventOutcome;

use super::world::{BASIC, BASIC_CREDITS, DAY, PRO, PRO_CREDITS, STRIPE, Story, TRIAL_CREDITS, World};
use crate::on_both_databases;

on_both_databases! {
    async fn only_paid_invoices_of_our_plans_bring_credits(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("nothing").await;
        world.is(story.subscription(BASIC));
        let line = [(BASIC, 1_000, false, (0, 30))];
        for (name, invoice) in [
            ("open", InvoiceReport { status: InvoiceStatus::Open, ..story.invoice("open", "subscription_cycle", &line) }),
            ("draft", InvoiceReport { status: InvoiceStatus::Draft, ..story.invoice("draft", "subscription_cycle", &line) }),
            ("void", InvoiceReport { status: InvoiceStatus::Void, ..story.invoice("void", "subscription_cycle", &line) }),
            ("free", story.invoice("free", "subscription_create", &[(BASIC, 0, false, (0, 30))])),
            ("other", story.invoice("other", "subscription_cycle", &[("price_other", 1_000, false, (0, 30))])),
            ("part", story.invoice("part", "subscription_cycle", &[(BASIC, 1_000, true, (0, 30))])),
        ] {
            world.bills(invoice);
            world.decide(&story.invoice_event(name, "invoice.paid", false)).await;
            assert_eq!(world.balance(&story).await, 0, "{name}");
        }
        // An event about an invoice that bills another subscription says nothing about this one.
        let stranger = InvoiceReport { subscription: None, ..story.invoice("one-off", "manual", &line) };
        world.bills(stranger);
        world.decide(&story.invoice_event("one-off", "invoice.paid", false)).await;
        assert_eq!(world.balance(&story).await, 0);
        world.finish().await;
    }

    async fn what_is_not_ours_leaves_nothing(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let foreign = Story { name: "stranger".to_owned(), start: 0 };
        let event = foreign.invoice_event("first", "invoice.paid", false);
        assert!(matches!(world.deliver(&event).await, Ok(EventOutcome::Foreign(_))));
        assert_eq!(world.reads(), 0, "a stranger's customer costs no question");
        let story = world.story("other").await;
        world.is(story.subscription("price_other"));
        let event = story.subscription_event("created", "customer.subscription.created");
        assert!(matches!(world.deliver(&event).await, Ok(EventOutcome::Foreign(_))), "another product's price");
        let mut named = story.subscription(BASIC);
        named.account = Some("user_somebody".to_owned());
        world.is(named);
        assert!(matches!(world.deliver(&event).await, Ok(EventOutcome::Rejected(_))), "metadata names another account");
        let mut live = story.subscription(BASIC);
        live.livemode = true;
        world.is(live);
        assert!(matches!(world.deliver(&event).await, Ok(EventOutcome::Rejected(_))), "real money");
        assert!(world.app.db.subscriptions((i64::MAX, ""), 10).await.expect("readable").is_empty());
        world.finish().await;
    }

    async fn a_trial_is_given_once_to_an_account(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("trial").await;
        for (number, expected) in [(0, TRIAL_CREDITS), (1, TRIAL_CREDITS)] {
            let mut subscription = story.subscription(BASIC);
            subscription.id = SubscriptionId::parse(STRIPE, format!("sub_trial{number}")).expect("an id");
            subscription.trial_start_seconds = Some(story.start);
            let mut invoice = story.invoice(&format!("{number}"), "subscription_create", &[(BASIC, 0, false, (0, 14))]);
            invoice.subscription = Some(subscription.id.clone());
            world.is(subscription);
            world.bills(invoice);
            let mut event = story.invoice_event(&format!("{number}"), "invoice.paid", false);
            event["data"]["object"]["parent"]["subscription_details"]["subscription"] = format!("sub_trial{number}").into();
            world.decide(&event).await;
            assert_eq!(world.balance(&story).await, expected, "subscription {number}");
        }
        world.finish().await;
    }

    async fn what_is_left_ends_when_the_next_period_is_paid(backend: Backend) {
        let world = World::start(backend, "expire").await;
        let story = world.story("ends").await;
        world.is(story.subscription(BASIC));
        world.bills(story.invoice("first", "subscription_create", &[(BASIC, 1_000, false, (-30, 0))]));
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        assert_eq!(world.balance(&story).await, BASIC_CREDITS, "the renewal is an hour away");
        world.bills(story.invoice("second", "subscription_cycle", &[(BASIC, 1_000, false, (0, 30))]));
        world.decide(&story.invoice_event("second", "invoice.paid", false)).await;
        assert_eq!(world.balance(&story).await, BASIC_CREDITS, "the first period's have ended");
        world.service.clock.advance_ms(30 * DAY * 1_000 + RENEWAL_MARGIN_MS);
        assert_eq!(world.balance(&story).await, 0, "nobody renewed");
        world.finish().await;
    }

    async fn a_cap_keeps_as_many_as_it_says_in_either_order(backend: Backend) {
        let world = World::start(backend, "cap 300").await;
        for (name, order) in [("forth", ["first", "second"]), ("back", ["second", "first"])] {
            let story = world.story(name).await;
            world.is(story.subscription(BASIC));
            world.bills(story.invoice("first", "subscription_create", &[(BASIC, 1_000, false, (-30, 0))]));
            world.bills(story.invoice("second", "subscription_cycle", &[(BASIC, 1_000, false, (0, 30))]));
            for invoice in order {
                world.decide(&story.invoice_event(invoice, "invoice.paid", false)).await;
            }
            assert_eq!(world.balance(&story).await, BASIC_CREDITS + 300, "{name}");
        }
        world.finish().await;
    }

    async fn an_upgrade_brings_the_difference_and_a_downgrade_nothing(backend: Backend) {
        let world = World::start(backend, "expire").await;
        let story = world.story("upgrade").await;
        world.is(story.subscription(BASIC));
        world.bills(story.invoice("first", "subscription_create", &[(BASIC, 1_000, false, (0, 30))]));
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        world.is(story.subscription(PRO));
        let lines = [(BASIC, -900, true, (3, 30)), (PRO, 2_700, true, (3, 30))];
        world.bills(story.invoice("up", "subscription_update", &lines));
        world.decide(&story.invoice_event("up", "invoice.paid", false)).await;
        assert_eq!(world.balance(&story).await, PRO_CREDITS);
        let lines = [(PRO, -2_400, true, (6, 30)), (BASIC, 800, true, (6, 30))];
        world.bills(story.invoice("down", "subscription_update", &lines));
        world.decide(&story.invoice_event("down", "invoice.paid", false)).await;
        let lines = [(BASIC, -700, true, (9, 30)), (PRO, 2_100, true, (9, 30))];
        world.bills(story.invoice("again", "subscription_update", &lines));
        world.decide(&story.invoice_event("again", "invoice.paid", false)).await;
        assert_eq!(world.balance(&story).await, PRO_CREDITS, "the period has brought all of the better plan");
        world.finish().await;
    }
}
