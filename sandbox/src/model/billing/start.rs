//! A new subscription and its first invoice.
//!
//! Invariants: the subscription is announced once, with the status that its first payment gave it. One that is refused
//! leaves nothing behind.

use std::collections::BTreeMap;

use super::{
    catalog, change, collect,
    collect::By,
    event_order,
    interval::Period,
    invoice::{BillingReason, Line},
    issue::{self, Draft},
    lines::{self, Of},
    subscription::{BillingMode, Cancellation, Item, MissingMethod, PauseCollection, Status, Subscription},
};
use crate::model::{Context, State, error::ApiError, version::CLOVER};

/// An item of a new subscription.
#[derive(Debug, Clone)]
pub(crate) struct NewItem {
    pub(crate) price: String,
    pub(crate) quantity: Option<i64>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// What happens if the first payment fails (`payment_behavior`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FirstPayment {
    /// The subscription is `incomplete`.
    MayFail,
    /// It is not even tried: the customer pays on a page of the caller.
    Waits,
    /// The request fails.
    MustSucceed,
    /// The invoice stays a draft for an hour, as that of a schedule.
    Later,
    /// A checkout session has made this payment already, or is making it; `None` if there was nothing to pay.
    ByCheckout(Option<String>),
}

/// A subscription to be made.
#[expect(clippy::struct_excessive_bools, reason = "each is a parameter of its own on Stripe too")]
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The ids of subscription and invoice, if they were promised before.
    pub(crate) ids: Option<(String, String)>,
    pub(crate) customer: String,
    pub(crate) currency: String,
    pub(crate) items: Vec<NewItem>,
    /// One-time lines of the first invoice.
    pub(crate) once: Vec<Line>,
    pub(crate) first_payment: FirstPayment,
    pub(crate) billing_mode: Option<BillingMode>,
    pub(crate) trial_end: Option<i64>,
    /// `billing_cycle_anchor`.
    pub(crate) anchor: Option<i64>,
    pub(crate) prorates: bool,
    pub(crate) missing_method: MissingMethod,
    pub(crate) cancel_at: Option<i64>,
    pub(crate) cancel_at_period_end: bool,
    pub(crate) collection_method: Option<String>,
    pub(crate) days_until_due: Option<i64>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) automatic_tax: bool,
    pub(crate) saves_method: bool,
    pub(crate) payment_method_types: Option<Vec<String>>,
    pub(crate) reason: BillingReason,
    pub(crate) schedule: Option<String>,
}

impl Wanted {
    /// A subscription with Stripe's defaults.
    pub(crate) fn new(customer: &str, currency: &str, items: Vec<NewItem>) -> Self {
        Self {
            ids: None,
            customer: customer.to_owned(),
            currency: currency.to_owned(),
            items,
            once: Vec::new(),
            first_payment: FirstPayment::MayFail,
            billing_mode: None,
            trial_end: None,
            anchor: None,
            prorates: true,
            missing_method: MissingMethod::default(),
            cancel_at: None,
            cancel_at_period_end: false,
            collection_method: None,
            days_until_due: None,
            default_payment_method: None,
            description: None,
            metadata: BTreeMap::new(),
            automatic_tax: false,
            saves_method: false,
            payment_method_types: None,
            reason: BillingReason::SubscriptionCreate,
            schedule: None,
        }
    }
}

/// Makes a subscription, its first invoice and, unless told otherwise, the first payment. Returns its id.
pub(crate) fn start(state: &mut State, context: &mut Context<'_>, wanted: Wanted) -> Result<String, ApiError> {
    let before = state.events.iter().next_back().map(|event| event.id.clone());
    let first_payment = wanted.first_payment.clone();
    let (invoice_id, once) = (wanted.ids.as_ref().map(|(_, invoice)| invoice.clone()), wanted.once.clone());
    let (prorates, reason) = (wanted.prorates, wanted.reason);
    let subscription = build(state, context, wanted)?;
    let id = subscription.id.clone();
    let is_trial = subscription.status == Status::Trialing;
    let mut of_first = first_lines(state, context, &subscription, prorates);
    of_first.extend(once);
    // A checkout has agreed on its total already.
    let waiting = if first_payment.is_by_checkout() {
        Vec::new()
    } else {
        lines::waiting(state, &subscription.customer, Some(&id), &subscription.currency)
    };
    of_first.extend(waiting.iter().map(|item| lines::of_invoice_item(context, item)));
    let draft = Draft {
        customer: subscription.customer.clone(),
        subscription: Some(id.clone()),
        reason,
        currency: subscription.currency.clone(),
        lines: of_first,
        period: Period { start: context.now(), end: context.now() },
        automatic_tax: subscription.automatic_tax,
        id: invoice_id,
    };
    state.subscriptions.insert(subscription.clone());
    let has_invoice = !draft.lines.is_empty();
    if has_invoice {
        let invoice = issue::build(state, context, draft);
        let is_ours_to_make = !first_payment.is_by_checkout() && first_payment != FirstPayment::Later;
        if is_ours_to_make && !is_trial {
            check_payable(state, &subscription, invoice.total(), &first_payment).inspect_err(|_| {
                change::drop_subscription(state, &id);
            })?;
        }
        let invoice = issue::store(state, context, invoice);
        lines::take_up(state, &waiting, &invoice);
        change::invoice_silently(state, &invoice, |invoice| invoice.auto_advance = true);
        pay_first(state, context, (&id, &invoice), &first_payment)?;
    } else {
        change::subscription_silently(state, &id, settle_status);
    }
    change::tell_subscription(state, context, "customer.subscription.created", &id);
    announce_trial(state, context, &id);
    event_order::arrange(state, before.as_deref(), event_order::of_a_start);
    Ok(id)
}

impl FirstPayment {
    fn is_by_checkout(&self) -> bool {
        matches!(self, Self::ByCheckout(_))
    }
}

/// Without a payment method nothing can be charged, and Stripe refuses the subscription.
fn check_payable(state: &State, found: &Subscription, total: i64, first: &FirstPayment) -> Result<(), ApiError> {
    let has_method = change::method_of(state, &found.customer, found.default_payment_method.as_deref()).is_some();
    if total <= 0 || found.is_sent() || has_method || *first == FirstPayment::Waits {
        return Ok(());
    }
    Err(ApiError::invalid(
        "This customer has no attached payment source or default payment method. Please consider adding a default \
         payment method. For more information, visit \
         https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
    )
    .code("resource_missing"))
}

fn settle_status(found: &mut Subscription) {
    if found.status == Status::Incomplete {
        found.status = Status::Active;
    }
}

/// Finalizes the first invoice and collects it.
fn pay_first(
    state: &mut State,
    context: &mut Context<'_>,
    (id, invoice): (&str, &str),
    first: &FirstPayment,
) -> Result<(), ApiError> {
    if let FirstPayment::ByCheckout(Some(intent)) = first {
        let amount = state.payment_intents.get(intent).map(|intent| intent.amount).unwrap_or_default();
        issue::link_payment(state, context, invoice, intent, amount);
    }
    if *first == FirstPayment::Later {
        let at = context.now().saturating_add(issue::DRAFT_SECONDS);
        change::invoice_silently(state, invoice, |invoice| invoice.finalizes_at = Some(at));
        change::subscription_silently(state, id, settle_status);
        return Ok(());
    }
    if first.is_by_checkout() {
        issue::finalize_paid(state, context, invoice);
    } else {
        issue::finalize(state, context, invoice)?;
    }
    let found = super::invoice::find(state, invoice)?;
    let (is_sent, remaining) = (found.is_sent(), found.amount_remaining());
    match first {
        _ if remaining == 0 => collect::mark_paid(state, context, invoice, false),
        _ if is_sent => {
            change::tell_invoice(state, context, "invoice.sent", invoice);
            change::subscription_silently(state, id, settle_status);
        }
        FirstPayment::ByCheckout(Some(intent)) => {
            // A debit starts the subscription at once and pays days later.
            change::subscription_silently(state, id, settle_status);
            state.changed_intents.push(intent.clone());
            collect::follow(state, context);
        }
        FirstPayment::Waits | FirstPayment::Later | FirstPayment::ByCheckout(None) => {}
        FirstPayment::MayFail => {
            collect::attempt(state, context, invoice, None, By::Schedule).ok();
            let is_slow = state.invoices.get(invoice).and_then(|found| found.payment_intent.as_deref());
            if is_slow.is_some_and(|intent| catalog::is_processing(state, intent)) {
                change::subscription_silently(state, id, settle_status);
            }
        }
        FirstPayment::MustSucceed => {
            if let Err(error) = collect::attempt(state, context, invoice, None, By::Schedule) {
                issue::void(state, context, invoice).ok();
                change::drop_subscription(state, id);
                return Err(ApiError { status: 402, ..error });
            }
        }
    }
    Ok(())
}

/// The lines of the first invoice: the trial at zero, or the first period; up to a later anchor only its part.
fn first_lines(state: &State, context: &mut Context<'_>, subscription: &Subscription, prorates: bool) -> Vec<Line> {
    if subscription.status == Status::Trialing {
        return lines::of_items(state, context, subscription, Of::Trial);
    }
    let mut made = lines::of_items(state, context, subscription, Of::Service);
    if subscription.anchor > context.now() {
        for line in &mut made {
            let interval =
                line.pricing.as_ref().and_then(|of| catalog::price(state, &of.price)).and_then(|of| of.interval);
            let Some(interval) = interval else { continue };
            let whole = Period { start: interval.after(line.period.end, -1), end: line.period.end };
            line.amount = if prorates { super::proration::rest_of(line.amount, whole, line.period.start) } else { 0 };
            line.proration = prorates;
        }
        made.retain(|line| prorates || line.amount != 0);
    }
    made
}

fn build(state: &State, context: &mut Context<'_>, wanted: Wanted) -> Result<Subscription, ApiError> {
    let now = context.now();
    let is_trial = wanted.trial_end.is_some_and(|end| end > now);
    let trial_end = wanted.trial_end.filter(|_| is_trial);
    let anchor = wanted.anchor.or(trial_end).unwrap_or(now);
    let mode = if context.api_version >= CLOVER { BillingMode::Flexible } else { BillingMode::Classic };
    let mut items = Vec::new();
    for item in wanted.items {
        let period = first_period(state, &item.price, (now, anchor), trial_end)?;
        items.push(Item {
            id: context.ids.next("si_", 14),
            created: now,
            price: item.price,
            quantity: item.quantity,
            period,
            metadata: item.metadata,
        });
    }
    Ok(Subscription {
        id: wanted.ids.map_or_else(|| context.ids.next("sub_1", 23), |(id, _)| id),
        created: now,
        customer: wanted.customer,
        status: if is_trial { Status::Trialing } else { Status::Incomplete },
        currency: wanted.currency,
        billing_mode: wanted.billing_mode.unwrap_or(mode),
        anchor,
        start_date: now,
        items,
        trial_start: trial_end.map(|_| now),
        trial_end,
        missing_method: wanted.missing_method,
        cancel_at: wanted.cancel_at,
        cancel_at_period_end: wanted.cancel_at_period_end,
        canceled_at: (wanted.cancel_at.is_some() || wanted.cancel_at_period_end).then_some(now),
        ended_at: None,
        cancellation: Cancellation {
            reason: (wanted.cancel_at.is_some() || wanted.cancel_at_period_end)
                .then(|| "cancellation_requested".to_owned()),
            ..Cancellation::default()
        },
        collection_method: wanted.collection_method.unwrap_or_else(|| "charge_automatically".to_owned()),
        days_until_due: wanted.days_until_due,
        default_payment_method: wanted.default_payment_method,
        description: wanted.description,
        metadata: wanted.metadata,
        latest_invoice: None,
        pause_collection: None::<PauseCollection>,
        pending_update: None,
        automatic_tax: wanted.automatic_tax,
        saves_method: wanted.saves_method,
        payment_method_types: wanted.payment_method_types,
        schedule: wanted.schedule,
        trial_announced: false,
        announced: 0,
        paused: None,
    })
}

/// The trial, or the time up to the next multiple of the interval from the anchor.
fn first_period(
    state: &State,
    price: &str,
    (now, anchor): (i64, i64),
    trial_end: Option<i64>,
) -> Result<Period, ApiError> {
    if let Some(end) = trial_end {
        return Ok(Period { start: now, end });
    }
    let interval = catalog::price(state, price)
        .and_then(|price| price.interval)
        .ok_or_else(|| ApiError::internal("the price of a subscription is not recurring"))?;
    Ok(Period { start: now, end: interval.period_at(anchor, now).end })
}

/// Announces the end of a trial, if it is near already.
fn announce_trial(state: &mut State, context: &mut Context<'_>, id: &str) {
    let now = context.now();
    let is_near = state.subscriptions.get(id).is_some_and(|found| {
        found.status == Status::Trialing && found.trial_end.is_some_and(|end| change::announcement(found, end) <= now)
    });
    if is_near {
        change::subscription_silently(state, id, |found| found.trial_announced = true);
        change::tell_subscription(state, context, "customer.subscription.trial_will_end", id);
    } else {
        change::plan_subscription(state, id);
    }
}
