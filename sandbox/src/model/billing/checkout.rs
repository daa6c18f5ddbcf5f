//! What follows a completed checkout session: its subscription with the first invoice, or the invoice of its payment.
//!
//! Invariants: both have the ids that the completed session names, and are made in the same command.

use super::{
    agenda, collect, event_order,
    interval::Period,
    invoice::{BillingReason, Line, Pricing, Source},
    issue::{self, Draft},
    lines,
    start::{self, FirstPayment, NewItem, Wanted},
    subscription::{BillingMode, MissingMethod},
};
use crate::model::{
    Context, State,
    payment::IntentStatus,
    session::{LineItem, Mode, Plan, Session},
};

const A_DAY: i64 = 86_400;

/// Makes what the sessions completed by this command promise.
pub(crate) fn follow(state: &mut State, context: &mut Context<'_>) {
    let completed = std::mem::take(&mut state.completed_sessions);
    for id in &completed {
        let Some(session) = state.sessions.get(id).cloned() else { continue };
        let customer = session.customer_id.clone().unwrap_or_default();
        agenda::at_customers_time(state, context, &customer, |state, context| match session.mode {
            Mode::Subscription => subscribe(state, context, &session),
            Mode::Payment => invoice_payment(state, context, &session),
            Mode::Setup => {}
        });
    }
}

fn subscribe(state: &mut State, context: &mut Context<'_>, session: &Session) {
    let (Some(id), Some(invoice), Some(customer)) = (&session.subscription, &session.invoice, &session.customer_id)
    else {
        return;
    };
    if state.subscriptions.get(id).is_some() {
        return;
    }
    let items = session.line_items.iter().filter(|item| item.is_recurring).map(|item| NewItem {
        price: item.price.clone(),
        quantity: Some(item.quantity),
        metadata: item.metadata.clone(),
    });
    let once: Vec<Line> = session
        .line_items
        .iter()
        .filter(|item| !item.is_recurring)
        .map(|item| line_of(context, session, item))
        .collect();
    let plan = &session.plan;
    let wanted = Wanted {
        ids: Some((id.clone(), invoice.clone())),
        once,
        first_payment: FirstPayment::ByCheckout(session.payment_intent.clone()),
        billing_mode: billing_mode(plan),
        trial_end: trial_end(plan, context.now()),
        anchor: plan.billing_cycle_anchor,
        prorates: plan.proration_behavior.as_deref() != Some("none"),
        missing_method: missing_method(plan),
        default_payment_method: method_of(state, session),
        description: plan.description.clone(),
        metadata: plan.metadata.clone(),
        automatic_tax: session.automatic_tax,
        payment_method_types: Some(session.payment_method_types.clone()),
        ..Wanted::new(customer, &session.currency, items.collect())
    };
    let before = state.last_event.clone();
    // The session was checked, so this fails only if its customer or prices are gone.
    if start::start(state, context, wanted).is_ok() {
        event_order::arrange(state, before.as_deref(), event_order::of_a_start);
    }
}

fn billing_mode(plan: &Plan) -> Option<BillingMode> {
    match plan.billing_mode.as_ref()?.r#type.as_str() {
        "classic" => Some(BillingMode::Classic),
        _ => Some(BillingMode::Flexible),
    }
}

fn trial_end(plan: &Plan, now: i64) -> Option<i64> {
    plan.trial_end.or_else(|| plan.trial_period_days.map(|days| now.saturating_add(days.saturating_mul(A_DAY))))
}

fn missing_method(plan: &Plan) -> MissingMethod {
    let wanted = plan.trial_settings.as_ref().and_then(|of| of.end_behavior.missing_payment_method.as_deref());
    match wanted {
        Some("cancel") => MissingMethod::Cancel,
        Some("pause") => MissingMethod::Pause,
        _ => MissingMethod::CreateInvoice,
    }
}

/// The payment method that the customer used, which becomes the subscription's default.
fn method_of(state: &State, session: &Session) -> Option<String> {
    let by_payment = session.payment_intent.as_deref().and_then(|id| state.payment_intents.get(id));
    let by_setup = session.setup_intent.as_deref().and_then(|id| state.setup_intents.get(id));
    let method = by_payment.and_then(|intent| intent.payment_method.clone());
    method.or_else(|| by_setup.and_then(|intent| intent.payment_method.clone()))
}

/// The paid invoice of a one-time payment (`invoice_creation`).
fn invoice_payment(state: &mut State, context: &mut Context<'_>, session: &Session) {
    let (Some(id), Some(intent)) = (&session.invoice, &session.payment_intent) else { return };
    let paid = state.payment_intents.get(intent).filter(|intent| intent.status == IntentStatus::Succeeded);
    let Some(amount) = paid.map(|intent| intent.amount).filter(|_| state.invoices.get(id).is_none()) else { return };
    let now = context.now();
    let draft = Draft {
        customer: session.customer_id.clone().unwrap_or_default(),
        subscription: None,
        reason: BillingReason::Manual,
        currency: session.currency.clone(),
        lines: session.line_items.iter().map(|item| line_of(context, session, item)).collect(),
        period: Period { start: now, end: now },
        automatic_tax: session.automatic_tax && !state.tax_unregistered,
        id: Some(id.clone()),
    };
    let mut invoice = issue::build(state, context, draft);
    invoice.automatic_tax = session.automatic_tax;
    invoice.description.clone_from(&session.invoice_data.description);
    invoice.footer.clone_from(&session.invoice_data.footer);
    invoice.metadata.clone_from(&session.invoice_data.metadata);
    invoice.custom_fields.clone_from(&session.invoice_data.custom_fields);
    let id = issue::store(state, context, invoice);
    issue::link_payment(state, context, &id, intent, amount);
    // What was paid is the whole invoice: the customer's balance is not touched.
    issue::finalize_paid(state, context, &id);
    collect::mark_paid(state, context, &id, false);
}

/// A one-time line of a session on an invoice.
fn line_of(context: &mut Context<'_>, session: &Session, item: &LineItem) -> Line {
    let now = context.now();
    let unit = item.unit_amount_decimal.clone().unwrap_or_else(|| item.unit_amount.to_string());
    let mut line = Line {
        id: context.ids.next("il_1", 23),
        amount: item.amount,
        currency: session.currency.clone(),
        description: Some(item.name.clone()),
        period: Period { start: now, end: now },
        proration: false,
        pricing: Some(Pricing { price: item.price.clone(), product: item.product.clone(), unit_amount: unit }),
        quantity: Some(item.quantity),
        source: Source::InvoiceItem(context.ids.next("ii_1", 23)),
        subscription: session.subscription.clone(),
        subscription_item: None,
        discountable: true,
        tax_inclusive: item.tax_behavior == "inclusive",
        tax: None,
        metadata: item.metadata.clone(),
    };
    lines::set_tax(std::slice::from_mut(&mut line), session.automatic_tax);
    line
}
