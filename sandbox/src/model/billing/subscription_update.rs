//! `POST /v1/subscriptions/{id}`: parses Stripe's parameters and changes the subscription.

use serde::Deserialize;

use super::{
    lines, schedule_steps,
    subscription::{self, Cancellation, PauseCollection, Status, Subscription},
    subscription_params::{self as accepted, PaymentSettings, Switch, TrialSettings, cancel_time, time},
    update::{self, Payment},
    update_plan::{ItemChange, PlanChange, Proration},
    wanted_items::{self, WantedItem},
};
use crate::model::{
    Context, State,
    error::ApiError,
    metadata, methods,
    params::{Param, Params},
    request::read,
};

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    items: Vec<WantedItem>,
    #[serde(default)]
    add_invoice_items: Vec<WantedItem>,
    automatic_tax: Option<Switch>,
    billing_cycle_anchor: Option<String>,
    cancel_at: Option<String>,
    cancel_at_period_end: Option<bool>,
    cancellation_details: Option<Details>,
    collection_method: Option<String>,
    days_until_due: Option<i64>,
    default_payment_method: Option<String>,
    description: Option<String>,
    pause_collection: Option<PauseCollection>,
    payment_behavior: Option<String>,
    #[serde(default)]
    payment_settings: PaymentSettings,
    proration_behavior: Option<String>,
    proration_date: Option<i64>,
    trial_end: Option<String>,
    trial_settings: Option<TrialSettings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    comment: Option<String>,
    feedback: Option<String>,
}

/// Changes a subscription. A change of its plan may cost something now.
pub(crate) fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = subscription::find(state, id)?.clone();
    let plain = accepted::with_plain_anchor(&metadata::without_unset(params));
    let wanted: Wanted = read(&plain, &accepted::update_fields())?;
    check(state, &found, &wanted, params)?;
    let now = context.now();
    for (place, item) in wanted.add_invoice_items.iter().enumerate() {
        let at = format!("add_invoice_items[{place}]");
        let line = wanted_items::once_line(state, context, (item, &found.currency), &at)?;
        let item = lines::waiting_item(context, (&found.customer, id), line);
        lines::keep_waiting(state, item);
    }
    let planned = plan_change(state, context, &wanted)?;
    let payment = Payment::parse(wanted.payment_behavior.as_deref());
    let is_plan_change = !planned.items.is_empty() || planned.restarts || planned.trial_end.is_some();
    let metadata = metadata::changed(&found.metadata, params)?;
    let cancel_at = match &wanted.cancel_at {
        Some(text) => Some(cancel_time(text, now)?),
        None => None,
    };
    let emptied = Emptied(params);
    let rest = |found: &mut Subscription| {
        found.metadata = metadata;
        apply(found, wanted, cancel_at, &emptied, now);
    };
    if is_plan_change {
        update::change_plan(state, context, id, (&planned, payment), rest)?;
    } else {
        super::change::subscription(state, context, id, rest);
    }
    if found.schedule.is_some() && !planned.items.is_empty() {
        schedule_steps::take_over(state, context, id);
    }
    Ok(())
}

/// Which parameters were given empty.
struct Emptied<'p>(&'p Params);

impl Emptied<'_> {
    fn has(&self, name: &str) -> bool {
        matches!(self.0.0.get(name), Some(Param::Text(text)) if text.is_empty())
    }
}

fn check(state: &State, found: &Subscription, wanted: &Wanted, params: &Params) -> Result<(), ApiError> {
    if found.is_ended() {
        let is_harmless =
            params.0.keys().all(|name| matches!(name.as_str(), "metadata" | "cancellation_details" | "expand"));
        if !is_harmless {
            return Err(ApiError::invalid(
                "A canceled subscription can only update its cancellation_details and metadata.",
            ));
        }
    }
    if wanted.cancel_at.is_some() && wanted.cancel_at_period_end == Some(true) {
        let message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end.";
        return Err(ApiError::invalid(message));
    }
    if let Some(method) = &wanted.default_payment_method {
        methods::check_attached(state, method, &found.customer, "default_payment_method")?;
    }
    if wanted.payment_behavior.as_deref() == Some("pending_if_incomplete") {
        check_pending(found, params)?;
    }
    if found.pending_update.is_some() && !wanted.items.is_empty() {
        return Err(ApiError::invalid(
            "This subscription has a pending update. Pay its invoice, or void it, before changing the items again.",
        ));
    }
    Ok(())
}

/// With `pending_if_incomplete` only what can wait may be changed.
fn check_pending(found: &Subscription, params: &Params) -> Result<(), ApiError> {
    const MAY_WAIT: [&str; 8] = [
        "items",
        "trial_end",
        "billing_cycle_anchor",
        "proration_behavior",
        "proration_date",
        "add_invoice_items",
        "payment_behavior",
        "expand",
    ];
    if let Some(other) = params.0.keys().find(|name| !MAY_WAIT.contains(&name.as_str())) {
        let message =
            format!("The parameter `{other}` cannot be used with `payment_behavior` set to `pending_if_incomplete`.");
        return Err(ApiError::invalid(message).param(other.clone()));
    }
    if found.is_sent() {
        let message = "`pending_if_incomplete` needs `collection_method` to be `charge_automatically`.";
        return Err(ApiError::invalid(message).param("payment_behavior"));
    }
    Ok(())
}

fn plan_change(state: &mut State, context: &mut Context<'_>, wanted: &Wanted) -> Result<PlanChange, ApiError> {
    let trial_end = match &wanted.trial_end {
        Some(text) => Some(time(text, context.now(), "trial_end")?),
        None => None,
    };
    Ok(PlanChange {
        items: item_changes(state, context, &wanted.items)?,
        proration: Proration::parse(wanted.proration_behavior.as_deref()),
        proration_date: wanted.proration_date,
        restarts: wanted.billing_cycle_anchor.as_deref() == Some("now"),
        trial_end,
    })
}

/// The changes of items that a request wants.
pub(crate) fn item_changes(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: &[WantedItem],
) -> Result<Vec<ItemChange>, ApiError> {
    let change = |(place, item): (usize, &WantedItem)| {
        Ok(ItemChange {
            id: item.id.clone(),
            price: item.price_id(state, context, &format!("items[{place}]"))?,
            quantity: item.quantity,
            deleted: item.deleted,
            metadata: item.metadata.clone(),
        })
    };
    wanted.iter().enumerate().map(change).collect()
}

fn apply(found: &mut Subscription, wanted: Wanted, cancel_at: Option<i64>, emptied: &Emptied<'_>, now: i64) {
    apply_cancellation(found, &wanted, cancel_at, emptied.has("cancel_at"), now);
    if let Some(details) = wanted.cancellation_details {
        found.cancellation.comment = details.comment.or_else(|| found.cancellation.comment.take());
        found.cancellation.feedback = details.feedback.or_else(|| found.cancellation.feedback.take());
    }
    let replace = |member: &mut Option<String>, value: Option<String>, is_unset: bool| {
        if value.is_some() || is_unset {
            *member = value;
        }
    };
    replace(&mut found.default_payment_method, wanted.default_payment_method, emptied.has("default_payment_method"));
    replace(&mut found.description, wanted.description, emptied.has("description"));
    if wanted.pause_collection.is_some() || emptied.has("pause_collection") {
        found.pause_collection = wanted.pause_collection;
    }
    if let Some(tax) = wanted.automatic_tax {
        found.automatic_tax = tax.enabled;
    }
    if let Some(method) = wanted.collection_method {
        found.collection_method = method;
    }
    found.days_until_due = wanted.days_until_due.or(found.days_until_due).filter(|_| found.is_sent());
    if let Some(settings) = wanted.trial_settings {
        found.missing_method = settings.end_behavior.missing_payment_method;
    }
    if let Some(save) = wanted.payment_settings.save_default_payment_method {
        found.saves_method = save == "on_subscription";
    }
    if wanted.payment_settings.payment_method_types.is_some() {
        found.payment_method_types = wanted.payment_settings.payment_method_types;
    }
}

/// Both flags say that it ends; setting one clears the other, and clearing both keeps it.
fn apply_cancellation(found: &mut Subscription, wanted: &Wanted, cancel_at: Option<i64>, unset: bool, now: i64) {
    if found.is_ended() {
        return;
    }
    match (cancel_at, unset, wanted.cancel_at_period_end) {
        (Some(at), _, _) => {
            found.cancel_at = Some(at);
            found.cancel_at_period_end = false;
        }
        (None, true, flag) => {
            found.cancel_at = None;
            found.cancel_at_period_end = flag.unwrap_or(false);
        }
        (None, false, Some(flag)) => {
            found.cancel_at_period_end = flag;
            found.cancel_at = None;
        }
        (None, false, None) => return,
    }
    if found.ends_at().is_some() {
        found.canceled_at = Some(now);
        found.cancellation = Cancellation {
            reason: Some("cancellation_requested".to_owned()),
            ..std::mem::take(&mut found.cancellation)
        };
    } else {
        found.canceled_at = None;
        found.cancellation = Cancellation::default();
    }
}

/// The statuses in which a plan may be changed from outside, such as in the portal.
pub(crate) fn is_changeable(found: &Subscription) -> bool {
    matches!(found.status, Status::Active | Status::Trialing) && found.pending_update.is_none()
}
