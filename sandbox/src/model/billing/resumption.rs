//! Pausing a subscription and resuming it.

use super::{
    catalog, change, collect,
    collect::By,
    interval::Period,
    invoice::BillingReason,
    issue::{self, Draft},
    lines::{self, Of},
    subscription::{self, Status, Subscription},
};
use crate::model::{Context, State, error::ApiError};

/// `POST …/pause`: no invoices until it is resumed.
pub(crate) fn pause(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let found = subscription::find(state, id)?;
    if !matches!(found.status, Status::Active | Status::Trialing) {
        let message = format!("You cannot pause a subscription with the status {}.", found.status.as_str());
        return Err(ApiError::invalid(message));
    }
    let now = context.now();
    let kinds = ["customer.subscription.paused", "customer.subscription.updated"];
    change::subscription_as(state, context, id, &kinds, |found| {
        found.status = Status::Paused;
        found.paused = Some(("pause_requested".to_owned(), now));
    });
    Ok(())
}

/// `POST …/resume`: a new period begins, and the subscription is active once its invoice is paid.
pub(crate) fn resume(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let found = subscription::find(state, id)?.clone();
    if found.status != Status::Paused {
        let message = "You cannot resume a subscription that is not paused.";
        return Err(ApiError::invalid(message));
    }
    let now = context.now();
    let mut next = Subscription { anchor: now, ..found.clone() };
    for item in &mut next.items {
        let interval = catalog::price(state, &item.price).and_then(|price| price.interval);
        item.period = Period { start: now, end: interval.map_or(i64::MAX, |interval| interval.after(now, 1)) };
    }
    let made = lines::of_items(state, context, &next, Of::Service);
    change::subscription(state, context, id, |found| {
        found.items.clone_from(&next.items);
        found.anchor = now;
    });
    let draft = Draft {
        customer: found.customer.clone(),
        subscription: Some(id.to_owned()),
        reason: BillingReason::SubscriptionUpdate,
        currency: found.currency.clone(),
        lines: made,
        period: Period { start: now, end: now },
        automatic_tax: found.automatic_tax,
        id: None,
    };
    let mut invoice = issue::build(state, context, draft);
    invoice.auto_advance = true;
    let invoice = issue::store(state, context, invoice);
    issue::finalize(state, context, &invoice)?;
    // A failure leaves it paused: paying the invoice later resumes it.
    let paid = collect::attempt(state, context, &invoice, None, By::Request);
    if paid.is_ok() {
        change::tell_subscription(state, context, "customer.subscription.resumed", id);
    }
    Ok(())
}
