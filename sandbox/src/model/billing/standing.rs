//! What a paid or failed invoice means for its subscription.

use super::{change, dunning::AfterRetries, ending, invoice::BillingReason, issue, subscription::Status};
use crate::model::{Context, State, card::Decline, methods};

/// An invoice was paid: a first payment starts the subscription, the latest one ends its arrears, and the one that a
/// change waited for applies it.
pub(crate) fn after_payment(state: &mut State, context: &mut Context<'_>, invoice: &str) {
    let Some(found) = state.invoices.get(invoice) else { return };
    let Some(id) = found.subscription.clone() else { return };
    let intent = found.payment_intent.as_deref().and_then(|intent| state.payment_intents.get(intent));
    let method = intent.and_then(|intent| intent.payment_method.clone());
    let Some(subscription) = state.subscriptions.get(&id) else { return };
    let is_latest = subscription.latest_invoice.as_deref() == Some(invoice);
    let waits_for_it = subscription.pending_update.as_ref().is_some_and(|pending| pending.invoice == invoice);
    let saved = method.filter(|_| subscription.saves_method);
    if let Some(method) = &saved {
        keep(state, context, method, &id);
    }
    if waits_for_it {
        apply_pending(state, context, &id);
    }
    change::subscription(state, context, &id, |subscription| {
        let is_late = matches!(subscription.status, Status::PastDue | Status::Unpaid);
        let is_new = subscription.status == Status::Incomplete;
        if is_latest && (is_late || is_new) {
            subscription.status = Status::Active;
        }
        if subscription.status == Status::Paused && is_latest {
            subscription.status = Status::Active;
            subscription.paused = None;
        }
        if saved.is_some() {
            subscription.default_payment_method = saved;
        }
    });
}

/// Saves the method of a payment with the customer of the subscription.
fn keep(state: &mut State, context: &mut Context<'_>, method: &str, id: &str) {
    let Some(customer) = state.subscriptions.get(id).map(|found| found.customer.clone()) else { return };
    let is_attached = state.payment_methods.get(method).is_none_or(|method| method.customer.is_some());
    if !is_attached {
        methods::bind(state, context, method, &customer);
    }
}

fn apply_pending(state: &mut State, context: &mut Context<'_>, id: &str) {
    let now = context.now();
    let is_shown = state
        .subscriptions
        .get(id)
        .is_some_and(|found| found.pending_update.as_ref().is_some_and(|pending| pending.is_shown));
    let both = ["customer.subscription.pending_update_applied", "customer.subscription.updated"];
    let kinds = if is_shown { &both[..] } else { &["customer.subscription.updated"] };
    change::subscription_as(state, context, id, kinds, |subscription| {
        let Some(pending) = subscription.pending_update.take() else { return };
        subscription.items = pending.items;
        subscription.trial_end = pending.trial_end.or(subscription.trial_end);
        subscription.anchor = pending.anchor.unwrap_or(subscription.anchor);
        if pending.ends_trial {
            subscription.trial_end = Some(now);
            subscription.status = Status::Active;
        }
    });
}

fn is_returned_debit(state: &State, invoice: &str) -> bool {
    let intent = state.invoices.get(invoice).and_then(|found| found.payment_intent.as_deref());
    let intent = intent.and_then(|intent| state.payment_intents.get(intent));
    intent.is_some_and(|intent| intent.last_error == Some(Decline::DebitReturned))
}

/// A change that was not paid in time is dropped, and its invoice is void.
pub(crate) fn expire_pending(state: &mut State, context: &mut Context<'_>, id: &str) {
    let pending = state.subscriptions.get(id).and_then(|found| found.pending_update.clone());
    let Some(pending) = pending else { return };
    // Fails only if the invoice was closed otherwise, which is fine.
    issue::void(state, context, &pending.invoice).ok();
    let kinds = ["customer.subscription.pending_update_expired", "customer.subscription.updated"];
    change::subscription_as(state, context, id, &kinds, |subscription| subscription.pending_update = None);
}

/// A payment of an invoice failed. `is_last` if no further attempt is planned.
pub(crate) fn after_failure(state: &mut State, context: &mut Context<'_>, invoice: &str, is_last: bool) {
    let Some(found) = state.invoices.get(invoice) else { return };
    let (Some(id), reason) = (found.subscription.clone(), found.reason) else { return };
    let Some(subscription) = state.subscriptions.get(&id) else { return };
    if subscription.pending_update.as_ref().is_some_and(|pending| pending.invoice == invoice) {
        return;
    }
    match (reason, subscription.status) {
        (_, Status::Incomplete | Status::Canceled | Status::IncompleteExpired | Status::Paused) => return,
        // A debit that failed days after the start: Stripe voids the invoice and leaves the subscription as it is.
        (BillingReason::SubscriptionCreate, _) if is_returned_debit(state, invoice) => {
            issue::void(state, context, invoice).ok();
            return;
        }
        _ => {}
    }
    let after = state.billing.after_retries;
    if is_last && after == AfterRetries::Cancel {
        ending::cancel(state, context, &id, &ending::because("payment_failed"));
        return;
    }
    change::subscription(state, context, &id, |subscription| {
        subscription.status = if is_last && after == AfterRetries::Unpaid { Status::Unpaid } else { Status::PastDue };
    });
}
