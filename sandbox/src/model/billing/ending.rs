//! How a subscription ends.

use super::{
    agenda, change,
    invoice::InvoiceStatus,
    schedule::{self, ScheduleStatus},
    subscription::{Cancellation, MissingMethod, Status, Subscription},
};
use crate::model::{Context, State};

/// Ends a subscription now, for good. Its open invoices stay open and are collected no more.
pub(crate) fn cancel(state: &mut State, context: &mut Context<'_>, id: &str, why: &Cancellation) {
    let now = context.now();
    let is_live = state.subscriptions.get(id).is_some_and(|found| !found.is_ended());
    if !is_live {
        return;
    }
    change::subscription_silently(state, id, |found| {
        found.status = Status::Canceled;
        found.canceled_at.get_or_insert(now);
        found.ended_at = Some(now);
        found.pending_update = None;
        found.pause_collection = None;
        if found.cancellation.reason.is_none() {
            found.cancellation.reason.clone_from(&why.reason);
        }
        found.cancellation.feedback = why.feedback.clone().or_else(|| found.cancellation.feedback.take());
        found.cancellation.comment = why.comment.clone().or_else(|| found.cancellation.comment.take());
    });
    stop_collecting(state, context, id);
    end_schedule(state, context, id);
    change::tell_subscription(state, context, "customer.subscription.deleted", id);
}

/// A trial ends and there is no payment method: the subscription is canceled or paused, if its settings say so.
/// Returns false if it goes on with an invoice.
pub(crate) fn without_method(state: &mut State, context: &mut Context<'_>, found: &Subscription) -> bool {
    let (id, now) = (found.id.as_str(), context.now());
    let own = found.default_payment_method.as_deref();
    if found.is_sent() || change::method_of(state, &found.customer, own).is_some() {
        return false;
    }
    match found.missing_method {
        MissingMethod::Cancel => cancel(state, context, id, &because("cancellation_requested")),
        MissingMethod::Pause => {
            let kinds = ["customer.subscription.paused", "customer.subscription.updated"];
            change::subscription_as(state, context, id, &kinds, |found| {
                found.status = Status::Paused;
                found.trial_end = Some(now);
                found.paused = Some(("trial_end_without_payment_method".to_owned(), now));
            });
        }
        MissingMethod::CreateInvoice => return false,
    }
    true
}

/// Why a subscription is canceled, by Stripe's word.
pub(crate) fn because(reason: &str) -> Cancellation {
    Cancellation { reason: Some(reason.to_owned()), feedback: None, comment: None }
}

/// A schedule does not outlive its subscription.
fn end_schedule(state: &mut State, context: &mut Context<'_>, id: &str) {
    let now = context.now();
    let Some(schedule) = state.subscriptions.get(id).and_then(|found| found.schedule.clone()) else { return };
    let Some(found) = state.schedules.get_mut(&schedule).filter(|found| !found.status.is_over()) else { return };
    found.status = ScheduleStatus::Canceled;
    found.canceled_at = Some(now);
    let customer = found.customer.clone();
    agenda::plan(state, &customer, &schedule, None);
    if let Some(rendered) = schedule::by_id(state, &schedule) {
        state.emit(context, "subscription_schedule.canceled", rendered);
    }
}

fn stop_collecting(state: &mut State, context: &mut Context<'_>, id: &str) {
    let latest = state.subscriptions.get(id).and_then(|found| found.latest_invoice.clone());
    let Some(latest) = latest else { return };
    let is_running = state.invoices.get(&latest).is_some_and(|invoice| {
        matches!(invoice.status, InvoiceStatus::Draft | InvoiceStatus::Open) && invoice.auto_advance
    });
    if is_running {
        change::invoice(state, context, &latest, &["invoice.updated"], |invoice| {
            invoice.auto_advance = false;
            invoice.next_attempt = None;
        });
    }
}
