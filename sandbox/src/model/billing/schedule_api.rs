//! `/v1/subscription_schedules`: parses Stripe's parameters and calls the commands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    agenda, catalog, change, ending,
    interval::{Interval, Unit},
    schedule::{self, Phase, PhaseItem, ScheduleStatus},
    schedule_create::{self, Parts},
    schedule_params::SHARED,
    schedule_steps,
    subscription::BillingMode,
    subscription_api::check_currency,
    subscription_params::{BILLING_MODE, EXPAND, PRORATION, TEXT, WantedMode, time},
    wanted_items::WantedItem,
};
use crate::model::{
    Context, State, customer,
    error::ApiError,
    list::{self, Page, Range},
    metadata,
    params::Params,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec::{self, Kind, optional, unsupported},
    version::CLOVER,
};

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            schedule::find(state, id)?;
            spec::check(params, &[EXPAND])?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            at_its_time(state, context, id, |state, context| update(state, context, id, params))?;
            (*id).to_owned()
        }
        (Method::Post, [id, "cancel"]) => {
            let fields = [optional("invoice_now", Kind::Boolean), optional("prorate", Kind::Boolean), EXPAND];
            schedule::find(state, id)?;
            spec::check(params, &fields)?;
            at_its_time(state, context, id, |state, context| cancel(state, context, id))?;
            (*id).to_owned()
        }
        (Method::Post, [id, "release"]) => {
            schedule::find(state, id)?;
            spec::check(params, &[optional("preserve_cancel_date", Kind::Boolean), EXPAND])?;
            at_its_time(state, context, id, |state, context| release(state, context, id))?;
            (*id).to_owned()
        }
        _ => return Err(unrecognized(request)),
    };
    schedule::find(state, &id).map(|found| schedule::to_json(state, found))
}

fn at_its_time(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    work: impl FnOnce(&mut State, &mut Context<'_>) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let customer = schedule::find(state, id)?.customer.clone();
    agenda::at_customers_time(state, context, &customer, work)
}

#[derive(Debug, Deserialize)]
struct Wanted {
    customer: Option<String>,
    from_subscription: Option<String>,
    start_date: Option<String>,
    billing_mode: Option<WantedMode>,
    end_behavior: Option<String>,
    #[serde(default)]
    phases: Vec<WantedPhase>,
    #[serde(default)]
    default_settings: Settings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    collection_method: Option<String>,
    default_payment_method: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WantedPhase {
    #[serde(default)]
    items: Vec<WantedItem>,
    start_date: Option<String>,
    end_date: Option<String>,
    iterations: Option<i64>,
    duration: Option<Duration>,
    proration_behavior: Option<String>,
    trial_end: Option<i64>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Duration {
    interval: String,
    interval_count: Option<i64>,
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let mut fields = SHARED.to_vec();
    fields.extend([
        optional("customer", TEXT),
        optional("from_subscription", TEXT),
        optional("start_date", TEXT),
        optional("billing_mode", BILLING_MODE),
        unsupported("customer_account"),
    ]);
    let wanted: Wanted = read(&metadata::without_unset(params), &fields)?;
    precheck_expansions(params, "subscription_schedule")?;
    if let Some(id) = &wanted.from_subscription {
        return of_subscription(state, context, id, &wanted);
    }
    let customer = wanted.customer.clone().ok_or_else(|| ApiError::missing_param("customer"))?;
    customer::referenced(state, &customer, "customer")?;
    let metadata = metadata::changed(&BTreeMap::new(), params)?;
    agenda::at_customers_time(state, context, &customer, |state, context| {
        let now = context.now();
        let start = match &wanted.start_date {
            Some(text) => time(text, now, "start_date")?,
            None => now,
        };
        let phases = phases(state, context, &wanted.phases, start)?;
        let mode = if context.api_version >= CLOVER { BillingMode::Flexible } else { BillingMode::Classic };
        let parts = Parts {
            customer: customer.clone(),
            phases,
            end_behavior: wanted.end_behavior.clone().unwrap_or_else(|| "release".to_owned()),
            billing_mode: wanted.billing_mode.as_ref().map_or(mode, |mode| mode.r#type),
            metadata,
            collection_method: wanted.default_settings.collection_method.clone(),
            default_payment_method: wanted.default_settings.default_payment_method.clone(),
        };
        Ok(schedule_create::create(state, context, parts))
    })
}

fn of_subscription(
    state: &mut State,
    context: &mut Context<'_>,
    id: &str,
    wanted: &Wanted,
) -> Result<String, ApiError> {
    let found = state.subscriptions.get(id).cloned();
    let found = found.ok_or_else(|| ApiError::missing_reference("subscription", id, "from_subscription"))?;
    if !wanted.phases.is_empty() || wanted.customer.is_some() {
        let message = "You cannot set `customer` or `phases` if `from_subscription` is set.";
        return Err(ApiError::invalid(message).param("from_subscription"));
    }
    if found.schedule.is_some() || found.is_ended() {
        let message = "You cannot migrate a subscription that is already attached to a schedule, or has ended.";
        return Err(ApiError::invalid(message).param("from_subscription"));
    }
    Ok(agenda::at_customers_time(state, context, &found.customer.clone(), |state, context| {
        schedule_create::of_subscription(state, context, &found)
    }))
}

/// The phases of a request, each from the end of the one before.
fn phases(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: &[WantedPhase],
    start: i64,
) -> Result<Vec<Phase>, ApiError> {
    if wanted.is_empty() {
        return Err(ApiError::missing_param("phases"));
    }
    let mut made: Vec<Phase> = Vec::new();
    for (place, phase) in wanted.iter().enumerate() {
        let at = format!("phases[{place}]");
        let given = match &phase.start_date {
            Some(text) => Some(time(text, context.now(), &format!("{at}[start_date]"))?),
            None => None,
        };
        let start = made.last().map(|before| before.end).or(given).unwrap_or(start);
        let items = items(state, context, &phase.items, &at)?;
        let end = end_of(state, context, (phase, &items), (start, place.saturating_add(1) == wanted.len()), &at)?;
        made.push(Phase {
            items,
            start,
            end,
            proration: phase.proration_behavior.clone().unwrap_or_else(|| "create_prorations".to_owned()),
            trial_end: phase.trial_end,
            metadata: phase.metadata.clone(),
        });
    }
    Ok(made)
}

fn items(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: &[WantedItem],
    at: &str,
) -> Result<Vec<PhaseItem>, ApiError> {
    if wanted.is_empty() {
        return Err(ApiError::missing_param(&format!("{at}[items]")));
    }
    let mut made = Vec::new();
    for (place, item) in wanted.iter().enumerate() {
        let at = format!("{at}[items][{place}]");
        let price = item.price_id(state, context, &at)?;
        let price = price.ok_or_else(|| ApiError::missing_param(&format!("{at}[price]")))?;
        if catalog::price(state, &price).is_none_or(|price| price.interval.is_none()) {
            return Err(catalog::not_recurring(&price));
        }
        made.push(PhaseItem {
            price,
            quantity: Some(item.quantity.unwrap_or(1)),
            metadata: item.metadata.clone().unwrap_or_default(),
        });
    }
    Ok(made)
}

fn end_of(
    state: &State,
    context: &Context<'_>,
    (phase, items): (&WantedPhase, &[PhaseItem]),
    (start, is_last): (i64, bool),
    at: &str,
) -> Result<i64, ApiError> {
    if let Some(text) = &phase.end_date {
        let end = time(text, context.now(), &format!("{at}[end_date]"))?;
        if end <= start {
            let message = "The end date of a phase must be after its start date.";
            return Err(ApiError::invalid(message).param(format!("{at}[end_date]")));
        }
        return Ok(end);
    }
    if let Some(duration) = &phase.duration {
        let unit = Unit::parse(&duration.interval).unwrap_or(Unit::Month);
        return Ok(Interval { unit, count: duration.interval_count.unwrap_or(1) }.after(start, 1));
    }
    let interval = items.first().and_then(|item| catalog::price(state, &item.price)).and_then(|price| price.interval);
    let iterations = phase.iterations.or(is_last.then_some(1));
    match (interval, iterations) {
        (Some(interval), Some(iterations)) => Ok(interval.after(start, iterations)),
        _ => Err(ApiError::missing_param(&format!("{at}[end_date]"))),
    }
}

fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = schedule::find(state, id)?.clone();
    let mut fields = SHARED.to_vec();
    fields.push(optional("proration_behavior", PRORATION));
    let wanted: Wanted = read(&metadata::without_unset(params), &fields)?;
    if found.status.is_over() {
        let message = format!("You cannot update a subscription schedule that is {}.", found.status.as_str());
        return Err(ApiError::invalid(message));
    }
    let metadata = metadata::changed(&found.metadata, params)?;
    let first = found.phases.first().map_or(found.created, |phase| phase.start);
    let changed = if wanted.phases.is_empty() {
        found.phases.clone()
    } else {
        phases(state, context, &wanted.phases, found.phase_start.unwrap_or(first))?
    };
    for item in changed.iter().flat_map(|phase| &phase.items) {
        let currency = catalog::price(state, &item.price).map(|price| price.currency).unwrap_or_default();
        check_currency(state, &found.customer, &currency)?;
    }
    let is_new_end = changed.last().map(|phase| phase.end) != found.phases.last().map(|phase| phase.end);
    schedule_steps::change(state, context, (id, "subscription_schedule.updated"), |found| {
        found.phases = changed;
        found.metadata = metadata;
        found.announced &= !is_new_end;
        if let Some(behavior) = wanted.end_behavior {
            found.end_behavior = behavior;
        }
    });
    Ok(())
}

/// Cancels it with its subscription. One that has not begun is aborted.
fn cancel(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let found = schedule::find(state, id)?.clone();
    check_running(&found)?;
    if let Some(subscription) = &found.subscription {
        ending::cancel(state, context, subscription, &ending::because("cancellation_requested"));
    }
    if schedule::find(state, id)?.status.is_over() {
        return Ok(());
    }
    let now = context.now();
    let kind = if found.status == ScheduleStatus::NotStarted {
        "subscription_schedule.aborted"
    } else {
        "subscription_schedule.canceled"
    };
    schedule_steps::change(state, context, (id, kind), |found| {
        found.status = ScheduleStatus::Canceled;
        found.canceled_at = Some(now);
    });
    Ok(())
}

fn check_running(found: &schedule::Schedule) -> Result<(), ApiError> {
    if !found.status.is_over() {
        return Ok(());
    }
    let message = format!(
        "You can only do this with a subscription schedule that is not_started or active; this one is {}.",
        found.status.as_str()
    );
    Err(ApiError::invalid(message))
}

/// Leaves the subscription as it is, without the schedule.
fn release(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<(), ApiError> {
    let found = schedule::find(state, id)?.clone();
    check_running(&found)?;
    let now = context.now();
    if let Some(subscription) = &found.subscription {
        change::subscription(state, context, subscription, |found| found.schedule = None);
    }
    schedule_steps::change(state, context, (id, "subscription_schedule.released"), |found| {
        found.status = ScheduleStatus::Released;
        found.released_at = Some(now);
        found.released_subscription = found.subscription.take();
    });
    Ok(())
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Filter {
        #[serde(flatten)]
        page: Page,
        created: Option<Range>,
        customer: Option<String>,
    }
    let fields = [
        optional("limit", Kind::Integer(1)),
        optional("starting_after", TEXT),
        optional("ending_before", TEXT),
        EXPAND,
        optional("created", Kind::Range),
        optional("customer", TEXT),
        unsupported("canceled_at"),
        unsupported("completed_at"),
        unsupported("released_at"),
        unsupported("scheduled"),
    ];
    let filter: Filter = read(params, &fields)?;
    list::page(
        &state.schedules,
        &filter.page,
        ("subscription schedule", "/v1/subscription_schedules"),
        |found| {
            filter.created.as_ref().is_none_or(|range| range.contains(found.created))
                && filter.customer.as_ref().is_none_or(|customer| *customer == found.customer)
        },
        |found| schedule::to_json(state, found),
    )
}
