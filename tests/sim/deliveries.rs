//! Webhook deliveries, real and forged: one by one, several at once, one overtaken by others. Answering 200 is a
//! promise.

use std::collections::VecDeque;

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use topup::ports::Clock;

use super::calls::{Outcome, Plan, Waiting};
use super::network::Delivery;
use super::process::{Answer, Ended, Fate};
use super::spending::SETTLING;
use super::truth::{Event, Session, Truth};
use super::world::{WEBHOOK_SECRET, World};

/// The event types whose handlers write without a request to Stripe first.
const BURST_TYPES: [&str; 4] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.expired",
    "payment_intent.payment_failed",
];

/// The dispute event types.
const DISPUTE_TYPES: [&str; 5] = [
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

/// A delivery that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub(super) delivery: Delivery,
    told: Event,
    was_decided: bool,
    /// The progress of its disputes when it was sent, because the service reads their state from Stripe.
    at_start: Vec<(String, usize)>,
}

impl World {
    /// Stripe delivers an event.
    pub(super) fn deliver(&mut self) -> Result<(), String> {
        let now_ms = self.clock.now_ms();
        let Some(delivery) = self.network.next(&mut self.rng, now_ms) else {
            self.note("idle", "nothing to deliver");
            return Ok(());
        };
        let plan = self.plan();
        self.send(delivery, plan)
    }

    pub(super) fn send(&mut self, delivery: Delivery, plan: Plan) -> Result<(), String> {
        let (sent, request) = self.prepare(delivery);
        let outcome = self.serve_with(request, plan);
        self.delivered(sent, outcome)
    }

    /// Signs an event and records the state before it is sent.
    fn prepare(&self, delivery: Delivery) -> (Sent, TestRequest) {
        let (sent, body) = {
            let stripe = self.stripe.lock();
            let told = stripe.truth.events[delivery.event].clone();
            let body = delivery.body(&stripe.model, &told.id);
            let disputes = told.reversals.iter().filter(|(id, _)| stripe.truth.reversals[id].is_dispute);
            let at_start = disputes.map(|(id, _)| (id.clone(), stripe.truth.reversals[id].states.len() - 1)).collect();
            let was_decided = self.books.events.contains(&delivery.id);
            (Sent { delivery, told, was_decided, at_start }, body)
        };
        let header = stripe_sandbox::sign(WEBHOOK_SECRET, self.clock.now_ms() / 1_000, body.as_bytes());
        (sent, webhook(&header, body))
    }

    /// Several simultaneous deliveries, which share a commit. Only event types that need no request to Stripe, so that
    /// their order is always the same.
    pub(super) fn burst(&mut self) -> Result<(), String> {
        let now_ms = self.clock.now_ms();
        let deliveries = self.network.take(&self.stripe.lock().truth, &BURST_TYPES, 6, now_ms);
        if deliveries.is_empty() {
            self.note("idle", "nothing for a burst");
            return Ok(());
        }
        let fate = if self.rng.percent(30) { self.death() } else { Fate::Nothing };
        let (sent, requests): (Vec<_>, Vec<_>) = deliveries.into_iter().map(|each| self.prepare(each)).unzip();
        let before = self.observer.look().clone();
        let ended = self.process.serve_all(requests, fate);
        self.note("burst", &format!("{} deliveries", sent.len()));
        match ended {
            Ended::Answered(answers) => {
                for (sent, answer) in sent.into_iter().zip(answers) {
                    self.note("webhook", &format!("{} {} {}", sent.delivery.id, sent.told.kind, answer.status));
                    if answer.status >= 500 && self.process.has_bad_disk() {
                        self.count("failed_with_the_disk");
                        self.send_again(sent.delivery);
                        continue;
                    }
                    if answer.status != 200 {
                        return Err(format!("{} in a burst was answered with {}", sent.delivery.id, answer.body));
                    }
                    self.promise(&sent);
                }
                Ok(())
            }
            Ended::Died { committed } => {
                self.died();
                self.note("webhook", &format!("a burst dies, committed: {committed}"));
                for sent in sent {
                    self.send_again(sent.delivery);
                }
                if committed { Ok(()) } else { self.unchanged(&before, &[], "a burst that died before its commit") }
            }
            Ended::Suspended => Err("nothing was to be suspended".to_owned()),
        }
    }

    pub(super) fn delivered(&mut self, sent: Sent, outcome: Outcome) -> Result<(), String> {
        let about = format!("{} {} {}", sent.delivery.id, sent.told.kind, sent.delivery.version);
        match outcome.ended {
            Ended::Suspended => {
                self.note("webhook", &format!("{about} waits"));
                self.waiting = Some(Waiting::Webhook(Box::new(sent)));
                return Ok(());
            }
            Ended::Died { committed } => {
                self.note("webhook", &format!("{about} dies, committed: {committed}"));
                self.send_again(sent.delivery);
                return if committed {
                    Ok(())
                } else {
                    self.unchanged(&outcome.before, &[], "a delivery that died before its commit")
                };
            }
            Ended::Answered(Answer { status: 200, .. }) => {
                self.note("webhook", &format!("{about} 200"));
                if sent.was_decided {
                    self.count("duplicates");
                    let may_change = self.may_change(&sent);
                    self.unchanged(&outcome.before, &may_change, "an event that was decided before")?;
                }
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("webhook", &format!("{about} {status}"));
                self.send_again(sent.delivery.clone());
                let may_change = self.may_change(&sent);
                self.unchanged(&outcome.before, &may_change, "a delivery that failed")?;
                return if outcome.trouble {
                    Ok(())
                } else {
                    Err(format!("{about} was answered with {status} although nothing was wrong: {body}"))
                };
            }
        }
        self.promise(&sent);
        Ok(())
    }

    /// What a delivery may change although it was decided before or failed. A refund or dispute can be the first news of
    /// an invoice, which is stored by itself; a checkout's end is stored before its subscription is asked for; and the
    /// account of a subscription is settled when it is locked.
    fn may_change(&self, sent: &Sent) -> Vec<&'static str> {
        let mut tables = vec!["failed_webhook_events"];
        let kind = sent.told.kind.as_str();
        let stripe = self.stripe.lock();
        let of_purchase = |session: &Session| session.intent.is_some() && session.intent == sent.told.intent;
        let is_of_purchase = stripe.truth.sessions.values().any(of_purchase);
        let is_reversal = !is_of_purchase && (kind.starts_with("charge.") || kind.starts_with("refund."));
        if self.recurring.is_some() && (is_reversal || sent.told.is_recurring) {
            tables.extend(["subscription_checkouts", "customers"]);
            tables.extend(SETTLING);
            tables.push("ledger_entries");
        }
        if self.recurring.is_some() && is_reversal {
            tables.extend(["subscriptions", "subscription_invoices", "subscription_grants"]);
        }
        tables
    }

    /// Records what must hold from now on, because the answer was 200.
    fn promise(&mut self, sent: &Sent) {
        self.look();
        let stripe = self.stripe.lock();
        let truth = &stripe.truth;
        let topup_of = |session: &Session| self.books.topups.get(session.topup.as_ref()?);
        let paid = sent.told.paid_session.as_ref().and_then(|session| truth.sessions.get(session));
        if let Some(session) = paid
            && let Some(topup) = topup_of(session)
        {
            // Of two sessions unknown to the books, the one reported first becomes the top-up's.
            let is_its_session = topup.provider_session_id.as_ref().is_none_or(|known| *known == session.id);
            if is_its_session && topup.total_amount == session.total {
                self.promises.paid.insert(topup.id.clone());
            }
        }
        let payer =
            truth.sessions.values().find(|session| session.intent.is_some() && session.intent == sent.told.intent);
        if payer.and_then(topup_of).is_none() {
            return;
        }
        let seen = sent.at_start.iter().filter(|_| !sent.was_decided);
        let is_deceived = self.lists_lag && is_list_deceptive(&sent.told, truth);
        let told = sent.told.reversals.iter().filter(|_| !is_deceived);
        for (id, at_least) in told.chain(seen) {
            let promised = self.promises.reversals.entry(id.clone()).or_default();
            *promised = (*promised).max(*at_least);
        }
    }

    /// One dispute delivery asks Stripe. Before it can write, the dispute changes and another delivery about it is
    /// applied: the answer that arrived first is older than what was written.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "a path to a method is not general enough here")]
    pub(super) fn overtake(&mut self) -> Result<(), String> {
        if self.waiting.is_some() {
            return self.go_on();
        }
        let now_ms = self.clock.now_ms();
        let first = self.network.take(&self.stripe.lock().truth, &DISPUTE_TYPES, 1, now_ms).pop();
        let Some(first) = first else {
            self.note("idle", "nothing to overtake");
            return Ok(());
        };
        // The state is the only request to Stripe, or the second one after the payment's owner.
        let answered = if self.rng.percent(70) { 1 } else { 3 };
        self.send(first, (VecDeque::new(), Fate::SuspendAt(answered)))?;
        if self.waiting.is_none() {
            return Ok(());
        }
        self.count("overtaken");
        self.act(|someone| someone.move_dispute());
        let now_ms = self.clock.now_ms();
        self.network.collect(&mut self.stripe.lock().truth, &mut self.rng, now_ms);
        let others = self.network.take(&self.stripe.lock().truth, &DISPUTE_TYPES, 3, now_ms);
        for other in others {
            self.send(other, (VecDeque::new(), Fate::Nothing))?;
            self.check()?;
        }
        self.go_on()
    }

    /// Sends a delivery that is unsigned, or signed and about another mode or a connected account.
    pub(super) fn a_stranger_calls(&mut self) -> Result<(), String> {
        let events = self.stripe.lock().truth.events.len();
        if events == 0 {
            return Ok(());
        }
        let place = self.rng.place(events);
        let mut event: Value = {
            let stripe = self.stripe.lock();
            let id = &stripe.truth.events[place].id;
            serde_json::from_str(&stripe.model.event_body(id, None).expect("it happened")).expect("JSON")
        };
        event["id"] = json!(format!("evt_stray{}", self.step));
        let (secret, expected) = match self.rng.below(3) {
            0 => ("whsec_of_somebody_else", 400),
            1 => {
                event["livemode"] = json!(true);
                // Events of a mode are about objects of that mode.
                if let Some(livemode) = event.pointer_mut("/data/object/livemode") {
                    *livemode = json!(true);
                }
                (WEBHOOK_SECRET, 200)
            }
            _ => {
                event["account"] = json!("acct_1");
                (WEBHOOK_SECRET, 200)
            }
        };
        let body = event.to_string();
        let header = stripe_sandbox::sign(secret, self.clock.now_ms() / 1_000, body.as_bytes());
        let outcome = self.serve_with(webhook(&header, body), (VecDeque::new(), Fate::Nothing));
        let Ended::Answered(Answer { status, .. }) = outcome.ended else {
            return Err("a stranger changed fate".into());
        };
        self.note("stranger", &format!("{} {expected} {status}", event["type"]));
        self.unchanged(&outcome.before, &["failed_webhook_events", "webhook_refusals"], "a stranger's delivery")?;
        // An incomplete list is requested again, whichever event caused it.
        let is_expected =
            status == expected || (self.lists_lag && status == 500) || (self.process.has_bad_disk() && status >= 500);
        if is_expected { Ok(()) } else { Err(format!("a stranger was answered with {status}")) }
    }
}

fn webhook(header: &str, body: String) -> TestRequest {
    TestRequest::post()
        .uri("/webhooks/stripe")
        .insert_header(("content-type", "application/json"))
        .insert_header(("stripe-signature", header))
        .set_payload(body)
}

/// Newer events do not include the refunds of a charge, so they are listed. A lagging list is noticed by the sum of its
/// refunds, unless a failed refund in it makes up for the missing amount. The missing refund then arrives with its own
/// event.
fn is_list_deceptive(told: &Event, truth: &Truth) -> bool {
    let has_failed =
        |intent| truth.reversals_of(intent).any(|(_, refund)| !refund.is_dispute && refund.now().reversed(false) == 0);
    told.kind == "charge.refunded" && told.intent.as_deref().is_some_and(has_failed)
}
