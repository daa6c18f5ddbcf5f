//! Runs the controls of a running sandbox. The JSON endpoints and the forms of the pages both call this module.

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Duration;

use crate::{
    clock,
    delivery_mode::{DeliveryMode, Hold},
    engine::Engine,
    faults::Fault,
    model::{control, endpoint, error::ApiError, version, version::DEFAULT_API_VERSION},
    outage::{self, Outage},
    permissions::Permissions,
};

/// How long a control waits for deliveries in flight.
const SETTLE_WAIT: Duration = Duration::from_secs(10);
/// The last second of the year 9999, the last one that a four-digit year can show.
const LAST_SECOND: i64 = 253_402_300_799;

/// Runs a control. `path` is the part after `/_sandbox/`.
pub(crate) async fn carry_out(engine: &Engine, path: &str, body: &Value) -> Result<Value, ApiError> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        ["clock"] => set_clock(engine, body).await,
        ["outage"] => begin_outage(engine, body),
        ["outage", "clear"] => Ok(end_outage(engine)),
        ["deliveries", "mode"] => change_mode(engine, body).await,
        ["deliveries", "mode", "clear"] => {
            engine.with(|core| core.mode = DeliveryMode::default());
            engine.changed();
            Ok(mode(engine))
        }
        ["deliveries", "pause"] => {
            change_mode(engine, &json!({ "hold": true })).await.map(|_| json!({ "paused": true }))
        }
        ["deliveries", "resume"] => {
            change_mode(engine, &json!({ "hold": false })).await.map(|_| json!({ "paused": false }))
        }
        ["faults"] => add_fault(engine, body),
        ["faults", "clear"] => Ok(clear_faults(engine)),
        ["release"] => Ok(release(engine)),
        ["permissions"] => set_permissions(engine, body),
        ["endpoints", id, "remove"] => remove_endpoint(engine, id).await,
        ["events", id, "resend"] => resend(engine, id, body).await,
        ["events", id, "deliver"] => deliver(engine, id).await,
        ["events", id, "drop"] => drop_deliveries(engine, id).await,
        _ => on_object(engine, path, body).await,
    }
}

/// Removes a webhook endpoint and its pending deliveries, as Stripe's API does.
async fn remove_endpoint(engine: &Engine, id: &str) -> Result<Value, ApiError> {
    let (removed, version) = engine.run(None, DEFAULT_API_VERSION, |state, _| endpoint::delete(state, id));
    engine.saved(version).await;
    removed
}

/// Runs a control on an object of the model.
async fn on_object(engine: &Engine, path: &str, body: &Value) -> Result<Value, ApiError> {
    let (result, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| {
        control::handle(state, context, &format!("/_sandbox/{path}"), body)
    });
    engine.saved(version).await;
    result
}

/// The sandbox's time: the machine's time plus the offset by which it was advanced.
pub(crate) fn clock(engine: &Engine) -> Value {
    let (now, machine) = (engine.now_ms().div_euclid(1_000), clock::now_ms().div_euclid(1_000));
    json!({ "now": now, "machine_now": machine, "offset_seconds": now.saturating_sub(machine) })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: Option<i64>,
    now: Option<i64>,
}

async fn set_clock(engine: &Engine, body: &Value) -> Result<Value, ApiError> {
    let wanted: ClockBody = read(body)?;
    let now_ms = engine.now_ms();
    let advance_ms = match (wanted.advance_seconds, wanted.now) {
        (Some(seconds), None) => seconds.saturating_mul(1_000),
        (None, Some(now)) => now.saturating_mul(1_000).saturating_sub(now_ms.div_euclid(1_000).saturating_mul(1_000)),
        _ => return Err(ApiError::invalid("Give one of `advance_seconds` and `now`.")),
    };
    if advance_ms < 0 {
        return Err(ApiError::invalid("The sandbox's time cannot go back."));
    }
    if now_ms.saturating_add(advance_ms).div_euclid(1_000) > LAST_SECOND {
        return Err(ApiError::invalid("The sandbox's time ends with the year 9999."));
    }
    engine.run(None, DEFAULT_API_VERSION, |state, _| {
        state.clock_offset_ms = state.clock_offset_ms.saturating_add(advance_ms);
    });
    // A second step, for everything due at the new time.
    let ((), version) = engine.run(None, DEFAULT_API_VERSION, |_, _| ());
    engine.saved(version).await;
    Ok(clock(engine))
}

pub(crate) fn outage(engine: &Engine) -> Value {
    let now_ms = engine.now_ms();
    let current = engine.with(|core| outage::current(&mut core.outage, now_ms).cloned());
    json!({ "outage": current })
}

fn begin_outage(engine: &Engine, body: &Value) -> Result<Value, ApiError> {
    let wanted = Outage::read(body, engine.now_ms())?;
    engine.with(|core| core.outage = Some(wanted));
    engine.changed();
    Ok(outage(engine))
}

pub(crate) fn end_outage(engine: &Engine) -> Value {
    engine.with(|core| core.outage = None);
    engine.changed();
    outage(engine)
}

pub(crate) fn faults(engine: &Engine) -> Value {
    json!({ "faults": engine.with(|core| core.faults.clone()) })
}

pub(crate) fn add_fault(engine: &Engine, body: &Value) -> Result<Value, ApiError> {
    let fault: Fault = read(body)?;
    if let Some(mistake) = fault.mistake() {
        return Err(ApiError::invalid(mistake));
    }
    engine.with(|core| core.faults.push(fault));
    engine.changed();
    Ok(faults(engine))
}

pub(crate) fn clear_faults(engine: &Engine) -> Value {
    engine.with(|core| core.faults.clear());
    engine.changed();
    faults(engine)
}

/// Lets the held requests go on.
pub(crate) fn release(engine: &Engine) -> Value {
    let released = engine.with(|core| {
        core.releases = core.releases.saturating_add(1);
        core.held
    });
    engine.changed();
    json!({ "released": released })
}

/// Sets the permissions that the key lacks; an empty list removes all restrictions.
pub(crate) fn set_permissions(engine: &Engine, body: &Value) -> Result<Value, ApiError> {
    let permissions: Permissions = read(body)?;
    let answer = json!(permissions);
    engine.with(|core| core.permissions = permissions);
    engine.changed();
    Ok(answer)
}

pub(crate) fn mode(engine: &Engine) -> Value {
    engine.with(|core| json!(core.mode))
}

async fn change_mode(engine: &Engine, body: &Value) -> Result<Value, ApiError> {
    engine.with(|core| core.mode.change(body))?;
    engine.changed();
    let holds = engine.with(|core| core.mode.hold != Hold::All(false));
    if holds {
        // Wait for the deliveries in flight, so that no held event arrives after this answer.
        engine.wait_until(SETTLE_WAIT, |core| !core.is_sending_held()).await;
    }
    Ok(mode(engine))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendBody {
    api_version: Option<String>,
}

async fn resend(engine: &Engine, id: &str, body: &Value) -> Result<Value, ApiError> {
    let wanted: ResendBody = read(body)?;
    if let Some(api_version) = &wanted.api_version {
        version::check(api_version)?;
    }
    let (queued, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| {
        state.resend(id, context.now_ms, wanted.api_version.as_deref())
    });
    engine.saved(version).await;
    let queued = queued.ok_or_else(|| no_event(id))?;
    Ok(json!({ "event": id, "queued": queued }))
}

/// Makes the pending deliveries of an event due now, even if they are held or waiting for a retry.
async fn deliver(engine: &Engine, id: &str) -> Result<Value, ApiError> {
    let (count, version) =
        engine.run(None, DEFAULT_API_VERSION, |state, context| state.deliver_now(id, context.now_ms));
    engine.saved(version).await;
    left(count, id).map(|count| json!({ "event": id, "delivering": count }))
}

/// Drops the pending deliveries of an event.
async fn drop_deliveries(engine: &Engine, id: &str) -> Result<Value, ApiError> {
    let (count, version) = engine.run(None, DEFAULT_API_VERSION, |state, _| state.drop_deliveries(id));
    engine.saved(version).await;
    left(count, id).map(|count| json!({ "event": id, "dropped": count }))
}

fn left(count: Option<usize>, id: &str) -> Result<usize, ApiError> {
    match count {
        Some(0) => {
            let message = format!("Nothing is left to deliver of '{id}'. It can be sent again with resend.");
            Err(ApiError::new(409, "invalid_request_error", message))
        }
        Some(count) => Ok(count),
        None => Err(no_event(id)),
    }
}

fn no_event(id: &str) -> ApiError {
    ApiError::new(404, "invalid_request_error", format!("No such event: '{id}'"))
}

fn read<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, ApiError> {
    T::deserialize(body).map_err(|error| ApiError::invalid(error.to_string()))
}
