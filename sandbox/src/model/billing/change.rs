//! Changes of subscriptions and invoices: what changed becomes an event, and the agenda follows.

use serde_json::Value;

use super::{
    agenda, catalog,
    invoice::{Invoice, InvoiceStatus},
    invoice_json,
    subscription::{Status, Subscription},
    subscription_json,
};
use crate::model::{Context, State};

/// Trials are announced this long before their end.
const TRIAL_NOTICE: i64 = 3 * 24 * 60 * 60;

/// Changes a subscription, and emits `customer.subscription.updated` if that changed anything.
pub(crate) fn subscription(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    change: impl FnOnce(&mut Subscription),
) {
    subscription_as(state, context, id, &["customer.subscription.updated"], change);
}

/// Like [`subscription`], with events of these types instead; they are emitted only if something changed.
pub(crate) fn subscription_as(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    kinds: &[&str],
    change: impl FnOnce(&mut Subscription),
) {
    let Some(before) = subscription_json::by_id(state, id) else { return };
    subscription_silently(state, id, change);
    let after = subscription_json::by_id(state, id).unwrap_or(Value::Null);
    if before != after {
        for kind in kinds {
            state.emit_diff(context, kind, &before, after.clone());
        }
    }
}

/// Changes a subscription without an event.
pub(crate) fn subscription_silently(state: &mut State, id: &str, change: impl FnOnce(&mut Subscription)) {
    if let Some(found) = state.subscriptions.get_mut(id) {
        change(found);
    }
    plan_subscription(state, id);
}

/// Emits an event about a subscription as it is now.
pub(crate) fn tell_subscription(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = subscription_json::by_id(state, id) {
        state.emit(context, kind, rendered);
    }
}

/// Puts the next step of a subscription on the agenda.
pub(crate) fn plan_subscription(state: &mut State, id: &str) {
    let Some(found) = state.subscriptions.get(id) else {
        forget(state, id);
        return;
    };
    let (next, customer) = (next_step(state, found), found.customer.clone());
    agenda::plan(state, &customer, id, next);
}

fn forget(state: &mut State, id: &str) {
    if let Some((timeline, at)) = state.planned.remove(&id.to_owned()) {
        state.agenda.remove(&(timeline, at, id.to_owned()));
    }
}

/// When a subscription has something to do next.
fn next_step(state: &State, found: &Subscription) -> Option<i64> {
    let resumes = found.pause_collection.as_ref().and_then(|pause| pause.resumes_at);
    let expires = found.pending_update.as_ref().map(|pending| pending.expires_at);
    let own = match found.status {
        Status::Canceled | Status::IncompleteExpired => return None,
        Status::Incomplete => Some(found.created.saturating_add(super::subscription::INCOMPLETE_SECONDS)),
        Status::Paused => None,
        Status::Trialing => {
            found.trial_end.map(|end| if found.trial_announced { end } else { announcement(found, end) })
        }
        Status::Active | Status::PastDue | Status::Unpaid => Some(next_period(state, found)),
    };
    [own, found.ends_at(), resumes, expires].into_iter().flatten().min()
}

/// When the end of a trial is announced: three days before it, or at once.
pub(crate) fn announcement(found: &Subscription, end: i64) -> i64 {
    end.saturating_sub(TRIAL_NOTICE).max(found.trial_start.unwrap_or(found.start_date))
}

/// The next renewal, or its announcement.
fn next_period(state: &State, found: &Subscription) -> i64 {
    let end = found.period_end();
    match upcoming_at(state, found) {
        Some(at) if found.announced != end => at,
        _ => end,
    }
}

/// When the next renewal is announced with `invoice.upcoming`. Periods that are no longer than the notice have none,
/// nor have invoices that are sent.
pub(crate) fn upcoming_at(state: &State, found: &Subscription) -> Option<i64> {
    let end = found.period_end();
    let at = state.billing.upcoming_at(end)?;
    (at > found.period().start && !found.is_sent() && found.ends_at().is_none_or(|ends| ends > end)).then_some(at)
}

/// Changes an invoice, and emits these events with what changed. They are emitted only if something did.
pub(crate) fn invoice(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    kinds: &[&str],
    change: impl FnOnce(&mut Invoice),
) {
    let Some(before) = invoice_json::by_id(state, context.base_url, id) else { return };
    invoice_silently(state, id, change);
    let after = invoice_json::by_id(state, context.base_url, id).unwrap_or(Value::Null);
    if before == after {
        return;
    }
    for kind in kinds {
        if *kind == "invoice.updated" {
            state.emit_diff(context, kind, &before, after.clone());
        } else {
            state.emit(context, kind, after.clone());
        }
    }
}

/// Changes an invoice without an event.
pub(crate) fn invoice_silently(state: &mut State, id: &str, change: impl FnOnce(&mut Invoice)) {
    let Some(found) = state.invoices.get_mut(id) else { return };
    change(found);
    let next = match found.status {
        InvoiceStatus::Draft => found.finalizes_at.filter(|_| found.auto_advance),
        InvoiceStatus::Open => found.next_attempt.filter(|_| found.auto_advance),
        InvoiceStatus::Paid | InvoiceStatus::Uncollectible | InvoiceStatus::Void => None,
    };
    let customer = found.customer.clone().unwrap_or_default();
    agenda::plan(state, &customer, id, next);
}

/// Emits an event about an invoice as it is now.
pub(crate) fn tell_invoice(state: &mut State, context: &mut Context<'_>, kind: &str, id: &str) {
    if let Some(rendered) = invoice_json::by_id(state, context.base_url, id) {
        state.emit(context, kind, rendered);
    }
}

/// Forgets an invoice that was never more than a draft.
pub(crate) fn drop_invoice(state: &mut State, id: &str) {
    state.invoices.remove(id);
    forget(state, id);
}

/// Forgets a subscription that never came to be.
pub(crate) fn drop_subscription(state: &mut State, id: &str) {
    state.subscriptions.remove(id);
    forget(state, id);
}

/// The payment method that a subscription is charged with: its own, or the customer's default.
pub(crate) fn method_of(state: &State, customer: &str, own: Option<&str>) -> Option<String> {
    own.map(str::to_owned).or_else(|| catalog::default_method(state, customer))
}
