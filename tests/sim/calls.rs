//! Requests to the service: customers buy and look, and every night the books are reconciled. Each request may meet
//! faults at Stripe, wait while others continue, or be the last one before the process dies.

use std::collections::VecDeque;

use actix_web::test::TestRequest;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;
use topup::ports::Clock;

use super::deliveries::Sent;
use super::network::Delivery;
use super::observer::Digests;
use super::process::{Answer, Ended, Fate};
use super::spending::SETTLING;
use super::stripe::{FAULTS, Fault};
use super::world::{JWT_SECRET, World};

/// What is written for the product, and for the job that charges cards, together with its cause.
const MESSAGE_TABLES: [&str; 3] = ["attention", "auto_topup_queue", "messages"];
/// How long a customer's idempotency key stands for one top-up.
const KEY_LIFETIME_MS: i64 = 23 * 3_600_000;

/// A customer's purchase request.
#[derive(Debug, Clone)]
pub struct Purchase {
    pub(super) account: String,
    pub(super) credits: i64,
    key: Option<String>,
    pub(super) session: Option<String>,
    attempts: u32,
    began_ms: i64,
}

/// A suspended request.
#[derive(Debug, Clone)]
pub enum Waiting {
    /// A purchase, by index.
    Purchase(usize),
    /// The page that the customer returns to.
    Page,
    /// A refund, by index.
    Refund(usize),
    /// The job that learns fees.
    Fees,
    /// A webhook delivery.
    Webhook(Box<Sent>),
}

/// The faults at Stripe, and the fate of the process.
pub(super) type Plan = (VecDeque<Option<Fault>>, Fate);

/// The result of a request, and the disturbances planned for it.
pub(super) struct Outcome {
    pub(super) ended: Ended,
    /// Something failed at Stripe meanwhile.
    pub(super) trouble: bool,
    /// The content of the tables before.
    pub(super) before: Digests,
}

impl World {
    pub(super) fn plan(&mut self) -> Plan {
        match self.rng.below(100) {
            0..=13 => (self.some_faults(), Fate::Nothing),
            14..=25 => (VecDeque::new(), self.death()),
            // A fault, and the process dies after it.
            34..=40 => (self.some_faults(), self.death()),
            26..=33 if self.waiting.is_none() => {
                (VecDeque::new(), Fate::SuspendAt(u32::try_from(self.rng.below(6)).expect("small")))
            }
            _ => (VecDeque::new(), Fate::Nothing),
        }
    }

    pub(super) fn some_faults(&mut self) -> VecDeque<Option<Fault>> {
        let length = self.rng.between(1, 4);
        let mut fault = || if self.rng.percent(75) { Some(*self.rng.pick(&FAULTS)) } else { None };
        (0..length).map(|_| fault()).collect()
    }

    /// Stripe's lists start to lag, or catch up.
    pub(super) fn lists_lag(&mut self) {
        let seconds = *self.rng.pick(&[0, 0, 5, 60, 400]);
        self.stripe.lag(seconds);
        self.lists_lag = seconds > 0;
        self.note("lists_lag", &seconds.to_string());
    }

    pub(super) fn serve(&mut self, request: TestRequest) -> Outcome {
        let plan = self.plan();
        self.serve_with(request, plan)
    }

    pub(super) fn serve_with(&mut self, request: TestRequest, plan: Plan) -> Outcome {
        let (fate, before, met) = self.begin(plan);
        let ended = self.process.serve(request, fate);
        self.outcome(ended, before, met)
    }

    /// Sets up the plan. Returns what the outcome is compared with.
    pub(super) fn begin(&mut self, (faults, fate): Plan) -> (Fate, Digests, u64) {
        let before = self.observer.look().clone();
        let mut stripe = self.stripe.lock();
        stripe.faults = faults;
        (fate, before, stripe.faults_met)
    }

    pub(super) fn outcome(&mut self, ended: Ended, before: Digests, met: u64) -> Outcome {
        let trouble = {
            let mut stripe = self.stripe.lock();
            stripe.faults.clear();
            // An incomplete list counts as trouble too.
            stripe.faults_met > met || self.lists_lag || self.process.has_bad_disk()
        };
        match &ended {
            Ended::Died { .. } => self.died(),
            Ended::Suspended => self.count("suspended"),
            Ended::Answered(Answer { status, .. }) if self.process.has_bad_disk() => {
                self.count(if *status >= 500 { "failed_with_the_disk" } else { "answered_without_the_disk" });
            }
            Ended::Answered(_) if trouble => self.count("with_stripe_faults"),
            Ended::Answered(_) => {}
        }
        Outcome { ended, trouble, before }
    }

    pub(super) fn died(&mut self) {
        self.count("deaths");
        // A suspended request died too.
        if let Some(Waiting::Webhook(sent)) = self.waiting.take() {
            self.send_again(sent.delivery);
        }
    }

    /// A random point at which the process dies.
    pub(super) fn death(&mut self) -> Fate {
        Fate::DieAt(u32::try_from(self.rng.below(22)).expect("small"))
    }

    pub(super) fn send_again(&mut self, delivery: Delivery) {
        self.network.again(delivery, &mut self.rng, self.clock.now_ms());
    }

    /// Fails if a table other than the named ones changed.
    pub(super) fn unchanged(&mut self, before: &Digests, except: &[&str], what: &str) -> Result<(), String> {
        let after = self.observer.look().clone();
        // What the product is told is compared at the end.
        let may_change = |table: &str| except.contains(&table) || MESSAGE_TABLES.contains(&table);
        let changed: Vec<&String> =
            before.keys().filter(|table| before[*table] != after[*table] && !may_change(table.as_str())).collect();
        if changed.is_empty() { Ok(()) } else { Err(format!("{what} changed {changed:?}")) }
    }

    fn as_customer(&self, account: &str, request: TestRequest) -> TestRequest {
        self.with_token(account, "", request)
    }

    /// Adds a token for this account and scope.
    pub(super) fn with_token(&self, account: &str, scope: &str, request: TestRequest) -> TestRequest {
        let claims = json!({ "sub": account, "scope": scope, "exp": self.clock.now_ms() / 1_000 + 3_600 });
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        let token = jsonwebtoken::encode(&Header::default(), &claims, &key).expect("signs");
        request.insert_header(("authorization", format!("Bearer {token}")))
    }

    /// A customer buys credits, or retries with the same key.
    pub(super) fn buy(&mut self) -> Result<(), String> {
        // After a day a key expires and stands for another top-up.
        let now_ms = self.clock.now_ms();
        let is_known = |purchase: &Purchase| purchase.key.is_some() && now_ms - purchase.began_ms < KEY_LIFETIME_MS;
        let again: Vec<usize> = (0..self.purchases.len()).filter(|place| is_known(&self.purchases[*place])).collect();
        let place = if !again.is_empty() && self.rng.percent(30) {
            *self.rng.pick(&again)
        } else {
            let account = self.rng.pick(&self.accounts.clone()).clone();
            let credits = *self.rng.pick(&[60, 100, 250, 250, 999, 5_000]) * self.unit_credits;
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
                    // A customer that was deleted at Stripe is forgotten.
                    let may_change = ["topups", "idempotency_keys", "customers"];
                    self.unchanged(&outcome.before, &may_change, "a purchase before its payment")?;
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

    /// A customer returns from Stripe's page.
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
                let topup =
                    self.books.topups.values().find(|topup| topup.provider_session_id.as_ref() == Some(&session));
                let state = topup.map(|topup| topup.state.as_str());
                let is_excused = status >= 500 && self.process.has_bad_disk();
                if !is_excused && (status != 200 || body["state"].as_str() != state) {
                    return Err(format!("the page says {status} {}, the books {state:?}", body["state"]));
                }
            }
        }
        Ok(())
    }

    /// A customer reads the balance.
    pub(super) fn look_at_balance(&mut self) -> Result<(), String> {
        if !self.settle_first() {
            return Ok(());
        }
        let account = self.rng.pick(&self.accounts.clone()).clone();
        let request = self.as_customer(&account, TestRequest::get().uri("/credits"));
        let outcome = self.serve_with(request, (VecDeque::new(), Fate::Nothing));
        let Ended::Answered(Answer { status, body }) = outcome.ended else { return Err("a look changed fate".into()) };
        self.note("balance", &format!("{account} {status} {}", body["remainingCredits"]));
        self.unchanged(&outcome.before, &SETTLING, "a look at the balance")?;
        if status >= 500 && self.process.has_bad_disk() {
            // What has ended could not be written down.
            return Ok(());
        }
        let balance = self.books.balances.get(&account).copied().unwrap_or(0);
        let is_right = status == 200
            && body["remainingCredits"].as_i64() == Some(balance)
            && body["owedCredits"].as_i64() == Some((-balance).max(0));
        if is_right { Ok(()) } else { Err(format!("{account} has {balance}, and is told {body}")) }
    }

    /// Resumes the suspended request.
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
                // Others may have continued with its key meanwhile.
                self.purchases[place].attempts += 1;
                self.bought(place, outcome)
            }
            Waiting::Page => Ok(()),
            Waiting::Fees => self.fees_learned(outcome),
            Waiting::Refund(place) => {
                self.office.refunds[place].attempts += 1;
                self.refunded(place, outcome)
            }
            Waiting::Webhook(sent) => self.delivered(*sent, outcome),
        }
    }

    /// The nightly reconciliation, which can be disturbed like any request.
    pub(super) fn compare_now(&mut self) -> Result<(), String> {
        let plan = match self.plan() {
            // It is not a customer's request, and is never suspended.
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

    pub(super) fn compare_books(&mut self, plan: Plan) -> Result<(Ended, bool), String> {
        let (fate, before, met) = self.begin(plan);
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

    /// Shuts down the process gracefully and starts it again.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        if self.waiting.is_some() {
            return self.go_on();
        }
        self.note("restart", "");
        self.process.restart();
        Ok(())
    }
}
