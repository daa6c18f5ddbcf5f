//! What our service is asked to do: customers buy and look, Stripe delivers, strangers try their luck. Each request may
//! meet faults of Stripe's, wait while others go on, or be the last thing that the process did.

use std::collections::VecDeque;

use actix_web::test::TestRequest;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use topup::ports::Clock;

use super::network::Delivery;
use super::observer::Digests;
use super::process::{Answer, Ended, Fate};
use super::stripe::FAULTS;
use super::truth::Event;
use super::world::{JWT_SECRET, WEBHOOK_SECRET, World};

/// For how long a customer's idempotency key stands for one purchase.
const KEY_LIFETIME_MS: i64 = 23 * 3_600_000;

/// The events whose handlers write without asking first.
const BURST_TYPES: [&str; 4] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.expired",
    "payment_intent.payment_failed",
];

/// The news of disputes.
const DISPUTE_TYPES: [&str; 5] = [
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

/// What a customer wants.
#[derive(Debug, Clone)]
pub struct Purchase {
    pub(super) account: String,
    pub(super) credits: i64,
    key: Option<String>,
    pub(super) session: Option<String>,
    attempts: u32,
    began_ms: i64,
}

/// A delivery as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    delivery: Delivery,
    told: Event,
    was_decided: bool,
    /// How far the disputes that it is about were when it was sent: the service asks for their state.
    at_start: Vec<(String, usize)>,
}

/// A request that waits.
#[derive(Debug, Clone)]
pub enum Waiting {
    /// A purchase, by its place.
    Purchase(usize),
    /// The page that the customer returns to.
    Page,
    /// A delivery.
    Webhook(Box<Sent>),
}

/// What became of a request, and what was planned to disturb it.
pub(super) struct Outcome {
    ended: Ended,
    /// Something went wrong at Stripe meanwhile.
    trouble: bool,
    /// What the tables held before.
    before: Digests,
}

impl World {
    fn plan(&mut self) -> (VecDeque<Option<super::stripe::Fault>>, Fate) {
        match self.rng.below(100) {
            0..=13 => {
                let length = self.rng.between(1, 4);
                let mut fault = || if self.rng.percent(75) { Some(*self.rng.pick(&FAULTS)) } else { None };
                ((0..length).map(|_| fault()).collect(), Fate::Nothing)
            }
            14..=25 => (VecDeque::new(), self.death()),
            26..=33 if self.waiting.is_none() => {
                (VecDeque::new(), Fate::SuspendAt(u32::try_from(self.rng.below(6)).expect("small")))
            }
            _ => (VecDeque::new(), Fate::Nothing),
        }
    }

    fn serve(&mut self, request: TestRequest) -> Outcome {
        let (faults, fate) = self.plan();
        self.serve_with(request, faults, fate)
    }

    fn serve_with(
        &mut self,
        request: TestRequest,
        faults: VecDeque<Option<super::stripe::Fault>>,
        fate: Fate,
    ) -> Outcome {
        let before = self.observer.look().clone();
        let met = {
            let mut stripe = self.stripe.lock();
            stripe.faults = faults;
            stripe.faults_met
        };
        let ended = self.process.serve(request, fate);
        self.outcome(ended, before, met)
    }

    fn outcome(&mut self, ended: Ended, before: Digests, met: u64) -> Outcome {
        let trouble = {
            let mut stripe = self.stripe.lock();
            stripe.faults.clear();
            stripe.faults_met > met
        };
        match &ended {
            Ended::Died { .. } => self.died(),
            Ended::Suspended => self.count("suspended"),
            Ended::Answered(_) if trouble => self.count("with_stripe_faults"),
            Ended::Answered(_) => {}
        }
        Outcome { ended, trouble, before }
    }

    fn died(&mut self) {
        self.count("deaths");
        // What waited died too.
        if let Some(Waiting::Webhook(sent)) = self.waiting.take() {
            self.send_again(sent.delivery);
        }
    }

    /// Some place to die at.
    fn death(&mut self) -> Fate {
        Fate::DieAt(u32::try_from(self.rng.below(22)).expect("small"))
    }

    fn send_again(&mut self, delivery: Delivery) {
        self.network.again(delivery, &mut self.rng, self.clock.now_ms());
    }

    /// Fails if a table but the named ones changed.
    fn unchanged(&mut self, before: &Digests, except: &[&str], what: &str) -> Result<(), String> {
        let after = self.observer.look().clone();
        let changed: Vec<&String> = before
            .keys()
            .filter(|table| before[*table] != after[*table] && !except.contains(&table.as_str()))
            .collect();
        if changed.is_empty() { Ok(()) } else { Err(format!("{what} changed {changed:?}")) }
    }

    fn as_customer(&self, account: &str, request: TestRequest) -> TestRequest {
        let claims = json!({ "sub": account, "exp": self.clock.now_ms() / 1_000 + 3_600 });
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        let token = jsonwebtoken::encode(&Header::default(), &claims, &key).expect("signs");
        request.insert_header(("authorization", format!("Bearer {token}")))
    }

    /// A customer wants credits, or tries once more with the same key.
    pub(super) fn buy(&mut self) -> Result<(), String> {
        // After a day a key is forgotten, and stands for another purchase.
        let now_ms = self.clock.now_ms();
        let is_known = |purchase: &Purchase| purchase.key.is_some() && now_ms - purchase.began_ms < KEY_LIFETIME_MS;
        let again: Vec<usize> = (0..self.purchases.len()).filter(|place| is_known(&self.purchases[*place])).collect();
        let place = if !again.is_empty() && self.rng.percent(30) {
            *self.rng.pick(&again)
        } else {
            let account = self.rng.pick(&self.accounts.clone()).clone();
            let credits = *self.rng.pick(&[60, 100, 250, 250, 999, 5_000]);
            let key = self.rng.percent(70).then(|| format!("purchase-{}", self.purchases.len()));
            self.purchases.push(Purchase { account, credits, key, session: None, attempts: 0, began_ms: now_ms });
            self.purchases.len() - 1
        };
        self.purchases[place].attempts += 1;
        let purchase = self.purchases[place].clone();
        let body = json!({ "credits": purchase.credits, "successUrl": "https://app.example.com/done" });
        let mut request = TestRequest::post().uri("/credits/sessions").set_json(body);
        if let Some(key) = &purchase.key {
            request = request.insert_header(("idempotency-key", key.as_str()));
        }
        let request = self.as_customer(&purchase.account, request);
        let outcome = self.serve(request);
        self.bought(place, outcome)
    }

    fn bought(&mut self, place: usize, outcome: Outcome) -> Result<(), String> {
        let purchase = self.purchases[place].clone();
        let is_first = purchase.attempts == 1;
        let about = format!("{} {} {:?}", purchase.account, purchase.credits, purchase.key);
        match outcome.ended {
            Ended::Suspended => {
                self.waiting = Some(Waiting::Purchase(place));
                self.note("buy", &format!("{about} waits"));
            }
            Ended::Died { committed } => {
                self.note("buy", &format!("{about} dies, committed: {committed}"));
                if !committed {
                    self.unchanged(&outcome.before, &[], "a purchase that died before any commit")?;
                }
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("buy", &format!("{about} {status} {} {}", body["id"], body["code"]));
                if is_first {
                    self.unchanged(&outcome.before, &["topups", "idempotency_keys"], "a purchase before its payment")?;
                }
                let is_expected = match status {
                    200 => true,
                    409 | 500..=504 => outcome.trouble || !is_first,
                    _ => false,
                };
                if !is_expected {
                    return Err(format!("a purchase without trouble was answered with {status}: {body}"));
                }
                if let Some(id) = body["id"].as_str() {
                    if purchase.session.as_deref().is_some_and(|known| known != id) {
                        return Err(format!("one key has two sessions: {:?} and {id}", purchase.session));
                    }
                    self.purchases[place].session = Some(id.to_owned());
                }
            }
        }
        Ok(())
    }

    /// A customer comes back from Stripe's page.
    pub(super) fn look_at_page(&mut self) -> Result<(), String> {
        let known: Vec<usize> =
            (0..self.purchases.len()).filter(|place| self.purchases[*place].session.is_some()).collect();
        if known.is_empty() {
            self.note("idle", "no page to look at");
            return Ok(());
        }
        let purchase = self.purchases[*self.rng.pick(&known)].clone();
        let session = purchase.session.expect("known");
        let uri = format!("/credits/sessions/{session}");
        let request = self.as_customer(&purchase.account, TestRequest::get().uri(&uri));
        let outcome = self.serve(request);
        match outcome.ended {
            Ended::Suspended => {
                self.waiting = Some(Waiting::Page);
                self.note("page", &format!("{session} waits"));
            }
            Ended::Died { committed } => {
                self.note("page", &format!("{session} dies, committed: {committed}"));
                if !committed {
                    self.unchanged(&outcome.before, &[], "a look at a page that died before any commit")?;
                }
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("page", &format!("{session} {status} {}", body["state"]));
                self.look();
                let topup = self.books.topups.values().find(|topup| topup.session_id.as_ref() == Some(&session));
                let state = topup.map(|topup| topup.state.as_str());
                if status != 200 || body["state"].as_str() != state {
                    return Err(format!("the page says {status} {}, the books {state:?}", body["state"]));
                }
            }
        }
        Ok(())
    }

    /// A customer looks at the balance.
    pub(super) fn look_at_balance(&mut self) -> Result<(), String> {
        let account = self.rng.pick(&self.accounts.clone()).clone();
        let request = self.as_customer(&account, TestRequest::get().uri("/credits"));
        let outcome = self.serve_with(request, VecDeque::new(), Fate::Nothing);
        let Ended::Answered(Answer { status, body }) = outcome.ended else { return Err("a look changed fate".into()) };
        self.note("balance", &format!("{account} {status} {}", body["remainingCredits"]));
        self.unchanged(&outcome.before, &[], "a look at the balance")?;
        let balance = self.books.balances.get(&account).copied().unwrap_or(0);
        let is_right = status == 200
            && body["remainingCredits"].as_i64() == Some(balance)
            && body["owedCredits"].as_i64() == Some((-balance).max(0));
        if is_right { Ok(()) } else { Err(format!("{account} has {balance}, and is told {body}")) }
    }

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

    pub(super) fn send(
        &mut self,
        delivery: Delivery,
        (faults, fate): (VecDeque<Option<super::stripe::Fault>>, Fate),
    ) -> Result<(), String> {
        let (sent, request) = self.prepare(delivery);
        let outcome = self.serve_with(request, faults, fate);
        self.delivered(sent, outcome)
    }

    /// Signs an event, and notes how things are before it is sent.
    fn prepare(&self, delivery: Delivery) -> (Sent, TestRequest) {
        let (sent, body) = {
            let stripe = self.stripe.lock();
            let told = stripe.truth.events[delivery.event].clone();
            let body = stripe.model.event_body(&told.id, Some(delivery.version)).expect("it happened");
            let disputes = told.reversals.iter().filter(|(id, _)| stripe.truth.reversals[id].is_dispute);
            let at_start = disputes.map(|(id, _)| (id.clone(), stripe.truth.reversals[id].states.len() - 1)).collect();
            let body = body.replace(&format!("\"{}\"", told.id), &format!("\"{}\"", delivery.id));
            let was_decided = self.books.events.contains(&delivery.id);
            (Sent { delivery, told, was_decided, at_start }, body)
        };
        let header = stripe_sandbox::sign(WEBHOOK_SECRET, self.clock.now_ms() / 1_000, body.as_bytes());
        (sent, webhook(&header, body))
    }

    /// Several deliveries at the same moment: they share a commit. Only such as ask nobody before they write, so that
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
                sent.into_iter().for_each(|sent| self.send_again(sent.delivery));
                if committed { Ok(()) } else { self.unchanged(&before, &[], "a burst that died before its commit") }
            }
            Ended::Suspended => Err("nothing was to be suspended".to_owned()),
        }
    }

    fn delivered(&mut self, sent: Sent, outcome: Outcome) -> Result<(), String> {
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
                    self.unchanged(&outcome.before, &["failed_webhook_events"], "an event that was decided before")?;
                }
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("webhook", &format!("{about} {status}"));
                self.send_again(sent.delivery);
                self.unchanged(&outcome.before, &["failed_webhook_events"], "a delivery that failed")?;
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

    /// What must be so from now on, since we answered with 200.
    fn promise(&mut self, sent: &Sent) {
        let stripe = self.stripe.lock();
        let truth = &stripe.truth;
        let topup_of = |session: &super::truth::Session| self.books.topups.get(session.topup.as_ref()?);
        let paid = sent.told.paid_session.as_ref().and_then(|session| truth.sessions.get(session));
        if let Some(session) = paid
            && let Some(topup) = topup_of(session)
        {
            let is_its_session = topup.session_id.as_ref().is_none_or(|known| *known == session.id);
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
        for (id, at_least) in sent.told.reversals.iter().chain(seen) {
            let promised = self.promises.reversals.entry(id.clone()).or_default();
            *promised = (*promised).max(*at_least);
        }
    }

    /// One delivery of a dispute's news asks Stripe, and before it can write, the dispute changes and other news of it is
    /// delivered: what was asked first is older than what was written first.
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
        // The state is the only question, or the one after whose payment it is.
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

    /// What waits goes on.
    pub(super) fn go_on(&mut self) -> Result<(), String> {
        let fate = if self.rng.percent(15) { self.death() } else { Fate::Nothing };
        let Some(waiting) = self.waiting.take() else {
            self.note("idle", "nobody waits");
            return Ok(());
        };
        let before = self.observer.look().clone();
        let met = self.stripe.lock().faults_met;
        let ended = self.process.resume(fate).expect("it waits");
        let outcome = self.outcome(ended, before, met);
        self.note("resume", "");
        match waiting {
            Waiting::Purchase(place) => {
                // Others may have gone on with its key meanwhile.
                self.purchases[place].attempts += 1;
                self.bought(place, outcome)
            }
            Waiting::Page => Ok(()),
            Waiting::Webhook(sent) => self.delivered(*sent, outcome),
        }
    }

    /// The nightly comparison with Stripe's books, which can be disturbed like anything else.
    pub(super) fn compare_now(&mut self) -> Result<(), String> {
        let plan = match self.plan() {
            // It is no request of a customer, and waits for nobody.
            (faults, Fate::SuspendAt(_)) => (faults, Fate::Nothing),
            plan => plan,
        };
        let (ended, trouble) = self.compare_books(plan)?;
        match ended {
            Ended::Answered(Answer { status, body }) if status != 200 && !trouble => {
                Err(format!("a comparison fails although nothing was wrong: {body}"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn compare_books(
        &mut self,
        (faults, fate): (VecDeque<Option<super::stripe::Fault>>, Fate),
    ) -> Result<(Ended, bool), String> {
        let before = self.observer.look().clone();
        let met = {
            let mut stripe = self.stripe.lock();
            stripe.faults = faults;
            stripe.faults_met
        };
        let ended = self.process.reconcile(fate);
        let Outcome { ended, trouble, before } = self.outcome(ended, before, met);
        match &ended {
            Ended::Died { committed } => {
                self.note("reconcile", &format!("dies, committed: {committed}"));
                if !committed {
                    self.unchanged(&before, &[], "a comparison that died before any commit")?;
                }
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("reconcile", &format!("{status} left {}", body["leftOver"]));
            }
            Ended::Suspended => return Err("nothing was to be suspended".to_owned()),
        }
        Ok((ended, trouble))
    }

    /// Stops and starts the process in an orderly way.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        if self.waiting.is_some() {
            return self.go_on();
        }
        self.note("restart", "");
        self.process.restart();
        Ok(())
    }

    /// Somebody sends what is not signed, or what is signed and concerns another mode or a connected account.
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
                (WEBHOOK_SECRET, 200)
            }
            _ => {
                event["account"] = json!("acct_1");
                (WEBHOOK_SECRET, 200)
            }
        };
        let body = event.to_string();
        let header = stripe_sandbox::sign(secret, self.clock.now_ms() / 1_000, body.as_bytes());
        let outcome = self.serve_with(webhook(&header, body), VecDeque::new(), Fate::Nothing);
        let Ended::Answered(Answer { status, .. }) = outcome.ended else {
            return Err("a stranger changed fate".into());
        };
        self.note("stranger", &format!("{} {expected} {status}", event["type"]));
        self.unchanged(&outcome.before, &["failed_webhook_events"], "a stranger's delivery")?;
        if status == expected { Ok(()) } else { Err(format!("a stranger was answered with {status}")) }
    }
}

fn webhook(header: &str, body: String) -> TestRequest {
    TestRequest::post()
        .uri("/webhooks/stripe")
        .insert_header(("content-type", "application/json"))
        .insert_header(("stripe-signature", header))
        .set_payload(body)
}
