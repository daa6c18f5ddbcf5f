//! `/v1/subscriptions`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    agenda, catalog, ending, issue, lines, resumption,
    start::{self, FirstPayment, NewItem, Wanted},
    subscription::{self, Status},
    subscription_json, subscription_list,
    subscription_params::{self as accepted, PaymentSettings, Switch, TrialSettings, WantedMode, cancel_time, time},
    subscription_update,
    wanted_items::{self, WantedItem},
};
use crate::model::{
    Context, State, currency, customer,
    error::ApiError,
    metadata, methods,
    params::Params,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
};

const A_DAY: i64 = 86_400;
const LONGEST_TRIAL: i64 = 730 * A_DAY;
const MOST_PER_CUSTOMER: usize = 500;

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return subscription_list::list(state, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            subscription::find(state, id)?;
            spec::check(params, &[accepted::EXPAND])?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            let customer = subscription::find(state, id)?.customer.clone();
            agenda::at_customers_time(state, context, &customer, |state, context| {
                subscription_update::update(state, context, id, params)
            })?;
            (*id).to_owned()
        }
        (Method::Delete, [id]) => {
            cancel(state, context, id, params)?;
            (*id).to_owned()
        }
        (Method::Post, [id, "resume"]) => {
            let customer = subscription::find(state, id)?.customer.clone();
            spec::check(&accepted::with_plain_anchor(params), accepted::RESUME)?;
            agenda::at_customers_time(state, context, &customer, |state, context| {
                resumption::resume(state, context, id)
            })?;
            (*id).to_owned()
        }
        (Method::Post, [id, "pause"]) => {
            let customer = subscription::find(state, id)?.customer.clone();
            spec::check(params, &[accepted::EXPAND])?;
            agenda::at_customers_time(state, context, &customer, |state, context| {
                resumption::pause(state, context, id)
            })?;
            (*id).to_owned()
        }
        (Method::Post, [id, "migrate"]) => {
            migrate(state, context, id, params)?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    subscription::find(state, &id).map(|found| subscription_json::subscription(state, found))
}

#[derive(Debug, Deserialize)]
struct Creation {
    customer: String,
    #[serde(default)]
    items: Vec<WantedItem>,
    #[serde(default)]
    add_invoice_items: Vec<WantedItem>,
    automatic_tax: Option<Switch>,
    billing_cycle_anchor: Option<i64>,
    billing_mode: Option<WantedMode>,
    cancel_at: Option<String>,
    #[serde(default)]
    cancel_at_period_end: bool,
    collection_method: Option<String>,
    currency: Option<String>,
    days_until_due: Option<i64>,
    default_payment_method: Option<String>,
    description: Option<String>,
    payment_behavior: Option<String>,
    #[serde(default)]
    payment_settings: PaymentSettings,
    proration_behavior: Option<String>,
    trial_end: Option<String>,
    trial_from_plan: Option<bool>,
    trial_period_days: Option<i64>,
    trial_settings: Option<TrialSettings>,
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let plain = accepted::with_plain_anchor(&metadata::without_unset(params));
    let wanted: Creation = read(&plain, &accepted::create_fields())?;
    precheck_expansions(params, "subscription")?;
    let customer = customer::referenced(state, &wanted.customer, "customer")?.id.clone();
    let metadata = metadata::changed(&BTreeMap::new(), params)?;
    agenda::at_customers_time(state, context, &customer, |state, context| {
        let made = checked(state, context, wanted, metadata)?;
        start::start(state, context, made)
    })
}

fn checked(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: Creation,
    metadata: BTreeMap<String, String>,
) -> Result<Wanted, ApiError> {
    check_room(state, &wanted.customer)?;
    if let Some(method) = &wanted.default_payment_method {
        methods::check_attached(state, method, &wanted.customer, "default_payment_method")?;
    }
    if wanted.items.is_empty() {
        return Err(ApiError::missing_param("items"));
    }
    let (items, own_currency) = new_items(state, context, &wanted.items, wanted.currency.as_deref())?;
    check_currency(state, &wanted.customer, &own_currency)?;
    let once = wanted
        .add_invoice_items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            let at = format!("add_invoice_items[{place}]");
            wanted_items::once_line(state, context, (item, &own_currency), &at)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let trial_end = trial_end(state, context, &wanted, &items)?;
    let cancel_at = match &wanted.cancel_at {
        Some(text) => Some(cancel_time(text, context.now())?),
        None => None,
    };
    let first_payment = match wanted.payment_behavior.as_deref() {
        Some("default_incomplete") => FirstPayment::Waits,
        Some("error_if_incomplete") => FirstPayment::MustSucceed,
        _ => FirstPayment::MayFail,
    };
    Ok(Wanted {
        once,
        first_payment,
        trial_end,
        cancel_at,
        metadata,
        billing_mode: wanted.billing_mode.map(|mode| mode.r#type),
        anchor: wanted.billing_cycle_anchor,
        prorates: wanted.proration_behavior.as_deref() != Some("none"),
        missing_method: wanted.trial_settings.map(|of| of.end_behavior.missing_payment_method).unwrap_or_default(),
        cancel_at_period_end: wanted.cancel_at_period_end,
        collection_method: wanted.collection_method,
        days_until_due: wanted.days_until_due,
        default_payment_method: wanted.default_payment_method,
        description: wanted.description,
        automatic_tax: wanted.automatic_tax.is_some_and(|tax| tax.enabled),
        saves_method: wanted.payment_settings.save_default_payment_method.as_deref() == Some("on_subscription"),
        payment_method_types: wanted.payment_settings.payment_method_types,
        ..Wanted::new(&wanted.customer, &own_currency, items)
    })
}

/// Stripe's limit of running subscriptions of one customer.
fn check_room(state: &State, customer: &str) -> Result<(), ApiError> {
    let running = state.subscriptions.iter().filter(|found| found.customer == customer && !found.is_ended());
    if running.take(MOST_PER_CUSTOMER).count() < MOST_PER_CUSTOMER {
        return Ok(());
    }
    let message = format!("Customer {customer} already has the maximum 500 current subscriptions.");
    Err(ApiError::invalid(message).code("customer_max_subscriptions"))
}

/// The items of a request, with the currency that they have in common.
pub(crate) fn new_items(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: &[WantedItem],
    wanted_currency: Option<&str>,
) -> Result<(Vec<NewItem>, String), ApiError> {
    let mut common = match wanted_currency {
        Some(text) => Some(currency::parse(text, "currency")?),
        None => None,
    };
    let mut items: Vec<NewItem> = Vec::new();
    for (place, item) in wanted.iter().enumerate() {
        let at = format!("items[{place}]");
        let id = item.price_id(state, context, &at)?.ok_or_else(|| ApiError::missing_param(&format!("{at}[price]")))?;
        if items.iter().any(|other| other.price == id) {
            let message = format!("Cannot add multiple subscription items with the same plan: {id}");
            return Err(ApiError::invalid(message).param(at));
        }
        let own = catalog::price(state, &id).map(|price| price.currency).unwrap_or_default();
        let shared = common.get_or_insert(own).clone();
        let price = catalog::price_in(state, &id, &shared).ok_or_else(|| {
            let message = format!("All prices of a subscription must have the same currency: {id} is not in {shared}.");
            ApiError::invalid(message).param(at.clone())
        })?;
        if price.interval.is_none() {
            return Err(catalog::not_recurring(&id));
        }
        items.push(NewItem {
            price: id,
            quantity: (!price.metered).then(|| item.quantity.unwrap_or(1)),
            metadata: item.metadata.clone().unwrap_or_default(),
        });
    }
    Ok((items, common.unwrap_or_default()))
}

/// A customer's running subscriptions have one currency.
pub(crate) fn check_currency(state: &State, customer: &str, currency: &str) -> Result<(), ApiError> {
    let other = state
        .subscriptions
        .iter()
        .find(|found| found.customer == customer && !found.is_ended() && found.currency != currency);
    match other {
        None => Ok(()),
        Some(other) => Err(ApiError::invalid(format!(
            "You cannot combine currencies on a single customer. This customer has an active subscription, \
             subscription schedule, discount, quote, or invoice item with currency {}",
            other.currency
        ))),
    }
}

fn trial_end(
    state: &State,
    context: &Context<'_>,
    wanted: &Creation,
    items: &[NewItem],
) -> Result<Option<i64>, ApiError> {
    let now = context.now();
    let end = match (&wanted.trial_end, wanted.trial_period_days, wanted.trial_from_plan) {
        (Some(_), Some(_), _) => {
            let message = "You may only specify one of these parameters: trial_end, trial_period_days.";
            return Err(ApiError::invalid(message));
        }
        (Some(text), None, _) => Some(time(text, now, "trial_end")?),
        (None, Some(days), _) => Some(now.saturating_add(days.saturating_mul(A_DAY))),
        (None, None, Some(true)) => {
            let prices = items.iter().filter_map(|item| state.prices.get(&item.price)?.recurring.as_ref());
            let days = prices.filter_map(|recurring| recurring.trial_period_days).max();
            days.map(|days| now.saturating_add(days.saturating_mul(A_DAY)))
        }
        _ => None,
    };
    if end.is_some_and(|end| end > now.saturating_add(LONGEST_TRIAL)) {
        let message = "The maximum number of trial period days is 730 (2 years).";
        return Err(ApiError::invalid(message).param("trial_end"));
    }
    Ok(end)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cancellation {
    #[serde(rename = "cancellation_details")]
    details: Details,
    invoice_now: bool,
    prorate: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    comment: Option<String>,
    feedback: Option<String>,
}

/// `DELETE /v1/subscriptions/{id}`: ends it now. Nothing is paid back; a last invoice is made only on request.
fn cancel(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = subscription::find(state, id)?.clone();
    let wanted: Cancellation = read(params, accepted::CANCEL)?;
    if found.is_ended() {
        return Err(ApiError::not_found("subscription", id, "id"));
    }
    let why = subscription::Cancellation {
        reason: Some("cancellation_requested".to_owned()),
        feedback: wanted.details.feedback,
        comment: wanted.details.comment,
    };
    agenda::at_customers_time(state, context, &found.customer, |state, context| {
        if wanted.prorate && found.status != Status::Trialing {
            let at = context.now();
            for item in &found.items {
                let change = lines::Change { subscription: &found, old: Some(item), new: None, at };
                let credits = lines::prorations(state, context, &change);
                for item in credits {
                    lines::keep_waiting(state, item);
                }
            }
        }
        ending::cancel(state, context, id, &why);
        if wanted.invoice_now {
            issue::last_invoice(state, context, &found);
        }
    });
    Ok(())
}

/// `POST /v1/subscriptions/{id}/migrate`: to the flexible mode, for good.
fn migrate(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    struct Migration {
        billing_mode: WantedMode,
    }
    subscription::find(state, id)?;
    let fields = [spec::required("billing_mode", accepted::BILLING_MODE), accepted::EXPAND];
    let wanted: Migration = read(params, &fields)?;
    super::change::subscription(state, context, id, |found| found.billing_mode = wanted.billing_mode.r#type);
    Ok(())
}
