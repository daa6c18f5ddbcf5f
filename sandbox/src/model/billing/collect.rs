//! Payments of invoices: the attempt, its result, and the next attempt.
//!
//! Invariants: an invoice is paid at most once. However its payment intent changed, on a page, by the API, by a bank
//! or here, [`follow`] draws the same consequences once.

use super::{
    catalog, change,
    invoice::{self, Invoice, InvoiceStatus},
    invoice_json, issue, standing,
    subscription::Status,
};
use crate::model::{Context, State, confirm, error::ApiError, payment::IntentStatus, payment_json};

/// Who makes an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The schedule of attempts.
    Schedule,
    /// A request to pay.
    Request,
    /// The customer, who can authenticate, on a page.
    Customer,
}

/// Charges an open invoice with a payment method, or with the default one. A decline is an error.
pub(crate) fn attempt(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    method: Option<String>,
    by: By,
) -> Result<(), ApiError> {
    let found = invoice::find(state, id)?.clone();
    if found.amount_remaining() == 0 {
        mark_paid(state, context, id, false);
        return Ok(());
    }
    issue::request_payment(state, context, id);
    let Some(intent) = state.invoices.get(id).and_then(|found| found.payment_intent.clone()) else { return Ok(()) };
    if state.payment_intents.get(&intent).is_some_and(|intent| intent.status == IntentStatus::Processing) {
        return Ok(());
    }
    count_attempt(state, id, by);
    let Some(method) = method.or_else(|| default_method(state, &found)) else {
        failed(state, context, id, false);
        return Err(no_method());
    };
    confirm::change(state, &intent, |intent| intent.amount = found.amount_remaining());
    let outcome = confirm::charge_saved(state, context, &intent, &method, by == By::Customer);
    let status = state.payment_intents.get(&intent).map(|intent| intent.status);
    state.changed_intents.retain(|changed| *changed != intent);
    if !(by == By::Customer && status == Some(IntentStatus::RequiresAction)) {
        draw_consequences(state, context, id, &intent);
    }
    outcome?;
    if status == Some(IntentStatus::RequiresAction) && by != By::Customer {
        return Err(needs_action(state, context, &intent));
    }
    Ok(())
}

/// Any first attempt counts, and of the later ones those of the schedule.
fn count_attempt(state: &mut State, id: &str, by: By) {
    change::invoice_silently(state, id, |invoice| {
        if by == By::Schedule || !invoice.attempted {
            invoice.attempt_count = invoice.attempt_count.saturating_add(1);
        }
        invoice.attempted = true;
        if by == By::Schedule {
            invoice.next_attempt = None;
        }
    });
}

/// The invoice's method, the subscription's, or the customer's.
fn default_method(state: &State, invoice: &Invoice) -> Option<String> {
    let of = invoice.subscription.as_deref().and_then(|id| state.subscriptions.get(id));
    let own = invoice.default_payment_method.clone();
    own.or_else(|| of.and_then(|of| of.default_payment_method.clone()))
        .or_else(|| catalog::default_method(state, invoice.customer.as_deref()?))
}

fn no_method() -> ApiError {
    ApiError::invalid(
        "There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method on \
         the Customer or the Invoice, or pass a `payment_method`.",
    )
    .code("missing")
    .executed()
}

fn needs_action(state: &State, context: &Context<'_>, intent: &str) -> ApiError {
    let message = "Nice! This payment requires additional user action before it can be completed successfully. Payment \
                   can be completed using the PaymentIntent associated with the invoice.";
    let error = ApiError::new(402, "card_error", message).code("invoice_payment_intent_requires_action").executed();
    match payment_json::intent_by_id(state, context.base_url, intent) {
        Some(rendered) => error.detail("payment_intent", rendered),
        None => error,
    }
}

/// Draws the consequences of payment intents that changed since the last call.
pub(crate) fn follow(state: &mut State, context: &mut Context<'_>) -> bool {
    let changed = std::mem::take(&mut state.changed_intents);
    for intent in &changed {
        let of = state.payment_intents.get(intent).and_then(|intent| intent.invoice.clone());
        if let Some(invoice) = of {
            draw_consequences(state, context, &invoice, intent);
        }
    }
    !changed.is_empty()
}

fn draw_consequences(state: &mut State, context: &mut Context<'_>, id: &str, intent: &str) {
    let Some(intent) = state.payment_intents.get(intent) else { return };
    match (intent.status, intent.last_error.is_some()) {
        (IntentStatus::Succeeded, _) => mark_paid(state, context, id, false),
        (IntentStatus::RequiresAction, _) => failed(state, context, id, true),
        (IntentStatus::RequiresPaymentMethod, true) => failed(state, context, id, false),
        _ => {}
    }
}

/// Marks an invoice as paid, and what depends on it.
pub(crate) fn mark_paid(state: &mut State, context: &mut Context<'_>, id: &str, off_stripe: bool) {
    if !state.invoices.get(id).is_some_and(Invoice::is_payable) {
        return;
    }
    let now = context.now();
    let payment = issue::payment_of(state, id).filter(|_| !off_stripe);
    if let Some(payment) = payment.as_deref().and_then(|id| state.invoice_payments.get_mut(id)) {
        payment.paid_at = Some(now);
    }
    let kinds: &[&str] = if off_stripe { &["invoice.paid"] } else { &["invoice.paid", "invoice.payment_succeeded"] };
    let customer = state.invoices.get(id).and_then(|found| found.customer.clone()).unwrap_or_default();
    change::invoice(state, context, id, kinds, |invoice| {
        invoice.amount_paid = invoice.amount_due();
        invoice.paid_off_stripe = off_stripe;
        invoice.status = InvoiceStatus::Paid;
        invoice.paid_at = Some(now);
        invoice.attempted = true;
        invoice.next_attempt = None;
    });
    catalog::set_delinquent(state, context, &customer, false);
    standing::after_payment(state, context, id);
    if let Some(paid) = payment.as_deref().and_then(|id| state.invoice_payments.get(id)) {
        let rendered = invoice_json::payment(paid);
        state.emit(context, "invoice_payment.paid", rendered);
    }
}

/// A payment failed, or waits for the customer's authentication.
fn failed(state: &mut State, context: &mut Context<'_>, id: &str, needs_action: bool) {
    let Some(found) = state.invoices.get(id).filter(|found| found.status == InvoiceStatus::Open).cloned() else {
        return;
    };
    let now = context.now();
    let of = found.subscription.as_deref().and_then(|id| state.subscriptions.get(id));
    let is_first = of.is_some_and(|of| of.status == Status::Incomplete);
    let is_retried = found.auto_advance && !found.is_sent() && !is_first;
    let next = found.next_attempt.filter(|at| *at > now);
    let next = next.or_else(|| state.billing.next_attempt(found.attempt_count, now)).filter(|_| is_retried);
    let kinds: &[&str] = if needs_action {
        &["invoice.payment_action_required", "invoice.payment_failed", "invoice.updated"]
    } else {
        &["invoice.payment_failed", "invoice.updated"]
    };
    change::invoice_silently(state, id, |invoice| invoice.attempted = false);
    change::invoice(state, context, id, kinds, |invoice| {
        invoice.attempted = true;
        invoice.next_attempt = next;
    });
    let customer = found.customer.clone().unwrap_or_default();
    catalog::set_delinquent(state, context, &customer, found.subscription.is_some());
    standing::after_failure(state, context, id, is_retried && next.is_none());
}

/// Finalizes a draft whose time has come and charges it, or sends it.
pub(crate) fn advance(state: &mut State, context: &mut Context<'_>, id: &str) {
    let status = state.invoices.get(id).map(|found| found.status);
    if status == Some(InvoiceStatus::Draft) && issue::finalize(state, context, id).is_err() {
        return;
    }
    let Some(found) = state.invoices.get(id).filter(|found| found.status == InvoiceStatus::Open) else { return };
    if found.is_sent() && found.amount_remaining() > 0 {
        change::tell_invoice(state, context, "invoice.sent", id);
        return;
    }
    // A decline has had its consequences.
    attempt(state, context, id, None, By::Schedule).ok();
}

/// The customer passes or fails the 3-D Secure challenge of an invoice's payment.
pub(crate) fn answer_challenge(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    passed: bool,
) -> Result<(), ApiError> {
    let intent = invoice::find(state, id)?.payment_intent.clone();
    let intent = intent.ok_or_else(|| confirm::unexpected("This invoice is not waiting for authentication."))?;
    let outcome = confirm::answer_challenge(state, context, &intent, passed);
    follow(state, context);
    outcome.map(|_| ())
}
