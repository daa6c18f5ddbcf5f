//! What subscriptions do when their time comes: trials end, periods begin, cancellations take effect, payments expire.
//!
//! Invariants: each entry of the agenda is worked off at its own time, in order, however late it is looked at. A move
//! of a clock over many renewals is worked off in portions, so that memory and webhooks keep up.

use super::{
    agenda, catalog, change, collect, ending,
    interval::Period,
    invoice::BillingReason,
    issue::{self, DRAFT_SECONDS, Draft},
    lines::{self, Of},
    preview, schedule_steps, standing,
    subscription::{Item, Status, Subscription},
};
use crate::model::{Context, State};

/// An object has at most this many things to do at one second.
const MOST_STEPS_AT_ONCE: u8 = 20;

/// Works off what is due on a timeline until a time, at most `portion` entries. Returns how many were worked off.
pub(crate) fn run_due(
    state: &mut State,
    context: &mut Context<'_>,
    timeline: &str,
    until: i64,
    portion: usize,
) -> usize {
    let (mut done, mut last, mut repeated) = (0_usize, None, 0_u8);
    while done < portion {
        let Some((at, id)) = agenda::first_due(state, timeline, until) else { break };
        repeated = if last.as_ref() == Some(&(at, id.clone())) { repeated.saturating_add(1) } else { 0 };
        let is_stuck = repeated >= MOST_STEPS_AT_ONCE;
        let is_known = agenda::at(state, context, (timeline, at.saturating_mul(1_000)), |state, context| {
            !is_stuck && step(state, context, &id)
        });
        if !is_known {
            state.planned.remove(&id);
            state.agenda.remove(&(timeline.to_owned(), at, id.clone()));
        }
        last = Some((at, id));
        done = done.saturating_add(1);
    }
    done
}

/// Works off one entry. Returns false for an object that is gone.
fn step(state: &mut State, context: &mut Context<'_>, id: &str) -> bool {
    if state.subscriptions.get(id).is_some() {
        subscription_step(state, context, id);
    } else if state.invoices.get(id).is_some() {
        collect::advance(state, context, id);
        change::invoice_silently(state, id, |_| ());
    } else if state.schedules.get(id).is_some() {
        schedule_steps::advance(state, context, id);
    } else {
        return false;
    }
    collect::follow(state, context);
    true
}

fn subscription_step(state: &mut State, context: &mut Context<'_>, id: &str) {
    let now = context.now();
    // A phase that begins now decides what the renewal costs.
    let schedule = state.subscriptions.get(id).and_then(|found| found.schedule.clone());
    if let Some(schedule) = schedule {
        schedule_steps::advance(state, context, &schedule);
    }
    let Some(found) = state.subscriptions.get(id).cloned() else { return };
    let is_due = |at: Option<i64>| at.is_some_and(|at| at <= now);
    if is_due(found.pause_collection.as_ref().and_then(|pause| pause.resumes_at)) {
        change::subscription(state, context, id, |found| found.pause_collection = None);
    }
    if is_due(found.pending_update.as_ref().map(|pending| pending.expires_at)) {
        standing::expire_pending(state, context, id);
    }
    if is_due(found.ends_at()) {
        ending::cancel(state, context, id, &ending::because("cancellation_requested"));
        return;
    }
    match found.status {
        Status::Incomplete => expire(state, context, &found),
        Status::Trialing if is_due(found.trial_end) => end_trial(state, context, &found),
        Status::Trialing if !found.trial_announced => {
            change::subscription_silently(state, id, |found| found.trial_announced = true);
            change::tell_subscription(state, context, "customer.subscription.trial_will_end", id);
        }
        Status::Active | Status::PastDue | Status::Unpaid if found.period_end() <= now => {
            renew(state, context, &found);
        }
        Status::Active | Status::PastDue | Status::Unpaid => announce(state, context, &found),
        _ => {}
    }
    change::plan_subscription(state, id);
}

/// The first payment was not made in time.
fn expire(state: &mut State, context: &mut Context<'_>, found: &Subscription) {
    if found.created.saturating_add(super::subscription::INCOMPLETE_SECONDS) > context.now() {
        return;
    }
    if let Some(invoice) = &found.latest_invoice {
        issue::void(state, context, invoice).ok();
    }
    let now = context.now();
    change::subscription(state, context, &found.id, |found| {
        found.status = Status::IncompleteExpired;
        found.ended_at = Some(now);
    });
}

/// Sends `invoice.upcoming`, which has no id yet.
fn announce(state: &mut State, context: &mut Context<'_>, found: &Subscription) {
    let is_time = change::upcoming_at(state, found).is_some_and(|at| at <= context.now());
    let end = found.period_end();
    change::subscription_silently(state, &found.id, |found| found.announced = end);
    if is_time && found.announced != end {
        let rendered = preview::upcoming(state, context, found);
        state.emit(context, "invoice.upcoming", rendered);
    }
}

/// A trial ends: with a payment method the first paid period begins.
fn end_trial(state: &mut State, context: &mut Context<'_>, found: &Subscription) {
    if ending::without_method(state, context, found) {
        return;
    }
    let started = Subscription { status: Status::Active, ..found.clone() };
    renew(state, context, &started);
}

/// Begins the next period of every item whose period is over, and drafts the invoice for it.
fn renew(state: &mut State, context: &mut Context<'_>, found: &Subscription) {
    let (id, now) = (found.id.as_str(), context.now());
    let was_trial = state.subscriptions.get(id).is_some_and(|found| found.status == Status::Trialing);
    let anchor = if was_trial { found.trial_end.unwrap_or(found.anchor).min(now) } else { found.anchor };
    let mut next = Subscription { anchor, ..found.clone() };
    let mut begun: Vec<String> = Vec::new();
    for item in &mut next.items {
        if item.period.end <= now || was_trial {
            let start = if was_trial { now } else { item.period.end };
            let interval = catalog::price(state, &item.price).and_then(|price| price.interval);
            let end = interval.map_or(i64::MAX, |interval| interval.period_at(anchor, start).end);
            item.period = Period { start, end };
            begun.push(item.id.clone());
        }
    }
    let drafted = draft_of(state, context, &next, &begun);
    if was_trial {
        next.trial_end = next.trial_end.map(|end| end.min(now));
    }
    let latest = drafted.as_ref().map(|(invoice, _)| invoice.id.clone());
    change::subscription(state, context, id, |found| {
        found.status = next.status;
        found.items = next.items;
        found.anchor = next.anchor;
        found.trial_end = next.trial_end;
        found.latest_invoice = latest.or_else(|| found.latest_invoice.take());
    });
    let Some((invoice, waiting)) = drafted else { return };
    let invoice = issue::store(state, context, invoice);
    lines::take_up(state, &waiting, &invoice);
    pass_on(state, context, id, &invoice);
}

type Drafted = (super::invoice::Invoice, Vec<super::invoice::InvoiceItem>);

/// The invoice of a renewal, with the waiting invoice items that it takes up; `None` if it would have no lines.
fn draft_of(state: &State, context: &mut Context<'_>, next: &Subscription, begun: &[String]) -> Option<Drafted> {
    let items: Vec<&Item> = next.items.iter().filter(|item| begun.contains(&item.id)).collect();
    let mut made = lines::of_some_items(state, context, next, &items, Of::Service);
    let waiting = lines::waiting(state, &next.customer, Some(&next.id), &next.currency);
    made.splice(0..0, waiting.iter().map(|item| lines::of_invoice_item(context, item)).collect::<Vec<_>>());
    if made.is_empty() {
        return None;
    }
    let now = context.now();
    let before = items.first().and_then(|item| catalog::price(state, &item.price)).and_then(|price| price.interval);
    let draft = Draft {
        customer: next.customer.clone(),
        subscription: Some(next.id.clone()),
        reason: BillingReason::SubscriptionCycle,
        currency: next.currency.clone(),
        lines: made,
        // The window of pending items, not the period that is paid for.
        period: Period { start: before.map_or(now, |interval| interval.after(now, -1)), end: now },
        automatic_tax: next.automatic_tax,
        id: None,
    };
    let mut invoice = issue::build(state, context, draft);
    let is_held = next.status == Status::Unpaid;
    invoice.auto_advance = !is_held;
    invoice.finalizes_at = (!is_held).then(|| now.saturating_add(DRAFT_SECONDS));
    Some((invoice, waiting))
}

/// While collection is paused, an invoice is kept as a draft, void or uncollectible.
fn pass_on(state: &mut State, context: &mut Context<'_>, id: &str, invoice: &str) {
    let pause = state.subscriptions.get(id).and_then(|found| found.pause_collection.clone());
    let Some(pause) = pause else { return };
    change::invoice_silently(state, invoice, |invoice| {
        invoice.auto_advance = false;
        invoice.finalizes_at = None;
    });
    if pause.behavior == "keep_as_draft" || issue::finalize(state, context, invoice).is_err() {
        return;
    }
    if pause.behavior == "void" {
        issue::void(state, context, invoice).ok();
    } else {
        issue::mark_uncollectible(state, context, invoice, "subscription_paused").ok();
    }
}
