//! Customers with plans, as they use our API and the portal: they subscribe, change, cancel and come back. Each request to
//! the service meets the same faults as any other.

use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use stripe_sandbox::PortalAction;
use topup::ports::Clock;

use super::acts::Done;
use super::payers::{MOST_RENEWALS, Payer, one_of};
use super::periods::Billed;
use super::plans::{self, PLANS, Sold};
use super::process::{Answer, Ended, Fate};
use super::rng::Rng;
use super::world::World;

/// The time of all passes by at most so many days in a run, so that everything stays within a reconciliation's reach.
const MOST_DAYS: i64 = 40;

/// A place to return to.
pub(super) const PAGE: &str = "https://app.example.com/plan";

/// Recurring money in a run.
pub struct Recurring {
    /// Choices of its own, so that the other choices of a seed stay what they were.
    pub(super) rng: Rng,
    /// The plans by their prices.
    pub(super) plans: BTreeMap<String, Sold>,
    /// The portals that are open, with their customers.
    portals: Vec<(String, String)>,
    /// What paid invoices stand for, which does not change any more.
    pub(super) billed: BTreeMap<String, Billed>,
    /// What was left of each grant when the books were last checked; `None` if it had never any.
    pub(super) left: BTreeMap<String, Option<i64>>,
    /// The rules of auto top-up that each account agrees to.
    pub(super) rules: BTreeMap<String, (i64, i64)>,
    pub(super) days: i64,
    pub(super) renewals: u32,
}

impl World {
    /// The same world with plans, subscribers and automatic purchases.
    pub fn with_recurring_money(seed: u64, prints: bool) -> Self {
        let mut world = Self::with(seed, prints, true);
        world.sell_plans();
        world
    }

    /// Applies the plans, as an operator would.
    fn sell_plans(&mut self) {
        let (app, stripe) = (self.process.app(), self.stripe.clone());
        let plans = self.process.block_on(async { plans::apply(&app, &stripe).await });
        self.recurring = Some(Recurring {
            rng: Rng::new(self.seed ^ 0x05_ab_5c),
            plans,
            portals: Vec::new(),
            billed: BTreeMap::new(),
            left: BTreeMap::new(),
            rules: BTreeMap::new(),
            days: 0,
            renewals: 0,
        });
        self.save_first_cards();
        self.subscribe_first();
    }

    /// Some accounts have paid for a plan before the run begins; the service has not heard of that yet.
    fn subscribe_first(&mut self) {
        for account in self.accounts.clone() {
            if self.own().rng.percent(30) {
                continue;
            }
            let plan = *self.own().rng.pick(&["basic", "plus", "plus", "weekly"]);
            let request = TestRequest::post().uri("/subscriptions/sessions");
            let request = request.set_json(json!({ "planId": plan, "successUrl": PAGE }));
            let request = self.with_token(&account, "", request);
            let Ended::Answered(Answer { status: 200, body }) = self.process.serve(request, Fate::Nothing) else {
                unreachable!("{account} cannot subscribe to {plan}");
            };
            let page = body["id"].as_str().expect("an id");
            let total =
                self.stripe.ask("GET", &format!("/v1/checkout/sessions/{page}"), "").body["amount_total"].clone();
            let form = format!("payment_method=pm_card_visa&expected_amount={total}");
            let paid = self.stripe.ask("POST", &format!("/v1/payment_pages/{page}/confirm"), &form);
            assert_eq!(paid.status, 200, "{}", paid.body);
        }
    }

    pub(super) fn own(&mut self) -> &mut Recurring {
        self.recurring.as_mut().expect("only if there is recurring money")
    }

    /// Does something with recurring money, mostly.
    pub(super) fn do_something_recurring(&mut self) -> Result<(), String> {
        if self.recurring.is_none() || self.own().rng.percent(20) {
            return Ok(());
        }
        // So that two things never happen in the same millisecond.
        self.clock.advance_ms(1);
        if self.own().rng.percent(40) {
            self.do_something_automatic()?;
        } else {
            self.do_something_with_a_plan()?;
        }
        self.clock.advance_ms(1);
        let now_ms = self.clock.now_ms();
        self.network.collect(&mut self.stripe.lock().truth, &mut self.rng, now_ms);
        self.check()
    }

    /// Something happens at Stripe.
    fn act_at_stripe(&mut self, act: fn(&mut Payer<'_>) -> Done) {
        let own = self.recurring.as_mut().expect("only if there is recurring money");
        let (kind, what) = act(&mut Payer { rng: &mut own.rng, stripe: &self.stripe });
        self.note(kind, &what);
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "a path to a method is not general enough here")]
    fn do_something_with_a_plan(&mut self) -> Result<(), String> {
        match self.own().rng.below(100) {
            0..=11 => self.subscribe()?,
            12..=24 => self.act_at_stripe(|payer| payer.pay()),
            25..=45 if self.own().renewals < MOST_RENEWALS => {
                self.own().renewals += 1;
                self.act_at_stripe(|payer| payer.time_passes());
            }
            46..=53 => self.act_at_stripe(|payer| payer.bank_decides()),
            54..=69 => self.change_plan()?,
            70..=72 => self.cancel()?,
            73..=75 => self.ask_about_subscription("resume", "resume", json!({}), false)?,
            76..=85 => self.visit_portal()?,
            86..=90 => self.act_at_stripe(|payer| payer.settle_invoice()),
            91..=95 => self.act_at_stripe(|payer| payer.refund()),
            96 => self.act_at_stripe(|payer| payer.dispute()),
            97 => self.act_at_stripe(|payer| payer.dunning_changes()),
            _ => self.days_pass(),
        }
        Ok(())
    }

    /// A request about recurring money. Returns the answer if it is 200.
    pub(super) fn ask_freely(
        &mut self,
        kind: &'static str,
        about: &str,
        request: TestRequest,
    ) -> Result<Option<Value>, String> {
        let outcome = self.serve(request);
        match outcome.ended {
            Ended::Suspended => {
                self.waiting = Some(super::calls::Waiting::Page);
                self.note(kind, &format!("{about} waits"));
                Ok(None)
            }
            Ended::Died { committed } => {
                self.note(kind, &format!("{about} dies, committed: {committed}"));
                if !committed {
                    self.unchanged(&outcome.before, &[], "a request that died before any commit")?;
                }
                Ok(None)
            }
            Ended::Answered(Answer { status, body }) => {
                self.note(kind, &format!("{about} {status} {}", body["code"]));
                // A call whose answer was lost leaves a key that is in use, or a quiet time.
                let is_expected = matches!(status, 200 | 204 | 400 | 402 | 404 | 409 | 422 | 502 | 503 | 504);
                if !is_expected && !outcome.trouble {
                    return Err(format!("{kind} {about} was answered with {status}: {body}"));
                }
                Ok((status == 200).then_some(body))
            }
        }
    }

    pub(super) fn an_account(&mut self) -> String {
        let accounts = self.accounts.clone();
        self.own().rng.pick(&accounts).clone()
    }

    /// One of these, if there are any.
    fn one_of<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        one_of(&mut self.own().rng, of)
    }

    fn subscribe(&mut self) -> Result<(), String> {
        let account = self.an_account();
        let (plan, key) = {
            let step = self.step;
            let own = self.own();
            // Mostly one from which there are upgrades.
            let plan = if own.rng.percent(50) { "plus" } else { own.rng.pick(&PLANS).id };
            (plan, own.rng.percent(30).then(|| format!("subscribe-{}", step / 20)))
        };
        let request = TestRequest::post().uri("/subscriptions/sessions");
        let mut request = request.set_json(json!({ "planId": plan, "successUrl": PAGE }));
        if let Some(key) = key {
            request = request.insert_header(("idempotency-key", key));
        }
        let request = self.with_token(&account, "", request);
        self.ask_freely("subscribe", &format!("{account} {plan}"), request).map(drop)
    }

    /// A request about one of the subscriptions that the service knows.
    fn ask_about_subscription(
        &mut self,
        kind: &'static str,
        path: &str,
        body: Value,
        is_admin: bool,
    ) -> Result<(), String> {
        let known: Vec<(String, String)> =
            self.books.subscriptions.values().map(|known| (known.id.clone(), known.account_id.clone())).collect();
        let Some((id, account)) = self.one_of(&known) else {
            self.note("idle", "no subscription is known");
            return Ok(());
        };
        self.ask_about(kind, (&id, &account), (path, body, is_admin)).map(drop)
    }

    fn ask_about(
        &mut self,
        kind: &'static str,
        (id, account): (&str, &str),
        (path, body, is_admin): (&str, Value, bool),
    ) -> Result<Option<Value>, String> {
        let uri = format!("/subscriptions/{id}/{path}");
        let request =
            if body.is_null() { TestRequest::get().uri(&uri) } else { TestRequest::post().uri(&uri).set_json(&body) };
        let request = if is_admin {
            self.with_token("operator", "admin", request)
        } else {
            self.with_token(account, "", request)
        };
        self.ask_freely(kind, &format!("{id} {path} {body}"), request)
    }

    fn cancel(&mut self) -> Result<(), String> {
        let is_now = self.own().rng.percent(35);
        let at = if is_now { "now" } else { "period_end" };
        self.ask_about_subscription("cancel", "cancel", json!({ "at": at }), is_now)
    }

    /// A customer changes the plan, mostly after a look at what that costs.
    fn change_plan(&mut self) -> Result<(), String> {
        let running: Vec<(String, String)> = {
            let known = self
                .books
                .subscriptions
                .values()
                .filter(|known| ["active", "trialing", "past_due"].contains(&&*known.status));
            known.map(|known| (known.id.clone(), known.account_id.clone())).collect()
        };
        let Some((id, account)) = self.one_of(&running) else {
            self.note("idle", "no plan to change");
            return Ok(());
        };
        // Mostly a dearer one, so that there are many upgrades.
        let own = self.own();
        let plan = if own.rng.percent(65) { own.rng.pick(&["plus", "pro", "pro"]) } else { own.rng.pick(&PLANS).id };
        let mut body = json!({ "planId": plan });
        let is_allowed = self.is_period_paid(&id) || self.has_plan(&id, plan);
        let refused = || Err(format!("{id} changes to {plan}, and its period is not paid yet"));
        if self.own().rng.percent(60) {
            let path = format!("change/preview?planId={plan}");
            let shown = self.ask_about("preview", (&id, &account), (&path, Value::Null, false))?;
            match shown {
                Some(_) if !is_allowed => return refused(),
                Some(shown) if !shown["prorationDate"].is_null() => {
                    body["prorationDate"] = shown["prorationDate"].clone();
                }
                Some(_) => {}
                None => return Ok(()),
            }
        }
        let changed = self.ask_about("change", (&id, &account), ("change", body, false))?;
        if changed.is_some() && !is_allowed { refused() } else { Ok(()) }
    }

    /// Whether the service knows that a subscription has this plan: asking for it takes a change back.
    fn has_plan(&self, id: &str, plan: &str) -> bool {
        let price = self.books.subscriptions.get(id).and_then(|known| known.provider_price_id.as_ref());
        let plans = &self.recurring.as_ref().expect("only if there is recurring money").plans;
        price.and_then(|price| plans.get(price)).is_some_and(|sold| sold.id == plan)
    }

    /// Whether the present period of a subscription is paid at Stripe. The invoice of a change that lapsed is void.
    fn is_period_paid(&self, id: &str) -> bool {
        let subscription = self.stripe.ask("GET", &format!("/v1/subscriptions/{id}"), "").body;
        if subscription["status"] == "trialing" {
            return true;
        }
        let Some(latest) = subscription["latest_invoice"].as_str() else { return false };
        let invoice = self.stripe.ask("GET", &format!("/v1/invoices/{latest}"), "").body;
        invoice["status"] == "paid"
            || (invoice["status"] == "void" && invoice["billing_reason"] == "subscription_update")
    }

    /// A customer opens the portal, and does something there.
    fn visit_portal(&mut self) -> Result<(), String> {
        if self.own().portals.is_empty() || self.own().rng.percent(40) {
            let account = self.an_account();
            let request = TestRequest::post().uri("/portal/sessions").set_json(json!({ "returnUrl": PAGE }));
            let request = self.with_token(&account, "", request);
            let opened = self.ask_freely("portal", &account, request)?;
            let session = opened.as_ref().and_then(|opened| opened["url"].as_str()?.rsplit('/').next());
            let customer = {
                let stripe = self.stripe.lock();
                stripe.truth.customers.iter().find(|(_, of)| **of == account).map(|(id, _)| id.clone())
            };
            if let (Some(session), Some(customer)) = (session, customer) {
                let portal = (session.to_owned(), customer);
                self.own().portals.push(portal);
            }
            return Ok(());
        }
        let portals = self.own().portals.clone();
        let (portal, customer) = self.own().rng.pick(&portals).clone();
        let running = self.stripe.lock().truth.subscriptions_that_are(&["trialing", "active", "past_due"]);
        let own: Vec<String> = running.into_iter().filter(|(_, of)| *of == customer).map(|(id, _)| id).collect();
        let subscription = self.one_of(&own).unwrap_or_else(|| "sub_none".to_owned());
        let prices: Vec<String> = self.own().plans.keys().cloned().collect();
        let own = self.own();
        let action = match own.rng.below(8) {
            0..=1 => PortalAction::Cancel(subscription),
            2..=3 => PortalAction::Resume(subscription),
            4..=5 => PortalAction::ChangePlan { subscription, price: own.rng.pick(&prices).clone() },
            6 => PortalAction::ReplaceCard { number: "4000000000000341".to_owned() },
            _ => PortalAction::ReplaceCard { number: "4242424242424242".to_owned() },
        };
        let about = format!("{action:?}");
        let answer = self.stripe.portal(&portal, action);
        self.note("on_portal", &format!("{about} {}", answer.status));
        Ok(())
    }

    /// The time of all passes.
    fn days_pass(&mut self) {
        let own = self.own();
        let days = own.rng.between(1, 8);
        if own.days + days > MOST_DAYS || self.waiting.is_some() {
            return self.note("idle", "enough days have passed");
        }
        self.own().days += days;
        self.clock.advance_ms(days * 86_400_000);
        self.stripe.tick();
        self.note("days", &days.to_string());
    }
}
