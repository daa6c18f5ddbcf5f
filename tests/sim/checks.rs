//! The checks after every step and at the end: our books against what happened at Stripe. The rules are written down
//! here a second time, independently of the service.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use topup::domain::attempt::QUIET_MS;
use topup::ports::Clock;

use super::books::{Books, Topup};
use super::fees::verify_fees;
use super::observer::fnv;
use super::process::{Answer, Ended, Fate};
use super::stripe::SharedStripe;
use super::truth::{Session, Truth};
use super::world::{Promises, World};

/// Leases use the database's own clock.
const WITH_REAL_TIME: [&str; 4] = ["auto_topup_queue", "delivery_queues", "leases", "reconciliations"];

impl World {
    /// Reads the books if anything was written.
    pub(super) fn look(&mut self) {
        if self.observer.take_news() {
            let (hash, digests) = (self.report.trace_hash, self.observer.look());
            let digests = digests.iter().filter(|(table, _)| !WITH_REAL_TIME.contains(&table.as_str()));
            self.report.trace_hash = digests.fold(hash, |hash, (_, digest)| fnv(hash, &digest.to_le_bytes()));
            let app = self.process.app();
            self.books = self.process.block_on(Books::read(&app.db));
        }
    }

    /// Checks everything that must hold after a step.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.look();
        verify(&self.books, &self.stripe.lock().truth, &mut self.promises)?;
        verify_fees(&self.books, &self.stripe)?;
        self.check_office()?;
        self.check_spending()?;
        self.check_charges()?;
        self.check_periods()?;
        for purchase in &self.purchases {
            let Some(session) = &purchase.session else { continue };
            let topup = self.books.topups.values().find(|topup| topup.provider_session_id.as_ref() == Some(session));
            let is_right =
                topup.is_some_and(|topup| topup.account_id == purchase.account && topup.credits == purchase.credits);
            if !is_right {
                return Err(format!("{session} was sold to {} and is {topup:?}", purchase.account));
            }
        }
        Ok(())
    }

    /// Delivers everything that is pending, without further faults.
    pub(super) fn become_quiet(&mut self) -> Result<(), String> {
        if self.process.has_bad_disk() {
            self.disk_changes();
        }
        while self.waiting.is_some() {
            self.go_on()?;
            self.check()?;
        }
        // Wait until Stripe's late work is done and listed, and the quiet time after it is over.
        self.stripe.lag(0);
        self.lists_lag = false;
        let last_ms = self.stripe.last_late_ms().unwrap_or(0).max(self.clock.now_ms());
        self.clock.advance_ms(last_ms - self.clock.now_ms());
        self.stripe.tick();
        self.clock.advance_ms(QUIET_MS);
        self.stripe.tick();
        self.finish_refunds()?;
        self.finish_charges()?;
        let now_ms = self.clock.now_ms();
        self.network.collect(&mut self.stripe.lock().truth, &mut self.rng, now_ms);
        let last = self.network.pending.iter().map(|delivery| delivery.due_ms).max().unwrap_or(now_ms);
        self.clock.advance_ms((last - now_ms).max(0));
        while let Some(delivery) = self.network.next(&mut self.rng, self.clock.now_ms()) {
            self.step += 1;
            self.send(delivery, (VecDeque::new(), Fate::Nothing))?;
            self.check()?;
        }
        self.finish_fees()
    }

    /// Reconciles, which applies what never arrived. A second run finds nothing to do.
    pub(super) fn reconcile(&mut self) -> Result<(), String> {
        for is_first in [true, false] {
            self.step += 1;
            let (ended, trouble) = self.compare_books((VecDeque::new(), Fate::Nothing))?;
            let Ended::Answered(Answer { status, body }) = ended else { return Err("nothing was planned".to_owned()) };
            let missing = ["missingCredits", "missingStates", "missingReversals", "notAsked"];
            let found: Vec<&str> = missing.into_iter().filter(|kind| body[*kind]["count"] != 0).collect();
            if status != 200 || trouble || !(is_first || found.is_empty()) {
                return Err(format!("a comparison, first: {is_first}, ends with {status}, {found:?}: {body}"));
            }
            self.check()?;
        }
        Ok(())
    }

    /// At the end our books equal Stripe's.
    pub(super) fn compare_with_stripe(&mut self) -> Result<(), String> {
        self.stripe.tick();
        compare(&self.books, &self.stripe)?;
        self.compare_recurring()?;
        self.end_credits()
    }
}

impl World {
    /// When the time of all credits is over, and no hold keeps any, what was sold is gone.
    fn end_credits(&mut self) -> Result<(), String> {
        if !self.credits_end {
            return Ok(());
        }
        self.step += 1;
        self.clock.advance_ms(40 * 86_400_000);
        self.settle_first();
        self.check()?;
        let Ended::Answered(Answer { body, .. }) = self.process.settle() else { return Err("it dies".to_owned()) };
        if body == 0 { Ok(()) } else { Err(format!("{body} accounts are still due")) }
    }
}

/// The progress of each stored refund and dispute: the index of its state among the states it had. It is never lower
/// than promised, and promised from now on.
fn places(books: &Books, truth: &Truth, promises: &mut Promises) -> Result<(), String> {
    for (id, promised) in &promises.reversals {
        if !books.reversals.contains_key(id) {
            return Err(format!("{id} was heard of (state {promised}) and is forgotten"));
        }
    }
    for stored in books.reversals.values() {
        let Some(real) = truth.reversals.get(&stored.id) else {
            return Err(format!("{} does not exist at Stripe", stored.id));
        };
        let heard = promises.reversals.entry(stored.id.clone()).or_default();
        let states = real.states.iter().enumerate().skip(*heard);
        let found = states.into_iter().find(|(_, state)| {
            let reversed = if stored.counts == 1 { stored.amount - stored.returned } else { 0 };
            (stage(&state.status), state.amount, state.reversed(real.is_dispute))
                == (stage(&stored.status), stored.amount, reversed)
        });
        let Some((place, _)) = found else {
            return Err(format!("{stored:?} is none of the states since {heard} of {:?}", real.states));
        };
        *heard = place;
        if stored.provider_payment_id != real.intent {
            return Err(format!("{} is of {}", stored.id, real.intent));
        }
    }
    Ok(())
}

/// Pending and waiting for the customer count as one stage, because either can come first.
fn stage(status: &str) -> &str {
    if status == "requires_action" { "pending" } else { status }
}

/// How many credits are taken back if this much money has been (or will be) returned to the customer.
fn taken(topup: &Topup, reversed: i64) -> i64 {
    let product = i128::from(reversed) * i128::from(topup.credit_unit_credits);
    i64::try_from(product / i128::from(topup.credit_unit_amount)).expect("fits").min(topup.credits)
}

/// How much of the bonus is left if so many of the credits are taken back.
fn bonus_kept(topup: &Topup, taken: i64) -> i64 {
    let kept = i128::from(topup.bonus_credits) * i128::from(topup.credits - taken) / i128::from(topup.credits);
    i64::try_from(kept).expect("fits")
}

/// No purchase and no bonus ends before its time, nor more of it than there was. (Credits given back after the end are
/// grants of their own.)
fn verify_expiries(books: &Books) -> Result<(), String> {
    let mut ended: BTreeMap<&str, i64> = BTreeMap::new();
    for expiry in &books.expiries {
        let (topup, is_bonus) = match expiry.grant_id.strip_suffix(":bonus") {
            Some(topup) => (topup, true),
            None => (expiry.grant_id.as_str(), false),
        };
        let Some(topup) = books.topups.get(topup) else { continue };
        let end_ms = topup.paid_at.zip(topup.credits_expire_days).map(|(paid_at, days)| paid_at + days * 86_400_000);
        if end_ms.is_none_or(|end_ms| end_ms > expiry.created_at) {
            return Err(format!("{expiry:?} came before the end of {topup:?}"));
        }
        let sum = ended.entry(&expiry.grant_id).or_default();
        *sum -= expiry.credits;
        if *sum > if is_bonus { topup.bonus_credits } else { topup.credits } {
            return Err(format!("{sum} credits of {} have ended", expiry.grant_id));
        }
    }
    Ok(())
}

/// The invariants.
pub fn verify(books: &Books, truth: &Truth, promises: &mut Promises) -> Result<(), String> {
    if !books.broken_rules.is_empty() {
        return Err(format!("the store's own rules are broken: {:?}", books.broken_rules));
    }
    if let Some(refunds) = truth.requested.values().find(|refunds| refunds.len() > 1) {
        return Err(format!("one request has several refunds at Stripe: {refunds:?}"));
    }
    places(books, truth, promises)?;
    let mut balances: BTreeMap<&str, i64> = BTreeMap::new();
    for topup in books.topups.values() {
        let is_paid = topup.state == "paid";
        if promises.paid.contains(&topup.id) && !is_paid {
            return Err(format!("{} was paid, and is {}", topup.id, topup.state));
        }
        if !is_paid {
            if topup.taken_credits != 0 {
                return Err(format!("{} was never credited, and {} are taken back", topup.id, topup.taken_credits));
            }
            continue;
        }
        let session = topup.provider_session_id.as_ref().and_then(|session| truth.sessions.get(session));
        let is_paid_for = match session {
            Some(session) => session.is_paid && is_sold_as(topup, session),
            None => {
                truth.sales().iter().any(|sale| sale.is_paid && is_sold_as(topup, sale) && is_credited(topup, sale))
            }
        };
        if !is_paid_for {
            return Err(format!("{} is paid, and its session is {session:?}", topup.id));
        }
        let of_payment = |id: &String| Some(id) == topup.provider_payment_id.as_ref();
        let counting =
            books.reversals.values().filter(|stored| of_payment(&stored.provider_payment_id)).map(|stored| {
                let real = &truth.reversals[&stored.id];
                let state = &real.states[promises.reversals[&stored.id]];
                state.reversed(real.is_dispute)
            });
        let expected = taken(topup, counting.sum());
        if topup.taken_credits != expected {
            return Err(format!("{} has {} credits taken back, not {expected}", topup.id, topup.taken_credits));
        }
        *balances.entry(&topup.account_id).or_default() += topup.credits - expected + bonus_kept(topup, expected);
    }
    for period in books.periods.values() {
        *balances.entry(&period.account_id).or_default() += period.credits - period.taken_credits;
    }
    for adjustment in books.adjustments.values() {
        *balances.entry(&adjustment.account_id).or_default() += adjustment.credits;
    }
    for spend in books.spends.values() {
        *balances.entry(&spend.account_id).or_default() -= spend.credits - spend.refunded_credits;
    }
    verify_expiries(books)?;
    for expiry in &books.expiries {
        *balances.entry(&expiry.account_id).or_default() += expiry.credits;
    }
    for (account, balance) in &books.balances {
        let expected = balances.remove(account.as_str()).unwrap_or(0);
        if *balance != expected {
            return Err(format!("{account} has {balance} credits, not {expected}"));
        }
    }
    if balances.is_empty() { Ok(()) } else { Err(format!("accounts are missing: {balances:?}")) }
}

/// Whether a session is as agreed.
fn is_sold_as(topup: &Topup, session: &Session) -> bool {
    session.topup.as_ref() == Some(&topup.id) && session.total == topup.total_amount
}

/// Whether a sale is the one that credited a top-up. A charge of a saved card has no session.
fn is_credited(topup: &Topup, sale: &Session) -> bool {
    let is_charge = sale.intent.as_ref() == Some(&sale.id);
    let id = if is_charge { &topup.provider_payment_id } else { &topup.provider_session_id };
    Some(&sale.id) == id.as_ref()
}

/// At the end: compares, for every top-up, Stripe's payments with ours.
pub fn compare(books: &Books, stripe: &SharedStripe) -> Result<(), String> {
    let sessions = stripe.lock().truth.sales();
    for topup in books.topups.values() {
        let its = |session: &&Session| session.is_paid && is_sold_as(topup, session);
        let paid: Vec<&Session> = sessions.iter().filter(its).collect();
        let credits =
            paid.iter().find(|session| topup.provider_session_id.as_ref().is_none_or(|known| *known == session.id));
        if credits.is_some() != (topup.state == "paid") {
            return Err(format!("{} is {}, and was paid by {paid:?}", topup.id, topup.state));
        }
        for session in &paid {
            let intent = session.intent.as_deref().expect("a paid session has a payment");
            compare_payment(books, stripe, topup, intent, is_credited(topup, session))?;
        }
    }
    Ok(())
}

fn compare_payment(
    books: &Books,
    stripe: &SharedStripe,
    topup: &Topup,
    intent: &str,
    is_credited: bool,
) -> Result<(), String> {
    let known = books.payments.get(intent).ok_or_else(|| format!("{intent} of {} is not known", topup.id))?;
    let role = if is_credited { "credited" } else { "surplus" };
    if known.state != role {
        return Err(format!("{intent} of {} is {}, not {role}", topup.id, known.state));
    }
    let charge = "expand[]=latest_charge.balance_transaction";
    let real = stripe.ask("GET", &format!("/v1/payment_intents/{intent}"), charge).body;
    let fee = real["latest_charge"]["balance_transaction"]["fee"].as_i64();
    if is_credited && known.real_fee.is_none() {
        return Err(format!("what Stripe kept of {intent} is not known"));
    }
    // If the event of a surplus payment was lost, its fee is never requested.
    if known.real_fee != fee && (is_credited || known.real_fee.is_some()) {
        return Err(format!("{intent} cost {fee:?}, and {:?} is stored", known.real_fee));
    }
    if !is_credited {
        return Ok(());
    }
    let listed = |path: &str| {
        let list = stripe.ask("GET", path, &format!("payment_intent={intent}&limit=100")).body;
        list["data"].as_array().cloned().expect("a list")
    };
    let (refunds, disputes) = (listed("/v1/refunds"), listed("/v1/disputes"));
    for real in refunds.iter().chain(&disputes) {
        let stored = real["id"].as_str().and_then(|id| books.reversals.get(id)).map(|stored| stored.status.as_str());
        if stored != real["status"].as_str() {
            return Err(format!("{} is {}, and {stored:?} is stored", real["id"], real["status"]));
        }
    }
    let refunds = refunds.into_iter().filter(|refund| {
        ["pending", "requires_action", "succeeded"].contains(&refund["status"].as_str().unwrap_or_default())
    });
    let with_banks = disputes.into_iter().map(|dispute| {
        let moved = dispute["balance_transactions"].as_array().into_iter().flatten();
        -moved.filter_map(|movement| movement["amount"].as_i64()).sum::<i64>()
    });
    let given_back = refunds.map(|object: Value| object["amount"].as_i64().expect("an amount"));
    let expected = taken(topup, given_back.chain(with_banks).sum());
    if topup.taken_credits == expected {
        return Ok(());
    }
    Err(format!("Stripe gave the money of {expected} credits of {} back, not {}", topup.id, topup.taken_credits))
}
