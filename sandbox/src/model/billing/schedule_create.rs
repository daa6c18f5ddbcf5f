//! New schedules: of a customer, or of a running subscription.

use std::collections::BTreeMap;

use super::{
    catalog, change,
    schedule::{Phase, PhaseItem, Schedule, ScheduleStatus},
    schedule_steps::{self, phase_item},
    subscription::{BillingMode, Subscription},
};
use crate::model::{Context, State, error::ApiError};

/// The parts of a new schedule.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) customer: String,
    pub(crate) phases: Vec<Phase>,
    pub(crate) end_behavior: String,
    pub(crate) billing_mode: BillingMode,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) collection_method: Option<String>,
    pub(crate) default_payment_method: Option<String>,
}

/// Stores a schedule and begins its first phase, if that is due.
pub(crate) fn create(state: &mut State, context: &mut Context<'_>, parts: Parts) -> String {
    let id = context.ids.next("sub_sched_1", 23);
    state.schedules.insert(Schedule {
        id: id.clone(),
        created: context.now(),
        customer: parts.customer,
        status: ScheduleStatus::NotStarted,
        phases: parts.phases,
        end_behavior: parts.end_behavior,
        billing_mode: parts.billing_mode,
        collection_method: parts.collection_method,
        default_payment_method: parts.default_payment_method,
        subscription: None,
        released_subscription: None,
        phase_start: None,
        canceled_at: None,
        completed_at: None,
        released_at: None,
        announced: false,
        metadata: parts.metadata,
    });
    schedule_steps::change(state, context, (&id, "subscription_schedule.created"), |_| ());
    schedule_steps::advance(state, context, &id);
    id
}

/// A schedule of a running subscription: its first phase is the current period.
pub(crate) fn of_subscription(state: &mut State, context: &mut Context<'_>, found: &Subscription) -> String {
    let period = found.period();
    let phase = Phase {
        items: found.items.iter().map(phase_item).collect(),
        start: period.start,
        end: found.period_end(),
        proration: "create_prorations".to_owned(),
        trial_end: found.trial_end,
        metadata: BTreeMap::new(),
    };
    let id = context.ids.next("sub_sched_1", 23);
    state.schedules.insert(Schedule {
        id: id.clone(),
        created: context.now(),
        customer: found.customer.clone(),
        status: ScheduleStatus::Active,
        phase_start: Some(phase.start),
        phases: vec![phase],
        end_behavior: "release".to_owned(),
        billing_mode: found.billing_mode,
        collection_method: None,
        default_payment_method: None,
        subscription: Some(found.id.clone()),
        released_subscription: None,
        canceled_at: None,
        completed_at: None,
        released_at: None,
        // The end of the current period is no end that needs a notice.
        announced: true,
        metadata: BTreeMap::new(),
    });
    change::subscription(state, context, &found.id, |found| found.schedule = Some(id.clone()));
    schedule_steps::change(state, context, (&id, "subscription_schedule.created"), |_| ());
    id
}

/// Keeps a change of the price for the end of the period: the schedule has the current phase and the next one.
pub(crate) fn change_at_period_end(
    state: &mut State,
    context: &mut Context<'_>,
    found: &Subscription,
    price: &str,
) -> Result<(), ApiError> {
    let interval =
        catalog::price(state, price).and_then(|price| price.interval).ok_or_else(|| catalog::not_recurring(price))?;
    let id = match &found.schedule {
        Some(id) => id.clone(),
        None => of_subscription(state, context, found),
    };
    let start = found.period_end();
    let quantity = found.items.first().and_then(|item| item.quantity);
    let next = Phase {
        items: vec![PhaseItem { price: price.to_owned(), quantity, metadata: BTreeMap::new() }],
        start,
        end: interval.after(start, 1),
        proration: "none".to_owned(),
        trial_end: None,
        metadata: BTreeMap::new(),
    };
    schedule_steps::change(state, context, (&id, "subscription_schedule.updated"), |found| {
        found.phases.retain(|phase| phase.start < start);
        found.phases.push(next);
    });
    Ok(())
}
