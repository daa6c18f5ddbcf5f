//! What subscriptions, invoices and schedules do next, and on which clock.
//!
//! A customer lives on a timeline: the sandbox's own, a test clock's, or one that a control has moved ahead of the
//! sandbox's. Invariants: an object has at most one entry, and its entry is on its customer's timeline. An entry of a
//! test clock comes due only while that clock advances.

use super::catalog;
use crate::model::{Context, State};

/// The timeline of customers without a clock of their own.
pub(crate) const OF_THE_SANDBOX: &str = "";

/// The timeline of a customer: a test clock, the customer itself, or the sandbox.
pub(crate) fn timeline(state: &State, customer: &str) -> String {
    if let Some(clock) = catalog::test_clock_of(state, customer) {
        return clock;
    }
    if state.moved_ahead.contains_key(customer) { customer.to_owned() } else { OF_THE_SANDBOX.to_owned() }
}

/// The time on a timeline, in milliseconds. `now_ms` is the sandbox's.
pub(crate) fn time_ms(state: &State, timeline: &str, now_ms: i64) -> i64 {
    if let Some(clock) = state.test_clocks.get(timeline) {
        return clock.frozen_time.saturating_mul(1_000);
    }
    let ahead = state.moved_ahead.get(timeline).copied().unwrap_or(0);
    now_ms.saturating_add(ahead.saturating_mul(1_000))
}

/// Plans when an object has something to do next; `None` takes it off the agenda.
pub(crate) fn plan(state: &mut State, customer: &str, id: &str, at: Option<i64>) {
    let wanted = at.map(|at| (timeline(state, customer), at));
    if state.planned.get(id) == wanted.as_ref() {
        return;
    }
    if let Some((timeline, at)) = state.planned.remove(&id.to_owned()) {
        state.agenda.remove(&(timeline, at, id.to_owned()));
    }
    if let Some((timeline, at)) = wanted {
        state.planned.insert(id.to_owned(), (timeline.clone(), at));
        state.agenda.insert((timeline, at, id.to_owned()), ());
    }
}

/// The first entry of a timeline up to this time.
pub(crate) fn first_due(state: &State, timeline: &str, until: i64) -> Option<(i64, String)> {
    let start = (timeline.to_owned(), i64::MIN, String::new());
    let ((found, at, id), ()) = state.agenda.range(start..).next()?;
    (found == timeline && *at <= until).then(|| (*at, id.clone()))
}

/// The first entry of the sandbox's own timeline and of those moved ahead, in the sandbox's milliseconds.
pub(crate) fn next_due_ms(state: &State) -> Option<i64> {
    let own = first_due(state, OF_THE_SANDBOX, i64::MAX).map(|(at, _)| at);
    let ahead = state
        .moved_ahead
        .iter()
        .filter_map(|(customer, ahead)| first_due(state, customer, i64::MAX).map(|(at, _)| at.saturating_sub(*ahead)));
    own.into_iter().chain(ahead).min().map(|at| at.saturating_mul(1_000))
}

/// Moves the entries of a customer to its current timeline, after that has changed.
pub(crate) fn move_entries(state: &mut State, customer: &str, from: &str) {
    let to = timeline(state, customer);
    let start = (from.to_owned(), i64::MIN, String::new());
    let mine = |state: &State, id: &str| owner(state, id).as_deref() == Some(customer);
    let entries: Vec<(i64, String)> = state
        .agenda
        .range(start..)
        .take_while(|((timeline, _, _), ())| timeline == from)
        .filter(|((_, _, id), ())| mine(state, id))
        .map(|((_, at, id), ())| (*at, id.clone()))
        .collect();
    for (at, id) in entries {
        state.agenda.remove(&(from.to_owned(), at, id.clone()));
        state.agenda.insert((to.clone(), at, id.clone()), ());
        state.planned.insert(id, (to.clone(), at));
    }
}

fn owner(state: &State, id: &str) -> Option<String> {
    let subscription = state.subscriptions.get(id).map(|found| found.customer.clone());
    subscription
        .or_else(|| state.invoices.get(id).and_then(|found| found.customer.clone()))
        .or_else(|| state.schedules.get(id).map(|found| found.customer.clone()))
}

/// Runs work at a time of a timeline. Objects made by it carry that time; its events carry the sandbox's time unless
/// the timeline is the sandbox's own.
pub(crate) fn at<R>(
    state: &mut State,
    context: &mut Context<'_>,
    (timeline, now_ms): (&str, i64),
    work: impl FnOnce(&mut State, &mut Context<'_>) -> R,
) -> R {
    let was = std::mem::replace(&mut state.in_other_time, timeline != OF_THE_SANDBOX);
    let mut inside = Context {
        now_ms,
        ids: &mut *context.ids,
        base_url: context.base_url,
        cause: context.cause.clone(),
        api_version: context.api_version,
    };
    let result = work(state, &mut inside);
    state.in_other_time = was;
    result
}

/// Runs work at the current time of a customer.
pub(crate) fn at_customers_time<R>(
    state: &mut State,
    context: &mut Context<'_>,
    customer: &str,
    work: impl FnOnce(&mut State, &mut Context<'_>) -> R,
) -> R {
    let timeline = timeline(state, customer);
    let now_ms = time_ms(state, &timeline, context.now_ms);
    at(state, context, (&timeline, now_ms), work)
}
