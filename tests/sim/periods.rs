//! What paid invoices stand for, computed from Stripe's own objects in one sequence, and compared with our books: the
//! credits of each period and trial, what refunds and disputes took back, what ended, and each subscription's state.
//! The rules are those of `docs/subscriptions.md`, written down a second time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use topup::books::audit::audit;
use topup::ports::Clock;

use super::books::{Books, PeriodGrant};
use super::plans::Sold;
use super::stripe::SharedStripe;
use super::subscribers::Recurring;
use super::truth::Truth;
use super::world::{Promises, World};

/// A line of a paid invoice that stands for credits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    is_trial: bool,
    worth: i64,
    start_ms: i64,
    end_ms: i64,
    kept: Option<i64>,
}

/// A paid invoice of a subscription.
#[derive(Debug, Clone)]
pub struct Billed {
    subscription: String,
    /// By subscription, price and beginning.
    lines: BTreeMap<String, Line>,
    /// What its money paid for first.
    credits_amount: i64,
}

/// Reads what an invoice stands for; `None` unless it is paid and of a subscription.
fn bill(stripe: &SharedStripe, plans: &BTreeMap<String, Sold>, invoice: &Value) -> Option<Billed> {
    let subscription = invoice.pointer("/parent/subscription_details/subscription")?.as_str()?.to_owned();
    if invoice["status"] != "paid" {
        return None;
    }
    let about = stripe.ask("GET", &format!("/v1/subscriptions/{subscription}"), "").body;
    let (reason, total) = (invoice["billing_reason"].as_str()?, invoice["total"].as_i64()?);
    let (mut lines, mut lines_amount) = (BTreeMap::new(), 0);
    for line in invoice["lines"]["data"].as_array()? {
        let Some(price) = line.pointer("/pricing/price_details/price").and_then(Value::as_str) else { continue };
        let Some(plan) = plans.get(price) else { continue };
        let (amount, quantity) = (line["amount"].as_i64()?, line["quantity"].as_i64()?);
        let (start, end) = (line["period"]["start"].as_i64()?, line["period"]["end"].as_i64()?);
        let is_part = line.pointer("/parent/subscription_item_details/proration") == Some(&Value::Bool(true));
        let is_trial = reason == "subscription_create" && amount == 0 && about["trial_start"] == start;
        let is_paid = total > 0 && amount > 0 && (!is_part || reason == "subscription_update");
        let worth = match (is_trial, is_paid) {
            (true, _) if plan.trial_credits > 0 => plan.trial_credits,
            (false, true) => plan.credits * quantity,
            _ => continue,
        };
        lines_amount += amount;
        let line = Line { is_trial, worth, start_ms: start * 1_000, end_ms: end * 1_000, kept: plan.kept };
        lines.insert(format!("{subscription}:{price}:{start}"), line);
    }
    Some(Billed { subscription, lines, credits_amount: lines_amount.min(total) })
}

/// The share of a grant that is taken back if so much of its invoice's money went to the customer.
fn taken(credits: i64, credits_amount: i64, reversed: i64) -> i64 {
    if credits_amount <= 0 {
        return 0;
    }
    let share = i128::from(credits) * i128::from(reversed.clamp(0, credits_amount)) / i128::from(credits_amount);
    i64::try_from(share).expect("fits")
}

/// What plans bring never depends on order: a period brings the credits of the best plan that was paid for it. Periods
/// overlap only if one is a part of the other.
fn verify_sums(books: &Books) -> Result<(), String> {
    let mut by_subscription: BTreeMap<&str, Vec<&PeriodGrant>> = BTreeMap::new();
    let mut trials: BTreeMap<&str, Vec<&PeriodGrant>> = BTreeMap::new();
    for period in books.periods.values() {
        let (group, of) = if period.kind == "trial" {
            (&mut trials, period.account_id.as_str())
        } else {
            (&mut by_subscription, period.provider_subscription_id.as_str())
        };
        group.entry(of).or_default().push(period);
    }
    for (account, trials) in trials {
        if trials.iter().filter(|trial| trial.credits > 0).count() != 1 {
            return Err(format!("{account} tries once: {trials:?}"));
        }
    }
    for periods in by_subscription.values_mut() {
        periods.sort_by_key(|period| (period.period_start, period.period_end));
        let mut rest = periods.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|period| period.period_start < first.period_end).count();
            let (group, later) = rest.split_at(count.max(1));
            let sum: i64 = group.iter().map(|period| period.credits).sum();
            let best = group.iter().map(|period| period.worth).max().unwrap_or(0);
            if sum != best {
                return Err(format!("a period brought {sum} credits, and its best plan {best}: {group:?}"));
            }
            rest = later;
        }
    }
    Ok(())
}

/// What is left of a period ends with its plan's rule, and not before.
fn verify_ends(books: &Books) -> Result<(), String> {
    for expiry in &books.expiries {
        let Some(period) = books.periods.get(&expiry.grant_id) else { continue };
        let is_over = period.expires_at.is_some_and(|expires_at| expires_at <= expiry.created_at);
        let is_followed = || {
            let of_same = |other: &&PeriodGrant| other.provider_subscription_id == period.provider_subscription_id;
            let later = |other: &PeriodGrant| other.kind == "period" && other.period_start >= period.period_end;
            books.periods.values().filter(of_same).any(later)
        };
        if period.rollover == "keep" || !(is_over || is_followed()) {
            return Err(format!("{expiry:?} came before the end of {period:?}"));
        }
    }
    Ok(())
}

impl World {
    /// What holds of subscriptions after each step, as far as they are known: nothing is there that was not paid.
    pub(super) fn check_periods(&mut self) -> Result<(), String> {
        let Some(own) = &mut self.recurring else { return Ok(()) };
        let stripe = &self.stripe;
        for period in self.books.periods.values() {
            if !own.billed.contains_key(&period.provider_invoice_id) {
                let invoice = stripe.ask("GET", &format!("/v1/invoices/{}", period.provider_invoice_id), "").body;
                let billed = bill(stripe, &own.plans, &invoice);
                let billed =
                    billed.ok_or_else(|| format!("{period:?} is of an invoice that is not paid: {invoice}"))?;
                own.billed.insert(period.provider_invoice_id.clone(), billed);
            }
        }
        verify_periods(&self.books, own, &self.stripe.lock().truth, &self.promises)?;
        verify_sums(&self.books)?;
        verify_ends(&self.books)?;
        self.check_rollover()
    }

    /// When a period is booked, as much is left of earlier ones as the plan keeps. (What is held stays; and later
    /// something may come back.)
    fn check_rollover(&mut self) -> Result<(), String> {
        let Some(own) = &mut self.recurring else { return Ok(()) };
        let periods = &self.books.periods;
        let left = periods.values().map(|period| (period.id.clone(), period.remaining)).collect();
        let before = std::mem::replace(&mut own.left, left);
        let mut new = periods.values().filter(|period| !before.contains_key(&period.id));
        let (Some(period), None) = (new.next(), new.next()) else { return Ok(()) };
        let has_holds =
            self.books.holds.values().any(|hold| hold.state == "open" && hold.account_id == period.account_id);
        let kept = own.billed.get(&period.provider_invoice_id).and_then(|billed| billed.lines.get(&period.id)?.kept);
        let (Some(kept), false) = (kept.filter(|_| period.kind == "period"), has_holds) else { return Ok(()) };
        let same = || {
            let same = periods.values();
            same.filter(|other| other.provider_subscription_id == period.provider_subscription_id)
        };
        let starts = same().filter(|other| other.kind == "period").map(|other| other.period_start);
        let latest = starts.max().unwrap_or(0);
        let earlier = || same().filter(|other| other.period_end <= latest && other.rollover != "keep");
        let left: i64 = earlier().filter_map(|other| other.remaining).sum();
        // Of what has not ended by itself. A comparison may have brought refunds too, which take some.
        let now_ms = self.clock.now_ms();
        let good = earlier().filter(|other| other.expires_at.is_some_and(|expires_at| expires_at > now_ms));
        let had: i64 = good.filter_map(|other| *before.get(&other.id)?).sum();
        let is_alone = period.taken_credits == 0 && self.last_noted == "webhook";
        if left > kept || (is_alone && left < had.min(kept)) {
            return Err(format!("{left} credits are left of {had} of the periods before {period:?}, not {kept}"));
        }
        Ok(())
    }

    /// Counts what happened to subscriptions and saved cards.
    fn count_recurring(&mut self) {
        let books = self.books.clone();
        for period in books.periods.values() {
            let kind = match period.kind.as_str() {
                "trial" => "of_trials",
                _ if period.credits < period.worth => "of_upgrades",
                _ => "of_periods",
            };
            self.count(kind);
            if period.taken_credits > 0 {
                self.count("of_periods_taken_back");
            }
        }
        for attempt in &books.attempts {
            self.count(if attempt.outcome == "paid" { "automatic_paid" } else { "automatic_failed" });
        }
        for subscription in books.subscriptions.values() {
            self.count(if subscription.status == "canceled" { "subscriptions_ended" } else { "subscriptions" });
        }
    }

    /// At the end: everything that was paid is there, and each subscription is as at Stripe.
    pub(super) fn compare_recurring(&mut self) -> Result<(), String> {
        let Some(own) = &self.recurring else { return Ok(()) };
        compare_subscriptions(&self.books, &self.stripe, &own.plans)?;
        let app = self.process.app();
        let audited = self.process.block_on(async { audit(&app.db, true).await }).map_err(|error| error.to_string())?;
        if !audited.is_clean() {
            return Err(format!("the audit finds {audited:?}"));
        }
        self.count_recurring();
        Ok(())
    }
}

/// At the end: everything that was paid is there, and each subscription is as at Stripe.
pub fn compare_subscriptions(
    books: &Books,
    stripe: &SharedStripe,
    plans: &BTreeMap<String, Sold>,
) -> Result<(), String> {
    verify_sums(books)?;
    let customers = stripe.lock().truth.customers.clone();
    let is_ours = |object: &Value| object["customer"].as_str().is_some_and(|id| customers.contains_key(id));
    let mut expected = BTreeSet::new();
    for invoice in stripe.list("/v1/invoices", "&status=paid").iter().filter(|invoice| is_ours(invoice)) {
        let Some(billed) = bill(stripe, plans, invoice) else { continue };
        let id = invoice["id"].as_str().expect("an id");
        for (grant, line) in &billed.lines {
            let Some(period) = books.periods.get(grant) else {
                return Err(format!("{id} is paid, and {grant} is not booked: {invoice}"));
            };
            if period.worth != line.worth {
                return Err(format!("{period:?} is not worth {line:?}"));
            }
            expected.insert(grant.clone());
        }
        compare_reversals(books, stripe, id, &billed)?;
    }
    if let Some(period) = books.periods.values().find(|period| !expected.contains(&period.id)) {
        return Err(format!("{period:?} is booked, and no invoice of it is paid"));
    }
    for subscription in stripe.list("/v1/subscriptions", "&status=all").iter().filter(|each| is_ours(each)) {
        compare_subscription(books, plans, subscription)?;
    }
    Ok(())
}

/// Each grant is that of a line, and as much of it is taken back as its invoice's refunds and disputes require, as far as
/// they are known.
fn verify_periods(books: &Books, own: &Recurring, truth: &Truth, promises: &Promises) -> Result<(), String> {
    for period in books.periods.values() {
        let billed = &own.billed[&period.provider_invoice_id];
        let line = billed.lines.get(&period.id).ok_or_else(|| format!("{period:?} is no line of {billed:?}"))?;
        let is_right = line.is_trial == (period.kind == "trial")
            && line.worth == period.worth
            && (line.start_ms, line.end_ms) == (period.period_start, period.period_end)
            && billed.subscription == period.provider_subscription_id
            && truth.account_of(&period.provider_subscription_id) == Some(&period.account_id);
        if !is_right {
            return Err(format!("{period:?} is not as {line:?} of {billed:?}"));
        }
        let of_invoice =
            books.reversals.values().filter(|stored| stored.invoice.as_ref() == Some(&period.provider_invoice_id));
        let reversed = of_invoice.map(|stored| {
            let real = &truth.reversals[&stored.id];
            real.states[promises.reversals[&stored.id]].reversed(real.is_dispute)
        });
        let expected = taken(period.credits, billed.credits_amount, reversed.sum());
        if period.taken_credits != expected {
            return Err(format!("{} has {} credits taken back, not {expected}", period.id, period.taken_credits));
        }
    }
    Ok(())
}

/// All refunds and disputes of an invoice's payments are known, in their present state.
fn compare_reversals(books: &Books, stripe: &SharedStripe, invoice: &str, billed: &Billed) -> Result<(), String> {
    let mut reversed = 0;
    for payment in stripe.list("/v1/invoice_payments", &format!("&invoice={invoice}")) {
        let Some(intent) = payment.pointer("/payment/payment_intent").and_then(Value::as_str) else { continue };
        for path in ["/v1/refunds", "/v1/disputes"] {
            for real in stripe.list(path, &format!("&payment_intent={intent}")) {
                let id = real["id"].as_str().expect("an id");
                let stored = books.reversals.get(id);
                if stored.map(|stored| stored.status.as_str()) != real["status"].as_str() {
                    return Err(format!("{id} of {invoice} is {}, and stored is {stored:?}", real["status"]));
                }
                let stripe = stripe.lock();
                let known = &stripe.truth.reversals[id];
                reversed += known.now().reversed(known.is_dispute);
            }
        }
    }
    for id in billed.lines.keys() {
        let period = &books.periods[id];
        let expected = taken(period.credits, billed.credits_amount, reversed);
        if period.provider_invoice_id == invoice && period.taken_credits != expected {
            return Err(format!("{reversed} of {invoice} went back, and {period:?} has not {expected} taken"));
        }
    }
    Ok(())
}

fn compare_subscription(books: &Books, plans: &BTreeMap<String, Sold>, real: &Value) -> Result<(), String> {
    let id = real["id"].as_str().expect("an id");
    let stored = books.subscriptions.get(id).ok_or_else(|| format!("{id} is not known: {real}"))?;
    let items = real["items"]["data"].as_array().expect("items");
    let mut prices = items.iter().filter_map(|item| item["price"]["id"].as_str());
    let price = prices.find(|price| plans.contains_key(*price));
    let ends = if real["cancel_at_period_end"] == true { &items[0]["current_period_end"] } else { &real["cancel_at"] };
    let ms = |seconds: &Value| seconds.as_i64().map(|seconds| seconds * 1_000);
    let there = (
        real["status"].as_str(),
        price,
        ms(&items[0]["current_period_end"]),
        ms(ends),
        i64::from(!real["pending_update"].is_null()),
    );
    let here = (
        Some(stored.status.as_str()),
        stored.provider_price_id.as_deref(),
        stored.period_end,
        stored.cancel_at,
        stored.is_update_pending,
    );
    if there == here { Ok(()) } else { Err(format!("{id} is {there:?} at Stripe, and {here:?} here")) }
}
