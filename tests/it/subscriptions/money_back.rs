//! Refunds and disputes of a subscription's payment take back what its invoice brought.

use secrecy::ExposeSecret;
use serde_json::json;
use topup::access::api_keys::{self, Scope};
use topup::domain::ids::{DisputeId, PaymentId, RefundId};
use topup::domain::reversal::{DisputeReport, RefundReport, RefundStatus};
use topup::purchases::outcome::EventOutcome;
use topup::system::{SystemClock, SystemIds};

use super::world::{BASIC, BASIC_CREDITS, STRIPE, Story, World};
use crate::on_both_databases;
use crate::support::app::http_client;

async fn subscribed(world: &World, name: &str) -> Story {
    let story = world.story(name).await;
    world.is(story.subscription(BASIC));
    // The second line is the fee.
    let lines = [(BASIC, 1_000, false, (0, 30)), ("price_fee", 61, false, (0, 30))];
    world.bills(story.invoice("first", "subscription_create", &lines));
    story
}

fn dispute(story: &Story, status: &str) -> DisputeReport {
    DisputeReport {
        stranger: None,
        id: DisputeId::parse(STRIPE, format!("du_{}_first", story.name)).expect("an id"),
        payment: PaymentId::parse(STRIPE, format!("pi_{}_first", story.name)).ok(),
        amount_minor: 1_061,
        currency: "usd".to_owned(),
        status: status.to_owned(),
        reason: None,
        evidence_due_seconds: None,
        movements: Vec::new(),
        livemode: false,
        created_seconds: story.start,
    }
}

on_both_databases! {
    async fn a_refund_takes_its_share_and_the_fee_counts_last(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = subscribed(&world, "refund").await;
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        assert_eq!(world.decide(&story.refund_event("half", "first", 500, "succeeded")).await, "settled");
        assert_eq!(world.balance(&story).await, 500);
        assert_eq!(world.decide(&story.refund_event("half", "first", 500, "succeeded")).await, "duplicate");
        // It failed in the end, so its credits come back.
        assert_eq!(world.decide(&story.refund_event("failed", "first", 500, "failed")).await, "settled");
        assert_eq!(world.balance(&story).await, BASIC_CREDITS);
        world.finish().await;
    }

    async fn a_full_refund_takes_what_it_gave_and_never_more(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = subscribed(&world, "full").await;
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        world.decide(&story.refund_event("all", "first", 1_061, "succeeded")).await;
        assert_eq!(world.balance(&story).await, 0);
        world.finish().await;
    }

    async fn what_was_spent_is_owed(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let scopes = [Scope::Spend];
        let key = api_keys::create(&world.app.db, &SystemIds, &SystemClock, "spender", &scopes, None).await;
        let key = key.expect("a key").secret;
        // Of the second and third account, most of what is taken comes from the period's own grant.
        for (name, spent) in [("most", 900), ("some", 400), ("little", 1)] {
            let story = subscribed(&world, name).await;
            world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
            let request = http_client()
                .post(format!("{}/accounts/user_{name}/credits/debits", world.service.url))
                .header("x-api-key", key.expose_secret())
                .header("idempotency-key", name)
                .json(&json!({ "credits": spent }));
            world.service.send(request).await.expect(200);
            world.decide(&story.refund_event("all", "first", 1_061, "succeeded")).await;
            assert_eq!(world.balance(&story).await, -spent);
            world.decide(&story.refund_event("failed", "first", 1_061, "failed")).await;
            assert_eq!(world.balance(&story).await, BASIC_CREDITS - spent, "all of it came back");
            world.disputes(dispute(&story, "needs_response"));
            world.decide(&story.dispute_event("lost", "first")).await;
            assert_eq!(world.balance(&story).await, -spent);
            world.disputes(dispute(&story, "won"));
            world.decide(&story.dispute_event("won", "first")).await;
            assert_eq!(world.balance(&story).await, BASIC_CREDITS - spent, "{name}");
        }
        world.finish().await;
    }

    async fn a_refund_before_its_invoice_is_not_forgotten(backend: Backend) {
        // Known mistake 23.
        let world = World::start(backend, "keep").await;
        let story = subscribed(&world, "early").await;
        // The invoice is fetched with the refund, whose own events come later.
        world.decide(&story.refund_event("all", "first", 1_061, "pending")).await;
        assert_eq!(world.balance(&story).await, 0);
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        assert_eq!(world.balance(&story).await, 0);
        world.finish().await;
    }

    async fn news_of_the_other_mode_brings_no_invoice(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = subscribed(&world, "live").await;
        let mut event = story.refund_event("live", "first", 500, "succeeded");
        event["livemode"] = json!(true);
        assert!(matches!(world.deliver(&event).await, Ok(EventOutcome::Foreign(_))));
        assert_eq!(world.balance(&story).await, 0, "nothing is booked");
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        assert!(matches!(world.deliver(&event).await, Ok(EventOutcome::Rejected(_))), "now it contradicts");
        assert_eq!(world.balance(&story).await, BASIC_CREDITS);
        world.finish().await;
    }

    async fn a_dispute_takes_back_and_a_won_one_returns(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = subscribed(&world, "dispute").await;
        world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        for (number, (status, expected)) in
            [("warning_needs_response", BASIC_CREDITS), ("needs_response", 0), ("won", BASIC_CREDITS), ("lost", 0)]
                .into_iter()
                .enumerate()
        {
            world.disputes(dispute(&story, status));
            world.decide(&story.dispute_event(&format!("d{number}"), "first")).await;
            assert_eq!(world.balance(&story).await, expected, "{status}");
        }
        world.finish().await;
    }

    async fn a_comparison_brings_what_no_event_has(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let (refunded, disputed) = (subscribed(&world, "listed").await, subscribed(&world, "contested").await);
        for story in [&refunded, &disputed] {
            world.decide(&story.invoice_event("first", "invoice.paid", false)).await;
        }
        // Of this one nothing is known, and its invoice was paid and half of it refunded.
        let unheard = subscribed(&world, "unheard").await;
        let refund = |story: &Story, status| RefundReport {
            stranger: None,
            id: RefundId::parse(STRIPE, format!("re_{}_first", story.name)).expect("an id"),
            payment: PaymentId::parse(STRIPE, format!("pi_{}_first", story.name)).ok(),
            amount_minor: 500,
            currency: "usd".to_owned(),
            status,
            reason: None,
            request: None,
        };
        for story in [&refunded, &unheard, &Story { name: "stranger".to_owned(), start: 0 }] {
            world.refunds(refund(story, RefundStatus::Succeeded));
        }
        world.disputes(dispute(&disputed, "needs_response"));
        assert_eq!(world.reconcile().await.1, 3, "a stranger's is not ours");
        for (story, expected) in [(&refunded, 500), (&unheard, 500), (&disputed, 0)] {
            assert_eq!(world.balance(story).await, expected, "{}", story.name);
        }
        assert_eq!(world.reconcile().await, (0, 0), "nothing is left to compare");
        world.refunds(refund(&refunded, RefundStatus::Failed));
        world.disputes(dispute(&disputed, "won"));
        assert_eq!(world.reconcile().await, (0, 2));
        for (story, expected) in [(&refunded, BASIC_CREDITS), (&unheard, 500), (&disputed, BASIC_CREDITS)] {
            assert_eq!(world.balance(story).await, expected, "{}", story.name);
        }
        world.finish().await;
    }

    async fn a_payment_of_something_else_is_not_ours(backend: Backend) {
        let world = World::start(backend, "keep").await;
        let story = world.story("else").await;
        let event = story.refund_event("r", "unknown", 5, "succeeded");
        assert!(matches!(world.deliver(&event).await, Ok(EventOutcome::Foreign(_))));
        world.finish().await;
    }
}
