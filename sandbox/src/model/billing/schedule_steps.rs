//! What schedules do when a phase begins or the last one ends.
//!
//! Invariants: a renewal at the start of a phase is billed by the prices of that phase.

use super::{
    agenda, catalog, change, ending,
    schedule::{self, Phase, PhaseItem, Schedule, ScheduleStatus},
    start::{self, FirstPayment, NewItem, Wanted},
    subscription::Item,
};
use crate::model::{Context, State};

/// The end of a schedule is announced this long before.
const NOTICE: i64 = 7 * 24 * 60 * 60;

/// Puts the next step of a schedule on the agenda.
pub(crate) fn plan(state: &mut State, id: &str) {
    let Some(found) = state.schedules.get(id) else { return };
    let customer = found.customer.clone();
    let next = (!found.status.is_over()).then(|| next_step(found));
    agenda::plan(state, &customer, id, next);
}

fn next_step(found: &Schedule) -> i64 {
    let begins = found.phases.iter().map(|phase| phase.start);
    let next = begins.filter(|start| found.phase_start.is_none_or(|current| *start > current)).min();
    let notice = (!found.announced).then(|| found.end().saturating_sub(NOTICE));
    next.into_iter().chain(notice).min().unwrap_or_else(|| found.end())
}

/// Changes a schedule and emits an event about it.
pub(crate) fn change(
    state: &mut State,
    context: &mut Context<'_>,
    (id, kind): (&str, &str),
    change: impl FnOnce(&mut Schedule),
) {
    let Some(before) = schedule::by_id(state, id) else { return };
    if let Some(found) = state.schedules.get_mut(id) {
        change(found);
    }
    plan(state, id);
    let Some(after) = schedule::by_id(state, id) else { return };
    if kind == "subscription_schedule.updated" {
        if before != after {
            state.emit_diff(context, kind, &before, after);
        }
    } else {
        state.emit(context, kind, after);
    }
}

/// Does what is due: begins the next phase, announces the end, or ends.
pub(crate) fn advance(state: &mut State, context: &mut Context<'_>, id: &str) {
    let now = context.now();
    let Some(found) = state.schedules.get(id).cloned() else { return };
    if found.status.is_over() {
        return;
    }
    if found.end() <= now {
        end(state, context, &found);
        return;
    }
    let due = found.phase_at(now).filter(|phase| found.phase_start != Some(phase.start)).cloned();
    if let Some(phase) = due {
        begin(state, context, &found, &phase);
    }
    if !found.announced && found.end().saturating_sub(NOTICE) <= now {
        change(state, context, (id, "subscription_schedule.expiring"), |found| found.announced = true);
    }
    plan(state, id);
}

fn begin(state: &mut State, context: &mut Context<'_>, found: &Schedule, phase: &Phase) {
    let started = match &found.subscription {
        Some(subscription) => {
            follow_phase(state, context, subscription, phase);
            Some(subscription.clone())
        }
        None => new_subscription(state, context, found, phase),
    };
    let start = phase.start;
    change(state, context, (&found.id, "subscription_schedule.updated"), |found| {
        found.status = ScheduleStatus::Active;
        found.phase_start = Some(start);
        found.subscription = started;
    });
}

/// The subscription takes over the items of a phase. Items of the same place keep their ids.
fn follow_phase(state: &mut State, context: &mut Context<'_>, subscription: &str, phase: &Phase) {
    let Some(current) = state.subscriptions.get(subscription).cloned() else { return };
    let mut items = Vec::new();
    for (place, wanted) in phase.items.iter().enumerate() {
        let same = current.items.iter().find(|item| item.price == wanted.price);
        let old = same.or_else(|| current.items.get(place));
        items.push(Item {
            id: old.map_or_else(|| context.ids.next("si_", 14), |old| old.id.clone()),
            created: old.map_or(context.now(), |old| old.created),
            price: wanted.price.clone(),
            quantity: wanted.quantity,
            period: old.map_or_else(|| current.period(), |old| old.period),
            metadata: wanted.metadata.clone(),
        });
    }
    change::subscription(state, context, subscription, |found| {
        found.items = items;
        found.metadata.extend(phase.metadata.clone());
    });
}

fn new_subscription(state: &mut State, context: &mut Context<'_>, found: &Schedule, phase: &Phase) -> Option<String> {
    let items: Vec<NewItem> = phase
        .items
        .iter()
        .map(|item| NewItem { price: item.price.clone(), quantity: item.quantity, metadata: item.metadata.clone() })
        .collect();
    let currency = items.first().and_then(|item| catalog::price(state, &item.price))?.currency;
    let wanted = Wanted {
        first_payment: FirstPayment::Later,
        schedule: Some(found.id.clone()),
        billing_mode: Some(found.billing_mode),
        collection_method: found.collection_method.clone(),
        default_payment_method: found.default_payment_method.clone(),
        trial_end: phase.trial_end,
        metadata: phase.metadata.clone(),
        ..Wanted::new(&found.customer, &currency, items)
    };
    start::start(state, context, wanted).ok()
}

fn end(state: &mut State, context: &mut Context<'_>, found: &Schedule) {
    let now = context.now();
    let releases = found.end_behavior != "cancel";
    if let Some(subscription) = &found.subscription {
        change::subscription(state, context, subscription, |found| found.schedule = None);
        if !releases {
            ending::cancel(state, context, subscription, &ending::because("cancellation_requested"));
        }
    }
    change(state, context, (&found.id, "subscription_schedule.completed"), |found| {
        found.status = ScheduleStatus::Completed;
        found.completed_at = Some(now);
    });
}

/// The items of a subscription were changed by hand: the running phase of its schedule has them now too.
pub(crate) fn take_over(state: &mut State, context: &mut Context<'_>, subscription: &str) {
    let Some(found) = state.subscriptions.get(subscription) else { return };
    let Some(id) = found.schedule.clone() else { return };
    let items: Vec<PhaseItem> = found.items.iter().map(phase_item).collect();
    change(state, context, (&id, "subscription_schedule.updated"), |found| {
        let current = found.phase_start;
        if let Some(phase) = found.phases.iter_mut().find(|phase| Some(phase.start) == current) {
            phase.items = items;
        }
    });
}

/// An item as a phase has it.
pub(crate) fn phase_item(item: &Item) -> PhaseItem {
    PhaseItem { price: item.price.clone(), quantity: item.quantity, metadata: item.metadata.clone() }
}
