//! The life of an invoice without its payment: draft, finalized, void, uncollectible.
//!
//! Invariants: a finalized invoice has a number, and a payment intent if money is due. What the customer's balance pays
//! or takes is booked at finalization, once.

use std::collections::BTreeMap;

use super::{
    catalog, change,
    interval::Period,
    invoice::{BillingReason, Invoice, InvoicePayment, InvoiceStatus, Line},
    lines,
};
use crate::model::{
    Context, State, confirm, currency, customer, error::ApiError, payment::IntentStatus, session::PaymentIntentData,
};

/// How long a renewal stays a draft that can be changed.
pub(crate) const DRAFT_SECONDS: i64 = 60 * 60;

/// The parts of a new invoice.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) customer: String,
    pub(crate) subscription: Option<String>,
    pub(crate) reason: BillingReason,
    pub(crate) currency: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) period: Period,
    pub(crate) automatic_tax: bool,
    /// The id, if it was promised before; otherwise a new one.
    pub(crate) id: Option<String>,
}

/// Makes an invoice that is still to be stored.
pub(crate) fn build(state: &State, context: &mut Context<'_>, draft: Draft) -> Invoice {
    let id = draft.id.unwrap_or_else(|| context.ids.next("in_1", 23));
    let of = draft.subscription.as_deref().and_then(|id| state.subscriptions.get(id));
    let mut lines = draft.lines;
    // Without a registration Stripe collects nothing, and does not say so.
    let owes_itself = customer::owes_tax_itself(state, Some(&draft.customer));
    lines::set_tax(&mut lines, draft.automatic_tax && !state.tax_unregistered && !owes_itself);
    Invoice {
        id,
        created: context.now(),
        billed_to: catalog::billed_to(state, &draft.customer),
        starting_balance: catalog::balance(state, &draft.customer),
        customer: Some(draft.customer),
        subscription_metadata: of.map(|of| of.metadata.clone()).unwrap_or_default(),
        proration_date: None,
        quote: None,
        status: InvoiceStatus::Draft,
        reason: draft.reason,
        currency: draft.currency,
        lines,
        number: None,
        period: draft.period,
        collection_method: of.map_or_else(|| "charge_automatically".to_owned(), |of| of.collection_method.clone()),
        days_until_due: of.and_then(|of| of.days_until_due),
        default_payment_method: None,
        subscription: draft.subscription,
        auto_advance: false,
        finalizes_at: None,
        due_date: None,
        attempted: false,
        attempt_count: 0,
        next_attempt: None,
        amount_paid: 0,
        paid_off_stripe: false,
        ending_balance: None,
        credited_before_payment: 0,
        credited_after_payment: 0,
        payment_intent: None,
        automatic_tax: draft.automatic_tax,
        description: None,
        footer: None,
        custom_fields: None,
        metadata: BTreeMap::new(),
        finalized_at: None,
        paid_at: None,
        voided_at: None,
        uncollectible_at: None,
        uncollectible_reason: None,
    }
}

/// Stores a draft and emits `invoice.created`.
pub(crate) fn store(state: &mut State, context: &mut Context<'_>, invoice: Invoice) -> String {
    let (id, of, customer) = (invoice.id.clone(), invoice.subscription.clone(), invoice.customer.clone());
    if of.is_some() {
        catalog::fix_currency(state, customer.as_deref(), &invoice.currency);
    }
    state.invoices.insert(invoice);
    if let Some(of) = of {
        change::subscription_silently(state, &of, |subscription| subscription.latest_invoice = Some(id.clone()));
    }
    change::invoice_silently(state, &id, |_| ());
    change::tell_invoice(state, context, "invoice.created", &id);
    id
}

/// Makes a draft final: number, balance, due date, payment intent. Emits `invoice.finalized`.
pub(crate) fn finalize(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let found = super::invoice::find(state, id)?;
    if found.status != InvoiceStatus::Draft {
        return Err(wrong_status("finalized", "draft"));
    }
    let customer = found.customer.clone().unwrap_or_default();
    let (total, starting) = (found.total(), catalog::balance(state, &customer));
    let ending = ending_balance(total, starting, currency::minimum(&found.currency));
    let metadata =
        found.subscription.as_deref().and_then(|of| state.subscriptions.get(of)).map(|of| of.metadata.clone());
    let number = catalog::next_number(state, &customer);
    catalog::set_balance(state, context, &customer, ending);
    let (now, to) = (context.now(), catalog::billed_to(state, &customer));
    change::invoice_silently(state, id, |invoice| {
        invoice.number = Some(number);
        invoice.status = InvoiceStatus::Open;
        invoice.finalized_at = Some(now);
        invoice.billed_to = to;
        invoice.starting_balance = starting;
        invoice.ending_balance = Some(ending);
        invoice.subscription_metadata = metadata.unwrap_or_default();
        if invoice.is_sent() {
            let days = invoice.days_until_due.unwrap_or(30);
            invoice.due_date = invoice.due_date.or(Some(now.saturating_add(days.saturating_mul(86_400))));
        }
    });
    request_payment(state, context, id);
    change::tell_invoice(state, context, "invoice.finalized", id);
    Ok(())
}

/// Makes a draft final whose payment was made before: nothing more is due, whatever the customer's balance is.
pub(crate) fn finalize_paid(state: &mut State, context: &mut Context<'_>, id: &str) {
    let customer = state.invoices.get(id).and_then(|found| found.customer.clone()).unwrap_or_default();
    let number = catalog::next_number(state, &customer);
    let (now, to) = (context.now(), catalog::billed_to(state, &customer));
    change::invoice(state, context, id, &["invoice.finalized"], |invoice| {
        invoice.number = Some(number);
        invoice.status = InvoiceStatus::Open;
        invoice.finalized_at = Some(now);
        invoice.billed_to = to;
        invoice.ending_balance = Some(invoice.starting_balance);
    });
}

/// The customer's balance after an invoice: credit pays for it, a credit note adds credit, and an amount too small to
/// be charged is owed until the next one.
fn ending_balance(total: i64, starting: i64, minimum: i64) -> i64 {
    let due = total.saturating_add(starting);
    if due < minimum { due } else { 0 }
}

/// Makes the payment intent of a final invoice, if money is due and there is none.
pub(crate) fn request_payment(state: &mut State, context: &mut Context<'_>, id: &str) {
    let Some(found) = state.invoices.get(id).filter(|found| found.payment_intent.is_none()).cloned() else { return };
    let amount = found.amount_remaining();
    if amount <= 0 {
        return;
    }
    let description = match (&found.subscription, &found.number) {
        (Some(_), _) if found.reason == BillingReason::SubscriptionCreate => Some("Subscription creation".to_owned()),
        (Some(_), _) => Some("Subscription update".to_owned()),
        (None, number) => number.as_ref().map(|number| format!("Payment for Invoice {number}")),
    };
    let data = PaymentIntentData {
        description,
        setup_future_usage: found.subscription.as_ref().map(|_| "off_session".to_owned()),
        ..PaymentIntentData::default()
    };
    let intent = confirm::new_intent(context, amount, &found.currency, found.customer.as_deref(), data);
    let intent_id = intent.id.clone();
    state.payment_intents.insert(intent);
    link_payment(state, context, id, &intent_id, amount);
    confirm::emit_intent(state, context, "payment_intent.created", &intent_id);
}

/// Records that an intent pays an invoice.
pub(crate) fn link_payment(state: &mut State, context: &mut Context<'_>, id: &str, intent: &str, amount: i64) {
    let Some(currency) = state.invoices.get(id).map(|found| found.currency.clone()) else { return };
    state.invoice_payments.insert(InvoicePayment {
        id: context.ids.next("inpay_1", 23),
        created: context.now(),
        invoice: id.to_owned(),
        payment_intent: intent.to_owned(),
        amount_requested: amount,
        currency,
        paid_at: None,
        canceled_at: None,
    });
    confirm::change(state, intent, |intent| intent.invoice = Some(id.to_owned()));
    change::invoice_silently(state, id, |invoice| invoice.payment_intent = Some(intent.to_owned()));
}

/// The stored payment of an invoice by its current intent.
pub(crate) fn payment_of(state: &State, id: &str) -> Option<String> {
    let intent = state.invoices.get(id)?.payment_intent.clone()?;
    let of = state.invoice_payments.iter().rev().find(|payment| payment.payment_intent == intent)?;
    Some(of.id.clone())
}

/// Voids an open invoice: it is owed no more.
pub(crate) fn void(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    if !super::invoice::find(state, id)?.is_payable() {
        return Err(wrong_status("voided", "open, or uncollectible"));
    }
    withdraw(state, context, id);
    let now = context.now();
    give_back_balance(state, context, id);
    change::invoice(state, context, id, &["invoice.voided"], |invoice| {
        invoice.status = InvoiceStatus::Void;
        invoice.voided_at = Some(now);
        invoice.next_attempt = None;
    });
    Ok(())
}

fn give_back_balance(state: &mut State, context: &mut Context<'_>, id: &str) {
    let Some(found) = state.invoices.get(id) else { return };
    let (applied, customer) = (found.applied_balance(), found.customer.clone().unwrap_or_default());
    if applied != 0 {
        let balance = catalog::balance(state, &customer).saturating_add(applied);
        catalog::set_balance(state, context, &customer, balance);
    }
}

/// Gives up on an invoice. It can still be paid.
pub(crate) fn mark_uncollectible(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    reason: &str,
) -> Result<(), ApiError> {
    if super::invoice::find(state, id)?.status != InvoiceStatus::Open {
        return Err(wrong_status("marked as uncollectible", "open"));
    }
    let now = context.now();
    change::invoice(state, context, id, &["invoice.marked_uncollectible"], |invoice| {
        invoice.status = InvoiceStatus::Uncollectible;
        invoice.uncollectible_at = Some(now);
        invoice.uncollectible_reason = Some(reason.to_owned());
        invoice.next_attempt = None;
    });
    Ok(())
}

/// Cancels the payment intent of an invoice that is not to be paid any more.
pub(crate) fn withdraw(state: &mut State, context: &mut Context<'_>, id: &str) {
    let payment = payment_of(state, id);
    let now = context.now();
    if let Some(payment) = payment.and_then(|id| state.invoice_payments.get_mut(&id)) {
        payment.canceled_at = Some(now);
    }
    let intent = state.invoices.get(id).and_then(|found| found.payment_intent.clone());
    let is_open = intent.as_deref().and_then(|intent| state.payment_intents.get(intent)).is_some_and(|intent| {
        !matches!(intent.status, IntentStatus::Succeeded | IntentStatus::Canceled | IntentStatus::Processing)
    });
    if let Some(intent) = intent.filter(|_| is_open) {
        confirm::cancel(state, context, &intent, Some("void_invoice"));
    }
}

fn wrong_status(verb: &str, wanted: &str) -> ApiError {
    let message = format!("This invoice cannot be {verb}: only an invoice with a status of {wanted} can be.");
    ApiError::invalid(message).code("invoice_no_longer_editable")
}

/// The last invoice of an ended subscription, for what still waits; it is finalized like a renewal.
pub(crate) fn last_invoice(state: &mut State, context: &mut Context<'_>, found: &super::subscription::Subscription) {
    let waiting = lines::waiting(state, &found.customer, Some(&found.id), &found.currency);
    if waiting.is_empty() {
        return;
    }
    let now = context.now();
    let draft = Draft {
        customer: found.customer.clone(),
        subscription: Some(found.id.clone()),
        reason: BillingReason::SubscriptionUpdate,
        currency: found.currency.clone(),
        lines: waiting.iter().map(|item| lines::of_invoice_item(context, item)).collect(),
        period: Period { start: found.period().start, end: now },
        automatic_tax: found.automatic_tax,
        id: None,
    };
    let mut invoice = build(state, context, draft);
    invoice.auto_advance = true;
    invoice.finalizes_at = Some(now.saturating_add(DRAFT_SECONDS));
    let id = store(state, context, invoice);
    lines::take_up(state, &waiting, &id);
}
