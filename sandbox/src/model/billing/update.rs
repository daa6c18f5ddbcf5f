//! Changes of a subscription's plan: applied at once, or only after their payment.
//!
//! Invariants: with `pending_if_incomplete` and `error_if_incomplete` nothing of the plan changes before it is paid.

use super::{
    change, collect,
    collect::By,
    ending,
    interval::Period,
    invoice::{BillingReason, InvoiceItem},
    issue::{self, Draft},
    lines,
    subscription::{self, INCOMPLETE_SECONDS, PendingUpdate, Status, Subscription},
    update_plan::{self, PlanChange, Planned},
};
use crate::model::{Context, State, error::ApiError};

/// `payment_behavior` of an update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Payment {
    /// The change is applied even if it is not paid.
    #[default]
    Allow,
    /// The payment waits for its confirmation by the client: `default_incomplete`.
    Wait,
    /// A change that is not paid is refused: `error_if_incomplete`.
    Refuse,
    /// A change that is not paid is kept for a day: `pending_if_incomplete`.
    Pend,
}

impl Payment {
    pub(crate) fn parse(name: Option<&str>) -> Self {
        match name {
            Some("default_incomplete") => Self::Wait,
            Some("error_if_incomplete") => Self::Refuse,
            Some("pending_if_incomplete") => Self::Pend,
            _ => Self::Allow,
        }
    }
}

/// Changes the plan of a subscription, and bills the change if that is due now. `rest` is changed in the same step,
/// and so belongs to the same event.
pub(crate) fn change_plan(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    (wanted, payment): (&PlanChange, Payment),
    rest: impl FnOnce(&mut Subscription),
) -> Result<(), ApiError> {
    let found = subscription::find(state, id)?.clone();
    let planned = update_plan::plan(state, context, &found, wanted)?;
    if planned.ends_trial {
        change::tell_subscription(state, context, "customer.subscription.trial_will_end", id);
        if ending::without_method(state, context, &found) {
            change::subscription(state, context, id, rest);
            return Ok(());
        }
    }
    let waits = matches!(payment, Payment::Refuse | Payment::Pend);
    let mut later = planned.prorations.clone();
    if !planned.bills_now || (planned.prorations.is_empty() && planned.service.is_empty()) {
        apply(state, context, id, &planned, rest);
        later.drain(..).for_each(|item| announce_item(state, context, item));
        return Ok(());
    }
    if !waits {
        apply(state, context, id, &planned, rest);
        let invoice = bill(state, context, &found, &planned, wanted)?;
        return pay(state, context, id, &invoice, payment);
    }
    let invoice = bill(state, context, &found, &planned, wanted)?;
    let pending = PendingUpdate {
        expires_at: context.now().saturating_add(INCOMPLETE_SECONDS).min(found.period_end()),
        trial_end: planned.trial_end,
        anchor: (planned.anchor != found.anchor).then_some(planned.anchor),
        invoice: invoice.clone(),
        is_shown: false,
        ends_trial: planned.ends_trial,
        items: planned.items,
    };
    change::subscription_silently(state, id, |found| found.pending_update = Some(pending));
    match pay(state, context, id, &invoice, payment) {
        Ok(()) => change::subscription(state, context, id, rest),
        Err(error) if payment == Payment::Refuse => {
            change::subscription_silently(state, id, |found| found.pending_update = None);
            issue::void(state, context, &invoice).ok();
            return Err(ApiError { status: 402, ..error });
        }
        Err(_) => change::subscription(state, context, id, |found| {
            if let Some(pending) = &mut found.pending_update {
                pending.is_shown = true;
            }
            rest(found);
        }),
    }
    Ok(())
}

fn apply(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    planned: &Planned,
    rest: impl FnOnce(&mut Subscription),
) {
    let now = context.now();
    change::subscription(state, context, id, |found| {
        found.items.clone_from(&planned.items);
        found.anchor = planned.anchor;
        if let Some(end) = planned.trial_end {
            found.trial_end = Some(end.max(found.trial_start.unwrap_or(end)));
        }
        if planned.ends_trial {
            found.trial_end = Some(now);
            found.status = Status::Active;
        }
        if planned.starts_trial {
            found.trial_start.get_or_insert(now);
            found.trial_announced = false;
            found.status = Status::Trialing;
        }
        rest(found);
    });
}

fn announce_item(state: &mut State, context: &mut Context<'_>, item: InvoiceItem) {
    let rendered = super::invoice_json::invoice_item(state, &item);
    lines::keep_waiting(state, item);
    state.emit(context, "invoiceitem.created", rendered);
}

/// Makes and finalizes the invoice of a change.
fn bill(
    state: &mut State,
    context: &mut Context<'_>,
    found: &Subscription,
    planned: &Planned,
    wanted: &PlanChange,
) -> Result<String, ApiError> {
    for item in planned.prorations.clone() {
        announce_item(state, context, item);
    }
    let waiting = lines::waiting(state, &found.customer, Some(&found.id), &found.currency);
    let mut made: Vec<_> = waiting.iter().map(|item| lines::of_invoice_item(context, item)).collect();
    made.extend(planned.service.clone());
    let now = context.now();
    let draft = Draft {
        customer: found.customer.clone(),
        subscription: Some(found.id.clone()),
        reason: BillingReason::SubscriptionUpdate,
        currency: found.currency.clone(),
        lines: made,
        period: Period { start: now, end: now },
        automatic_tax: found.automatic_tax,
        id: None,
    };
    let mut invoice = issue::build(state, context, draft);
    invoice.auto_advance = true;
    invoice.proration_date = planned.prorations.first().map(|_| wanted.proration_date.unwrap_or(now));
    let id = issue::store(state, context, invoice);
    lines::take_up(state, &waiting, &id);
    issue::finalize(state, context, &id)?;
    Ok(id)
}

fn pay(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    invoice: &str,
    payment: Payment,
) -> Result<(), ApiError> {
    let found = super::invoice::find(state, invoice)?;
    if found.amount_remaining() == 0 {
        collect::mark_paid(state, context, invoice, false);
        return Ok(());
    }
    if found.is_sent() {
        change::tell_invoice(state, context, "invoice.sent", invoice);
        return Ok(());
    }
    match payment {
        Payment::Wait => {
            change::subscription(state, context, id, |found| found.status = Status::PastDue);
            Ok(())
        }
        // Applied already: a failure makes the subscription past due, and the request succeeds.
        Payment::Allow => {
            collect::attempt(state, context, invoice, None, By::Schedule).ok();
            Ok(())
        }
        // The change waits for its invoice, so a failure does not make the subscription past due.
        Payment::Refuse | Payment::Pend => collect::attempt(state, context, invoice, None, By::Schedule),
    }
}
