//! Test clocks: time that stands still until a request advances it (docs: "Test clocks").
//!
//! Invariants: an advance is worked off in portions; until it is done the clock is `advancing`. Deleting a clock
//! deletes its customers with their subscriptions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{agenda, collect, ending, renewal};
use crate::model::{Context, State, customer, error::ApiError, table::Row};

const A_DAY: i64 = 86_400;
/// Stripe deletes a clock after thirty days.
const KEPT_SECONDS: i64 = 30 * A_DAY;
/// Without subscriptions a clock may be advanced by two years.
const TWO_YEARS: i64 = 2 * 366 * A_DAY;
/// Entries of the agenda that are worked off in one go, so that requests and webhooks get their turn.
const PORTION: usize = 100;
/// With more deliveries waiting than this, renewals wait for the receivers.
const MANY_DELIVERIES: usize = 10_000;

/// A test clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TestClock {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) frozen_time: i64,
    pub(crate) name: Option<String>,
    /// Where an advance is going.
    pub(crate) target: Option<i64>,
}

impl Row for TestClock {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

pub(crate) fn to_json(clock: &TestClock) -> Value {
    let details = match clock.target {
        Some(target) => json!({ "advancing": { "target_frozen_time": target } }),
        None => json!({}),
    };
    json!({
        "id": clock.id,
        "object": "test_helpers.test_clock",
        "created": clock.created,
        "deletes_after": clock.created.saturating_add(KEPT_SECONDS),
        "frozen_time": clock.frozen_time,
        "livemode": false,
        "name": clock.name,
        "status": if clock.target.is_some() { "advancing" } else { "ready" },
        "status_details": details,
    })
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a TestClock, ApiError> {
    state.test_clocks.get(id).ok_or_else(|| ApiError::not_found("test clock", id, "test_clock"))
}

pub(crate) fn create(state: &mut State, context: &mut Context<'_>, frozen_time: i64, name: Option<String>) -> Value {
    let clock =
        TestClock { id: context.ids.next("clock_1", 23), created: context.now(), frozen_time, name, target: None };
    let rendered = to_json(&clock);
    state.test_clocks.insert(clock);
    state.emit(context, "test_helpers.test_clock.created", rendered.clone());
    rendered
}

/// Begins to advance a clock. What becomes due is worked off afterwards.
pub(crate) fn advance(state: &mut State, context: &mut Context<'_>, id: &str, to: i64) -> Result<Value, ApiError> {
    let clock = find(state, id)?;
    let refuse = |message: String| Err(ApiError::invalid(message).param("frozen_time"));
    if clock.target.is_some() {
        return refuse(format!("Test clock {id} is currently advancing and cannot be changed until it is ready."));
    }
    if to <= clock.frozen_time {
        return refuse("The `frozen_time` must be after the current frozen time of the test clock.".to_owned());
    }
    if to > clock.frozen_time.saturating_add(furthest(state, id)) {
        return refuse(
            "You cannot advance a test clock more than two intervals of the shortest subscription on it at a time."
                .to_owned(),
        );
    }
    if let Some(clock) = state.test_clocks.get_mut(id) {
        clock.target = Some(to);
    }
    let rendered = to_json(find(state, id)?);
    state.emit(context, "test_helpers.test_clock.advancing", rendered.clone());
    Ok(rendered)
}

/// Two intervals of the shortest subscription on the clock, or two years.
fn furthest(state: &State, id: &str) -> i64 {
    let on_it = state.subscriptions.iter().filter(|found| !found.is_ended());
    let on_it = on_it.filter(|found| {
        state.customers.get(&found.customer).is_some_and(|customer| customer.test_clock.as_deref() == Some(id))
    });
    let items = on_it.flat_map(|found| &found.items);
    let intervals = items.filter_map(|item| super::catalog::price(state, &item.price)?.interval);
    intervals.map(|interval| interval.longest().saturating_mul(2)).min().unwrap_or(TWO_YEARS)
}

/// Deletes a clock with its customers.
pub(crate) fn delete(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<Value, ApiError> {
    let clock = find(state, id)?.clone();
    let customers: Vec<String> = state
        .customers
        .iter()
        .filter(|customer| customer.test_clock.as_deref() == Some(id) && !customer.deleted)
        .map(|customer| customer.id.clone())
        .collect();
    for customer in &customers {
        leave(state, context, customer);
        customer::delete(state, context, customer)?;
    }
    state.test_clocks.remove(id);
    state.emit(context, "test_helpers.test_clock.deleted", to_json(&clock));
    Ok(json!({ "id": id, "object": "test_helpers.test_clock", "deleted": true }))
}

/// Ends the subscriptions of a customer that is being deleted.
pub(crate) fn leave(state: &mut State, context: &mut Context<'_>, customer: &str) {
    let live: Vec<String> = state
        .subscriptions
        .iter()
        .filter(|found| found.customer == customer && !found.is_ended())
        .map(|found| found.id.clone())
        .collect();
    for id in &live {
        ending::cancel(state, context, id, &ending::because("cancellation_requested"));
    }
}

/// Works off a portion of what is due on every timeline. Returns true if anything happened.
pub(crate) fn run_due(state: &mut State, context: &mut Context<'_>) -> bool {
    let mut happened = collect::follow(state, context);
    if state.deliveries.len() > MANY_DELIVERIES {
        return happened;
    }
    let now_ms = context.now_ms;
    let ahead: Vec<String> = state.moved_ahead.keys().cloned().collect();
    for timeline in std::iter::once(agenda::OF_THE_SANDBOX.to_owned()).chain(ahead) {
        let until = agenda::time_ms(state, &timeline, now_ms).div_euclid(1_000);
        happened |= renewal::run_due(state, context, &timeline, until, PORTION) > 0;
    }
    let moving: Vec<(String, i64)> =
        state.test_clocks.iter().filter_map(|clock| Some((clock.id.clone(), clock.target?))).collect();
    for (id, target) in moving {
        happened = true;
        if renewal::run_due(state, context, &id, target, PORTION) < PORTION {
            arrive(state, context, &id, target);
        }
    }
    happened
}

fn arrive(state: &mut State, context: &mut Context<'_>, id: &str, target: i64) {
    let Some(clock) = state.test_clocks.get_mut(id) else { return };
    clock.frozen_time = target;
    clock.target = None;
    let rendered = to_json(clock);
    state.emit(context, "test_helpers.test_clock.ready", rendered);
}

/// When [`run_due`] has something to do next, in the sandbox's milliseconds.
pub(crate) fn next_due_ms(state: &State) -> Option<i64> {
    if state.deliveries.len() > MANY_DELIVERIES {
        return None;
    }
    let is_advancing = state.test_clocks.iter().any(|clock| clock.target.is_some());
    if is_advancing { Some(state.now.saturating_mul(1_000)) } else { agenda::next_due_ms(state) }
}

/// Moves a customer without a test clock ahead of the sandbox's time, further with each call.
pub(crate) fn move_ahead(state: &mut State, customer: &str, seconds: i64) {
    let from = agenda::timeline(state, customer);
    let ahead = state.moved_ahead.get(customer).copied().unwrap_or(0);
    state.moved_ahead.insert(customer.to_owned(), ahead.saturating_add(seconds));
    agenda::move_entries(state, customer, &from);
}
